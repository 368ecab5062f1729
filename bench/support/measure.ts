/**
 * What the benches share: running a load for a fixed time, percentiles, tables.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

export interface Load {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU time of the whole process for each, all threads. Units: microseconds. */
  readonly cpuUs: number
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/** Keeps `inFlight` calls of `task` running for `durationMs`; `task` gets a running number. */
export async function runLoad(
  inFlight: number,
  durationMs: number,
  task: (index: number) => Promise<unknown>,
): Promise<Load> {
  const latencies: number[] = []
  const startCpu = process.cpuUsage()
  const startMs = performance.now()
  const endMs = startMs + durationMs
  let next = 0
  const worker = async (): Promise<void> => {
    for (;;) {
      const beginMs = performance.now()
      if (beginMs >= endMs) return
      await task(next++)
      latencies.push(performance.now() - beginMs)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  const seconds = (performance.now() - startMs) / 1_000
  const { user, system } = process.cpuUsage(startCpu)
  latencies.sort((a, b) => a - b)
  const p50Ms = percentile(latencies, 0.5)
  const p99Ms = percentile(latencies, 0.99)
  const count = latencies.length
  return { perSecond: count / seconds, p50Ms, p99Ms, cpuUs: (user + system) / count }
}

/** Runs `use` with a folder that is gone afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'loom-bench-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Prints rows as a Markdown table. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  console.log(line(header))
  console.log(line(header.map(() => '---')))
  for (const row of rows) console.log(line(row))
}

export function rate(perSecond: number): string {
  return `${Math.round(perSecond).toLocaleString('en-US')}/s`
}

export function ms(value: number): string {
  return `${value.toFixed(2)} ms`
}

export function ratio(value: number, limit: number): string {
  return `${((100 * value) / limit).toFixed(0)} %`
}

/**
 * The fault shim: real failures of the calls that make data durable, in a child process.
 *
 * Owns: compiling test/support/fault-shim.c once per run, its settings as an environment.
 * Does not own: the processes (store-process.ts).
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

export interface Faults {
  /** SIGKILL instead of this call, counted from 1. */
  readonly killAt?: number
  /** This call writes half of its bytes, then SIGKILL. */
  readonly tornAt?: number
  /** From this call on, `eioCount` (1) calls fail with EIO. */
  readonly eioFrom?: number
  readonly eioCount?: number
  /** Counts, and fails, calls of this name alone. */
  readonly eioCall?: 'pwrite' | 'fdatasync'
  /** How much longer a sync takes. */
  readonly delayMs?: number
  /** How much longer mapping the data file takes: widens the moment in which opening is not safe. */
  readonly mapDelayMs?: number
  /** File that holds the number of calls so far. */
  readonly countFile?: string
}

export type FaultEnvironment = (faults: Faults) => Record<string, string>

/** Null, with the reason printed, where faults cannot be injected like this. */
export function compileFaultShim(): { environment: FaultEnvironment; remove(): void } | null {
  if (process.platform !== 'linux') return skipped('LD_PRELOAD is used on Linux only')
  const folder = mkdtempSync(path.join(os.tmpdir(), 'loom-shim-'))
  const library = path.join(folder, 'fault-shim.so')
  const source = path.resolve('test/support/fault-shim.c')
  const args = ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', library, source, '-ldl']
  const { status, stderr, error } = spawnSync('cc', args, { encoding: 'utf8' })
  const remove = (): void => rmSync(folder, { recursive: true })
  if (status === 0) return { environment: (faults) => environmentOf(library, faults), remove }
  remove()
  if (error === undefined) throw new Error(`fault-shim.c does not compile: ${stderr}`)
  return skipped(`no C compiler: ${error.message}`)
}

function skipped(reason: string): null {
  process.stderr.write(`tests with real faults of the disk are skipped: ${reason}\n`)
  return null
}

function environmentOf(library: string, faults: Faults): Record<string, string> {
  const settings = {
    FAULT_KILL_AT: faults.killAt,
    FAULT_TORN_AT: faults.tornAt,
    FAULT_EIO_FROM: faults.eioFrom,
    FAULT_EIO_COUNT: faults.eioCount,
    FAULT_EIO_CALL: faults.eioCall,
    FAULT_DELAY_MS: faults.delayMs,
    FAULT_MAP_DELAY_MS: faults.mapDelayMs,
    FAULT_COUNT: faults.countFile,
  }
  const set = Object.entries(settings).filter(([, value]) => value !== undefined)
  return { LD_PRELOAD: library, ...Object.fromEntries(set.map(([k, v]) => [k, String(v)])) }
}

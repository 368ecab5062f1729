// Real processes from dist/: the CLI, hosts, and waiting for what they do.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'

export const PACKAGE_ROOT = path.resolve(import.meta.dirname, '../..')
const CLI = path.join(PACKAGE_ROOT, 'dist/host/cli/main.js')
const DEADLINE_MS = 30_000

/** A folder that is removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'loom-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Polls until `attempt` gives something; fails after a deadline, naming `what`. */
export async function until<T>(
  what: string,
  attempt: () => Promise<T | null> | T | null,
): Promise<T> {
  const deadlineMs = performance.now() + DEADLINE_MS
  for (;;) {
    const found = await attempt()
    if (found !== null) return found
    if (performance.now() > deadlineMs) throw new Error(`gave up waiting for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

interface Output {
  stdout: string
  stderr: string
}

function start(
  file: string,
  args: readonly string[],
  { cwd, env }: RunOptions,
): { child: ChildProcess; output: Output; exited: Promise<number | null> } {
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  })
  const output: Output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  const exited = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code))
  })
  return { child, output, exited }
}

export async function run(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const { output, exited } = start(file, args, options)
  const code = await exited
  return { code, ...output }
}

/** Runs `loom` to its end. */
export function loom(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return run(process.execPath, [CLI, ...args], options)
}

export interface HostProcess {
  readonly address: string
  readonly pid: number
  signal(name: NodeJS.Signals): void
  /** As a reader of its output that goes away. */
  closeOutput(): void
  /** Resolves with code and output when the process has ended. */
  readonly ended: Promise<Finished>
  /** SIGTERM, and the end. */
  stop(): Promise<Finished>
  /** SIGKILL, and the end. */
  kill(): Promise<Finished>
}

/** `loom serve` on `data`, taking calls. Killed when the test ends, if it still runs. */
export async function serve(data: string, args: readonly string[] = []): Promise<HostProcess> {
  const host = await startHost(data, args)
  onTestFinished(async () => {
    await host.kill()
  })
  return host
}

/** As `serve`, for hooks: who starts it ends it. */
export async function startHost(data: string, args: readonly string[] = []): Promise<HostProcess> {
  const all = [CLI, 'serve', '--data', data, '--port', '0', ...args]
  const { child, output, exited } = start(process.execPath, all, {})
  const ended = exited.then((code) => ({ code, ...output }))
  const address = await until('the host to take calls', async () => {
    const match = /^listening on (http:\S+)$/m.exec(output.stdout)
    if (match?.[1] !== undefined) return match[1]
    if (child.exitCode !== null)
      throw new Error(`the host ended with ${child.exitCode}: ${output.stderr}`)
    return null
  })
  const end = (name: NodeJS.Signals): Promise<Finished> => {
    child.kill(name)
    return ended
  }
  return {
    address,
    pid: child.pid ?? 0,
    signal: (name) => child.kill(name),
    closeOutput: () => {
      child.stdout?.destroy()
      child.stderr?.destroy()
    },
    ended,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

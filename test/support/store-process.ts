/**
 * Child processes that host a store, for fault tests.
 *
 * Owns: starting test/support/store-child.mjs, reading its lines, ending it by its own pid.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import readline from 'node:readline'

export type ChildMode = 'write' | 'serve' | 'freeze' | 'claim' | 'script' | 'visit' | 'read'

export class StoreProcess {
  readonly pid: number
  readonly lines: string[] = []
  readonly #child: ChildProcessWithoutNullStreams
  readonly #exited: Promise<unknown>
  readonly #closed: Promise<unknown>
  #read = 0
  #wake: () => void = () => {}

  constructor(
    mode: ChildMode,
    folder: string,
    options: object = {},
    wrap: string[] = [],
    env: Record<string, string> = {},
  ) {
    const script = path.resolve('test/support/store-child.mjs')
    const command = [...wrap, process.execPath, script, mode, folder, JSON.stringify(options)]
    this.#child = spawn(command[0] ?? '', command.slice(1), { env: { ...process.env, ...env } })
    this.pid = this.#child.pid ?? 0
    this.#exited = once(this.#child, 'exit')
    this.#child.stderr.resume()
    const reader = readline.createInterface({ input: this.#child.stdout })
    this.#closed = once(reader, 'close')
    reader.on('line', (line) => {
      this.lines.push(line)
      this.#wake()
    })
    void this.#closed.then(() => this.#wake())
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  get signal(): NodeJS.Signals | null {
    return this.#child.signalCode
  }

  /** The next line, or "" when the process ended without one. */
  async line(): Promise<string> {
    while (this.#read >= this.lines.length) {
      if (!this.isRunning) {
        await this.#closed
        if (this.#read >= this.lines.length) return ''
        break
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.lines[this.#read++] ?? ''
  }

  async ask(command: string): Promise<string> {
    this.#child.stdin.write(`${command}\n`)
    return this.line()
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Ends the process and waits until all its lines are read. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
    await this.#closed
  }

  async exited(): Promise<void> {
    await this.#exited
    await this.#closed
  }
}

/**
 * Child processes that talk in lines, for fault tests.
 *
 * Owns: starting a process, reading its lines, ending it by its own pid. Does not own: what the lines mean.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import readline from 'node:readline'

export class LineProcess {
  readonly pid: number
  readonly lines: string[] = []
  /** What it wrote to stderr. */
  errors = ''
  readonly #child: ChildProcessWithoutNullStreams
  readonly #exited: Promise<unknown>
  readonly #closed: Promise<unknown>
  #read = 0
  #wake: () => void = () => {}

  constructor(
    command: readonly string[],
    env: Readonly<Record<string, string>> = {},
    onLine: (line: string) => void = () => {},
  ) {
    this.#child = spawn(command[0] ?? '', command.slice(1), { env: { ...process.env, ...env } })
    this.pid = this.#child.pid ?? 0
    this.#exited = once(this.#child, 'exit')
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text
    })
    // One that died cannot be told anything.
    this.#child.stdin.on('error', () => {})
    const reader = readline.createInterface({ input: this.#child.stdout })
    this.#closed = once(reader, 'close')
    reader.on('line', (line) => {
      this.lines.push(line)
      onLine(line)
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

  get exitCode(): number | null {
    return this.#child.exitCode
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
    this.tell(command)
    return this.line()
  }

  tell(command: string): void {
    this.#child.stdin.write(`${command}\n`)
  }

  send(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Ends the process and waits until all its lines are read. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.exited()
  }

  async exited(): Promise<void> {
    await this.#exited
    await this.#closed
  }
}

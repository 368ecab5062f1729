/**
 * A guest SDK's builder that stays between builds (docs/adr/0038-builders-that-stay.md).
 *
 * Owns: its process: started when it is needed, replaced when it is spent or gone, ended with this one.
 * Does not own: when to build (watch-build.ts), what answers mean (sdk-process.ts).
 *
 * Invariant RB1: one build at a time. A process that ended under a build fails that build, not the next one.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import readline from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { type Answer, endedEarly, parseAnswer, programFile } from './sdk-process.ts'

/** What a resident process says besides the answer of one build. */
export interface Resident {
  readonly exitCode: number
  readonly isSpent: boolean
  /** Files outside of the actor's folder that were read, or looked for in vain. */
  readonly inputs?: readonly string[]
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>

interface Running {
  readonly child: Child
  readonly lines: AsyncIterator<string>
  /** The end of what it wrote to stderr. */
  said: string
}

const SAID_MAX_LENGTH = 4_096

export class ResidentBuilder {
  readonly #command: readonly string[]
  #running: Running | null = null

  constructor(program: string, args: readonly string[]) {
    this.#command = [programFile(program), ...args, '--resident']
  }

  /** The answer of one build. @throws ERR_TOOLCHAIN when the process ended without one. */
  async build<T>(): Promise<Answer<T> & Resident> {
    this.#running ??= start(this.#command)
    const running = this.#running
    const { child, lines } = running
    child.stdin.write('build\n')
    for (;;) {
      const { value, done } = await lines.next()
      if (done === true) throw await this.#failed(running)
      const answer = parseAnswer<T, Resident>(value)
      if (answer === null) continue
      if (answer.isSpent) this.#replace()
      return answer
    }
  }

  /** Ends the process; a build that runs fails. */
  end(): void {
    this.#running?.child.kill()
    this.#running = null
  }

  #replace(): void {
    this.end()
    this.#running = start(this.#command)
  }

  async #failed(running: Running): Promise<Error> {
    if (this.#running === running) this.#running = null
    const { child, said } = running
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    return endedEarly(child.exitCode ?? child.signalCode ?? 'none', said)
  }
}

function start(command: readonly string[]): Running {
  const child = spawn(process.execPath, command, { stdio: ['pipe', 'pipe', 'pipe'] })
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const running: Running = { child, lines, said: '' }
  // It may be gone when it is asked; then its lines end.
  child.stdin.on('error', () => {})
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    running.said = (running.said + text).slice(-SAID_MAX_LENGTH)
  })
  return running
}

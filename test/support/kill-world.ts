/**
 * A host that is killed again and again, and the client processes that go on asking it: for test/fault/host-kill.
 *
 * Owns: the processes, the address that clients ask at, what they were answered.
 * Does not own: when the host is killed, what must hold at the end.
 */
import { renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { LineProcess } from './line-process.ts'
import { PACKAGE_ROOT } from './processes.ts'
import type { CheckedJournal } from './transfers.ts'

const CLI = path.join(PACKAGE_ROOT, 'dist/host/cli/main.js')
const child = (name: string): string => path.join(PACKAGE_ROOT, `test/support/${name}-child.mjs`)
/** Beyond it something hangs: on this scale machines are not slow. */
const DEADLINE_MS = 120_000

/** One answered call, as client-child.mjs prints it. */
export interface Answer {
  readonly lane: string
  readonly number: number
  readonly key: string
  readonly type: string
  readonly id: string
  readonly method: string
  readonly args: readonly unknown[]
  readonly result: unknown
}

export type HostKind = 'embedded' | 'serve'

export class KillWorld {
  readonly data: string
  readonly #addressFile: string
  readonly #clients: LineProcess[] = []
  host: LineProcess | null = null
  address = ''
  #answerCount = 0
  #wake: () => void = () => {}

  constructor(data: string, folder: string) {
    this.data = data
    this.#addressFile = path.join(folder, 'address')
    this.#announce('http://127.0.0.1:1')
    onTestFinished(async () => {
      for (const process of [this.host, ...this.#clients]) await process?.kill()
    })
  }

  /** Appears whole or not at all: clients read it at any time. */
  #announce(address: string): void {
    this.address = address
    writeFileSync(`${this.#addressFile}.new`, address)
    renameSync(`${this.#addressFile}.new`, this.#addressFile)
  }

  startClient(name: string, seed: number): void {
    const command = [process.execPath, child('client'), name, `${seed}`, this.#addressFile]
    const note = (): void => {
      this.#answerCount++
      this.#wake()
    }
    this.#clients.push(new LineProcess(command, {}, note))
  }

  startHost(kind: HostKind): LineProcess {
    const args =
      kind === 'embedded'
        ? [child('host'), 'serve', this.data]
        : [CLI, 'serve', '--data', this.data, '--port', '0']
    this.host = new LineProcess([process.execPath, ...args])
    return this.host
  }

  /** Lets clients find the host that was started last. */
  async listening(): Promise<void> {
    const { host } = this
    for (;;) {
      const line = (await host?.line()) ?? ''
      if (line === '') throw new Error(`the host ended: ${host?.errors}`)
      const address = /^listening on (\S+)$/.exec(line)?.[1]
      if (address === undefined) continue
      this.#announce(address)
      return
    }
  }

  /** Resolves when the clients were answered `count` times more. */
  async answers(count: number): Promise<void> {
    const target = this.#answerCount + count
    const deadline = setTimeout(() => this.#wake(), DEADLINE_MS)
    const deadlineMs = performance.now() + DEADLINE_MS
    while (this.#answerCount < target) {
      const ended = this.#clients.find(({ isRunning }) => !isRunning)
      if (ended !== undefined)
        throw new Error(`a client ended: ${ended.lines.at(-1)} ${ended.errors}`)
      if (performance.now() >= deadlineMs)
        throw new Error(`clients get no answers; the host says: ${this.host?.errors}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    clearTimeout(deadline)
  }

  /** Every lane gets the answer that it waits for; then all there ever were. */
  async stopClients(): Promise<readonly Answer[]> {
    for (const client of this.#clients) client.tell('stop')
    const answers: Answer[] = []
    for (const client of this.#clients) {
      await client.exited()
      if (client.lines.at(-1) !== 'done')
        throw new Error(`a client ended: ${client.lines.at(-1)} ${client.errors}`)
      for (const line of client.lines.slice(0, -1)) answers.push(JSON.parse(line))
    }
    return answers
  }

  /** What is on the folder, by a process that does nothing else (host-child.mjs). */
  async check(): Promise<readonly CheckedActor[]> {
    const process_ = new LineProcess([process.execPath, child('host'), 'check', this.data])
    await process_.exited()
    if (process_.exitCode !== 0) throw new Error(`the check failed: ${process_.errors}`)
    return process_.lines.map((line) => JSON.parse(line))
  }
}

/** An actor's journal, and the state that its replay gives. */
export interface CheckedActor extends CheckedJournal {
  readonly stateHash: string
}

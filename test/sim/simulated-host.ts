/**
 * A host that a seeded simulation lets live, falter and die, and the clients that go on asking it.
 *
 * Clients call with idempotency keys, one call after the other, and ask again after every error that allows it. In each
 * step one thing happens: slow turns are released, time passes, commits are held or flow again, one fails (written or
 * not), the host is closed or dies. What a simulation calls, and what must hold, is its own (engine, effects).
 */
import { expect } from 'vitest'
import { type ActorTarget, fsBlobs, type Runtime, VirtualClock } from '../../host/index.ts'
import { macrotasks, temporaryFolder } from '../support/host.ts'
import { choices } from '../support/seed.ts'
import { UnsureDriver } from '../support/unsure-driver.ts'

const STEP_COUNT_MAX = 8_000
/** Codes that say: ask again with the key. */
const RETRIED = new Set(['ERR_COMMIT', 'ERR_CLOSING', 'ERR_BUSY'])
const CRASHED = Symbol('the host died')

/** An actor holds few turns and snapshots often, so that hosts do all that they ever do. */
export const LIMITS = { residentCountMax: 2, snapshotIntervalTurns: 7, idleTimeoutMs: 1_000 }

/** Releases of slow methods and answers of host functions that wait. */
let waiting: (() => void)[] = []
/** At the end nobody releases anything any more: replays must not wait. */
let isFree = false

/** What actors and host functions wait for; `value` when a step of the simulation has released them. */
export function waits<T>(value: T): Promise<T> {
  if (isFree) return Promise.resolve(value)
  return new Promise((resolve) => {
    waiting.push(() => resolve(value))
  })
}

function releaseAll(): void {
  for (const release of waiting.splice(0)) release()
}

/** Nothing waits from now on. */
export function setFree(): void {
  isFree = true
  releaseAll()
}

/** A call whose key is the first of its arguments. One of the method `fail` fails. */
export interface Call extends ActorTarget {
  readonly method: string
  readonly key: string
  readonly args: readonly unknown[]
}

/** Of a hundred steps, up to which what happens; between `release` and `crash` time passes and commits are held or fail. */
interface Odds {
  readonly release: number
  readonly crash: number
  /** Commits may fail. */
  readonly fails: boolean
}

export abstract class SimulatedHost {
  readonly store = new UnsureDriver()
  readonly blobs = fsBlobs(temporaryFolder())
  readonly clock = new VirtualClock()
  readonly answered: Call[] = []
  readonly pick: (count: number) => number
  readonly counts: Record<string, number> = {}
  runtime: Runtime | null = null
  clientsLeft = 0
  readonly #odds: Odds
  /** Ends the calls of a host that died. */
  #died: () => void = () => {}
  #death = new Promise<void>(() => {})
  #release: (() => void) | null = null
  #opening: Promise<void> | null = null

  constructor(seed: number, odds: Odds) {
    isFree = false
    waiting = []
    this.pick = choices(seed)
    this.#odds = odds
  }

  /** A host with its actor types. */
  protected abstract start(): Promise<Runtime>
  /** What is durable makes sense. */
  abstract check(): Promise<unknown>

  async open(): Promise<Runtime> {
    for (;;) {
      this.#opening ??= this.#open()
      await this.#opening
      if (this.runtime !== null) return this.runtime
      await macrotasks(1)
    }
  }

  async #open(): Promise<void> {
    this.#death = new Promise((resolve) => {
      this.#died = resolve
    })
    this.runtime = await this.start()
  }

  /** Dies, and is looked at before the next host begins. */
  async #crash(): Promise<void> {
    this.#release = null
    this.store.inner.crash()
    this.runtime = null
    waiting = []
    this.#opening = this.check().then(() => {})
    this.#died()
    await this.#opening
    this.#opening = null
  }

  async close(): Promise<void> {
    const { runtime } = this
    if (runtime === null) return
    this.flow()
    this.runtime = null
    const closed = runtime.close()
    await macrotasks(3)
    this.clock.advance(5_000)
    await closed
    this.#opening = null
    waiting = []
  }

  #hold(): void {
    if (this.#release !== null) this.flow()
    else this.#release = this.store.inner.holdCommits()
  }

  /** Commits are held no longer. */
  flow(): void {
    this.#release?.()
    this.#release = null
  }

  /** One thing happens; with `faults` it may be a bad one. */
  async #step(faults: boolean): Promise<void> {
    const { release, crash, fails } = this.#odds
    const choice = this.pick(100)
    const note = (what: string): void => {
      this.counts[what] = (this.counts[what] ?? 0) + 1
    }
    if (choice < release) releaseAll()
    else if (choice < 65) this.clock.advance(this.pick(900))
    else if (!faults) this.flow()
    else if (choice < 80) this.#hold()
    else if (choice < 84) {
      if (fails) {
        note('failed commits')
        this.store.failNext = this.pick(2) === 0 ? 'before' : 'after'
      }
    } else if (choice < crash && this.runtime !== null) {
      note('crashes')
      await this.#crash()
    } else if (choice === crash && this.runtime !== null) {
      note('closes')
      await this.close()
    }
    await macrotasks(1 + this.pick(2))
  }

  /** Sent once, or twice at the same time. */
  async #attempt({ type, id, method, key, args }: Call): Promise<unknown> {
    const runtime = await this.open()
    const died = this.#death.then(() => CRASHED)
    const send = async (): Promise<unknown> => {
      const actor = await runtime.getActor(id, type)
      return await actor.execute({ method, args, idempotencyKey: key })
    }
    const sends = this.pick(5) === 0 ? [send(), send()] : [send()]
    const results = await Promise.race([Promise.all(sends), died])
    if (results === CRASHED) return CRASHED
    const [first, second] = results as unknown[]
    if (sends.length === 2) expect(second).toEqual(first)
    return first
  }

  /** Asks until there is an answer. */
  async ask(call: Call): Promise<void> {
    for (;;) {
      try {
        if ((await this.#attempt(call)) === CRASHED) continue
        expect(call.method).not.toBe('fail')
        this.answered.push(call)
        return
      } catch (error) {
        const code = String((error as { code?: unknown }).code)
        if (call.method === 'fail' && code === 'ERR_ACTOR_FAILED') return
        if (!RETRIED.has(code)) throw error
        await macrotasks(1)
      }
    }
  }

  /** Until every client has its answers, and nothing more is under way. */
  async run(
    clientCount: number,
    client: (number: number) => Promise<void>,
    isSettled: () => Promise<boolean> = async () => true,
  ): Promise<void> {
    this.clientsLeft = clientCount
    const one = async (number: number): Promise<void> => {
      await client(number)
      this.clientsLeft--
    }
    let failure: unknown = null
    Promise.all(Array.from({ length: clientCount }, (_, number) => one(number))).catch((error) => {
      failure = error
    })
    const isOver = async (): Promise<boolean> =>
      failure !== null || (this.clientsLeft === 0 && (await isSettled()))
    for (let step = 0; !(await isOver()); step++) {
      if (step === STEP_COUNT_MAX) throw new Error('clients or messages wait for ever')
      await this.open()
      await this.#step(step < STEP_COUNT_MAX / 2 && this.clientsLeft > 0)
    }
    if (failure !== null) throw failure
  }
}

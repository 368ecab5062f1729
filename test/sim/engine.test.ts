/**
 * Aim: whatever happens to a host, an answered call happened exactly once and an unanswered one at most
 * once, in the order of its client, and the journal replays to the live state.
 *
 * Method: clients send marks with idempotency keys, one after the other, and ask again after every error
 * that allows it. A seeded driver lets time pass, answers host functions and releases slow methods in
 * random order, evicts from a tiny pool, holds commits, fails them (written or not written), closes the
 * host and crashes it. The model is the list of marks that each client was answered.
 *
 * Fault model: the process may die between any two macrotasks; a commit may fail, and its writer cannot
 * tell whether it was written; an answer of a host function may never come. Not in the model: damaged
 * bytes (recovery.test.ts), death inside of a write (test/fault).
 */
import { expect, test } from 'vitest'
import {
  Actor,
  type ActorDescription,
  fsBlobs,
  openInspector,
  type Runtime,
  VirtualClock,
} from '../../host/index.ts'
import { openComponentHost } from '../support/components.ts'
import { macrotasks, temporaryFolder } from '../support/host.ts'
import { choices } from '../support/seed.ts'
import { UnsureDriver } from '../support/unsure-driver.ts'

const FIXED_SEED = 20_261_122
const CLIENT_COUNT = 8
const MARKS_PER_CLIENT = 25
const ACTOR_IDS = ['a', 'b', 'c']
const STEP_COUNT_MAX = 8_000
/** Codes that say: ask again with the key. */
const RETRIED = new Set(['ERR_COMMIT', 'ERR_CLOSING', 'ERR_BUSY'])

/** Releases of slow methods and answers of host functions that wait. */
let waiting: (() => void)[] = []
/** At the end nobody releases anything any more: replays must not wait. */
let isFree = false

function waits<T>(value: T): Promise<T> {
  if (isFree) return Promise.resolve(value)
  return new Promise((resolve) => {
    waiting.push(() => resolve(value))
  })
}

class Tally extends Actor<{ marks: readonly string[] }> {
  static readonly initialState = { marks: [] }

  mark(mark: string): number {
    this.updateState(({ marks }) => ({ marks: [...marks, mark] }))
    return this.state.marks.length
  }

  async markSlowly(mark: string): Promise<number> {
    await waits(null)
    const { marks } = this.state
    await waits(null)
    this.updateState({ marks: [...marks, mark] })
    return this.state.marks.length
  }

  fail(mark: string): void {
    this.mark(mark)
    throw new Error(mark)
  }
}

interface Mark {
  readonly text: string
  readonly type: 'Tally' | 'Quoter'
  readonly id: string
  readonly method: string
}

class World {
  readonly store = new UnsureDriver()
  readonly blobs = fsBlobs(temporaryFolder())
  readonly clock = new VirtualClock()
  readonly answered: Mark[] = []
  readonly pick: (count: number) => number
  readonly counts: Record<string, number> = {}
  runtime: Runtime | null = null
  /** Ends the calls of a host that died. */
  #died: () => void = () => {}
  #release: (() => void) | null = null
  died = new Promise<void>(() => {})
  #opening: Promise<void> | null = null
  clientsLeft = CLIENT_COUNT

  constructor(seed: number) {
    this.pick = choices(seed)
  }

  async open(): Promise<Runtime> {
    for (;;) {
      this.#opening ??= this.#open()
      await this.#opening
      if (this.runtime !== null) return this.runtime
      await macrotasks(1)
    }
  }

  async #open(): Promise<void> {
    this.died = new Promise((resolve) => {
      this.#died = resolve
    })
    const limits = { residentCountMax: 2, snapshotIntervalTurns: 7, idleTimeoutMs: 1_000 }
    const { store, blobs, clock } = this
    const latest = async (symbol: string): Promise<number> => await waits(symbol.length)
    const runtime = await openComponentHost({ store, blobs, clock, limits }, { latest })
    await runtime.registerActorType('Tally', { type: 'typescript', actorClass: Tally })
    this.runtime = runtime
  }

  #gone(): void {
    this.runtime = null
    this.#opening = null
    waiting = []
  }

  crash(): void {
    this.#release = null
    this.store.inner.crash()
    this.#gone()
    this.#died()
  }

  async close(): Promise<void> {
    const { runtime } = this
    if (runtime === null) return
    this.#release?.()
    this.#release = null
    this.runtime = null
    const closed = runtime.close()
    await macrotasks(3)
    this.clock.advance(5_000)
    await closed
    this.#gone()
  }

  /** Commits flow again, and what clients no longer wait for comes to its end. */
  async settle(): Promise<void> {
    if (this.#release !== null) this.hold()
    for (const id of ACTOR_IDS)
      for (const type of ['Tally', 'Quoter'])
        await (await this.open()).describeActor(id, type).catch(() => {})
  }

  hold(): void {
    if (this.#release !== null) this.#release()
    this.#release = this.#release === null ? this.store.inner.holdCommits() : null
  }

  /** One thing happens; with `faults` it may be a bad one. */
  async step(faults: boolean): Promise<void> {
    const choice = this.pick(100)
    const note = (what: string): void => {
      this.counts[what] = (this.counts[what] ?? 0) + 1
    }
    if (choice < 55) for (const release of waiting.splice(0)) release()
    else if (choice < 65) this.clock.advance(this.pick(900))
    else if (!faults) {
      if (this.#release !== null) this.hold()
    } else if (choice < 80) this.hold()
    else if (choice < 84) {
      note('failed commits')
      this.store.failNext = this.pick(2) === 0 ? 'before' : 'after'
    } else if (choice < 86 && this.runtime !== null) {
      note('crashes')
      this.crash()
      await this.check()
    } else if (choice < 87 && this.runtime !== null) {
      note('closes')
      await this.close()
    }
    await macrotasks(1 + this.pick(2))
  }

  /** Every answered mark is in the journal once, no mark is there twice, each client's in its order. */
  async check(): Promise<Map<string, string[]>> {
    const { store, blobs } = this
    const types = { Tally: { type: 'typescript', actorClass: Tally } } as const
    const inspector = await openInspector({ store, blobs, types })
    const found = new Map<string, string[]>()
    for await (const { type, id } of inspector.actors()) {
      const marks: string[] = []
      let head: { method: string; args: readonly unknown[] } | null = null
      for await (const { entry } of inspector.journal({ type, id })) {
        if (entry.kind === 'turn' || entry.kind === 'opened') head = entry
        if ((entry.kind === 'turn' || entry.kind === 'closed') && entry.outcome.kind === 'returned')
          if (head !== null && head.args.length > 0) marks.push(String(head.args[0]))
      }
      expect(marks.length, `${type}/${id} has a mark twice`).toBe(new Set(marks).size)
      for (let client = 0; client < CLIENT_COUNT; client++) {
        const own = marks.filter((mark) => mark.startsWith(`${client}-`))
        const order = own.map((mark) => Number(mark.split('-')[1]))
        expect(order, `${type}/${id}`).toEqual([...order].sort((a, b) => a - b))
      }
      found.set(`${type}/${id}`, marks)
    }
    for (const { type, id, text } of this.answered)
      expect(found.get(`${type}/${id}`) ?? [], 'answered, and lost').toContain(text)
    return found
  }
}

const CRASHED = Symbol('the host died')

async function attempt(world: World, { type, id, method, text }: Mark): Promise<unknown> {
  const runtime = await world.open()
  const died = world.died.then(() => CRASHED)
  const args = type === 'Quoter' ? [text, 1] : [text]
  const send = async (): Promise<unknown> => {
    const actor = await runtime.getActor(id, type)
    return await actor.execute({ method, args, idempotencyKey: text })
  }
  const sends = world.pick(5) === 0 ? [send(), send()] : [send()]
  const results = await Promise.race([Promise.all(sends), died])
  if (results === CRASHED) return CRASHED
  const [first, second] = results as unknown[]
  if (sends.length === 2) expect(second).toEqual(first)
  return first
}

async function client(world: World, number: number): Promise<void> {
  for (let index = 0; index < MARKS_PER_CLIENT; index++) {
    const type = world.pick(2) === 0 ? 'Tally' : 'Quoter'
    const methods = type === 'Quoter' ? ['offer'] : ['mark', 'mark', 'markSlowly', 'fail']
    const id = ACTOR_IDS[world.pick(ACTOR_IDS.length)] ?? ''
    const method = methods[world.pick(methods.length)] ?? ''
    const mark = { text: `${number}-${index}`, type, id, method } as const
    await untilAnswered(world, mark)
  }
  world.clientsLeft--
}

async function untilAnswered(world: World, mark: Mark): Promise<void> {
  for (;;) {
    try {
      if ((await attempt(world, mark)) === CRASHED) continue
      expect(mark.method).not.toBe('fail')
      world.answered.push(mark)
      return
    } catch (error) {
      const code = String((error as { code?: unknown }).code)
      if (mark.method === 'fail' && code === 'ERR_ACTOR_FAILED') return
      if (!RETRIED.has(code)) throw error
      await macrotasks(1)
    }
  }
}

async function simulate(seed: number): Promise<World> {
  waiting = []
  isFree = false
  const world = new World(seed)
  const clients = Promise.all(
    Array.from({ length: CLIENT_COUNT }, (_, index) => client(world, index)),
  )
  let failure: unknown = null
  clients.catch((error) => {
    failure = error
  })
  for (let step = 0; world.clientsLeft > 0 && failure === null; step++) {
    if (step === STEP_COUNT_MAX) throw new Error('clients wait for ever')
    await world.open()
    await world.step(step < STEP_COUNT_MAX / 2)
  }
  if (failure !== null) throw failure
  return world
}

/** What a turn that is still under way keeps from being looked at is asked for again. */
async function described(runtime: Runtime, id: string, type: string): Promise<ActorDescription> {
  for (;;)
    try {
      return await runtime.describeActor(id, type)
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_BUSY') throw error
      await macrotasks(1)
    }
}

const seeds = [FIXED_SEED, Number(process.env.LOOM_SEED) || Math.trunc(Math.random() * 2 ** 31)]

for (const seed of seeds)
  test(`every answered call happened once, whatever else did (LOOM_SEED=${seed})`, async () => {
    const world = await simulate(seed)
    isFree = true
    for (const release of waiting.splice(0)) release()
    await world.settle()
    const found = await world.check()
    const { store, blobs } = world
    const types = { Tally: { type: 'typescript', actorClass: Tally } } as const
    while (world.runtime === null) await world.open()
    for (const [name, marks] of found) {
      const [type = '', id = ''] = name.split('/')
      const live = await described(world.runtime, id, type)
      const inspector = await openInspector({ store, blobs, types })
      const report = await inspector.replay({ type, id })
      expect([name, report.stateHash, report.turns]).toEqual([name, live.stateHash, marks.length])
    }
    expect(
      Math.min(world.counts.crashes ?? 0, world.counts['failed commits'] ?? 0),
    ).toBeGreaterThan(2)
    process.stderr.write(`engine ${seed}: ${JSON.stringify(world.counts)}\n`)
    await world.close()
  })

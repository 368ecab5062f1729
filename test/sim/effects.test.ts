/**
 * Aim: keyed state, messages and calls between actors happen with their turn or not at all, whatever happens to the
 * host: at every crash what is durable makes sense together, and in the end no money was made or lost.
 *
 * Method: a bank. Clients transfer by calls, by messages and by delayed messages, some of which fail, and ask again
 * with their keys. A seeded driver releases slow turns, lets time pass, evicts from a tiny pool, holds commits, fails
 * them (written or not), closes the host and crashes it. The model is made from what is durable: after each crash
 *   - keyed state is what the turns of the journal have written, and nothing else;
 *   - a message that a journal has sent lies in the outbox or is in its receiver's journal, never in neither;
 *   - a deposit is in a journal only if the turn that made it is in its own (open, where it waits);
 *   - no turn is in a journal twice, and every answered one is there.
 *
 * Fault model: that of engine.test.ts.
 */
import { expect, test } from 'vitest'
import { messageKey } from '../../host/actor/turn/effects.ts'
import {
  Actor,
  type ActorTarget,
  fsBlobs,
  type JournalEntry,
  openInspector,
  type Random,
  type Runtime,
  seededRandom,
  VirtualClock,
} from '../../host/index.ts'
import { unpackValue } from '../../host/journal/values.ts'
import { checkTogether, type Durable, fold } from '../support/durable-bank.ts'
import { macrotasks, openHost, temporaryFolder } from '../support/host.ts'
import { isLong, times } from '../support/long.ts'
import { choices, seedsOf } from '../support/seed.ts'
import { checkTransfers } from '../support/transfers.ts'
import { UnsureDriver } from '../support/unsure-driver.ts'

const CLIENT_COUNT = 6
const CALLS_PER_CLIENT = 20
const ACCOUNT_COUNT = 4
const STEP_COUNT_MAX = 8_000
/** Codes that say: ask again with the key. */
const RETRIED = new Set(['ERR_COMMIT', 'ERR_CLOSING', 'ERR_BUSY'])
/** No account takes it. */
const UNLUCKY = 13

/** Besides crashes and shutdowns, which are in both. */
type Fault = 'crashes' | 'failed commits'

const account = (id: string): ActorTarget => ({ type: 'Account', id })

/** Releases of slow turns. */
let waiting: (() => void)[] = []
/** At the end replays must not wait. */
let isFree = false

function waits(): Promise<void> {
  if (isFree) return Promise.resolve()
  return new Promise((resolve) => {
    waiting.push(resolve)
  })
}

class Account extends Actor<{ balance: number }> {
  static readonly initialState = { balance: 0 }

  /** How often it was moved lies in keyed state, which is read and written: lost updates would show. */
  async _move(kind: string, transfer: string, amount: number): Promise<void> {
    const moves = (await this.simpleState.get<number>('moves')) ?? 0
    this.simpleState.set('moves', moves + 1)
    this.simpleState.set(`${kind}/${transfer}`, amount)
    this.updateState(({ balance }) => ({ balance: balance + amount }))
  }

  async deposit(transfer: string, amount: number): Promise<number> {
    await this._move('in', transfer, amount)
    if (amount % 5 === 0) await waits()
    if (amount === UNLUCKY) throw new Error('not that')
    return this.state.balance
  }

  async transfer(transfer: string, to: string, amount: number): Promise<string> {
    await this._move('out', transfer, -amount)
    if (amount % 7 === 0) await waits()
    try {
      await this.context.call(account(to), 'deposit', transfer, amount)
      return 'moved'
    } catch (error) {
      return this._takeBack(error, transfer, amount)
    }
  }

  _takeBack(error: unknown, transfer: string, amount: number): string {
    const code = (error as { code?: string }).code
    if (code !== 'ERR_DEADLOCK' && code !== 'ERR_ACTOR_FAILED') throw error
    this.simpleState.delete(`out/${transfer}`)
    this.updateState(({ balance }) => ({ balance: balance + amount }))
    return 'refused'
  }

  /** As `transfer`, through another account, which may be in the ring. */
  async relay(transfer: string, to: string, amount: number): Promise<string> {
    await this._move('out', transfer, -amount)
    try {
      const via = account(`a${amount % ACCOUNT_COUNT}`)
      await this.context.call(via, 'forward', transfer, to, amount)
      return 'moved'
    } catch (error) {
      return this._takeBack(error, transfer, amount)
    }
  }

  async forward(transfer: string, to: string, amount: number): Promise<void> {
    await this._move('via', transfer, 0)
    if (amount % 7 === 0) await waits()
    await this.context.call(account(to), 'deposit', transfer, amount)
  }

  async pay(transfer: string, to: string, amount: number): Promise<string> {
    await this._move('out', transfer, -amount)
    if (amount % 3 === 0) this.context.sendLater(700, account(to), 'deposit', transfer, amount)
    else this.context.send(account(to), 'deposit', transfer, amount)
    if (amount % 7 === 0) await waits()
    return 'sent'
  }

  async split(transfer: string, to: string, amount: number): Promise<string> {
    await this._move('out', transfer, -amount)
    const half = Math.floor(this.context.random() * amount)
    this.context.send(account(to), 'deposit', `${transfer}:first`, half)
    this.context.send(account(to), 'deposit', `${transfer}:second`, amount - half)
    return 'sent'
  }

  /** Everything but the turn's end happens. */
  async fail(transfer: string, to: string, amount: number): Promise<void> {
    await this.pay(transfer, to, amount)
    throw new Error('after all, no')
  }
}

interface Call {
  readonly id: string
  readonly method: string
  readonly args: readonly [string, string, number]
}

class World {
  readonly store = new UnsureDriver()
  readonly blobs = fsBlobs(temporaryFolder())
  readonly clock = new VirtualClock()
  readonly answered: Call[] = []
  readonly pick: (count: number) => number
  /** One for all hosts: two generators of so few states would draw the same ids sooner or later. */
  readonly random: Random
  readonly fault: Fault
  readonly counts: Record<string, number> = {}
  runtime: Runtime | null = null
  #died: () => void = () => {}
  died = new Promise<void>(() => {})
  #release: (() => void) | null = null
  #opening: Promise<void> | null = null
  clientsLeft = CLIENT_COUNT

  constructor(seed: number, fault: Fault) {
    this.random = seededRandom(seed)
    this.fault = fault
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
    const { random } = this
    const runtime = await openHost({ store, blobs, clock, limits, random })
    await runtime.registerActorType('Account', { type: 'typescript', actorClass: Account })
    this.runtime = runtime
  }

  #gone(): void {
    this.runtime = null
    this.#opening = null
    waiting = []
  }

  /** Dies, and is looked at before the next host begins. */
  async crash(): Promise<void> {
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
    this.#gone()
  }

  hold(): void {
    if (this.#release !== null) this.flow()
    else this.#release = this.store.inner.holdCommits()
  }

  flow(): void {
    this.#release?.()
    this.#release = null
  }

  /** One thing happens; with `faults` it may be a bad one. */
  async step(faults: boolean): Promise<void> {
    const choice = this.pick(100)
    const note = (what: string): void => {
      this.counts[what] = (this.counts[what] ?? 0) + 1
    }
    if (choice < 50) for (const release of waiting.splice(0)) release()
    else if (choice < 65) this.clock.advance(this.pick(900))
    else if (!faults) this.flow()
    else if (choice < 80) this.hold()
    else if (choice < 84) {
      if (this.fault !== 'failed commits') return
      note('failed commits')
      this.store.failNext = this.pick(2) === 0 ? 'before' : 'after'
    } else if (choice < 87 && this.runtime !== null) {
      note('crashes')
      await this.crash()
    } else if (choice < 88 && this.runtime !== null) {
      note('closes')
      await this.close()
    }
    await macrotasks(1 + this.pick(2))
  }

  /** What is durable, and that it makes sense. */
  async check(): Promise<readonly Durable[]> {
    const { store: driver, blobs } = this
    const inspector = await openInspector({ store: driver, blobs })
    const store = await driver.open({ readOnly: true, wallMs: () => 0 })
    const found: Durable[] = []
    for await (const { type, id } of inspector.actors()) {
      const entries: JournalEntry[] = []
      for await (const { entry } of inspector.journal({ type, id })) entries.push(entry)
      const durable = { type, id, ...fold(entries) }
      const log = await store.openLog({ type, id })
      const rows = await log.listState('', null, 10_000)
      const keyed = new Map(rows.map(({ key, value }) => [key, unpackValue(value)]))
      expect([id, keyed]).toEqual([id, new Map([...durable.keyed].sort(byKey))])
      found.push(durable)
    }
    const rows = await store.outbox(null, 10_000)
    const outbox = new Set(
      rows.map(({ incarnation, seq, index }) => messageKey(incarnation, seq, index)),
    )
    checkTogether(found, outbox)
    for (const { id, args } of this.answered) {
      const turns = found.find((durable) => durable.id === id)?.turns ?? []
      expect(
        turns.map(({ key }) => key),
        'answered, and lost',
      ).toContain(args[0])
    }
    return found
  }

  async isDelivered(): Promise<boolean> {
    const store = await this.store.open({ readOnly: true, wallMs: () => 0 })
    return (await store.outbox(null, 1)).length === 0
  }
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

const CRASHED = Symbol('the host died')

async function attempt(world: World, { id, method, args }: Call): Promise<unknown> {
  const runtime = await world.open()
  const died = world.died.then(() => CRASHED)
  const send = async (): Promise<unknown> => {
    const actor = await runtime.getActor(id, 'Account')
    return await actor.execute({ method, args, idempotencyKey: args[0] })
  }
  const sends = world.pick(5) === 0 ? [send(), send()] : [send()]
  const results = await Promise.race([Promise.all(sends), died])
  if (results === CRASHED) return CRASHED
  const [first, second] = results as unknown[]
  if (sends.length === 2) expect(second).toEqual(first)
  return first
}

async function client(world: World, number: number): Promise<void> {
  for (let index = 0; index < CALLS_PER_CLIENT; index++) {
    const messages = ['pay', 'pay', 'split', 'fail']
    const methods = ['transfer', 'transfer', 'relay', 'relay', ...messages]
    const method = methods[world.pick(methods.length)] ?? ''
    const from = world.pick(ACCOUNT_COUNT)
    const to = (from + 1 + world.pick(ACCOUNT_COUNT - 1)) % ACCOUNT_COUNT
    const amount = 1 + world.pick(40)
    // Money that nobody takes would be lost on the way; a caller is told, and keeps it.
    const isCall = method === 'transfer' || method === 'relay'
    const luckyOnly = isCall ? amount : amount + (amount === UNLUCKY ? 1 : 0)
    const args = [`${number}-${index}`, `a${to}`, method === 'split' ? 9 : luckyOnly] as const
    await untilAnswered(world, { id: `a${from}`, method, args })
  }
  world.clientsLeft--
}

async function untilAnswered(world: World, call: Call): Promise<void> {
  for (;;) {
    try {
      if ((await attempt(world, call)) === CRASHED) continue
      expect(call.method).not.toBe('fail')
      world.answered.push(call)
      return
    } catch (error) {
      const code = String((error as { code?: unknown }).code)
      if (call.method === 'fail' && code === 'ERR_ACTOR_FAILED') return
      if (!RETRIED.has(code)) throw error
      await macrotasks(1)
    }
  }
}

async function simulate(seed: number, fault: Fault): Promise<World> {
  waiting = []
  isFree = false
  const world = new World(seed, fault)
  const clients = Promise.all(
    Array.from({ length: CLIENT_COUNT }, (_, index) => client(world, index)),
  )
  let failure: unknown = null
  clients.catch((error) => {
    failure = error
  })
  const isOver = async (): Promise<boolean> =>
    failure !== null || (world.clientsLeft === 0 && (await world.isDelivered()))
  for (let step = 0; !(await isOver()); step++) {
    if (step === STEP_COUNT_MAX) throw new Error('clients or messages wait for ever')
    await world.open()
    await world.step(step < STEP_COUNT_MAX / 2 && world.clientsLeft > 0)
  }
  if (failure !== null) throw failure
  return world
}

const seeds = seedsOf('effects')
const more = isLong
  ? Array.from({ length: times(15) }, (_, index) => (seeds.at(-1) ?? 1) + index)
  : []

for (const [seed, fault] of [...seeds, ...more.slice(1)].flatMap(
  (seed) =>
    [
      [seed, 'crashes'],
      [seed, 'failed commits'],
    ] as const,
))
  test(`effects happen with their turns, and money is conserved: ${fault} (LOOM_SEED=${seed})`, async () => {
    const world = await simulate(seed, fault)
    isFree = true
    for (const release of waiting.splice(0)) release()
    world.flow()
    const runtime = await world.open()
    const live = new Map<string, string>()
    for (let index = 0; index < ACCOUNT_COUNT; index++) {
      const { stateHash } = await runtime.describeActor(`a${index}`, 'Account')
      live.set(`a${index}`, stateHash)
    }
    const found = await world.check()
    expect(checkTransfers(found)).toBeGreaterThan(CLIENT_COUNT * 3)
    let sum = 0
    const { store, blobs } = world
    const types = { Account: { type: 'typescript', actorClass: Account } } as const
    for (const { type, id, balance, turns, keyed } of found) {
      const inspector = await openInspector({ store, blobs, types })
      const report = await inspector.replay({ type, id })
      expect([id, report.stateHash]).toEqual([id, live.get(id)])
      const returned = turns.filter(({ outcome }) => outcome.kind === 'returned')
      expect([id, report.turns, keyed.get('moves')]).toEqual([id, returned.length, returned.length])
      sum += balance
    }
    expect(sum, 'money is conserved').toBe(0)
    await world.close()
    expect(world.counts.crashes ?? 0).toBeGreaterThan(0)
    if (fault === 'failed commits') expect(world.counts[fault] ?? 0).toBeGreaterThan(0)
    process.stderr.write(`effects ${seed}: ${JSON.stringify(world.counts)}\n`)
  })

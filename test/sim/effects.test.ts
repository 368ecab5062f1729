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
  type JournalEntry,
  openInspector,
  type Random,
  type Runtime,
  seededRandom,
} from '../../host/index.ts'
import { unpackValue } from '../../host/journal/values.ts'
import { checkTogether, type Durable, fold } from '../support/durable-bank.ts'
import { openHost } from '../support/host.ts'
import { isLong, times } from '../support/long.ts'
import { seedsOf } from '../support/seed.ts'
import { checkTransfers } from '../support/transfers.ts'
import { LIMITS, SimulatedHost, setFree, waits } from './simulated-host.ts'

const CLIENT_COUNT = 6
const CALLS_PER_CLIENT = 20
const ACCOUNT_COUNT = 4
/** No account takes it. */
const UNLUCKY = 13

/** Besides crashes and shutdowns, which are in both. */
type Fault = 'crashes' | 'failed commits'

const account = (id: string): ActorTarget => ({ type: 'Account', id })

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
    if (amount % 5 === 0) await waits(null)
    if (amount === UNLUCKY) throw new Error('not that')
    return this.state.balance
  }

  async transfer(transfer: string, to: string, amount: number): Promise<string> {
    await this._move('out', transfer, -amount)
    if (amount % 7 === 0) await waits(null)
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
    if (amount % 7 === 0) await waits(null)
    await this.context.call(account(to), 'deposit', transfer, amount)
  }

  async pay(transfer: string, to: string, amount: number): Promise<string> {
    await this._move('out', transfer, -amount)
    if (amount % 3 === 0) this.context.sendLater(700, account(to), 'deposit', transfer, amount)
    else this.context.send(account(to), 'deposit', transfer, amount)
    if (amount % 7 === 0) await waits(null)
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

class World extends SimulatedHost {
  /** One for all hosts: two generators of so few states would draw the same ids sooner or later. */
  readonly random: Random

  constructor(seed: number, fault: Fault) {
    super(seed, { release: 50, crash: 87, fails: fault === 'failed commits' })
    this.random = seededRandom(seed)
  }

  protected async start(): Promise<Runtime> {
    const { store, blobs, clock, random } = this
    const runtime = await openHost({ store, blobs, clock, limits: LIMITS, random })
    await runtime.registerActorType('Account', { type: 'typescript', actorClass: Account })
    return runtime
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
    const outbox = new Set(rows.map((row) => messageKey(row.incarnation, row)))
    checkTogether(found, outbox)
    for (const { id, key: asked } of this.answered) {
      const turns = found.find((durable) => durable.id === id)?.turns ?? []
      expect(
        turns.map(({ key }) => key),
        'answered, and lost',
      ).toContain(asked)
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
    await world.ask({ ...account(`a${from}`), method, key: args[0], args })
  }
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
    const world = new World(seed, fault)
    await world.run(
      CLIENT_COUNT,
      (number) => client(world, number),
      () => world.isDelivered(),
    )
    setFree()
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

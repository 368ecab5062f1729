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
import { Actor, type ActorDescription, openInspector, type Runtime } from '../../host/index.ts'
import { openComponentHost } from '../support/components.ts'
import { macrotasks } from '../support/host.ts'
import { LIMITS, SimulatedHost, setFree, waits } from './simulated-host.ts'

const FIXED_SEED = 20_261_122
const CLIENT_COUNT = 8
const MARKS_PER_CLIENT = 25
const ACTOR_IDS = ['a', 'b', 'c']

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

class World extends SimulatedHost {
  constructor(seed: number) {
    super(seed, { release: 55, crash: 86, fails: true })
  }

  protected async start(): Promise<Runtime> {
    const { store, blobs, clock } = this
    const latest = async (symbol: string): Promise<number> => await waits(symbol.length)
    const runtime = await openComponentHost({ store, blobs, clock, limits: LIMITS }, { latest })
    await runtime.registerActorType('Tally', { type: 'typescript', actorClass: Tally })
    return runtime
  }

  /** Commits flow again, and what clients no longer wait for comes to its end. */
  async settle(): Promise<void> {
    this.flow()
    for (const id of ACTOR_IDS)
      for (const type of ['Tally', 'Quoter'])
        await (await this.open()).describeActor(id, type).catch(() => {})
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
    for (const { type, id, key } of this.answered)
      expect(found.get(`${type}/${id}`) ?? [], 'answered, and lost').toContain(key)
    return found
  }
}

async function client(world: World, number: number): Promise<void> {
  for (let index = 0; index < MARKS_PER_CLIENT; index++) {
    const type = world.pick(2) === 0 ? 'Tally' : 'Quoter'
    const methods = type === 'Quoter' ? ['offer'] : ['mark', 'mark', 'markSlowly', 'fail']
    const id = ACTOR_IDS[world.pick(ACTOR_IDS.length)] ?? ''
    const method = methods[world.pick(methods.length)] ?? ''
    const key = `${number}-${index}`
    await world.ask({ type, id, method, key, args: type === 'Quoter' ? [key, 1] : [key] })
  }
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
    const world = new World(seed)
    await world.run(CLIENT_COUNT, (number) => client(world, number))
    setFree()
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

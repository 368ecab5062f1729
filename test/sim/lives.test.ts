/**
 * Aim: whatever lives end, actors are put away, journals are cut short, payloads lie in blobs and clocks jump, while hosts falter
 * and die: what was answered happened once in a life that goes on, messages and calls arrive once, each reminder ticks as
 * often as it was set to, no actor is quarantined, every journal replays to the live state, and no blob is left over.
 *
 * Method: clients mark, tell, call and set reminders with keys, and ask again. A gardener deactivates and deletes actors and
 * sets the clock. Journals keep what lies behind few snapshots, that of the actor which all others call and tell behind one. The model: what each client was answered, and which deletions
 * had begun by then.
 *
 * Fault model: that of engine.test.ts, and a wall clock that jumps.
 */
import { expect, test } from 'vitest'
import {
  Actor,
  type ActorTarget,
  createRuntime,
  isLoomError,
  openInspector,
  type Random,
  type Runtime,
  seededRandom,
} from '../../host/index.ts'
import { isDetached } from '../../host/journal/detached.ts'
import { macrotasks } from '../support/host.ts'
import { isLong, times } from '../support/long.ts'
import { MemoryBlobs } from '../support/memory-blobs.ts'
import { seedsOf } from '../support/seed.ts'
import { type Call, LIMITS, SimulatedHost, setFree, waits } from './simulated-host.ts'

const CLIENT_COUNT = 5
const CALLS_PER_CLIENT = 16
const GARDENING_COUNT = 40
const KEPT = ['p0', 'p1']
const MORTAL = ['d0', 'd1']
const SINK = { type: 'Sink', id: 's0' }
/** So often does every reminder tick. */
const TICK_COUNT = 3

interface State extends Record<string, unknown> {
  readonly marks: readonly string[]
  readonly heard: readonly string[]
  readonly ticks: Readonly<Record<string, number>>
}

class Keeper extends Actor<State> {
  static readonly initialState = { marks: [], heard: [], ticks: {} }
  /** Of ticks, by the names of their reminders. Replays pass over turns that failed. */
  static readonly failures = new Map<string, number>()

  async mark(mark: string, pad: string): Promise<number> {
    this.updateState(({ marks }) => ({ marks: [...marks, mark] }))
    const sizes = (await this.simpleState.get<number[]>('sizes')) ?? []
    sizes.push(pad.length)
    this.simpleState.set('sizes', sizes)
    return this.state.marks.length
  }

  async slowly(mark: string, pad: string): Promise<string> {
    await waits(null)
    await this.mark(mark, pad)
    await waits(null)
    return pad
  }

  async tell(mark: string, pad: string): Promise<void> {
    await this.mark(mark, pad)
    this.context.send(SINK, 'hear', mark, pad)
  }

  async ask(mark: string, pad: string): Promise<unknown> {
    await this.mark(mark, pad)
    const heard = await this.context.call(SINK, 'hear', mark, pad)
    if (pad.length % 3 === 0) await waits(null)
    return heard
  }

  async remind(mark: string, pad: string): Promise<void> {
    await this.mark(mark, pad)
    const due = `${pad.length * 5}ms`
    const data = { mark, left: TICK_COUNT - 1 }
    if (pad.length % 2 === 0) this.context.reminders.set(mark, { due, data })
    else this.context.reminders.set(mark, { due, period: `R${TICK_COUNT}/PT0.3S`, missed: 'all' })
  }

  /** Some set themselves anew; some fail, not often enough to be given up, and are run again. */
  async receiveReminder(name: string, data?: { readonly left: number }): Promise<void> {
    const isUnlucky = this.context.random() < 0.25
    const failures = Keeper.failures.get(name) ?? 0
    if (isUnlucky && failures < 3) {
      Keeper.failures.set(name, failures + 1)
      this.context.send(SINK, 'hear', 'of a tick that failed', '')
      throw new Error('not now')
    }
    if (data !== undefined && data.left > 0)
      this.context.reminders.set(name, { due: '400ms', data: { left: data.left - 1 } })
    const { ticks } = this.state
    if (name.length % 2 === 0) await waits(null)
    this.updateState({ ticks: { ...ticks, [name]: (ticks[name] ?? 0) + 1 } })
  }

  hear(mark: string, pad: string): string {
    this.updateState(({ heard }) => ({ heard: [...heard, mark] }))
    return pad
  }

  show(): State {
    return this.state
  }
}

const definition = { type: 'typescript', actorClass: Keeper } as const
const TYPES = { Keeper: definition, Sink: definition } as const

/** An answered call, and what was known of its actor's end when it was asked for. */
interface Asked extends Call {
  readonly deletions: number
  readonly wasEnding: boolean
}

class World extends SimulatedHost {
  readonly payloads = new MemoryBlobs()
  /** One for all hosts, as in effects.test.ts. */
  readonly random: Random
  readonly deletions = new Map<string, number>()
  readonly ending = new Map<string, number>()
  readonly asked: Asked[] = []
  readonly quarantines: string[] = []

  constructor(seed: number) {
    super(seed, { release: 45, crash: 86, fails: true })
    this.random = seededRandom(seed)
  }

  protected async start(): Promise<Runtime> {
    const { store, clock, random, payloads: blobs } = this
    const limits = { ...LIMITS, snapshotIntervalTurns: 3, payloadInlineMaxBytes: 200 }
    const runtime = await createRuntime({
      store,
      blobs,
      clock,
      random,
      limits,
      journal: { keep: { snapshots: 4 } },
      log: ({ message }) => {
        if (message.startsWith('quarantined')) this.quarantines.push(message)
      },
    })
    await runtime.registerActorType('Keeper', TYPES.Keeper)
    await runtime.registerActorType('Sink', { ...TYPES.Sink, journal: { keep: { snapshots: 1 } } })
    return runtime
  }

  /** Every entry that is kept can be read. */
  async check(): Promise<void> {
    const inspector = await openInspector({ store: this.store, blobs: this.payloads })
    for await (const { type, id } of inspector.actors())
      for await (const { seq } of inspector.journal({ type, id })) expect(seq).toBeGreaterThan(-1)
    expect(this.quarantines).toEqual([])
  }

  async askFor(call: Call): Promise<void> {
    const { id } = call
    const deletions = this.deletions.get(id) ?? 0
    const wasEnding = (this.ending.get(id) ?? 0) > 0
    await this.ask(call)
    this.asked.push({ ...call, deletions, wasEnding })
  }

  async garden(): Promise<void> {
    const runtime = await this.open()
    const id = [...KEPT, ...MORTAL][this.pick(KEPT.length + MORTAL.length)] ?? ''
    const choice = this.pick(10)
    if (choice < 3) this.clock.jump((this.pick(2) === 0 ? 1 : -1) * this.pick(20_000))
    else if (choice < 7) await this.#try(() => runtime.deactivate(id, 'Keeper'))
    else await this.#end(runtime, MORTAL[this.pick(MORTAL.length)] ?? '')
  }

  async #end(runtime: Runtime, id: string): Promise<void> {
    this.deletions.set(id, (this.deletions.get(id) ?? 0) + 1)
    this.ending.set(id, (this.ending.get(id) ?? 0) + 1)
    await this.#try(() => runtime.deleteActor(id, 'Keeper'))
    this.ending.set(id, (this.ending.get(id) ?? 0) - 1)
  }

  /** A host that dies never answers. */
  async #try(task: () => Promise<unknown>): Promise<void> {
    const { runtime } = this
    let isOver = false
    const over = (): void => {
      isOver = true
    }
    let failure: unknown = null
    task()
      .catch((error) => {
        failure = error
      })
      .then(over, over)
    while (!isOver && this.runtime === runtime) await macrotasks(1)
    const codes = ['ERR_COMMIT', 'ERR_STORE', 'ERR_CLOSING', 'ERR_ACTOR_UNKNOWN', 'ERR_BUSY']
    if (failure !== null && !(isLoomError(failure) && codes.includes(failure.code))) throw failure
  }

  async isQuiet(): Promise<boolean> {
    const store = await this.store.open({ readOnly: true, wallMs: () => 0 })
    if ((await store.outbox(null, 1)).length > 0 || (await store.nextReminderAtMs()) !== null)
      return false
    for await (const _ of store.openTurns()) return false
    return true
  }

  /** How many payloads entries name. */
  async namedCount(): Promise<number> {
    const store = await this.store.open({ readOnly: true, wallMs: () => 0 })
    let count = 0
    for await (const { type, id, seqFirst, seqNext } of store.actors()) {
      const log = await store.openLog({ type, id })
      const rows = [...(await log.read(0, 1)), ...(await log.read(seqFirst, seqNext - seqFirst))]
      count += rows.filter(({ bytes }) => isDetached(bytes)).length
    }
    return count
  }
}

async function client(world: World, number: number): Promise<void> {
  if (number === CLIENT_COUNT) {
    for (let index = 0; index < GARDENING_COUNT; index++) {
      await world.garden()
      await macrotasks(world.pick(12))
    }
    return
  }
  for (let index = 0; index < CALLS_PER_CLIENT; index++) {
    const methods = ['mark', 'slowly', 'tell', 'ask', 'ask', 'remind']
    const ids = [...KEPT, ...MORTAL]
    const id = ids[world.pick(ids.length)] ?? ''
    const key = `${number}-${index}`
    const pad = 'x'.repeat(world.pick(3) === 0 ? 200 + world.pick(200) : world.pick(60))
    const method = methods[world.pick(methods.length)] ?? ''
    await world.askFor({ type: 'Keeper', id, method, key, args: [key, pad] })
  }
}

const seeds = seedsOf('lives')
const more = isLong
  ? Array.from({ length: times(15) }, (_, index) => (seeds.at(-1) ?? 1) + index + 1)
  : []

for (const seed of [...seeds, ...more])
  test(`lives end and go on, and nothing happens twice or never (LOOM_SEED=${seed})`, async () => {
    Keeper.failures.clear()
    const world = new World(seed)
    await world.run(
      CLIENT_COUNT + 1,
      (number) => client(world, number),
      () => world.isQuiet(),
    )
    setFree()
    world.flow()
    const runtime = await world.open()
    const heard = await stateOf(runtime, SINK.id, SINK.type)
    for (const id of [...KEPT, ...MORTAL]) {
      const { marks, ticks } = await stateOf(runtime, id)
      expect(marks.length, id).toBe(new Set(marks).size)
      const counts = new Map<string, number>()
      for (const mark of heard.heard) counts.set(mark, (counts.get(mark) ?? 0) + 1)
      for (const { key, method, deletions, wasEnding } of world.asked.filter((a) => a.id === id)) {
        const goesOn = deletions === (world.deletions.get(id) ?? 0) && !wasEnding
        if (goesOn) expect(marks, `${id}: answered, and lost`).toContain(key)
        if (method === 'tell' || method === 'ask') {
          if (KEPT.includes(id)) expect([key, counts.get(key)]).toEqual([key, 1])
          else expect(counts.get(key) ?? 0, key).toBeGreaterThan(0)
        }
        if (method === 'remind' && goesOn) expect([key, ticks[key]]).toEqual([key, TICK_COUNT])
      }
    }
    expect(heard.heard).not.toContain('of a tick that failed')
    const live = new Map<ActorTarget, string>()
    for await (const { type, id } of runtime.actors())
      live.set({ type, id }, (await runtime.describeActor(id, type)).stateHash)
    await world.close()
    const { store, payloads: blobs } = world
    for (const [key, stateHash] of live) {
      const inspector = await openInspector({ store, blobs, types: TYPES })
      expect([key, (await inspector.replay(key)).stateHash]).toEqual([key, stateHash])
    }
    // The next host collects what crashes left.
    await world.open()
    await macrotasks(50)
    expect(world.payloads.digests().length, 'payloads').toBe(await world.namedCount())
    expect(world.quarantines).toEqual([])
    await world.close()
    process.stderr.write(`lives ${seed}: ${JSON.stringify(world.counts)}\n`)
  })

async function stateOf(runtime: Runtime, id: string, type = 'Keeper'): Promise<State> {
  for (;;)
    try {
      return (await (await runtime.getActor(id, type)).call('show')) as State
    } catch (error) {
      // A commit may still have been told to fail.
      if (!isLoomError(error) || error.code !== 'ERR_COMMIT') throw error
    }
}

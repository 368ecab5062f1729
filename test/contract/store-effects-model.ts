/**
 * A property of every store: after any program of commits with effects, of refused commits, trims, ends,
 * settled messages and forgotten keys, interleaved and reopened as they may be, everything that can be read
 * equals a model.
 *
 * Owns: random programs and the model (maps). Does not own: faults.
 */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type {
  ActorLog,
  ActorSummary,
  Commit,
  ReminderChange,
  StateChange,
  Store,
  StoreDriver,
} from '../../host/store/store.ts'
import { options, recordOf, rejects, text, texts } from '../support/store-fixtures.ts'

const ACTORS = ['a', 'b', 'ab', 'é']
const KEYS = ['a', 'a/1', 'b', 'é', '\u{ffee}', '\u{1f600}']
const compareUtf8 = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** What one commit does: which keys it puts (or removes), which reminders it sets (or cancels). */
interface Effects {
  readonly entries: number
  readonly state: readonly (readonly [number, number | null])[]
  readonly reminders: readonly (readonly [number, number | null])[]
  readonly messages: number
}

type Step =
  | { readonly kind: 'commit' | 'stale'; readonly actor: number; readonly effects: Effects }
  | { readonly kind: 'trim'; readonly actor: number; readonly keep: number }
  | { readonly kind: 'end' | 'reopenLog' | 'compare'; readonly actor: number }
  | { readonly kind: 'settle' | 'forget'; readonly count: number }
  | { readonly kind: 'reopenStore' | 'turn' }

const keyIndex = fc.nat({ max: KEYS.length - 1 })
const changes = fc.uniqueArray(
  fc.tuple(keyIndex, fc.oneof(fc.constant(null), fc.nat({ max: 5_000 }))),
  { maxLength: 4, selector: ([index]) => index },
)
const effects: fc.Arbitrary<Effects> = fc.record({
  entries: fc.integer({ min: 1, max: 3 }),
  state: changes,
  reminders: changes,
  messages: fc.nat({ max: 2 }),
})
const actor = fc.nat({ max: ACTORS.length - 1 })
const of = <T extends Step['kind']>(...kinds: T[]) => fc.constantFrom(...kinds)
const count = fc.nat({ max: 40 })
const step = fc.oneof(
  { weight: 30, arbitrary: fc.record({ kind: of('commit'), actor, effects }) },
  { weight: 2, arbitrary: fc.record({ kind: of('stale'), actor, effects }) },
  { weight: 5, arbitrary: fc.record({ kind: of('trim'), actor, keep: fc.nat({ max: 12 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: of('end', 'reopenLog', 'compare'), actor }) },
  { weight: 4, arbitrary: fc.record({ kind: of('settle', 'forget'), count }) },
  { weight: 4, arbitrary: fc.record({ kind: of('reopenStore', 'turn', 'turn', 'turn') }) },
)

/** One life of an actor. */
interface Life {
  readonly incarnation: string
  readonly entries: string[]
  readonly state: Map<string, string>
  readonly reminders: Map<string, number>
  readonly keys: Map<string, { readonly seq: number; readonly atMs: number }>
  seqFirst: number
}

class Run {
  readonly #driver: StoreDriver
  readonly #lives = new Map<string, Life>()
  readonly #logs = new Map<string, ActorLog>()
  /** Messages that are not settled, as text in order. */
  #outbox = new Set<string>()
  #store: Store
  #pending: Promise<unknown>[] = []
  #now = 0

  constructor(driver: StoreDriver, store: Store) {
    this.#driver = driver
    this.#store = store
  }

  async do(action: Step): Promise<void> {
    switch (action.kind) {
      case 'commit':
        return await this.#commit(ACTORS[action.actor] ?? '', action.effects)
      case 'stale':
        return await this.#stale(ACTORS[action.actor] ?? '', action.effects)
      case 'trim':
        return await this.#trim(ACTORS[action.actor] ?? '', action.keep)
      case 'end':
        return await this.#end(ACTORS[action.actor] ?? '')
      case 'reopenLog':
        this.#logs.delete(ACTORS[action.actor] ?? '')
        return
      case 'settle':
        return await this.#settleOutbox(action.count)
      case 'forget':
        return await this.#forget(this.#now - action.count)
      case 'turn':
        return await new Promise((resolve) => {
          setImmediate(resolve)
        })
      case 'reopenStore':
        return await this.#reopen()
      case 'compare':
        return await this.compare()
    }
  }

  #life(id: string): { life: Life; isNew: boolean } {
    const known = this.#lives.get(id)
    if (known !== undefined) return { life: known, isNew: false }
    const [state, reminders, keys] = [new Map(), new Map(), new Map()]
    const incarnation = `life ${this.#now++}`
    const life: Life = { incarnation, entries: [], state, reminders, keys, seqFirst: 1 }
    this.#lives.set(id, life)
    return { life, isNew: true }
  }

  /** The commit that `of` stands for, at the end of `life`. */
  #build(id: string, life: Life, isNew: boolean, of: Effects): Commit {
    const seq = life.entries.length
    const stamp = this.#now++
    const values = Array.from({ length: of.entries }, (_, at) => `${id} ${seq + at} ${stamp}`)
    const state = of.state.map(([index, size]): StateChange => {
      const key = KEYS[index] ?? ''
      return { key, value: size === null ? null : text(`${stamp}`.padEnd(size, '.')) }
    })
    const reminders = of.reminders.map(([index, dueAtMs]): ReminderChange => {
      const name = KEYS[index] ?? ''
      return dueAtMs === null ? { name, dueAtMs } : { name, dueAtMs, bytes: text(name) }
    })
    const outbox = Array.from({ length: of.messages }, (_, index) => ({
      seq,
      index,
      bytes: text(`${stamp}`),
    }))
    const create = isNew ? { create: { ...recordOf(id), incarnation: life.incarnation } } : {}
    const idempotency = [{ key: `key ${stamp}`, seq, atMs: stamp }]
    return { seq, entries: values.map(text), ...create, idempotency, state, reminders, outbox }
  }

  async #commit(id: string, of: Effects): Promise<void> {
    const log = await this.#log(id)
    const { life, isNew } = this.#life(id)
    const commit = this.#build(id, life, isNew, of)
    this.#pending.push(log.append(commit))
    life.entries.push(...texts(commit.entries.map((bytes) => ({ bytes }))))
    for (const { key, value } of commit.state ?? [])
      if (value === null) life.state.delete(key)
      else life.state.set(key, new TextDecoder().decode(value))
    for (const { name, dueAtMs } of commit.reminders ?? [])
      if (dueAtMs === null) life.reminders.delete(name)
      else life.reminders.set(name, dueAtMs)
    for (const { key, seq, atMs } of commit.idempotency ?? []) life.keys.set(key, { seq, atMs })
    for (const { seq, index } of commit.outbox ?? [])
      this.#outbox.add(`${id} ${life.incarnation} ${seq}.${index}`)
  }

  /** A commit at the wrong seq: nothing of it may show, and its log must be opened again. */
  async #stale(id: string, of: Effects): Promise<void> {
    const log = await this.#log(id)
    const life = this.#lives.get(id)
    if (life === undefined) return
    const commit = this.#build(id, life, false, of)
    await rejects(log.append({ ...commit, seq: commit.seq + 1 }), 'ERR_INVARIANT')
    this.#logs.delete(id)
  }

  async #trim(id: string, keep: number): Promise<void> {
    const life = this.#lives.get(id)
    if (life === undefined) return
    const log = await this.#log(id)
    const seqBefore = Math.max(1, life.entries.length - keep)
    await log.writeSnapshot({ seq: life.entries.length, bytes: text(id) })
    this.#pending.push(log.trim(seqBefore))
    life.seqFirst = Math.max(life.seqFirst, seqBefore)
    for (const [key, { seq }] of life.keys)
      if (seq > 0 && seq < life.seqFirst) life.keys.delete(key)
  }

  async #end(id: string): Promise<void> {
    const life = this.#lives.get(id)
    if (life === undefined) return
    const log = await this.#log(id)
    this.#pending.push(log.append({ seq: life.entries.length, entries: [text('end')], end: true }))
    this.#lives.delete(id)
    this.#logs.delete(id)
  }

  async #settleOutbox(countMax: number): Promise<void> {
    await this.settle()
    const rows = await this.#store.outbox(null, countMax)
    for (const { sender, incarnation, seq, index } of rows)
      this.#outbox.delete(`${sender.id} ${incarnation} ${seq}.${index}`)
    this.#pending.push(this.#store.settleOutbox(rows))
  }

  async #forget(beforeMs: number): Promise<void> {
    await this.settle()
    let expected = 0
    for (const { keys } of this.#lives.values())
      for (const [key, { atMs }] of keys) if (atMs < beforeMs && keys.delete(key)) expected++
    // Keys of ended lives that were not removed yet may count as well.
    expect(await this.#store.forgetKeys(beforeMs)).toBeGreaterThanOrEqual(expected)
  }

  async #log(id: string): Promise<ActorLog> {
    const known = this.#logs.get(id)
    if (known !== undefined) return known
    const log = await this.#store.openLog({ type: 'Counter', id })
    expect(log.seqNext).toBe(this.#lives.get(id)?.entries.length ?? 0)
    expect(log.record?.incarnation).toBe(this.#lives.get(id)?.incarnation)
    this.#logs.set(id, log)
    return log
  }

  async settle(): Promise<void> {
    await Promise.all(this.#pending)
    this.#pending = []
  }

  async #reopen(): Promise<void> {
    await this.close()
    this.#logs.clear()
    this.#store = await this.#driver.open(options)
  }

  async close(): Promise<void> {
    await this.#store.close()
    await this.settle()
  }

  async compare(): Promise<void> {
    await this.settle()
    for (const id of ACTORS) await this.#compareLife(id)
    await this.#compareStore()
  }

  async #compareLife(id: string): Promise<void> {
    const log = await this.#log(id)
    const life = this.#lives.get(id)
    const [first = 1, entries] = [life?.seqFirst, life?.entries ?? []]
    const head = first === 1 ? entries : entries.slice(0, 1)
    expect(texts(await log.read(0, 1_000))).toEqual(head)
    expect(texts(await log.read(first, 1_000))).toEqual(entries.slice(first))
    if (first > 1) expect(await log.read(first - 1, 10)).toEqual([])
    const state = [...(life?.state ?? [])].sort(([a], [b]) => compareUtf8(a, b))
    const listed = await log.listState('', null, 1_000)
    expect(listed.map(({ key, value }) => [key, new TextDecoder().decode(value)])).toEqual(state)
    for (const key of KEYS) {
      const value = await log.readState(key)
      expect(value === null ? undefined : new TextDecoder().decode(value)).toBe(
        life?.state.get(key),
      )
    }
    const reminders = [...(life?.reminders ?? [])].sort(([a], [b]) => compareUtf8(a, b))
    expect((await log.listReminders()).map((row) => [row.name, row.dueAtMs])).toEqual(reminders)
    for (const [key, { seq }] of life?.keys ?? []) expect(await log.findIdempotent(key)).toBe(seq)
  }

  async #compareStore(): Promise<void> {
    const actors: ActorSummary[] = []
    for await (const found of this.#store.actors()) actors.push(found)
    const lives = [...this.#lives].sort(([a], [b]) => compareUtf8(a, b))
    expect(actors.map(({ id, seqNext, seqFirst }) => [id, seqNext, seqFirst])).toEqual(
      lives.map(([id, { entries, seqFirst }]) => [id, entries.length, seqFirst]),
    )
    const due = (await this.#store.dueReminders(10_000, 1_000)).map((row) => row.dueAtMs)
    const expected = lives.flatMap(([, { reminders }]) => [...reminders.values()])
    expect(due).toEqual(expected.sort((a, b) => a - b))
    expect(await this.#store.nextReminderAtMs()).toBe(expected[0] ?? null)
    const rows = await this.#store.outbox(null, 10_000)
    expect(
      rows.map((row) => `${row.sender.id} ${row.incarnation} ${row.seq}.${row.index}`).sort(),
    ).toEqual([...this.#outbox].sort())
  }
}

export function describeEffectsModel(name: string, make: () => StoreDriver): void {
  const seed = Number(process.env.LOOM_SEED ?? Math.floor(Math.random() * 2 ** 31))
  it(`the ${name} store equals a model after random effects (LOOM_SEED=${seed})`, async () => {
    const program = fc.array(step, { minLength: 1, maxLength: 80 })
    await fc.assert(
      fc.asyncProperty(program, async (actions) => {
        const driver = make()
        const run = new Run(driver, await driver.open(options))
        for (const action of actions) await run.do(action)
        await run.compare()
        await run.do({ kind: 'reopenStore' })
        await run.compare()
        await run.close()
      }),
      { seed, numRuns: Number(process.env.LOOM_RUNS ?? 40) },
    )
  })
}

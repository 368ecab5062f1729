/**
 * Sweep steps: how what was given up is removed, a bounded part at a time.
 *
 * Each generator yields the changes of one transaction and reads on only after they are durable. Whatever
 * part was done, the index is right, and starting again does the rest (a crash is harmless).
 *
 * Owns: which rows go. Does not own: when (sweeper.ts), the room that entries free in blocks (block-room.ts).
 *
 * Invariants:
 *   SW1. A row goes only if it is given up already: by the seq of the oldest kept entry, or by the end of
 *        its life. So nobody sees a sweep.
 *   SW2. A key that the tail holds stays: its record is about to be written anew.
 */
import { isSparseRoom, RoomStep } from './block-room.ts'
import type { Change, Environment, Row } from './environment.ts'
import {
  blockOfKey,
  dueKey,
  entryKey,
  firstKey,
  getU48,
  headKey,
  idempotencyNameOf,
  idempotencyRange,
  type KeyRange,
  NUMBER_MAX,
  ROOM_RANGE,
  reminderNameOf,
  reminderRange,
  runKey,
  seqOfKey,
  snapshotKey,
  stateRange,
} from './keys.ts'
import type { Sweep } from './lives.ts'
import { decodeKeyUse, decodeRun, encodeRun, MOVED_BLOCK, type Place, unseal } from './records.ts'
import { flat, moveSurvivors } from './survivors.ts'
import type { Tail } from './tail.ts'

/** Entries of one step, runs that were looked for, and blocks. With a few microseconds each, a step takes milliseconds. */
export const STEP_ENTRY_COUNT = 1_024
export const STEP_RUN_COUNT = 512
export const STEP_BLOCK_COUNT = 128
/** Rows of one step that are not entries. */
export const ROW_PAGE_COUNT = 250
/** Blocks that one step rewrites: each holds a few hundred entries, every one of which is looked for in the index. */
export const SPARSE_PAGE_COUNT = 2

type Steps = Generator<Change[], void, void>

/**
 * The entries that `sweeps` give up. All actors go on side by side, a run at a time: their entries lie in the
 * same blocks, whose room is then counted once per step and not once per entry. Blocks that become sparse are
 * added to `sparse`, actors whose index is damaged to `failed`.
 */
export function* sweepEntries(
  environment: Environment,
  sweeps: readonly Sweep[],
  sparse: Set<number>,
  failed: Set<number>,
): Steps {
  let open = sweeps.map((sweep) => new RunCursor(environment, sweep))
  let step = new EntryStep(environment)
  while (open.length > 0) {
    const left: RunCursor[] = []
    for (const cursor of open) {
      step.runCount++
      if (takeRun(cursor, step, failed)) left.push(cursor)
      if (!step.isFull) continue
      yield step.changes(sparse)
      step = new EntryStep(environment)
    }
    open = left
  }
  yield step.changes(sparse)
}

/** False when the actor has no further run. */
function takeRun(cursor: RunCursor, step: EntryStep, failed: Set<number>): boolean {
  try {
    const row = cursor.next()
    if (row !== null) step.take(cursor.sweep, row)
    return row !== null
  } catch {
    failed.add(cursor.sweep.actor)
    return false
  }
}

/** Walks an actor's runs up to where its journal is kept. */
class RunCursor {
  readonly sweep: Sweep
  readonly #environment: Environment
  readonly #end: Buffer
  #from: Buffer

  constructor(environment: Environment, sweep: Sweep) {
    this.#environment = environment
    this.sweep = sweep
    this.#from = runKey(sweep.actor, 0)
    this.#end = runKey(sweep.actor, sweep.seqBefore ?? NUMBER_MAX)
  }

  next(): Row | null {
    const [row] = this.#environment.range(this.#from, this.#end, 1)
    if (row === undefined) return null
    this.#from = runKey(this.sweep.actor, seqOfKey(row.key) + 1)
    return row
  }
}

/** What one step does to runs, blocks and entries in rows of their own. */
class EntryStep {
  readonly #room: RoomStep
  readonly #changes: Change[] = []
  #entryCount = 0
  /** Runs that were looked for, whether there was one or not. */
  runCount = 0

  constructor(environment: Environment) {
    this.#room = new RoomStep(environment)
  }

  get isFull(): boolean {
    return (
      this.#entryCount >= STEP_ENTRY_COUNT ||
      this.runCount >= STEP_RUN_COUNT ||
      this.#room.blockCount >= STEP_BLOCK_COUNT
    )
  }

  /** Gives up a run but for entry 0 of a life that goes on, and for what lies behind the cut. */
  take({ actor, seqBefore }: Sweep, { key, value }: Row): void {
    const first = seqOfKey(key)
    const places = decodeRun(value)
    const from = seqBefore !== null && first === 0 ? 1 : 0
    const until = seqBefore === null ? places.length : Math.min(places.length, seqBefore - first)
    this.#entryCount += places.length
    if (from >= until) return
    this.#changes.push({ key, value: from === 0 ? null : runOf(places.slice(0, from)) })
    if (seqBefore !== null && until < places.length)
      this.#changes.push({ key: runKey(actor, seqBefore), value: runOf(places.slice(until)) })
    for (const [index, place] of places.slice(from, until).entries())
      if (place.block !== MOVED_BLOCK) this.#room.giveUp(place)
      else this.#changes.push({ key: entryKey(actor, first + from + index), value: null })
  }

  changes(sparse: Set<number>): Change[] {
    for (const block of this.#room.sparse()) sparse.add(block)
    return [...this.#changes, ...this.#room.changes()]
  }
}

function runOf(places: readonly Place[]): Buffer {
  return encodeRun(flat(places), places.length)
}

/** Adds all blocks that are sparse: those whose rewriting a host did not come to. */
export function* findSparse(environment: Environment, sparse: Set<number>): Steps {
  for (const rows of pagesOf(environment, ROOM_RANGE, ROW_PAGE_COUNT)) {
    for (const { key, value } of rows) if (isSparseRoom(value)) sparse.add(blockOfKey(key))
    yield []
  }
}

/** Rewrites blocks of which little lives; those that are gone by now are passed over. */
export function* sweepSparse(environment: Environment, blocks: Iterable<number>): Steps {
  const left = [...blocks]
  while (left.length > 0) yield moveSurvivors(environment, left.splice(0, SPARSE_PAGE_COUNT))
}

/** What a sweep gives up besides entries. */
export function* sweepRest(environment: Environment, tail: Tail, sweep: Sweep): Steps {
  const { actor, seqBefore } = sweep
  const seqEnd = seqBefore ?? NUMBER_MAX
  yield* sweepKeys(environment, { start: snapshotKey(actor, 0), end: snapshotKey(actor, seqEnd) })
  if (seqBefore === null) yield* sweepLife(environment, actor)
  else
    yield* sweepRows(environment, idempotencyRange(actor), ({ key, value }) => {
      const { seq } = decodeKeyUse(value)
      const isKept = seq === 0 || seq >= seqBefore || isInTail(tail, actor, key)
      return isKept ? [] : [{ key, value: null }]
    })
}

function* sweepLife(environment: Environment, actor: number): Steps {
  yield* sweepKeys(environment, idempotencyRange(actor))
  yield* sweepKeys(environment, stateRange(actor, '', null))
  yield* sweepRows(environment, reminderRange(actor), ({ key, value }) => {
    const dueAtMs = getU48(unseal('reminder', value), 0)
    const due = { key: dueKey(dueAtMs, actor, reminderNameOf(key)), value: null }
    return [{ key, value: null }, due]
  })
  yield [
    { key: headKey(actor), value: null },
    { key: firstKey(actor), value: null },
  ]
}

function isInTail(tail: Tail, actor: number, key: Buffer): boolean {
  return tail.byNumber.get(actor)?.keys?.has(idempotencyNameOf(key)) === true
}

/** All rows of a range, without reading their values. */
function* sweepKeys(environment: Environment, { start, end }: KeyRange): Steps {
  for (;;) {
    const keys = environment.keys(start, end, ROW_PAGE_COUNT)
    if (keys.length > 0) yield keys.map((key) => ({ key, value: null }))
    if (keys.length < ROW_PAGE_COUNT) return
  }
}

function* sweepRows(environment: Environment, range: KeyRange, of: (row: Row) => Change[]): Steps {
  for (const rows of pagesOf(environment, range, ROW_PAGE_COUNT)) yield rows.flatMap(of)
}

function* pagesOf(environment: Environment, { start, end }: KeyRange, count: number) {
  let from = start
  for (;;) {
    const rows = environment.range(from, end, count)
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows
    if (rows.length < count) return
    // The smallest key after the last one.
    from = Buffer.concat([last.key, Buffer.from([0])])
  }
}

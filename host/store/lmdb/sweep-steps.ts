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
import { RoomStep } from './block-room.ts'
import type { Change, Environment, Row } from './environment.ts'
import {
  dueKey,
  entryKey,
  firstKey,
  getU48,
  headKey,
  idempotencyNameOf,
  idempotencyRange,
  type KeyRange,
  NUMBER_MAX,
  reminderNameOf,
  reminderRange,
  runKey,
  seqOfKey,
  snapshotKey,
  stateRange,
} from './keys.ts'
import { decodeKeyUse, decodeRun, encodeRun, MOVED_BLOCK, type Place, unseal } from './records.ts'
import { flat, moveSurvivors } from './survivors.ts'
import type { Tail } from './tail.ts'

/** Runs of one step: up to a thousand entries. With a few microseconds each, a step takes milliseconds. */
const RUN_PAGE_COUNT = 8
/** Rows of one step that need reading, and that do not. */
const ROW_PAGE_COUNT = 500

type Steps = Generator<Change[], void, void>

/** Entries 1 to `seqBefore - 1` of an actor, their keys, and the snapshots before `seqBefore`. */
export function* sweepTrimmed(
  environment: Environment,
  tail: Tail,
  actor: number,
  seqBefore: number,
): Steps {
  yield* sweepRuns(environment, actor, seqBefore, true)
  yield* sweepKeys(environment, {
    start: snapshotKey(actor, 0),
    end: snapshotKey(actor, seqBefore),
  })
  yield* sweepRows(environment, idempotencyRange(actor), ({ key, value }) => {
    const { seq } = decodeKeyUse(value)
    const isKept = seq === 0 || seq >= seqBefore || isInTail(tail, actor, key)
    return isKept ? [] : [{ key, value: null }]
  })
}

/** Everything of a life that ended. */
export function* sweepEnded(environment: Environment, actor: number): Steps {
  yield* sweepRuns(environment, actor, NUMBER_MAX, false)
  yield* sweepKeys(environment, {
    start: snapshotKey(actor, 0),
    end: snapshotKey(actor, NUMBER_MAX),
  })
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

/** Places of entries before `seqBefore`, but for entry 0 if `keepsFirst`; then what is sparse by now. */
function* sweepRuns(
  environment: Environment,
  actor: number,
  seqBefore: number,
  keepsFirst: boolean,
): Steps {
  const range = { start: runKey(actor, 0), end: runKey(actor, seqBefore) }
  for (const rows of pagesOf(environment, range, RUN_PAGE_COUNT)) {
    const room = new RoomStep(environment)
    const changes = rows.flatMap((row) => sweepRun(actor, row, seqBefore, keepsFirst, room))
    yield [...changes, ...room.changes()]
    // One after the other: a run that two of them change must be read again in between.
    for (const block of room.sparse()) yield moveSurvivors(environment, block)
  }
}

function sweepRun(
  actor: number,
  row: Row,
  seqBefore: number,
  keepsFirst: boolean,
  room: RoomStep,
): Change[] {
  const first = seqOfKey(row.key)
  const places = decodeRun(row.value)
  const from = keepsFirst && first === 0 ? 1 : 0
  const until = Math.min(places.length, seqBefore - first)
  if (from >= until) return []
  const changes: Change[] = [
    { key: row.key, value: from === 0 ? null : runOf(places.slice(0, from)) },
  ]
  if (until < places.length)
    changes.push({ key: runKey(actor, seqBefore), value: runOf(places.slice(until)) })
  for (const [index, place] of places.slice(from, until).entries())
    if (place.block !== MOVED_BLOCK) room.giveUp(place)
    else changes.push({ key: entryKey(actor, first + from + index), value: null })
  return changes
}

function runOf(places: readonly Place[]): Buffer {
  return encodeRun(flat(places), places.length)
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

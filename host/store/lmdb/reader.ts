/**
 * Reading an actor's stored data: entries by their places, snapshots, idempotency keys.
 *
 * Owns: how index and tail are put together into one journal.
 * Does not own: freshness. The caller refreshes the environment first; each function here then runs
 * without a pause, so that all its reads see one state of the store.
 */
import { invariant, LoomError } from '../../base/errors.ts'
import type { JournalRow, SnapshotRow } from '../store.ts'
import type { ActorState } from './actor-state.ts'
import type { Environment } from './environment.ts'
import {
  blockKey,
  entryKey,
  idempotencyKey,
  NUMBER_MAX,
  runKey,
  seqOfKey,
  snapshotKey,
} from './keys.ts'
import { firstSeqOf } from './lives.ts'
import { bytesOf, decodeKeyUse, decodeRun, MOVED_BLOCK, type Place } from './records.ts'

/** Snapshots looked at per step when searching for one that is not rejected. */
const SNAPSHOT_PAGE_COUNT = 4

const KIND_SNAPSHOT = 1
const KIND_REJECTED = 2

/**
 * Durable entries `seqFrom` up to `seqEnd` (excluded), as copies; none behind one that was given up.
 * @throws ERR_JOURNAL_CORRUPT
 */
export function readEntries(
  environment: Environment,
  state: ActorState,
  seqFrom: number,
  seqMax: number,
): JournalRow[] {
  const seqEnd = keptUntil(environment, state, seqFrom, Math.min(seqMax, state.seqDurable))
  const rows: JournalRow[] = []
  let block: Buffer | undefined
  let number = 0
  for (const place of placesOf(environment, state, seqFrom, seqEnd)) {
    const seq = seqFrom + rows.length
    if (place.block === MOVED_BLOCK) {
      rows.push({ seq, bytes: movedEntry(environment, state.number, seq) })
      continue
    }
    if (place.block !== number) {
      number = place.block
      block = environment.get(blockKey(number))
    }
    const end = place.offset + place.size
    if (block === undefined || end > block.length)
      throw new LoomError(
        'ERR_JOURNAL_CORRUPT',
        `entry ${seq}: block ${number} has no such place`,
        {
          data: { seq, block: number },
        },
      )
    rows.push({ seq, bytes: Uint8Array.prototype.slice.call(block, place.offset, end) })
  }
  return rows
}

function movedEntry(environment: Environment, actor: number, seq: number): Uint8Array {
  const bytes = environment.get(entryKey(actor, seq))
  if (bytes !== undefined) return bytesOf(bytes)
  throw new LoomError('ERR_JOURNAL_CORRUPT', `entry ${seq} is missing from its row`, {
    data: { seq },
  })
}

/** Where reading from `seqFrom` ends: at `seqMax`, or at a gap. */
function keptUntil(
  environment: Environment,
  state: ActorState,
  seqFrom: number,
  seqMax: number,
): number {
  if (seqFrom >= seqMax) return seqFrom
  const first = firstSeqOf(environment, state.number)
  if (seqFrom >= first || first === 1) return seqMax
  return seqFrom === 0 ? 1 : seqFrom
}

function* placesOf(
  environment: Environment,
  state: ActorState,
  seqFrom: number,
  seqEnd: number,
): Generator<Place> {
  let seq = seqFrom
  while (seq < Math.min(seqEnd, state.seqIndexed)) {
    const run = runAt(environment, state.number, seq)
    for (const place of run.places.slice(seq - run.seq)) {
      if (seq === seqEnd) return
      yield place
      seq++
    }
  }
  for (; seq < seqEnd; seq++) yield state.place(seq)
}

/** The run that covers `seq`. */
function runAt(
  environment: Environment,
  actor: number,
  seq: number,
): { seq: number; places: Place[] } {
  const [row] = environment.rangeDown(runKey(actor, seq), runKey(actor, 0).subarray(0, 7), 1)
  const first = row === undefined ? 0 : seqOfKey(row.key)
  const places = row === undefined ? [] : decodeRun(row.value)
  if (first + places.length <= seq)
    throw new LoomError('ERR_JOURNAL_CORRUPT', `the index has no place for entry ${seq}`, {
      data: { seq },
    })
  return { seq: first, places }
}

/** Seq of the key's result, on its way ones included, unless it was given up. */
export function findKey(environment: Environment, state: ActorState, key: string): number | null {
  if (state.number === 0) return null
  const record = state.keys?.get(key) ?? environment.get(idempotencyKey(state.number, key))
  if (record === undefined) return null
  const { seq } = Buffer.isBuffer(record) ? decodeKeyUse(record) : record
  return seq > 0 && seq < firstSeqOf(environment, state.number) ? null : seq
}

export function newestSnapshot(
  environment: Environment,
  actor: number,
  seqMax: number,
): SnapshotRow | null {
  // One before the oldest kept entry is of no use: replay cannot go on from it.
  const end = snapshotKey(actor, firstSeqOf(environment, actor) - 1)
  let start = snapshotKey(actor, Math.min(seqMax, NUMBER_MAX))
  for (;;) {
    const rows = environment.rangeDown(start, end, SNAPSHOT_PAGE_COUNT)
    for (const { key, value } of rows)
      if (value[0] === KIND_SNAPSHOT)
        return { seq: seqOfKey(key), bytes: new Uint8Array(value.subarray(1)) }
    const last = rows.at(-1)
    if (last === undefined || rows.length < SNAPSHOT_PAGE_COUNT) return null
    start = snapshotKey(actor, seqOfKey(last.key) - 1)
  }
}

export function encodeSnapshot(bytes: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(1 + bytes.length)
  value[0] = KIND_SNAPSHOT
  value.set(bytes, 1)
  return value
}

/** The stored snapshot with its mark changed: its bytes stay, for people to look at. */
export function rejectedSnapshot(value: Buffer): Buffer {
  invariant(value.length > 0, 'a snapshot has a mark')
  const rejected = Buffer.from(value)
  rejected[0] = KIND_REJECTED
  return rejected
}

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
import type { Environment, Row } from './environment.ts'
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
import {
  addPlacesOfRun,
  bytesOf,
  decodeKeyUse,
  type FlatPlaces,
  MOVED_BLOCK,
  PLACE_WIDTH,
} from './records.ts'

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
  const places = placesOf(environment, state, seqFrom, seqEnd)
  const rows: JournalRow[] = []
  let block: Uint8Array | null = null
  let number = MOVED_BLOCK
  for (let at = 0, seq = seqFrom; seq < seqEnd; at += PLACE_WIDTH, seq++) {
    const blockNumber = places[at] ?? MOVED_BLOCK
    if (blockNumber === MOVED_BLOCK) {
      rows.push({ seq, bytes: movedEntry(environment, state.number, seq) })
      continue
    }
    if (blockNumber !== number) {
      number = blockNumber
      block = blockAt(environment, number)
    }
    const offset = places[at + 1] ?? 0
    const size = places[at + 2] ?? 0
    if (block === null || offset + size > block.length) throw noSuchPlace(seq, number)
    // A part of what was read: nothing else uses its memory, and a copy of each would cost as much as its turn.
    rows.push({ seq, bytes: new Uint8Array(block.buffer, block.byteOffset + offset, size) })
  }
  return rows
}

/** A copy of the block, or null. */
function blockAt(environment: Environment, number: number): Uint8Array | null {
  const block = environment.get(blockKey(number))
  return block === undefined ? null : bytesOf(block)
}

function noSuchPlace(seq: number, block: number): LoomError {
  return new LoomError('ERR_JOURNAL_CORRUPT', `entry ${seq}: block ${block} has no such place`, {
    data: { seq, block },
  })
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

/** Of entries `seqFrom` up to `seqEnd` (excluded): from the index, then from the tail. */
function placesOf(
  environment: Environment,
  state: ActorState,
  seqFrom: number,
  seqEnd: number,
): FlatPlaces {
  const places: FlatPlaces = []
  const indexedEnd = Math.min(seqEnd, state.seqIndexed)
  let seq = seqFrom
  while (seq < indexedEnd) seq += addRun(environment, state.number, seq, indexedEnd, places)
  if (seq < seqEnd) state.addPlaces(seq, seqEnd, places)
  return places
}

/** Adds the places that the run which covers `seq` has, up to `seqEnd` (excluded); how many these are. */
function addRun(
  environment: Environment,
  actor: number,
  seq: number,
  seqEnd: number,
  places: FlatPlaces,
): number {
  const row = runAt(environment, actor, seq)
  const first = row === undefined ? 0 : seqOfKey(row.key)
  const count =
    row === undefined ? 0 : addPlacesOfRun(row.value, seq - first, seqEnd - first, places)
  if (count <= 0)
    throw new LoomError('ERR_JOURNAL_CORRUPT', `the index has no place for entry ${seq}`, {
      data: { seq },
    })
  return count
}

/** The run that covers `seq`; that of entry 0 is the first, and found without a cursor. */
function runAt(environment: Environment, actor: number, seq: number): Row | undefined {
  const key = runKey(actor, seq)
  const value = seq === 0 ? environment.get(key) : undefined
  if (value !== undefined) return { key, value }
  return environment.rangeDown(key, runKey(actor, 0).subarray(0, 7), 1)[0]
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
  const seqFirst = firstSeqOf(environment, actor)
  const isSeq = seqMax >= seqFirst && seqMax <= NUMBER_MAX
  // Of an actor that was left in order: at the end of its journal, and found without a cursor.
  const newest = isSeq ? environment.get(snapshotKey(actor, seqMax)) : undefined
  if (newest?.[0] === KIND_SNAPSHOT)
    return { seq: seqMax, bytes: new Uint8Array(newest.subarray(1)) }
  // One before the oldest kept entry is of no use: replay cannot go on from it.
  const end = snapshotKey(actor, seqFirst - 1)
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

/**
 * Entry codec: journal entries as bytes, format versions 1 and 2 (docs/journal-format.md). Version 2 has
 * cells for the caller and for effects; an entry that has neither is written as version 1. Version 3 is one of these
 * with its payload in a blob (detached.ts).
 *
 *   offset  0        1        2                4                    8
 *           +--------+--------+----------------+--------------------+---------------------
 *           | version| kind   | zero (u16)     | crc32 (u32 LE)     | MessagePack array
 *           +--------+--------+----------------+--------------------+---------------------
 *
 * The checksum covers the seq (u64 LE, not stored), the first four bytes and the payload, so that an
 * entry that was damaged, or that stands at another seq, is noticed.
 *
 * Invariants:
 *   J6. A version that was released is read for ever: test/fixtures/journals holds one of each.
 */
import { crc32 } from '../base/checksum.ts'
import { LoomError } from '../base/errors.ts'
import { ENTRY_SIZE_MAX_BYTES } from '../base/limits.ts'
import type { WitValue } from '../component/wit/wit.ts'
import { type EffectRow, effectRow, readEffect } from './effect-rows.ts'
import type {
  ClosedEntry,
  ContinuedEntry,
  CreatedEntry,
  DeletedEntry,
  Effect,
  JournalEntry,
  OpenedEntry,
  RecordedCall,
  TurnEntry,
  TurnOutcome,
} from './entry.ts'
import { NO_EFFECTS } from './entry.ts'
import { packAfterHeader, unpackValue } from './values.ts'

const VERSION = 1
const VERSION_EFFECTS = 2
/** The byte of each kind; never reused. */
const KIND_BYTES = { created: 1, turn: 2, opened: 3, continued: 4, closed: 5, deleted: 6 } as const
export const HEADER_SIZE_BYTES = 8
const CRC_OFFSET = 4

const seqPrefix = new Uint8Array(12)
const seqView = new DataView(seqPrefix.buffer)

/** Of an entry as it is stored, at `seq`. */
export function checksum(bytes: Uint8Array, seq: number): number {
  seqView.setUint32(0, seq >>> 0, true)
  seqView.setUint32(4, Math.floor(seq / 2 ** 32), true)
  for (let index = 0; index < CRC_OFFSET; index++) seqPrefix[8 + index] = bytes[index] ?? 0
  return crc32(bytes, HEADER_SIZE_BYTES, crc32(seqPrefix))
}

const callRow = (call: RecordedCall): unknown[] => [call.target, call.argsHash, call.result]

function createdPayload(entry: CreatedEntry): unknown[] {
  const { atMs, type, id, incarnation, digest, calls } = entry
  return [atMs, type, id, incarnation, digest, calls.map(callRow)]
}

const callRows = (calls: readonly RecordedCall[]): readonly unknown[] =>
  calls.length === 0 ? calls : calls.map(callRow)

function resultCell(outcome: TurnOutcome): unknown {
  return outcome.kind === 'returned' ? outcome.value : [outcome.code, outcome.message]
}

/** Whether an entry holds what version 1 has no cells for. */
function needsEffects(entry: JournalEntry): boolean {
  switch (entry.kind) {
    case 'turn':
      return entry.caller !== null || entry.effects.length > 0
    case 'opened':
      return entry.caller !== null
    case 'closed':
      return entry.effects.length > 0
    case 'deleted':
      return true
    default:
      return false
  }
}

/** The cells of version 2: those of version 1, then the caller, then the effects. */
function payloadWithEffects(entry: JournalEntry): unknown[] {
  const cells = payloadOf(entry)
  if (entry.kind === 'turn' || entry.kind === 'opened') cells.push(entry.caller)
  if (entry.kind === 'turn' || entry.kind === 'closed') cells.push(entry.effects.map(effectRow))
  return cells
}

// One array per entry and no spreading: this runs once per turn.
function payloadOf(entry: JournalEntry): unknown[] {
  switch (entry.kind) {
    case 'created':
      return createdPayload(entry)
    case 'turn':
      return [
        entry.atMs,
        entry.idempotencyKey,
        entry.invocationId,
        entry.method,
        entry.args,
        callRows(entry.calls),
        entry.outcome.kind === 'returned',
        resultCell(entry.outcome),
      ]
    case 'opened':
      return [
        entry.atMs,
        entry.idempotencyKey,
        entry.invocationId,
        entry.method,
        entry.args,
        callRows(entry.calls),
      ]
    case 'continued':
      return [entry.atMs, callRows(entry.calls)]
    case 'closed':
      return [
        entry.atMs,
        entry.openedSeq,
        callRows(entry.calls),
        entry.outcome.kind === 'returned',
        resultCell(entry.outcome),
      ]
    case 'deleted':
      return [entry.atMs]
  }
}

/** @throws ERR_OPTION when the entry is larger than ENTRY_SIZE_MAX_BYTES (J7). */
export function encodeEntry(seq: number, entry: JournalEntry): Uint8Array {
  const version = needsEffects(entry) ? VERSION_EFFECTS : VERSION
  const payload = version === VERSION ? payloadOf(entry) : payloadWithEffects(entry)
  const bytes = packAfterHeader(payload, HEADER_SIZE_BYTES)
  if (bytes.length > ENTRY_SIZE_MAX_BYTES)
    throw new LoomError(
      'ERR_OPTION',
      `a journal entry of ${bytes.length} bytes: at most ${ENTRY_SIZE_MAX_BYTES} are allowed for a call's arguments, host calls and result`,
    )
  bytes[0] = version
  bytes[1] = KIND_BYTES[entry.kind]
  bytes[2] = 0
  bytes[3] = 0
  const crc = checksum(bytes, seq)
  bytes[CRC_OFFSET] = crc
  bytes[CRC_OFFSET + 1] = crc >>> 8
  bytes[CRC_OFFSET + 2] = crc >>> 16
  bytes[CRC_OFFSET + 3] = crc >>> 24
  return bytes
}

export function readU32(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 2] ?? 0)
  return ((high << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at] ?? 0)) >>> 0
}

function corrupt(seq: number, reason: string): LoomError {
  return new LoomError('ERR_JOURNAL_CORRUPT', `journal entry ${seq} is damaged: ${reason}`, {
    data: { seq },
  })
}

const NO_CALLS: readonly RecordedCall[] = Object.freeze([])

type CallRow = readonly [string, number, WitValue]

function readCalls(rows: readonly CallRow[]): readonly RecordedCall[] {
  if (rows.length === 0) return NO_CALLS
  return rows.map(([target, argsHash, result]) => ({ target, argsHash, result }))
}

function readCreated(payload: readonly unknown[]): CreatedEntry {
  const [atMs, type, id, incarnation, digest, rows] = payload as [
    number,
    string,
    string,
    string,
    string,
    CallRow[],
  ]
  return { kind: 'created', atMs, type, id, incarnation, digest, calls: readCalls(rows) }
}

function readEffects(rows: readonly EffectRow[] | undefined): readonly Effect[] {
  return rows === undefined ? NO_EFFECTS : rows.map(readEffect)
}

const HEAD_CELL_COUNT = 6
type HeadCells = [number, string | null, string | null, string, WitValue[], CallRow[]]

type TurnCells = readonly [...HeadCells, boolean, WitValue, (string | null)?, EffectRow[]?]

// By index and written out: recovery reads every turn of a suffix, and taking an array apart costs a third of that.
function readTurn(payload: readonly unknown[]): TurnEntry {
  const cells = payload as TurnCells
  const hasMore = cells.length > HEAD_CELL_COUNT + 2
  return {
    kind: 'turn',
    atMs: cells[0],
    idempotencyKey: cells[1],
    invocationId: cells[2],
    method: cells[3],
    args: cells[4],
    caller: hasMore ? (cells[8] ?? null) : null,
    calls: readCalls(cells[5]),
    effects: hasMore ? readEffects(cells[9]) : NO_EFFECTS,
    outcome: readOutcome(cells[6], cells[7]),
  }
}

function readOpened(payload: readonly unknown[]): OpenedEntry {
  const [atMs, idempotencyKey, invocationId, method, args, rows, caller = null] = payload as [
    ...HeadCells,
    (string | null)?,
  ]
  const calls = readCalls(rows)
  return { kind: 'opened', atMs, idempotencyKey, invocationId, method, args, caller, calls }
}

function readContinued(payload: readonly unknown[]): ContinuedEntry {
  const [atMs, rows] = payload as [number, CallRow[]]
  return { kind: 'continued', atMs, calls: readCalls(rows) }
}

function readClosed(payload: readonly unknown[]): ClosedEntry {
  const [atMs, openedSeq, rows, returned, result, effectRows] = payload as [
    number,
    number,
    CallRow[],
    boolean,
    WitValue,
    EffectRow[]?,
  ]
  const outcome = readOutcome(returned, result)
  const effects = readEffects(effectRows)
  return { kind: 'closed', atMs, openedSeq, calls: readCalls(rows), effects, outcome }
}

function readOutcome(returned: boolean, result: WitValue): TurnOutcome {
  if (returned) return { kind: 'returned', value: result }
  const [code, message] = result as readonly [string, string]
  return { kind: 'failed', code, message }
}

function readDeleted(payload: readonly unknown[]): DeletedEntry {
  return { kind: 'deleted', atMs: payload[0] as number }
}

const READERS: Readonly<Record<number, (payload: readonly unknown[]) => JournalEntry>> = {
  [KIND_BYTES.created]: readCreated,
  [KIND_BYTES.turn]: readTurn,
  [KIND_BYTES.opened]: readOpened,
  [KIND_BYTES.continued]: readContinued,
  [KIND_BYTES.closed]: readClosed,
  [KIND_BYTES.deleted]: readDeleted,
}

/** @throws ERR_JOURNAL_CORRUPT naming the seq (data: seq). */
export function decodeEntry(seq: number, bytes: Uint8Array): JournalEntry {
  if (bytes.length <= HEADER_SIZE_BYTES) throw corrupt(seq, `${bytes.length} bytes is too short`)
  if (bytes[0] !== VERSION && bytes[0] !== VERSION_EFFECTS)
    throw corrupt(seq, `format version ${bytes[0]} is not known here`)
  const stored = readU32(bytes, CRC_OFFSET)
  if (stored !== checksum(bytes, seq)) throw corrupt(seq, 'its checksum does not fit')
  const read = READERS[bytes[1] ?? 0]
  if (read === undefined) throw corrupt(seq, `entry kind ${bytes[1]} is not known here`)
  return read(unpackValue(bytes, HEADER_SIZE_BYTES) as readonly unknown[])
}

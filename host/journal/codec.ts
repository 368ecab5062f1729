/**
 * Entry codec: journal entries as bytes, format version 1 (docs/journal-format.md).
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
import type { WitValue } from '../component/wit.ts'
import type { CreatedEntry, JournalEntry, RecordedCall, TurnEntry, TurnOutcome } from './entry.ts'
import { guardNegativeZero, packAfterHeader, unpackValue } from './values.ts'

const VERSION = 1
const KIND_CREATED = 1
const KIND_TURN = 2
const HEADER_SIZE_BYTES = 8
const CRC_OFFSET = 4

const seqPrefix = new Uint8Array(12)
const seqView = new DataView(seqPrefix.buffer)

function checksum(bytes: Uint8Array, seq: number): number {
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

function turnPayload(entry: TurnEntry): unknown[] {
  const { atMs, idempotencyKey, invocationId, method, args, calls, outcome } = entry
  const returned = outcome.kind === 'returned'
  const result = returned ? outcome.value : [outcome.code, outcome.message]
  const rows = calls.length === 0 ? calls : calls.map(callRow)
  return [atMs, idempotencyKey, invocationId, method, args, rows, returned, result]
}

/** @throws ERR_OPTION when the entry is larger than ENTRY_SIZE_MAX_BYTES (J7). */
export function encodeEntry(seq: number, entry: JournalEntry): Uint8Array {
  const payload = entry.kind === 'created' ? createdPayload(entry) : turnPayload(entry)
  const bytes = packAfterHeader(guardNegativeZero(payload), HEADER_SIZE_BYTES)
  if (bytes.length > ENTRY_SIZE_MAX_BYTES)
    throw new LoomError(
      'ERR_OPTION',
      `a journal entry of ${bytes.length} bytes: at most ${ENTRY_SIZE_MAX_BYTES} are allowed for a call's arguments, host calls and result`,
    )
  bytes[0] = VERSION
  bytes[1] = entry.kind === 'created' ? KIND_CREATED : KIND_TURN
  bytes[2] = 0
  bytes[3] = 0
  const crc = checksum(bytes, seq)
  bytes[CRC_OFFSET] = crc
  bytes[CRC_OFFSET + 1] = crc >>> 8
  bytes[CRC_OFFSET + 2] = crc >>> 16
  bytes[CRC_OFFSET + 3] = crc >>> 24
  return bytes
}

function corrupt(seq: number, reason: string): LoomError {
  return new LoomError('ERR_JOURNAL_CORRUPT', `journal entry ${seq} is damaged: ${reason}`, {
    data: { seq },
  })
}

type CallRow = readonly [string, number, WitValue]

function readCalls(rows: readonly CallRow[]): RecordedCall[] {
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

function readTurn(payload: readonly unknown[]): TurnEntry {
  const [atMs, idempotencyKey, invocationId, method, args, rows, returned, result] = payload as [
    number,
    string | null,
    string | null,
    string,
    WitValue[],
    CallRow[],
    boolean,
    WitValue,
  ]
  const outcome: TurnOutcome = returned
    ? { kind: 'returned', value: result }
    : readFailure(result as readonly [string, string])
  const calls = rows.length === 0 ? (rows as never) : readCalls(rows)
  return { kind: 'turn', atMs, idempotencyKey, invocationId, method, args, calls, outcome }
}

function readFailure([code, message]: readonly [string, string]): TurnOutcome {
  return { kind: 'failed', code, message }
}

/** @throws ERR_JOURNAL_CORRUPT naming the seq (data: seq). */
export function decodeEntry(seq: number, bytes: Uint8Array): JournalEntry {
  if (bytes.length <= HEADER_SIZE_BYTES) throw corrupt(seq, `${bytes.length} bytes is too short`)
  if (bytes[0] !== VERSION) throw corrupt(seq, `format version ${bytes[0]} is not known here`)
  const stored = new DataView(bytes.buffer, bytes.byteOffset).getUint32(CRC_OFFSET, true)
  if (stored !== checksum(bytes, seq)) throw corrupt(seq, 'its checksum does not fit')
  const payload = unpackValue(bytes.subarray(HEADER_SIZE_BYTES)) as readonly unknown[]
  if (bytes[1] === KIND_CREATED) return readCreated(payload)
  if (bytes[1] === KIND_TURN) return readTurn(payload)
  throw corrupt(seq, `entry kind ${bytes[1]} is not known here`)
}

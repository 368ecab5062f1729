/**
 * Export files: one actor as a file (docs/journal-format.md).
 *
 *   offset  0         7        8
 *           +---------+--------+--------+--------+---
 *           | LOOMEXP | version| record | record | ...
 *           +---------+--------+--------+--------+---
 *
 *   record  0        1                5                9
 *           +--------+----------------+----------------+-------------------
 *           | kind   | size (u32 LE)  | crc32 (u32 LE) | MessagePack array
 *           +--------+----------------+----------------+-------------------
 *
 * The checksum of a record covers kind, size, payload and the checksum of the record before it, so that a record
 * that is damaged, missing or at another place is noticed.
 *
 * Owns: the bytes. Does not own: what an export holds (runtime/actor-export.ts).
 *
 * Invariant EF1: a file without its `end` record, or with anything behind it, is damaged.
 */
import { crc32 } from '../base/checksum.ts'
import { LoomError } from '../base/errors.ts'
import { packValue, unpackValue } from './values.ts'

const MAGIC = Buffer.from('LOOMEXP')
const VERSION = 1
const HEADER_SIZE_BYTES = 8
const RECORD_HEAD_SIZE_BYTES = 9
const CRC_OFFSET = 5

/** The byte of each kind; never reused. */
const KINDS = {
  actor: 1,
  entry: 2,
  snapshot: 3,
  state: 4,
  reminder: 5,
  key: 6,
  component: 7,
  end: 8,
} as const

export type ExportKind = keyof typeof KINDS

export interface ExportRecord {
  readonly kind: ExportKind
  readonly cells: readonly unknown[]
  /** Where it stands in the file. */
  readonly offset: number
}

function checksum(head: Uint8Array, payload: Uint8Array, before: number): number {
  return crc32(payload, 0, crc32(head.subarray(0, CRC_OFFSET), 0, before))
}

/** Writes a file piece by piece. */
export class ExportWriter {
  #crc = 0

  header(): Uint8Array {
    return Buffer.concat([MAGIC, Buffer.from([VERSION])])
  }

  record(kind: ExportKind, ...cells: readonly unknown[]): Uint8Array {
    const payload = packValue(cells)
    const head = Buffer.alloc(RECORD_HEAD_SIZE_BYTES)
    head[0] = KINDS[kind]
    head.writeUInt32LE(payload.length, 1)
    this.#crc = checksum(head, payload, this.#crc)
    head.writeUInt32LE(this.#crc, CRC_OFFSET)
    return Buffer.concat([head, payload])
  }
}

/** Records in order, without `end`. @throws ERR_IMPORT_CORRUPT (data: offset) */
export function* readExport(file: Uint8Array): Generator<ExportRecord> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw damagedFile(0, 'it is no export of an actor')
  if (bytes[MAGIC.length] !== VERSION)
    throw damagedFile(MAGIC.length, `format version ${bytes[MAGIC.length]} is not known here`)
  let crc = 0
  for (let offset = HEADER_SIZE_BYTES; ; ) {
    const head = bytes.subarray(offset, offset + RECORD_HEAD_SIZE_BYTES)
    if (head.length < RECORD_HEAD_SIZE_BYTES) throw damagedFile(offset, 'the file ends too early')
    const start = offset + RECORD_HEAD_SIZE_BYTES
    const end = start + head.readUInt32LE(1)
    if (end > bytes.length) throw damagedFile(offset, 'the file ends too early')
    const payload = bytes.subarray(start, end)
    crc = checksum(head, payload, crc)
    if (crc !== head.readUInt32LE(CRC_OFFSET)) throw damagedFile(offset, 'a checksum does not fit')
    const kind = kindOf(head[0])
    if (kind === undefined) throw damagedFile(offset, `record kind ${head[0]} is not known here`)
    if (kind === 'end') {
      if (end !== bytes.length) throw damagedFile(end, 'something stands behind its end')
      return
    }
    yield { kind, cells: cellsOf(payload, offset), offset }
    offset = end
  }
}

function kindOf(byte: number | undefined): ExportKind | undefined {
  return (Object.keys(KINDS) as ExportKind[]).find((kind) => KINDS[kind] === byte)
}

function cellsOf(payload: Uint8Array, offset: number): readonly unknown[] {
  let cells: unknown
  try {
    cells = unpackValue(payload)
  } catch {
    cells = null
  }
  if (Array.isArray(cells)) return cells
  throw damagedFile(offset, 'a record cannot be read')
}

export function damagedFile(offset: number, reason: string): LoomError {
  return new LoomError('ERR_IMPORT_CORRUPT', `the file is damaged at offset ${offset}: ${reason}`, {
    data: { offset },
  })
}

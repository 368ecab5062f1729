/**
 * Detached entries: journal entries whose payload lies in a blob, format version 3 (docs/journal-format.md).
 *
 *   offset  0        1        2              3        4                    8                 40                 44
 *           +--------+--------+--------------+--------+--------------------+-----------------+------------------+
 *           | 3      | kind   | version, 1-2 | zero   | crc32 (u32 LE)     | SHA-256 of blob | size (u32 LE)    |
 *           +--------+--------+--------------+--------+--------------------+-----------------+------------------+
 *
 *   blob    0         7        8                  24
 *           +---------+--------+------------------+-----------------------
 *           | LOOMPAY | 1      | 16 random bytes  | payload of the entry
 *           +---------+--------+------------------+-----------------------
 *
 * The checksum covers what that of other versions covers; `size` is that of the payload. The random bytes make each
 * blob the only one with its digest, so that it belongs to one entry of one journal and goes with it.
 *
 * Owns: these bytes. Does not own: when a blob is written and removed (payload-log.ts), payloads (codec.ts).
 *
 * Invariant DE1: `attach` gives back the very bytes that `detach` was given.
 */
import type { Digest } from '../base/digest.ts'
import { digestOf } from '../base/digest.ts'
import { LoomError } from '../base/errors.ts'
import { checksum, HEADER_SIZE_BYTES, readU32 } from './codec.ts'

const VERSION = 3
const DIGEST_SIZE_BYTES = 32
const SIZE_OFFSET = HEADER_SIZE_BYTES + DIGEST_SIZE_BYTES
const DETACHED_SIZE_BYTES = SIZE_OFFSET + 4
const CRC_OFFSET = 4

const BLOB_MAGIC = Buffer.from('LOOMPAY\x01', 'latin1')
export const NONCE_SIZE_BYTES = 16
const BLOB_HEADER_SIZE_BYTES = BLOB_MAGIC.length + NONCE_SIZE_BYTES

export interface Detached {
  /** What the journal holds. */
  readonly entry: Uint8Array
  /** What the blob store has to hold before. */
  readonly blob: Uint8Array
  readonly digest: Digest
}

export function isDetached(entry: Uint8Array): boolean {
  return entry[0] === VERSION
}

export function detach(seq: number, entry: Uint8Array, nonce: Uint8Array): Detached {
  const payload = entry.subarray(HEADER_SIZE_BYTES)
  const blob = Buffer.concat([BLOB_MAGIC, nonce, payload])
  const digest = digestOf(blob)
  const bytes = Buffer.alloc(DETACHED_SIZE_BYTES)
  bytes[0] = VERSION
  bytes[1] = entry[1] ?? 0
  bytes[2] = entry[0] ?? 0
  bytes.write(digest.slice(DIGEST_PREFIX.length), HEADER_SIZE_BYTES, 'hex')
  bytes.writeUInt32LE(payload.length, SIZE_OFFSET)
  bytes.writeUInt32LE(checksum(bytes, seq), CRC_OFFSET)
  return { entry: bytes, blob, digest }
}

const DIGEST_PREFIX = 'sha256:'

/** Digest of the blob of a detached entry. @throws ERR_JOURNAL_CORRUPT */
export function blobOf(seq: number, entry: Uint8Array): Digest {
  const isWhole = entry.length === DETACHED_SIZE_BYTES
  if (!isWhole || readU32(entry, CRC_OFFSET) !== checksum(entry, seq))
    throw corrupt(seq, 'its checksum does not fit')
  const digest = Buffer.from(entry.subarray(HEADER_SIZE_BYTES, SIZE_OFFSET)).toString('hex')
  return `${DIGEST_PREFIX}${digest}`
}

/** The entry as it was. `blob`: what its digest stands for. @throws ERR_JOURNAL_CORRUPT */
export function attach(seq: number, entry: Uint8Array, blob: Uint8Array): Uint8Array {
  const payload = blob.subarray(BLOB_HEADER_SIZE_BYTES)
  const isPayload = Buffer.compare(blob.subarray(0, BLOB_MAGIC.length), BLOB_MAGIC) === 0
  if (!isPayload || payload.length !== readU32(entry, SIZE_OFFSET))
    throw corrupt(seq, 'the blob that it names is not its payload')
  const bytes = Buffer.allocUnsafe(HEADER_SIZE_BYTES + payload.length)
  bytes.set(payload, HEADER_SIZE_BYTES)
  bytes.writeUInt32LE(0, 0)
  bytes[0] = entry[2] ?? 0
  bytes[1] = entry[1] ?? 0
  bytes.writeUInt32LE(checksum(bytes, seq), CRC_OFFSET)
  return bytes
}

function corrupt(seq: number, reason: string): LoomError {
  return new LoomError('ERR_JOURNAL_CORRUPT', `journal entry ${seq} is damaged: ${reason}`, {
    data: { seq },
  })
}

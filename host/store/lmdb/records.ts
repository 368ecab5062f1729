/**
 * Records: the small values of the environment.
 *
 *     every record    body, then u32 CRC-32 of the body
 *     format          "LOOM", u32 version
 *     host            JSON: HostRecord and `live`
 *     checkpoint      u48 next block, u48 next actor number
 *     directory       u48 actor number, then JSON: ActorRecord
 *     head            u48 number of indexed entries
 *     run             n x { u48 block, u32 offset, u32 size }
 *     idempotency     u48 seq, u48 time of use; format 1 wrote the seq alone
 *     upgrade         u48 time
 *
 * Owns: these bytes and their checksums. Does not own: entries and snapshots, which are opaque here.
 *
 * Invariant R1: a record whose checksum does not match is never used; reading it throws ERR_STORE.
 */
import { crc32 } from 'node:zlib'
import { invariant, LoomError } from '../../base/errors.ts'
import type { ActorKey } from '../../base/names.ts'
import type { ActorRecord, HostRecord } from '../store.ts'
import { getU48, putU48, setU48 } from './keys.ts'

/**
 * Format 1 knew no times of idempotency keys, in 2 the index was never ahead of the checkpoint record; a folder is
 * brought to this format when it is claimed.
 */
export const FORMAT_VERSION = 3
const FORMAT_VERSION_MIN = 1
const FORMAT_MAGIC = 0x4c4f4f4d
const CRC_SIZE_BYTES = 4
const PLACE_SIZE_BYTES = 14

/** Where one entry lies: `size` bytes at `offset` of block `block`, or, of block 0, in a row of its own. */
export interface Place {
  readonly block: number
  readonly offset: number
  readonly size: number
}

/** Places as the writer collects them: block, offset, size, block, offset, size, ... */
export type FlatPlaces = number[]
export const PLACE_WIDTH = 3
export const MOVED_BLOCK = 0

/** A copy of `body` with its checksum. */
export function seal(body: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(body.length + CRC_SIZE_BYTES)
  record.set(body)
  record.writeUInt32BE(crc32(body), body.length)
  return record
}

/** The body, a part of `record`'s memory. @throws ERR_STORE */
export function unseal(what: string, record: Buffer): Buffer {
  const size = record.length - CRC_SIZE_BYTES
  const body = record.subarray(0, Math.max(0, size))
  if (size < 0 || crc32(body) !== record.readUInt32BE(size))
    throw new LoomError('ERR_STORE', `the ${what} record is damaged: its checksum does not match`)
  return body
}

export function encodeFormat(): Buffer {
  const body = Buffer.allocUnsafe(8)
  body.writeUInt32BE(FORMAT_MAGIC, 0)
  body.writeUInt32BE(FORMAT_VERSION, 4)
  return seal(body)
}

/** The format's version. @throws ERR_DATA_FOLDER when Loom did not write it, or a newer Loom did. */
export function checkFormat(record: Buffer): number {
  const body = unseal('format', record)
  const magic = body.length === 8 && body.readUInt32BE(0) === FORMAT_MAGIC
  const version = magic ? body.readUInt32BE(4) : 0
  if (version >= FORMAT_VERSION_MIN && version <= FORMAT_VERSION) return version
  throw new LoomError(
    'ERR_DATA_FOLDER',
    `the data has format ${version || 'unknown'}, this build reads formats ${FORMAT_VERSION_MIN} to ${FORMAT_VERSION}`,
  )
}

/** Bytes that a caller may keep, without a copy: nothing else uses the memory of a record that was read. */
export function bytesOf(body: Buffer): Uint8Array {
  return new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
}

/** Type and id as one text; a type's name holds no NUL. */
export function actorKeyText({ type, id }: ActorKey): Buffer {
  return Buffer.from(`${type}\0${id}`)
}

export function actorKeyOf(bytes: Buffer): ActorKey {
  const [type, id] = bytes.toString('utf8').split('\0')
  invariant(type !== undefined && id !== undefined, 'an actor key has a type and an id')
  return { type, id }
}

/** The host record as stored: after a host closed in order, its epoch stays and `live` is false. */
export interface HostClaim extends HostRecord {
  readonly live: boolean
}

export function encodeHost(claim: HostClaim): Buffer {
  return seal(Buffer.from(JSON.stringify(claim)))
}

export function decodeHost(record: Buffer): HostClaim {
  const claim = JSON.parse(unseal('host', record).toString('utf8')) as HostClaim
  invariant(Number.isSafeInteger(claim.epoch) && claim.epoch > 0, 'a host record names its epoch')
  return claim
}

export interface Checkpoint {
  /** Blocks below are indexed; those from here on make up the tail. */
  readonly blockNext: number
  readonly actorNext: number
}

export function encodeCheckpoint({ blockNext, actorNext }: Checkpoint): Buffer {
  const body = Buffer.allocUnsafe(12)
  putU48(body, 0, blockNext)
  putU48(body, 6, actorNext)
  return seal(body)
}

export function decodeCheckpoint(record: Buffer): Checkpoint {
  const body = unseal('checkpoint', record)
  invariant(body.length === 12, 'a checkpoint record has 12 bytes')
  return { blockNext: getU48(body, 0), actorNext: getU48(body, 6) }
}

export interface DirectoryRow {
  readonly actor: number
  readonly record: ActorRecord
}

export function encodeActor(record: ActorRecord): Buffer {
  const { type, id, incarnation, digest, createdAtMs } = record
  return Buffer.from(JSON.stringify({ type, id, incarnation, digest, createdAtMs }))
}

export function decodeActor(bytes: Buffer): ActorRecord {
  return JSON.parse(bytes.toString('utf8')) as ActorRecord
}

export function encodeDirectory({ actor, record }: DirectoryRow): Buffer {
  const number = Buffer.allocUnsafe(6)
  putU48(number, 0, actor)
  return seal(Buffer.concat([number, encodeActor(record)]))
}

export function decodeDirectory(record: Buffer): DirectoryRow {
  const body = unseal('actor', record)
  return { actor: getU48(body, 0), record: decodeActor(body.subarray(6)) }
}

/** Where a key's result lies, and when the key was used; null in data of format 1. */
export interface KeyUse {
  readonly seq: number
  readonly atMs: number | null
}

export function encodeKeyUse({ seq, atMs }: KeyUse): Buffer {
  if (atMs === null) return encodeNumber(seq)
  const body = Buffer.allocUnsafe(12)
  putU48(body, 0, seq)
  putU48(body, 6, atMs)
  return seal(body)
}

export function decodeKeyUse(record: Buffer): KeyUse {
  const body = unseal('idempotency', record)
  invariant(body.length === 6 || body.length === 12, 'an idempotency record has one or two numbers')
  return { seq: getU48(body, 0), atMs: body.length === 12 ? getU48(body, 6) : null }
}

/** A record of one number. */
export function encodeNumber(value: number): Buffer {
  const body = Buffer.allocUnsafe(6)
  putU48(body, 0, value)
  return seal(body)
}

export function decodeNumber(what: string, record: Buffer): number {
  const body = unseal(what, record)
  invariant(body.length === 6, `a ${what} record holds one number`)
  return getU48(body, 0)
}

/** The run of the first `count` entries of `places`. */
export function encodeRun(places: FlatPlaces, count: number): Buffer {
  invariant(count > 0 && places.length >= count * PLACE_WIDTH, 'a run covers entries that exist')
  const body = Buffer.allocUnsafe(count * PLACE_SIZE_BYTES)
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  for (let at = 0, from = 0; at < body.length; at += PLACE_SIZE_BYTES, from += PLACE_WIDTH) {
    setU48(view, at, places[from] ?? 0)
    view.setUint32(at + 6, places[from + 1] ?? 0)
    view.setUint32(at + 10, places[from + 2] ?? 0)
  }
  return seal(body)
}

export function decodeRun(record: Buffer): Place[] {
  const body = unseal('run', record)
  invariant(body.length % PLACE_SIZE_BYTES === 0, 'a run is a list of places')
  const places: Place[] = []
  for (let at = 0; at < body.length; at += PLACE_SIZE_BYTES)
    places.push({
      block: getU48(body, at),
      offset: body.readUInt32BE(at + 6),
      size: body.readUInt32BE(at + 10),
    })
  return places
}

/** Adds places `from` up to `end` (excluded) of a run, as far as it has them; how many these are. */
export function addPlacesOfRun(
  record: Buffer,
  from: number,
  end: number,
  places: FlatPlaces,
): number {
  const body = unseal('run', record)
  invariant(body.length % PLACE_SIZE_BYTES === 0, 'a run is a list of places')
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const last = Math.min(end * PLACE_SIZE_BYTES, body.length)
  for (let at = from * PLACE_SIZE_BYTES; at < last; at += PLACE_SIZE_BYTES)
    places.push(
      view.getUint16(at) * 0x1_0000_0000 + view.getUint32(at + 2),
      view.getUint32(at + 6),
      view.getUint32(at + 10),
    )
  return last / PLACE_SIZE_BYTES - from
}

/**
 * Keys of the LMDB environment.
 *
 * Everything lies in the environment's main database. The first byte of a key says what it holds:
 *
 *     01                                    the host record; its LMDB version is the epoch
 *     02                                    the format record
 *     03                                    the checkpoint record
 *     10  type, 00, id                      an actor's directory record (order of type, then id)
 *     20  actor u48, seq u48                an index run: where the entries from `seq` on lie
 *     21  actor u48                         an actor's head record: number of indexed entries
 *     30  actor u48, idempotency key        seq u48
 *     40  actor u48, seq u48                a snapshot
 *     f0  block u48                         a block: the entries of many actors, in order of commit
 *
 * Numbers are big-endian, so that the order of keys is the order of numbers. Blocks come last because
 * LMDB fills pages best when keys are added at the end.
 *
 * Owns: the bytes of keys. Does not own: the bytes of values (records.ts, block.ts).
 */
import { invariant } from '../../base/errors.ts'
import type { ActorKey } from '../../base/names.ts'

/** Numbers in keys and records: 48 bits last for 8,900 years at a million commits per second. */
export const NUMBER_MAX = 2 ** 48 - 1

const TAG_DIRECTORY = 0x10
const TAG_RUN = 0x20
const TAG_HEAD = 0x21
const TAG_IDEMPOTENCY = 0x30
const TAG_SNAPSHOT = 0x40
const TAG_BLOCK = 0xf0

export const HOST_KEY = Buffer.from([0x01])
export const FORMAT_KEY = Buffer.from([0x02])
export const CHECKPOINT_KEY = Buffer.from([0x03])

export function putU48(target: Buffer, offset: number, value: number): void {
  target.writeUInt16BE(Math.floor(value / 0x1_0000_0000), offset)
  target.writeUInt32BE(value >>> 0, offset + 2)
}

export function setU48(target: DataView, offset: number, value: number): void {
  target.setUint16(offset, Math.floor(value / 0x1_0000_0000))
  target.setUint32(offset + 2, value >>> 0)
}

export function getU48(source: Buffer, offset: number): number {
  return source.readUInt16BE(offset) * 0x1_0000_0000 + source.readUInt32BE(offset + 2)
}

function numberKey(tag: number, number: number): Buffer {
  invariant(number >= 0 && number <= NUMBER_MAX, 'a number of a key fits 48 bits')
  const key = Buffer.allocUnsafe(7)
  key[0] = tag
  putU48(key, 1, number)
  return key
}

function actorSeqKey(tag: number, actor: number, seq: number): Buffer {
  invariant(actor > 0 && seq >= 0 && seq <= NUMBER_MAX, 'actors are numbered from 1')
  const key = Buffer.allocUnsafe(13)
  key[0] = tag
  putU48(key, 1, actor)
  putU48(key, 7, seq)
  return key
}

/** Orders as type, then id: a type's name holds no 00. */
export function directoryKey({ type, id }: ActorKey): Buffer {
  return Buffer.concat([Buffer.from([TAG_DIRECTORY]), Buffer.from(`${type}\0${id}`)])
}

/** From where to where the directory holds actors, of one type or of all; the end is excluded. */
export function directoryRange(type: string | undefined): { start: Buffer; end: Buffer } {
  if (type === undefined)
    return { start: Buffer.from([TAG_DIRECTORY]), end: Buffer.from([TAG_DIRECTORY + 1]) }
  const prefix = Buffer.concat([Buffer.from([TAG_DIRECTORY]), Buffer.from(type)])
  return {
    start: Buffer.concat([prefix, Buffer.from([0])]),
    end: Buffer.concat([prefix, Buffer.from([1])]),
  }
}

export const runKey = (actor: number, seq: number): Buffer => actorSeqKey(TAG_RUN, actor, seq)
export const seqOfKey = (key: Buffer): number => getU48(key, 7)
export const headKey = (actor: number): Buffer => numberKey(TAG_HEAD, actor)
export const snapshotKey = (actor: number, seq: number): Buffer =>
  actorSeqKey(TAG_SNAPSHOT, actor, seq)
export const blockKey = (block: number): Buffer => numberKey(TAG_BLOCK, block)
export const blockOfKey = (key: Buffer): number => getU48(key, 1)

export function idempotencyKey(actor: number, key: string): Buffer {
  return Buffer.concat([numberKey(TAG_IDEMPOTENCY, actor), Buffer.from(key)])
}

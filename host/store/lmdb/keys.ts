/**
 * Keys of the LMDB environment.
 *
 * Everything lies in the environment's main database. The first byte of a key says what it holds:
 *
 *     01                                    the host record; its LMDB version is the epoch
 *     02                                    the format record
 *     03                                    the checkpoint record
 *     04                                    when the data was brought to this format, if it was older
 *     10  type, 00, id                      an actor's directory record (order of type, then id)
 *     20  actor u48, seq u48                an index run: where the entries from `seq` on lie
 *     21  actor u48                         an actor's head record: number of indexed entries
 *     22  actor u48, seq u48                an entry whose block was given up
 *     23  actor u48                         seq of the oldest entry that is kept besides entry 0
 *     24  actor u48                         what of the actor waits to be removed (sweeper.ts)
 *     25  block u48                         what is left of a block, entries of which were given up
 *     30  actor u48, idempotency key        seq u48, time
 *     40  actor u48, seq u48                a snapshot
 *     50  actor u48, state key              a value of keyed state
 *     51  actor u48, reminder               a reminder
 *     52  due u48, actor u48, reminder      nothing: the order in which reminders are due
 *     60  type, 00, id, 00, incarnation,    a message of the outbox
 *         00, seq u48, index u32
 *     61  type, 00, id                      the actor's quarantine
 *     62  type, 00, id                      the actor's journal ends in the middle of a turn
 *     63  SHA-256                           a blob that no entry names (loose-blobs.ts)
 *     f0  block u48                         a block: the entries of many actors, in order of commit
 *
 * Numbers are big-endian, so that the order of keys is the order of numbers. Blocks come last because
 * LMDB fills pages best when keys are added at the end. Texts are UTF-8, which orders as code points do.
 *
 * Owns: the bytes of keys. Does not own: the bytes of values (records.ts, block.ts).
 */
import type { Digest } from '../../base/digest.ts'
import { invariant } from '../../base/errors.ts'
import type { ActorKey } from '../../base/names.ts'
import type { OutboxRow } from '../store.ts'

/** Numbers in keys and records: 48 bits last for 8,900 years at a million commits per second. */
export const NUMBER_MAX = 2 ** 48 - 1

const TAG_DIRECTORY = 0x10
const TAG_RUN = 0x20
const TAG_HEAD = 0x21
const TAG_ENTRY = 0x22
const TAG_FIRST = 0x23
const TAG_SWEEP = 0x24
const TAG_ROOM = 0x25
const TAG_IDEMPOTENCY = 0x30
const TAG_SNAPSHOT = 0x40
const TAG_STATE = 0x50
const TAG_REMINDER = 0x51
const TAG_DUE = 0x52
const TAG_MESSAGE = 0x60
const TAG_QUARANTINE = 0x61
const TAG_OPEN_TURN = 0x62
const TAG_LOOSE = 0x63
const TAG_BLOCK = 0xf0

export const HOST_KEY = Buffer.from([0x01])
export const FORMAT_KEY = Buffer.from([0x02])
export const CHECKPOINT_KEY = Buffer.from([0x03])
export const UPGRADE_KEY = Buffer.from([0x04])

/** From where to where keys lie; the end is excluded. */
export interface KeyRange {
  readonly start: Buffer
  readonly end: Buffer
}

function tagRange(tag: number): KeyRange {
  return { start: Buffer.from([tag]), end: Buffer.from([tag + 1]) }
}

export const OUTBOX_RANGE = tagRange(TAG_MESSAGE)
export const QUARANTINE_RANGE = tagRange(TAG_QUARANTINE)
export const OPEN_TURN_RANGE = tagRange(TAG_OPEN_TURN)
export const IDEMPOTENCY_RANGE = tagRange(TAG_IDEMPOTENCY)
export const ROOM_RANGE = tagRange(TAG_ROOM)
export const SWEEP_RANGE = tagRange(TAG_SWEEP)
export const LOOSE_RANGE = tagRange(TAG_LOOSE)

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
export const directoryKey = (key: ActorKey): Buffer => actorKey(TAG_DIRECTORY, key)
export const quarantineKey = (key: ActorKey): Buffer => actorKey(TAG_QUARANTINE, key)

export const openTurnKey = (key: ActorKey): Buffer => actorKey(TAG_OPEN_TURN, key)

/** The actor of a key that `actorKey` made. */
export function actorOfKey(key: Buffer): ActorKey {
  const [type, id] = key.toString('utf8', 1).split('\0')
  invariant(type !== undefined && id !== undefined, 'the key names an actor')
  return { type, id }
}

function actorKey(tag: number, { type, id }: ActorKey): Buffer {
  const size = 2 + Buffer.byteLength(type) + Buffer.byteLength(id)
  const key = Buffer.allocUnsafe(size)
  key[0] = tag
  key.write(`${type}\0${id}`, 1)
  return key
}

/** Where the directory holds actors, of one type or of all. */
export function directoryRange(type: string | undefined): KeyRange {
  if (type === undefined) return tagRange(TAG_DIRECTORY)
  const prefix = Buffer.concat([Buffer.from([TAG_DIRECTORY]), Buffer.from(type)])
  return {
    start: Buffer.concat([prefix, Buffer.from([0])]),
    end: Buffer.concat([prefix, Buffer.from([1])]),
  }
}

const DIGEST_PREFIX = 'sha256:'

export function looseKey(digest: Digest): Buffer {
  const key = Buffer.allocUnsafe(33)
  key[0] = TAG_LOOSE
  const size = key.write(digest.slice(DIGEST_PREFIX.length), 1, 'hex')
  invariant(size === 32, 'a digest has 32 bytes')
  return key
}

export const digestOfLooseKey = (key: Buffer): Digest => `${DIGEST_PREFIX}${key.toString('hex', 1)}`

export const runKey = (actor: number, seq: number): Buffer => actorSeqKey(TAG_RUN, actor, seq)
export const seqOfKey = (key: Buffer): number => getU48(key, 7)
export const headKey = (actor: number): Buffer => numberKey(TAG_HEAD, actor)
export const snapshotKey = (actor: number, seq: number): Buffer =>
  actorSeqKey(TAG_SNAPSHOT, actor, seq)
export const entryKey = (actor: number, seq: number): Buffer => actorSeqKey(TAG_ENTRY, actor, seq)
export const roomKey = (block: number): Buffer => numberKey(TAG_ROOM, block)
export const firstKey = (actor: number): Buffer => numberKey(TAG_FIRST, actor)
export const sweepKey = (actor: number): Buffer => numberKey(TAG_SWEEP, actor)
export const actorOfSweepKey = (key: Buffer): number => getU48(key, 1)
export const blockKey = (block: number): Buffer => numberKey(TAG_BLOCK, block)
export const blockOfKey = (key: Buffer): number => getU48(key, 1)

/** A number, then text: sizes are counted instead of concatenating, for keys that turns read and write. */
function textKey(tag: number, actor: number, text: string): Buffer {
  invariant(actor > 0, 'actors are numbered from 1')
  const key = Buffer.allocUnsafe(7 + Buffer.byteLength(text))
  key[0] = tag
  putU48(key, 1, actor)
  key.write(text, 7)
  return key
}

const textOfKey = (key: Buffer): string => key.toString('utf8', 7)

/** All keys that `textKey` makes of one actor. */
function textRange(tag: number, actor: number): KeyRange {
  return { start: numberKey(tag, actor), end: numberKey(tag, actor + 1) }
}

export const idempotencyKey = (actor: number, key: string): Buffer =>
  textKey(TAG_IDEMPOTENCY, actor, key)
export const idempotencyRange = (actor: number): KeyRange => textRange(TAG_IDEMPOTENCY, actor)
export const idempotencyNameOf = textOfKey
export const actorOfIdempotencyKey = (key: Buffer): number => getU48(key, 1)
export const stateKey = (actor: number, key: string): Buffer => textKey(TAG_STATE, actor, key)
export const stateNameOf = textOfKey
export const reminderKey = (actor: number, name: string): Buffer =>
  textKey(TAG_REMINDER, actor, name)
export const reminderNameOf = textOfKey
export const reminderRange = (actor: number): KeyRange => textRange(TAG_REMINDER, actor)

/** Where an actor's state has keys that begin with `prefix` and lie behind `after`. */
export function stateRange(actor: number, prefix: string, after: string | null): KeyRange {
  const from = stateKey(actor, prefix)
  // The smallest key after `after`; UTF-8 has no byte ff, so the last byte of a key can grow.
  const behind = after === null ? from : Buffer.concat([stateKey(actor, after), Buffer.from([0])])
  const end = prefix === '' ? numberKey(TAG_STATE, actor + 1) : Buffer.from(from)
  const last = end.length - 1
  if (prefix !== '') end[last] = (end[last] ?? 0) + 1
  return { start: Buffer.compare(from, behind) > 0 ? from : behind, end }
}

/** Orders as time, then actor, then name. */
export function dueKey(dueAtMs: number, actor: number, name: string): Buffer {
  const key = Buffer.allocUnsafe(13 + Buffer.byteLength(name))
  key[0] = TAG_DUE
  putU48(key, 1, dueAtMs)
  putU48(key, 7, actor)
  key.write(name, 13)
  return key
}

export const dueOfKey = (key: Buffer): number => getU48(key, 1)
export const actorOfDueKey = (key: Buffer): number => getU48(key, 7)
export const nameOfDueKey = (key: Buffer): string => key.toString('utf8', 13)

/** What is due at `atMs` or before. */
export function dueRange(atMs: number): KeyRange {
  const { start, end } = tagRange(TAG_DUE)
  return { start, end: atMs < NUMBER_MAX ? numberKey(TAG_DUE, Math.max(0, atMs) + 1) : end }
}

type MessageName = Pick<OutboxRow, 'sender' | 'incarnation' | 'seq' | 'index'>

/** Orders as sender, then seq: neither an id nor an incarnation holds 00. */
export function messageKey({ sender, incarnation, seq, index }: MessageName): Buffer {
  const text = `${sender.type}\0${sender.id}\0${incarnation}\0`
  const size = Buffer.byteLength(text)
  const key = Buffer.allocUnsafe(size + 11)
  key[0] = TAG_MESSAGE
  key.write(text, 1)
  putU48(key, size + 1, seq)
  key.writeUInt32BE(index, size + 7)
  return key
}

export function messageOfKey(key: Buffer): MessageName {
  const end = key.length - 10
  const [type, id, incarnation] = key.toString('utf8', 1, end - 1).split('\0')
  invariant(type !== undefined && id !== undefined && incarnation !== undefined, 'OB1')
  return {
    sender: { type, id },
    incarnation,
    seq: getU48(key, end),
    index: key.readUInt32BE(end + 6),
  }
}

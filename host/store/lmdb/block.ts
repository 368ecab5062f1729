/**
 * Blocks: how entries of many actors lie together, so that a group of commits is one sequential write.
 *
 *      0        payload: the entries of all commits, one after the other
 *      P        one head per commit:
 *                 +0   u48  actor number
 *                 +6   u48  seq of its first entry
 *                 +12  u32  n, count of entries
 *                 +16  u32  k, count of idempotency keys
 *                 +20  u32  c, size of the actor record; 0 unless this commit creates the actor;
 *                           its highest bit: this commit ends the actor's life
 *                 +24  n x u32  entry sizes
 *                      c bytes  the actor record (JSON)
 *                      k x { u48 seq, u48 time of use, u16 size, key in UTF-8 }
 *      end-16   u32 P; u32 count of commits; u32 "LBL2"; u32 CRC-32 of all bytes from P up to here
 *
 * Blocks of format 1 end with "LBL1"; their keys have no time.
 *
 * Owns: these bytes. Does not own: checksums of entries (journal/ has them), where blocks are stored.
 *
 * Invariants:
 *   BL1. A commit lies in one block, whole.
 *   BL2. A block's buffer is not touched between `seal` and `release`: LMDB reads it from a thread.
 */
import { crc32 } from 'node:zlib'
import { invariant, LoomError } from '../../base/errors.ts'
import type { ActorRecord, Commit } from '../store.ts'
import { repairCandidates } from './block-repair.ts'
import { getU48, setU48 } from './keys.ts'
import { decodeActor, type FlatPlaces, type KeyUse } from './records.ts'

/**
 * A block is sealed when it reaches this size. Four pages of 4 KiB less LMDB's page header and the
 * version that lmdb-js puts before each value: the largest value that wastes no page. Reading one
 * entry copies one block, so larger blocks would cost more to read than they save.
 */
export const BLOCK_SIZE_BYTES = 4 * 4096 - 16 - 8

const MAGIC = 0x4c424c32
const MAGIC_FORMAT_1 = 0x4c424c31
/** In the field of the actor record's size. */
const END_BIT = 0x8000_0000
const KEY_HEAD_SIZE_BYTES = 14
const KEY_HEAD_SIZE_FORMAT_1_BYTES = 8
const COMMIT_HEAD_SIZE_BYTES = 24
const TRAILER_SIZE_BYTES = 16
/** Room for the heads of the commits that a block takes typically; grows when there are more. */
const HEADS_SIZE_BYTES = 2048
const NO_BYTES = Buffer.alloc(0)
/** Released buffers to use again: lmdb-js keeps a buffer's address once it has asked for it. */
const POOL_COUNT_MAX = 512
const pool: Buffer[] = []

/** A block that takes commits. */
export class BlockWriter {
  readonly number: number
  #payload: Buffer
  #used = 0
  #heads = Buffer.allocUnsafe(HEADS_SIZE_BYTES)
  // Writes go through a view: they are inlined, where those of Buffer check their arguments first.
  #view = viewOf(this.#heads)
  #headsUsed = 0
  #commitCount = 0
  #sealed = false

  constructor(number: number, sizeMin: number) {
    this.number = number
    const large = sizeMin > BLOCK_SIZE_BYTES
    this.#payload = large
      ? Buffer.allocUnsafeSlow(sizeMin)
      : (pool.pop() ?? Buffer.allocUnsafeSlow(BLOCK_SIZE_BYTES))
  }

  /** Whether a commit of `sizeBytes` (blockSizeOf) fits in as well. */
  fits(sizeBytes: number): boolean {
    return this.#used + this.#headsUsed + sizeBytes <= this.#payload.length
  }

  /** Adds a commit, copying its bytes, and appends the places of its entries to `places`. */
  add(actor: number, commit: Commit, create: Buffer | null, places: FlatPlaces): void {
    invariant(!this.#sealed, 'a sealed block takes no commits')
    const head = this.#growHeads(headSizeOf(commit, create))
    const { entries } = commit
    const view = this.#view
    setU48(view, head, actor)
    setU48(view, head + 6, commit.seq)
    view.setUint32(head + 12, entries.length)
    view.setUint32(head + 16, commit.idempotency?.length ?? 0)
    view.setUint32(head + 20, (create?.length ?? 0) + (commit.end === true ? END_BIT : 0))
    let at = head + COMMIT_HEAD_SIZE_BYTES
    for (const bytes of entries) {
      places.push(this.number, this.#used, bytes.length)
      this.#payload.set(bytes, this.#used)
      this.#used += bytes.length
      view.setUint32(at, bytes.length)
      at += 4
    }
    if (create !== null) at += create.copy(this.#heads, at)
    if (commit.idempotency !== undefined) at = this.#addKeys(commit.idempotency, at)
    invariant(at === this.#headsUsed, 'a commit head has the size that was reserved for it')
    this.#commitCount++
  }

  #addKeys(rows: NonNullable<Commit['idempotency']>, from: number): number {
    let at = from
    for (const { key, seq, atMs } of rows) {
      setU48(this.#view, at, seq)
      setU48(this.#view, at + 6, atMs)
      const size = this.#heads.write(key, at + KEY_HEAD_SIZE_BYTES, 'utf8')
      this.#view.setUint16(at + 12, size)
      at += KEY_HEAD_SIZE_BYTES + size
    }
    return at
  }

  #growHeads(sizeBytes: number): number {
    const start = this.#headsUsed
    this.#headsUsed += sizeBytes
    if (this.#headsUsed > this.#heads.length) {
      const grown = Buffer.allocUnsafe(this.#headsUsed * 2)
      this.#heads.copy(grown, 0, 0, start)
      this.#heads = grown
      this.#view = viewOf(grown)
    }
    return start
  }

  /** The block's bytes; not to be changed until `release` (BL2). */
  seal(): Buffer {
    invariant(!this.#sealed && this.#commitCount > 0, 'a block is sealed once, and never empty')
    this.#sealed = true
    const block = this.#payload
    const start = this.#used
    let at = start + this.#heads.copy(block, start, 0, this.#headsUsed)
    block.writeUInt32BE(start, at)
    block.writeUInt32BE(this.#commitCount, at + 4)
    block.writeUInt32BE(MAGIC, at + 8)
    at += 12
    block.writeUInt32BE(crc32(block.subarray(start, at)), at)
    return block.subarray(0, at + 4)
  }

  release(): void {
    invariant(this.#sealed, 'only a sealed block is released')
    if (this.#payload.length === BLOCK_SIZE_BYTES && pool.length < POOL_COUNT_MAX)
      pool.push(this.#payload)
    this.#payload = NO_BYTES
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function headSizeOf(commit: Commit, create: Buffer | null): number {
  let size = COMMIT_HEAD_SIZE_BYTES + commit.entries.length * 4 + (create?.length ?? 0)
  if (commit.idempotency !== undefined)
    for (const row of commit.idempotency) size += KEY_HEAD_SIZE_BYTES + Buffer.byteLength(row.key)
  return size
}

/** The size of a block that holds nothing but this commit. */
export function blockSizeOf(commit: Commit, create: Buffer | null): number {
  let size = headSizeOf(commit, create) + TRAILER_SIZE_BYTES
  for (const bytes of commit.entries) size += bytes.length
  return size
}

/** A commit as a block holds it, without the entries' bytes. */
export interface CommitHead {
  readonly actor: number
  readonly seq: number
  readonly entryCount: number
  readonly create: ActorRecord | null
  readonly isEnd: boolean
  readonly keys: readonly { readonly key: string; readonly use: KeyUse }[]
  readonly places: FlatPlaces
}

/**
 * The commits of a block, in order. A single damaged byte is put right (block-repair.ts).
 * @throws ERR_JOURNAL_CORRUPT
 */
export function readHeads(number: number, block: Buffer): CommitHead[] {
  const heads = parseHeads(number, block)
  if (heads !== null) return heads
  const repaired = repairCandidates(block)
    .map((candidate) => parseHeads(number, candidate))
    .filter((candidate) => candidate !== null)
  if (repaired.length === 1 && repaired[0] !== undefined) return repaired[0]
  throw new LoomError(
    'ERR_JOURNAL_CORRUPT',
    `block ${number} of the store is damaged: it is not known whose turns it holds`,
    { data: { block: number } },
  )
}

/** Null when the block is damaged. */
function parseHeads(number: number, block: Buffer): CommitHead[] | null {
  const cursor = openHeads(block)
  if (cursor === null) return null
  const trailer = block.length - TRAILER_SIZE_BYTES
  const start = cursor.at
  const heads: CommitHead[] = []
  try {
    for (let left = block.readUInt32BE(trailer + 4); left > 0 && cursor.at < trailer; left--)
      heads.push(readHead(number, block, cursor))
  } catch {
    return null
  }
  return cursor.at === trailer && cursor.payload === start ? heads : null
}

/** A cursor at the first head, or null when the checksum over them does not match. */
function openHeads(block: Buffer): Cursor | null {
  const trailer = block.length - TRAILER_SIZE_BYTES
  const start = trailer >= 0 ? block.readUInt32BE(trailer) : -1
  if (start < 0 || start > trailer) return null
  const magic = block.readUInt32BE(trailer + 8)
  if (magic !== MAGIC && magic !== MAGIC_FORMAT_1) return null
  if (block.readUInt32BE(trailer + 12) !== crc32(block.subarray(start, trailer + 12))) return null
  return { at: start, payload: 0, hasTimes: magic === MAGIC }
}

/** What a block holds: count of entries, and their bytes; null when it is damaged. */
export function sizeUp(block: Buffer): { count: number; sizeBytes: number } | null {
  const cursor = openHeads(block)
  if (cursor === null) return null
  let count = 0
  for (let left = block.readUInt32BE(block.length - 12); left > 0; left--) {
    const { at } = cursor
    const entryCount = block.readUInt32BE(at + 12)
    count += entryCount
    cursor.at += COMMIT_HEAD_SIZE_BYTES + entryCount * 4
    cursor.at += block.readUInt32BE(at + 20) % END_BIT
    for (let keys = block.readUInt32BE(at + 16); keys > 0; keys--) skipKey(block, cursor)
  }
  return { count, sizeBytes: block.readUInt32BE(block.length - TRAILER_SIZE_BYTES) }
}

function skipKey(block: Buffer, cursor: Cursor): void {
  const start = cursor.at + (cursor.hasTimes ? KEY_HEAD_SIZE_BYTES : KEY_HEAD_SIZE_FORMAT_1_BYTES)
  cursor.at = start + block.readUInt16BE(start - 2)
}

interface Cursor {
  at: number
  payload: number
  readonly hasTimes: boolean
}

function readHead(number: number, block: Buffer, cursor: Cursor): CommitHead {
  const { at } = cursor
  const entryCount = block.readUInt32BE(at + 12)
  const keyCount = block.readUInt32BE(at + 16)
  const createField = block.readUInt32BE(at + 20)
  const isEnd = createField >= END_BIT
  const createSize = isEnd ? createField - END_BIT : createField
  const places: FlatPlaces = []
  let next = at + COMMIT_HEAD_SIZE_BYTES
  for (let index = 0; index < entryCount; index++, next += 4) {
    const size = block.readUInt32BE(next)
    places.push(number, cursor.payload, size)
    cursor.payload += size
  }
  const create = createSize > 0 ? decodeActor(block.subarray(next, next + createSize)) : null
  cursor.at = next + createSize
  const keys = Array.from({ length: keyCount }, () => readKey(block, cursor))
  const seq = getU48(block, at + 6)
  return { actor: getU48(block, at), seq, entryCount, create, isEnd, keys, places }
}

function readKey(block: Buffer, cursor: Cursor): { key: string; use: KeyUse } {
  const { at, hasTimes } = cursor
  const start = at + (hasTimes ? KEY_HEAD_SIZE_BYTES : KEY_HEAD_SIZE_FORMAT_1_BYTES)
  const end = start + block.readUInt16BE(start - 2)
  cursor.at = end
  const use = { seq: getU48(block, at), atMs: hasTimes ? getU48(block, at + 6) : null }
  return { key: block.toString('utf8', start, end), use }
}

/**
 * Room of blocks: what is left of a block whose entries were given up, one by one.
 *
 *     room record     u32 count of live entries, u32 their bytes, u32 bytes of the block
 *
 * A block has no such record while all of its entries live, so a store that gives nothing up pays nothing.
 *
 * Owns: these records, and when a block is removed. Does not own: which entries are given up
 * (sweep-steps.ts), moving what survives (survivors.ts).
 *
 * Invariants:
 *   BR1. An entry is counted in the transaction that removes its place from the index, so once.
 *   BR2. A block is removed in the transaction that gives its last entry up.
 */
import { invariant } from '../../base/errors.ts'
import { sizeUp } from './block.ts'
import type { Change, Environment } from './environment.ts'
import { blockKey, roomKey } from './keys.ts'
import { type Place, seal, unseal } from './records.ts'

/** A block is rewritten when no more than this part of it lives: four bytes freed for one that is moved. */
const LIVE_PART_MAX = 1 / 4

interface Room {
  count: number
  sizeBytes: number
  readonly blockSizeBytes: number
}

/** What one step gives up. */
export class RoomStep {
  readonly #environment: Environment
  readonly #rooms = new Map<number, Room | null>()

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** Blocks that were looked at. */
  get blockCount(): number {
    return this.#rooms.size
  }

  giveUp({ block, size }: Place): void {
    let room = this.#rooms.get(block)
    if (room === undefined) {
      room = readRoom(this.#environment, block)
      this.#rooms.set(block, room)
    }
    if (room === null) return
    room.count--
    room.sizeBytes -= size
    invariant(room.count >= 0 && room.sizeBytes >= 0, 'BR1')
  }

  changes(): Change[] {
    const changes: Change[] = []
    for (const [block, room] of this.#rooms)
      if (room !== null && room.count > 0)
        changes.push({ key: roomKey(block), value: encodeRoom(room) })
      else if (room !== null)
        changes.push({ key: blockKey(block), value: null }, { key: roomKey(block), value: null })
    return changes
  }

  /** Blocks of which so little lives that they should be rewritten, once `changes` are durable. */
  sparse(): number[] {
    const found: number[] = []
    for (const [block, room] of this.#rooms)
      if (room !== null && room.count > 0 && isSparse(room)) found.push(block)
    return found
  }
}

/** Whether a room record is that of a sparse block. */
export const isSparseRoom = (record: Buffer): boolean => isSparse(decodeRoom(record))

function isSparse({ sizeBytes, blockSizeBytes }: Room): boolean {
  return sizeBytes <= blockSizeBytes * LIVE_PART_MAX
}

/** Null for a block that is damaged or missing: it stays as it is, for people to look at. */
function readRoom(environment: Environment, number: number): Room | null {
  const record = environment.get(roomKey(number))
  if (record !== undefined) return decodeRoom(record)
  const block = environment.get(blockKey(number))
  const content = block === undefined ? null : sizeUp(block)
  if (block === undefined || content === null) return null
  return { ...content, blockSizeBytes: block.length }
}

function encodeRoom({ count, sizeBytes, blockSizeBytes }: Room): Buffer {
  const body = Buffer.allocUnsafe(12)
  body.writeUInt32BE(count, 0)
  body.writeUInt32BE(sizeBytes, 4)
  body.writeUInt32BE(blockSizeBytes, 8)
  return seal(body)
}

function decodeRoom(record: Buffer): Room {
  const body = unseal('room', record)
  invariant(body.length === 12, 'a room record has three numbers')
  return {
    count: body.readUInt32BE(0),
    sizeBytes: body.readUInt32BE(4),
    blockSizeBytes: body.readUInt32BE(8),
  }
}

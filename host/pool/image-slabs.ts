/**
 * Image slabs: small byte strings, side by side in large buffers.
 *
 * A buffer of its own costs the engine and the allocator some 400 bytes beside its contents, which is more than what a
 * counter's image holds. Here one costs its header, and what its place is too large.
 *
 *   slab    | slot 0 | slot 1 | ...     all slots of a slab have one size, a multiple of SLOT_STEP_BYTES
 *   slot    | u32 size | bytes | unused |        a free one:  | u32 next free slot + 1, 0 for none | unused |
 *
 * Owns: where the bytes lie. Does not own: whose they are (warm-tier.ts).
 *
 * Invariants:
 *   SL1. A place is given out once until it is freed, and its slab is not moved.
 *   SL2. A slab without a used slot is dropped. One with room is in the list of its slot size.
 */
import { invariant } from '../base/errors.ts'

const SLAB_SIZE_BYTES = 256 * 1_024
const SLOT_STEP_BYTES = 64
const HEADER_SIZE_BYTES = 4
/** Larger ones are better off in buffers of their own. */
export const SLAB_ITEM_MAX_BYTES = 4_096 - HEADER_SIZE_BYTES
/** A place is a number: slab and slot. */
const SLOTS_PER_SLAB_MAX = SLAB_SIZE_BYTES / SLOT_STEP_BYTES

interface Slab {
  readonly bytes: Buffer
  readonly slotSize: number
  readonly slotCount: number
  used: number
  /** Slots from here on were never used. */
  fresh: number
  /** The slot that was freed last, plus 1; 0 for none. */
  firstFree: number
}

export class ImageSlabs {
  readonly #slabs: (Slab | undefined)[] = []
  /** Numbers of slabs that were dropped. */
  readonly #vacant: number[] = []
  /** Slabs with room, by slot size in steps. */
  readonly #open: number[][] = []

  /** Units: bytes. */
  get reservedBytes(): number {
    return (this.#slabs.length - this.#vacant.length) * SLAB_SIZE_BYTES
  }

  /** Keeps a copy of at most SLAB_ITEM_MAX_BYTES, and returns its place. */
  put(item: Uint8Array): number {
    invariant(item.length <= SLAB_ITEM_MAX_BYTES, 'an item fits into a slot')
    const step = Math.ceil((item.length + HEADER_SIZE_BYTES) / SLOT_STEP_BYTES)
    this.#open[step] ??= []
    const open = this.#open[step] ?? []
    const number = open.at(-1) ?? this.#add(step, open)
    const slab = this.#slab(number)
    const slot = takeSlot(slab)
    if (slab.used === slab.slotCount) open.pop()
    const at = slot * slab.slotSize
    slab.bytes.writeUInt32LE(item.length, at)
    slab.bytes.set(item, at + HEADER_SIZE_BYTES)
    return number * SLOTS_PER_SLAB_MAX + slot
  }

  /** The bytes, as a copy; the place is free again. */
  take(place: number): Uint8Array {
    const number = Math.floor(place / SLOTS_PER_SLAB_MAX)
    const slot = place % SLOTS_PER_SLAB_MAX
    const slab = this.#slab(number)
    const at = slot * slab.slotSize
    const from = at + HEADER_SIZE_BYTES
    const item = new Uint8Array(slab.bytes.readUInt32LE(at))
    item.set(slab.bytes.subarray(from, from + item.length))
    const open = this.#open[slab.slotSize / SLOT_STEP_BYTES] ?? []
    if (slab.used === slab.slotCount) open.push(number)
    slab.bytes.writeUInt32LE(slab.firstFree, at)
    slab.firstFree = slot + 1
    if (--slab.used === 0) this.#drop(number, open)
    return item
  }

  #slab(number: number): Slab {
    const slab = this.#slabs[number]
    invariant(slab !== undefined, 'a place lies in a slab')
    return slab
  }

  #add(step: number, open: number[]): number {
    const number = this.#vacant.pop() ?? this.#slabs.length
    const slotSize = step * SLOT_STEP_BYTES
    this.#slabs[number] = {
      // Outside of the shared pool; what was never written takes no memory of the machine.
      bytes: Buffer.allocUnsafeSlow(SLAB_SIZE_BYTES),
      slotSize,
      slotCount: Math.floor(SLAB_SIZE_BYTES / slotSize),
      used: 0,
      fresh: 0,
      firstFree: 0,
    }
    open.push(number)
    return number
  }

  #drop(number: number, open: number[]): void {
    open.splice(open.indexOf(number), 1)
    this.#slabs[number] = undefined
    this.#vacant.push(number)
  }
}

function takeSlot(slab: Slab): number {
  slab.used++
  const { firstFree } = slab
  if (firstFree === 0) return slab.fresh++
  slab.firstFree = slab.bytes.readUInt32LE((firstFree - 1) * slab.slotSize)
  return firstFree - 1
}

/**
 * Warm tier: actors that are ready to go on, without an instance.
 *
 * Owns: which actors are warm, in the order in which they became so, and what they take.
 * Does not own: when they rise or fall (pool.ts), what is kept of each (actor/activation/warm-actor.ts), where small images lie
 * (image-slabs.ts).
 *
 * Invariants:
 *   WT1. `countMax` and `sizeMaxBytes` may be exceeded only until the pool has taken `overdue` ones out.
 *   WT2. There may be a million: each is one place in a table, one object, and what that names.
 */
import { type WarmActor, warmSize } from '../actor/activation/warm-actor.ts'
import { ImageSlabs, SLAB_ITEM_MAX_BYTES } from './image-slabs.ts'

export interface WarmLimits {
  readonly warmCountMax: number
  readonly warmSizeMaxBytes: number
}

/** A warm actor at rest (WT2). */
class WarmSlot {
  readonly log: WarmActor['log']
  readonly program: WarmActor['program']
  readonly record: WarmActor['record']
  readonly seqNext: number
  readonly snapshotSeq: number
  readonly startCalls: WarmActor['startCalls']
  /** A place in the slabs, or a large image itself. */
  readonly image: number | Uint8Array
  /** The pool's sweep of its last use. */
  readonly sweep: number

  constructor(actor: WarmActor, image: number | Uint8Array, sweep: number) {
    this.log = actor.log
    this.program = actor.program
    this.record = actor.record
    this.seqNext = actor.seqNext
    this.snapshotSeq = actor.snapshotSeq
    this.startCalls = actor.startCalls
    this.image = image
    this.sweep = sweep
  }
}

export class WarmTier {
  readonly #limits: WarmLimits
  /** A Map keeps the order of insertion: the first was put here first. */
  readonly #slots = new Map<string, WarmSlot>()
  /** Where the search for the first one stands; from the start, it would pass all that was taken out. */
  #cursor: Iterator<string> | null = null
  #first: string | undefined
  #sizeBytes = 0
  readonly #slabs = new ImageSlabs()

  constructor(limits: WarmLimits) {
    this.#limits = limits
  }

  get count(): number {
    return this.#slots.size
  }

  /** Units: bytes, about. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  has(name: string): boolean {
    return this.#slots.has(name)
  }

  names(): Iterable<string> {
    return this.#slots.keys()
  }

  put(name: string, actor: WarmActor, sweep: number): void {
    const { image } = actor
    const kept =
      image.length > SLAB_ITEM_MAX_BYTES ? Uint8Array.from(image) : this.#slabs.put(image)
    this.#slots.set(name, new WarmSlot(actor, kept, sweep))
    this.#sizeBytes += warmSize(actor)
  }

  /** Takes the actor out: it is the caller's from now on. */
  take(name: string): WarmActor | undefined {
    const slot = this.#slots.get(name)
    if (slot === undefined) return undefined
    this.#slots.delete(name)
    if (name === this.#first) this.#first = undefined
    const { log, program, record, seqNext, snapshotSeq, startCalls } = slot
    const image = typeof slot.image === 'number' ? this.#slabs.take(slot.image) : slot.image
    const actor = { log, program, record, seqNext, snapshotSeq, startCalls, image }
    this.#sizeBytes -= warmSize(actor)
    return actor
  }

  /** The actor that was put here first, if it was used before `sweep` or the tier is too full. */
  overdue(sweep: number): string | undefined {
    const name = this.#oldest()
    const slot = name === undefined ? undefined : this.#slots.get(name)
    return slot !== undefined && (slot.sweep < sweep || this.#isFull()) ? name : undefined
  }

  #oldest(): string | undefined {
    if (this.#slots.size === 0) return undefined
    while (this.#first === undefined || !this.#slots.has(this.#first)) {
      this.#cursor ??= this.#slots.keys()
      const { done, value } = this.#cursor.next()
      if (done === true) this.#cursor = null
      this.#first = done === true ? undefined : value
    }
    return this.#first
  }

  #isFull(): boolean {
    const { warmCountMax, warmSizeMaxBytes } = this.#limits
    return this.#slots.size > warmCountMax || this.#sizeBytes > warmSizeMaxBytes
  }
}

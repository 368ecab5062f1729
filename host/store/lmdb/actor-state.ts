/**
 * What the driver knows of an actor beyond the indexed records: the tail of its journal.
 *
 * Owns: places and idempotency keys of entries whose blocks are not indexed yet.
 * Does not own: the entries (blocks), the indexed part (checkpoint.ts).
 *
 *     0 .... seqIndexed .... seqDurable .... seqQueued
 *     |  index runs  | places: durable | places: waiting for their commit |
 *
 * Invariants:
 *   AS1. seqIndexed <= seqDurable <= seqQueued, and `places` covers exactly seqIndexed to seqQueued.
 *   AS2. `reminders` holds changes that are queued and not durable; it is null when there are none.
 *   AS3. A broken state never commits again (S4); a fresh log of the actor starts from seqDurable.
 */
import { invariant, type LoomError } from '../../base/errors.ts'
import type { ActorRecord } from '../store.ts'
import { type FlatPlaces, type KeyUse, PLACE_WIDTH } from './records.ts'

export class ActorState {
  /** 0 until the actor is created. */
  number: number
  /** The directory record that is not written yet. */
  create: ActorRecord | null = null
  /** The log that may append; opening the actor again passes this on. */
  owner: object | null = null
  seqIndexed: number
  seqDurable: number
  seqQueued: number
  places: FlatPlaces = []
  keys: Map<string, KeyUse> | null = null
  /** When reminders that commits on their way change are due; null when they are cancelled. */
  reminders: Map<string, number | null> | null = null
  /** Which life of the actor this is; empty until a log was opened. */
  incarnation = ''
  /** A commit that ends the life is queued, and durable. */
  isEnding = false
  isEnded = false
  broken: LoomError | null = null
  /** Whether the store may hold a mark that the journal ends in the middle of a turn (group.ts G2). */
  mayBeMarked = true
  /** The group that holds the newest commit which opened or closed a turn, and the mark's place in it. */
  markGroup = 0
  markSlot = 0
  /** The group that holds this state's newest commit, and the state's place in it. */
  group = 0
  slot = 0

  constructor(number: number, seqNext: number) {
    invariant(number > 0 || seqNext === 0, 'an actor that does not exist has no entries')
    this.number = number
    this.seqIndexed = seqNext
    this.seqDurable = seqNext
    this.seqQueued = seqNext
  }

  get isClean(): boolean {
    return this.seqIndexed === this.seqQueued
  }

  /** Adds the places of entries `seqFrom` up to `seqEnd` (excluded), which the tail has. */
  addPlaces(seqFrom: number, seqEnd: number, places: FlatPlaces): void {
    invariant(
      seqFrom >= this.seqIndexed && seqEnd <= this.seqQueued,
      'the tail has places for these entries',
    )
    const end = (seqEnd - this.seqIndexed) * PLACE_WIDTH
    for (let at = (seqFrom - this.seqIndexed) * PLACE_WIDTH; at < end; at++)
      places.push(this.places[at] ?? 0)
  }

  setKey(key: string, use: KeyUse): void {
    this.keys ??= new Map()
    this.keys.set(key, use)
  }

  /** The index need not hold it. */
  forgetKey(key: string): void {
    this.keys?.delete(key)
  }

  setReminder(name: string, dueAtMs: number | null): void {
    this.reminders ??= new Map()
    this.reminders.set(name, dueAtMs)
  }

  /** The tail's commits up to `seq` are durable. */
  settle(seq: number): void {
    invariant(seq >= this.seqDurable && seq <= this.seqQueued, 'commits become durable in order')
    this.seqDurable = seq
    if (seq < this.seqQueued) return
    this.reminders = null
    this.isEnded = this.isEnding
  }

  /** Drops what is not durable. */
  fail(error: LoomError): void {
    this.broken ??= error
    this.seqQueued = this.seqDurable
    this.places.length = (this.seqDurable - this.seqIndexed) * PLACE_WIDTH
    this.#dropKeys((seq) => seq >= this.seqDurable)
    this.reminders = null
    this.isEnding = false
    this.mayBeMarked = true
    if (this.seqDurable > 0) return
    this.create = null
    this.number = 0
  }

  /** Drops what the index now holds: everything below `seq`. */
  indexed(seq: number): void {
    invariant(seq >= this.seqIndexed && seq <= this.seqDurable, 'only durable entries are indexed')
    const done = (seq - this.seqIndexed) * PLACE_WIDTH
    // An array that was emptied keeps its room; actors that are left alone with one may be a million.
    if (done >= this.places.length) this.places = []
    else this.places.splice(0, done)
    this.seqIndexed = seq
    this.create = null
    this.#dropKeys((keySeq) => keySeq < seq)
  }

  #dropKeys(drop: (seq: number) => boolean): void {
    if (this.keys === null) return
    for (const [key, { seq }] of this.keys) if (drop(seq)) this.keys.delete(key)
    if (this.keys.size === 0) this.keys = null
  }
}

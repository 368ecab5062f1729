/**
 * The checkpoint: moves the tail into the index, many commits at a time.
 *
 * An append costs one place in a sequential block; what makes its entries findable without reading
 * all blocks is put here later, once per actor instead of once per entry. Until then the tail knows.
 *
 * One checkpoint may cover many thousand commits, and its rows are put by the thread that runs turns. So it goes in
 * slices, one with each group that is written, while commits go on:
 *
 *     blocks      ... | checkpoint record ....... begin of the pass ....... the group with the slice ....
 *     index           | covers all | ahead for actors that had their slice | nothing
 *
 * When every actor that had something in the tail as the pass began has had its slices, the record moves to the begin
 * of the pass. Opening reads blocks from the record on, and passes over what the index has already (tail.ts).
 *
 * Owns: which records a slice puts, and forgetting what they cover.
 * Does not own: when a checkpoint is due, and with what a slice is written (writer.ts).
 *
 * Invariants:
 *   CK1. A slice covers entries of its own transaction and of those before it, none that is queued behind.
 *   CK2. The record never names a block behind one whose entries are not all in the index: tail and index leave no
 *        gap (T1).
 *   CK3. What was cut off by a crash is harmless: a slice says nothing that the blocks do not say.
 */
import { invariant } from '../../base/errors.ts'
import type { ActorState } from './actor-state.ts'
import type { Row } from './environment.ts'
import { CHECKPOINT_KEY, directoryKey, headKey, idempotencyKey, runKey } from './keys.ts'
import {
  encodeCheckpoint,
  encodeDirectory,
  encodeKeyUse,
  encodeNumber,
  encodeRun,
  PLACE_WIDTH,
} from './records.ts'
import type { Tail } from './tail.ts'

/** Entries of one run: its record stays small enough to lie inside a page. */
export const RUN_COUNT_MAX = 128
/** States looked at for one slice, whether they had anything to index or not. */
const SLICE_STATE_COUNT = 4_096

export interface CheckpointSlice {
  readonly puts: readonly Row[]
  /** What to forget once the puts are durable: each actor's entries below a seq. */
  readonly covered: readonly { readonly state: ActorState; readonly seq: number }[]
  /** Actors that were quiet since the checkpoint before: their states need not be kept. */
  readonly quiet: readonly ActorState[]
  /** The checkpoint is complete with it. */
  readonly isLast: boolean
}

/** One checkpoint on its way: everything in blocks before `blockNext`. */
export class CheckpointPass {
  readonly blockNext: number
  readonly #tail: Tail
  readonly #states: readonly ActorState[]
  #at = 0

  /** `blockNext`: the block behind those of the group that is about to be written. */
  constructor(tail: Tail, blockNext: number) {
    this.blockNext = blockNext
    this.#tail = tail
    this.#states = [...tail.byNumber.values()]
  }

  /** The next slice, of about `rowCount` rows, for a transaction that makes all before the block `blockEnd` durable. */
  slice(blockEnd: number, rowCount: number): CheckpointSlice {
    invariant(blockEnd >= this.blockNext, 'CK1')
    const puts: Row[] = []
    const covered: { state: ActorState; seq: number }[] = []
    const quiet: ActorState[] = []
    for (let looked = 0; looked < SLICE_STATE_COUNT && puts.length < rowCount; looked++) {
      const state = this.#states[this.#at]
      if (state === undefined) break
      const seqEnd = queuedBefore(state, blockEnd)
      const seq = Math.min(seqEnd, state.seqIndexed + rowCount)
      if (state.isClean) quiet.push(state)
      if (seq > state.seqIndexed) {
        // Who was created and ended by then was never in the directory, or was removed from it by the commit that ends.
        const isOver = state.isEnding && seqEnd === state.seqQueued
        putActor(state, seq, isOver, puts)
        covered.push({ state, seq })
      }
      // Of a busy actor more is queued while this goes on: that is for the next checkpoint.
      if (seq < queuedBefore(state, this.blockNext)) break
      this.#at++
    }
    const isLast = this.#at >= this.#states.length
    if (isLast) puts.push({ key: CHECKPOINT_KEY, value: this.#record() })
    return { puts, covered, quiet, isLast }
  }

  #record(): Buffer {
    return encodeCheckpoint({ blockNext: this.blockNext, actorNext: this.#tail.actorNext })
  }
}

/** Seq behind the last entry that lies before the block `blockEnd` (CK1): later ones are at the end. */
function queuedBefore({ seqIndexed, seqQueued, places }: ActorState, blockEnd: number): number {
  invariant(places.length === (seqQueued - seqIndexed) * PLACE_WIDTH, 'AS1')
  let seq = seqQueued
  while (seq > seqIndexed && (places[(seq - 1 - seqIndexed) * PLACE_WIDTH] ?? 0) >= blockEnd) seq--
  return seq
}

/** Entries of an actor before `seqEnd`. */
function putActor(state: ActorState, seqEnd: number, isOver: boolean, puts: Row[]): void {
  const { number, seqIndexed, places, create } = state
  invariant(number > 0, 'an actor has a number when it commits')
  for (let seq = seqIndexed; seq < seqEnd; seq += RUN_COUNT_MAX) {
    const count = Math.min(RUN_COUNT_MAX, seqEnd - seq)
    const from = (seq - seqIndexed) * PLACE_WIDTH
    puts.push({
      key: runKey(number, seq),
      value: encodeRun(places.slice(from, from + count * PLACE_WIDTH), count),
    })
  }
  puts.push({ key: headKey(number), value: encodeNumber(seqEnd) })
  if (create !== null && !isOver)
    puts.push({
      key: directoryKey(create),
      value: encodeDirectory({ actor: number, record: create }),
    })
  if (state.keys !== null)
    for (const [key, use] of state.keys)
      if (use.seq < seqEnd)
        puts.push({ key: idempotencyKey(number, key), value: encodeKeyUse(use) })
}

/** Forgets what a slice covered, after its puts are durable. */
export function finishSlice(tail: Tail, slice: CheckpointSlice): void {
  for (const { state, seq } of slice.covered) {
    tail.forgetCreated(state)
    state.indexed(seq)
  }
  for (const state of slice.quiet) if (state.isClean) tail.byNumber.delete(state.number)
}

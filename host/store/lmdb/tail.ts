/**
 * The tail: actors whose newest commits are in blocks but not in the index yet.
 *
 * Owns: the states of those actors, and reading blocks after the checkpoint to rebuild them.
 * Does not own: writing blocks (writer.ts), moving the tail into the index (checkpoint.ts).
 *
 * Invariants:
 *   T1. Index up to the checkpoint and tail after it make up every actor's journal, without a gap. The index may be
 *       ahead of the checkpoint for some actors (checkpoint.ts): what it has is passed over in the blocks.
 *   T2. A block is applied once: blocks are read in order, and `blockNext` only grows.
 */
import { invariant, LoomError } from '../../base/errors.ts'
import type { ActorKey } from '../../base/names.ts'
import { ActorState } from './actor-state.ts'
import { type CommitHead, readHeads } from './block.ts'
import type { Environment } from './environment.ts'
import { blockKey, blockOfKey, CHECKPOINT_KEY, headKey, NUMBER_MAX } from './keys.ts'
import { type Checkpoint, decodeCheckpoint, decodeNumber, PLACE_WIDTH } from './records.ts'

/** Blocks are read in pages of this many: 4 MiB. */
const PAGE_COUNT = 256

/** Type and id as one text; a type's name holds no NUL. */
export const textOf = (key: ActorKey): string => `${key.type}\0${key.id}`

export class Tail {
  readonly byNumber = new Map<number, ActorState>()
  /** Actors that the directory does not name yet. */
  readonly created = new Map<string, ActorState>()
  /** As of loading. */
  readonly checkpoint: Checkpoint
  blockNext: number
  actorNext: number
  readonly #environment: Environment

  constructor(environment: Environment, checkpoint: Checkpoint) {
    this.#environment = environment
    this.checkpoint = checkpoint
    this.blockNext = checkpoint.blockNext
    this.actorNext = checkpoint.actorNext
  }

  /** The tail as of now. @throws ERR_JOURNAL_CORRUPT */
  static load(environment: Environment): Tail {
    environment.refresh()
    const record = environment.get(CHECKPOINT_KEY)
    // A reader may meet a folder whose first host has not written yet.
    const checkpoint =
      record === undefined ? { blockNext: 1, actorNext: 1 } : decodeCheckpoint(record)
    const tail = new Tail(environment, checkpoint)
    tail.#scan()
    return tail
  }

  /** The tail as of now, given an earlier one: reads only what is new. */
  static reload(environment: Environment, former: Tail): Tail {
    environment.refresh()
    const record = environment.get(CHECKPOINT_KEY)
    const blockNext = record === undefined ? 1 : decodeCheckpoint(record).blockNext
    if (blockNext !== former.checkpoint.blockNext) return Tail.load(environment)
    former.#scan()
    return former
  }

  /** The directory names the actor from now on, or its life has ended; its name may have another by now. */
  forgetCreated(state: ActorState): void {
    if (state.create === null) return
    const text = textOf(state.create)
    if (this.created.get(text) === state) this.created.delete(text)
  }

  /** Number of indexed entries of an actor. */
  indexedCount(actor: number): number {
    const head = this.#environment.get(headKey(actor))
    return head === undefined ? 0 : decodeNumber('head', head)
  }

  #scan(): void {
    for (;;) {
      const rows = this.#environment.range(
        blockKey(this.blockNext),
        blockKey(NUMBER_MAX),
        PAGE_COUNT,
      )
      for (const { key, value } of rows) {
        const block = blockOfKey(key)
        invariant(block >= this.blockNext, 'blocks are read in order')
        for (const head of readHeads(block, value)) this.#apply(head)
        this.blockNext = block + 1
      }
      if (rows.length < PAGE_COUNT) return
    }
  }

  #apply(head: CommitHead): void {
    const state = this.byNumber.get(head.actor) ?? this.#load(head)
    const { seq, entryCount, places, keys, isEnd } = head
    // Entries of it that the index has already.
    const known = Math.min(entryCount, Math.max(0, state.seqIndexed - seq))
    if (known < entryCount && seq + known !== state.seqQueued)
      throw new LoomError(
        'ERR_JOURNAL_CORRUPT',
        `actor number ${head.actor}: a commit names seq ${seq}, its journal ends at ${state.seqQueued}`,
        { data: { seq, seqNext: state.seqQueued } },
      )
    for (let at = known * PLACE_WIDTH; at < places.length; at++) state.places.push(places[at] ?? 0)
    for (const { key, use } of keys) if (use.seq >= state.seqIndexed) state.setKey(key, use)
    state.seqQueued += entryCount - known
    state.isEnding = isEnd
    state.settle(state.seqQueued)
    if (isEnd) this.forgetCreated(state)
  }

  #load(head: CommitHead): ActorState {
    const state = new ActorState(head.actor, this.indexedCount(head.actor))
    this.byNumber.set(head.actor, state)
    // The directory names it since the index has any of it.
    if (head.create !== null && state.seqIndexed === 0) {
      state.create = head.create
      this.created.set(textOf(head.create), state)
    }
    this.actorNext = Math.max(this.actorNext, head.actor + 1)
    return state
  }
}

/**
 * A group: commits of many actors that become durable together.
 *
 * Owns: the blocks being filled, which states they touch, and the one promise that all commits share.
 * Does not own: when a group is written, and what happens when that fails (writer.ts).
 *
 * Invariants:
 *   G1. `touched` names each state once, with the seq its journal reaches in this group.
 *   G2. A mark of an open turn is written or removed as the last commit of the group leaves it. A turn that is opened
 *       and closed in one group, as turns are that call their neighbours, leaves no mark and touches none.
 */
import { invariant, type LoomError } from '../../base/errors.ts'
import type { ActorKey } from '../../base/names.ts'
import { ignoreOutcome } from '../../base/promises.ts'
import type { Commit } from '../store.ts'
import type { ActorState } from './actor-state.ts'
import { BlockWriter, blockSizeOf } from './block.ts'
import type { Change } from './environment.ts'
import { blockKey } from './keys.ts'
import { openTurnChange } from './open-turns.ts'

/** Whether an actor's journal ends in the middle of a turn, as its last commit of a group leaves it. */
interface Mark {
  readonly key: ActorKey
  readonly state: ActorState
  isOpen: boolean
}

export class Group {
  readonly id: number
  readonly promise: Promise<void>
  readonly touched: ActorState[] = []
  readonly #ends: number[] = []
  readonly #blocks: BlockWriter[] = []
  /** By key: of several changes of one row the last counts, and only that is written. */
  readonly #changes = new Map<string, Change>()
  #resolve: () => void = () => {}
  #reject: (error: LoomError) => void = () => {}
  #block: BlockWriter | null = null
  /** Of actors of which a turn is opened or closed (G2). */
  readonly #marks: Mark[] = []
  /** The index is to be written with this group, however few commits wait for it. */
  isCheckpoint = false
  /** What has to be durable before it (S9). */
  readonly waits: Promise<unknown>[] = []
  commitCount = 0
  sizeBytes = 0

  constructor(id: number) {
    this.id = id
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Callers handle it; a group of internal writes may have none.
    this.promise.catch(() => {})
  }

  /** Adds a commit, copying its bytes; `nextBlock` numbers a block when one is begun. */
  add(state: ActorState, commit: Commit, create: Buffer | null, nextBlock: () => number): void {
    invariant(state.number > 0, 'an actor has a number when it commits')
    const size = blockSizeOf(commit, create)
    if (this.#block === null || !this.#block.fits(size)) {
      this.#block = new BlockWriter(nextBlock(), size)
      this.#blocks.push(this.#block)
    }
    this.#block.add(state.number, commit, create, state.places)
    if (commit.idempotency !== undefined)
      for (const row of commit.idempotency) state.setKey(row.key, row)
    state.seqQueued += commit.entries.length
    if (state.group !== this.id) {
      state.group = this.id
      state.slot = this.touched.push(state) - 1
    }
    this.#ends[state.slot] = state.seqQueued
    if (commit.after !== undefined) {
      ignoreOutcome(commit.after)
      this.waits.push(commit.after)
    }
    this.commitCount++
    this.sizeBytes += size
  }

  addChange(change: Change): void {
    this.#changes.set(change.key.toString('latin1'), change)
  }

  /** Whether the journal of `state` ends in the middle of a turn from its newest commit on. */
  mark(key: ActorKey, state: ActorState, isOpen: boolean): void {
    const known = state.markGroup === this.id ? this.#marks[state.markSlot] : undefined
    if (known !== undefined) {
      known.isOpen = isOpen
      return
    }
    state.markGroup = this.id
    state.markSlot = this.#marks.push({ key, state, isOpen }) - 1
  }

  /** Everything to write, blocks first. */
  seal(): Change[] {
    const changes: Change[] = this.#blocks.map((block) => ({
      key: blockKey(block.number),
      value: block.seal(),
    }))
    for (const change of this.#changes.values()) changes.push(change)
    for (const { key, state, isOpen } of this.#marks) {
      if (!isOpen && !state.mayBeMarked) continue
      state.mayBeMarked = isOpen
      changes.push(openTurnChange(key, isOpen))
    }
    return changes
  }

  /** Everything is durable. */
  succeed(): void {
    for (const [slot, state] of this.touched.entries()) {
      const end = this.#ends[slot]
      invariant(end !== undefined, 'G1')
      state.settle(end)
    }
    for (const block of this.#blocks) block.release()
    this.#resolve()
  }

  /** Nothing was written. */
  fail(error: LoomError): void {
    for (const state of this.touched) state.fail(error)
    this.#reject(error)
  }
}

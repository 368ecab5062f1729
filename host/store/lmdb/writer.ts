/**
 * The writer: group commit.
 *
 * `append` copies a commit into the open group and returns the group's promise. One group at a time is
 * written, in one transaction; what is appended meanwhile makes up the next one.
 *
 * Owns: the order of groups, the checks before a commit enters one, the states after one failed.
 * Does not own: bytes of blocks (block.ts), the transaction (environment.ts), the index (checkpoint.ts).
 *
 *     state     on                          next state
 *     open      a write fails               open, once the environment was found usable; else stopped
 *     open      the epoch is another's      stopped (ERR_FENCED), for good
 *     open      close                       stopped (ERR_CLOSING)
 *
 * Invariants:
 *   W1. Commits of one log enter groups in order of `append`, and groups are written in order (S5).
 *   W2. When a group fails, so do the commits that wait behind it: nothing is written that a failed
 *       commit should have preceded (S4).
 *   W3. A commit is checked against the journal's length in memory (S2). That is the stored length: only
 *       this host writes under its epoch, and a state that was dropped is compared with the head record
 *       before it commits again.
 *   W4. What is noted ahead of commits waits for none of them: it is written while a group waits (S9).
 */
import { invariant, type LoomError, toLoomError } from '../../base/errors.ts'
import type { ActorKey } from '../../base/names.ts'
import { ignoreOutcome } from '../../base/promises.ts'
import {
  brokenError,
  commitError,
  endedError,
  fencedError,
  rejected,
  retiredError,
} from '../checks.ts'
import type { ActorRecord, Commit } from '../store.ts'
import type { ActorState } from './actor-state.ts'
import { CheckpointPass, type CheckpointSlice, finishSlice } from './checkpoint.ts'
import { readClaim } from './claim.ts'
import { effectsOf } from './effects.ts'
import type { Change, Environment } from './environment.ts'
import { Group } from './group.ts'
import { directoryKey } from './keys.ts'
import { encodeActor } from './records.ts'
import { type Tail, textOf } from './tail.ts'

/** A checkpoint is due after this much: bounds what opening must read again to tens of milliseconds. */
const CHECKPOINT_SIZE_BYTES = 8 * 1024 * 1024
export const CHECKPOINT_COMMIT_COUNT = 16_384
/** Rows of a checkpoint that go with one group: each takes 2 to 3 microseconds of the event loop. */
const SLICE_ROW_COUNT = 384
/** A checkpoint that is so many commits behind goes on in steps of twice the size, and so on. */
const LAG_COMMIT_COUNT = 2_048

export class Writer {
  readonly #environment: Environment
  readonly #tail: Tail
  readonly #epoch: number
  readonly #checkpointCommits: number
  #group: Group | null = null
  /** Changes that wait for no commit (W4). */
  #ahead: Group | null = null
  /** Called when there is something ahead of a group that waits. */
  #wake: () => void = () => {}
  /** The group that is being written. */
  #current: Group | null = null
  #groupNext = 1
  #writing: Promise<void> | null = null
  #stopped: LoomError | null = null
  /** Set while the last group is written: no more commits, but what waits is served. */
  #closing: LoomError | null = null
  /** The checkpoint that is on its way. */
  #pass: CheckpointPass | null = null
  /** Everything in blocks before this one is in the index, and the checkpoint record says so. */
  #blockIndexed: number
  #commitCount = 0
  #sizeBytes = 0

  constructor(environment: Environment, tail: Tail, epoch: number, checkpointCommits: number) {
    invariant(epoch > 0, 'only a host that claimed the folder writes')
    this.#environment = environment
    this.#tail = tail
    this.#epoch = epoch
    this.#checkpointCommits = checkpointCommits
    this.#blockIndexed = tail.checkpoint.blockNext
    // What an earlier host left unindexed goes with the first group.
    if (tail.byNumber.size > 0) this.#commitCount = checkpointCommits
  }

  append(owner: object, key: ActorKey, state: ActorState, commit: Commit): Promise<void> {
    const refusal = this.#stopped ?? this.#closing
    if (refusal !== null) return rejected(refusal)
    if (state.owner !== owner) return rejected(retiredError(key))
    if (state.broken !== null) return rejected(brokenError(key, state.broken))
    if (state.isEnding) return rejected(endedError(key))
    const error =
      commitError(key, commit, state.seqQueued) ??
      (state.isClean && !this.#adopt(key, state) ? retiredError(key) : null)
    if (error !== null) {
      state.broken = error
      return rejected(error)
    }
    const { create } = commit
    const number = create ? this.#tail.actorNext : state.number
    // Before anything is queued: it may have to read, and that may fail.
    const effects = effectsOf(this.#environment, this.#epoch, key, number, state, commit)
    const group = this.#openGroup()
    group.add(state, commit, create ? this.#create(state, create) : null, this.#nextBlock)
    for (const change of effects) group.addChange(change)
    if (commit.open !== undefined || commit.end === true)
      group.mark(key, state, commit.open === true && commit.end !== true)
    return group.promise
  }

  /** Makes changes in the next group; the same promise as an append in that group would have. */
  change(changes: readonly Change[]): Promise<void> {
    const refusal = this.#stopped ?? this.#closing
    return refusal === null ? this.#change(changes) : rejected(refusal)
  }

  #change(changes: readonly Change[]): Promise<void> {
    const group = this.#openGroup()
    for (const change of changes) group.addChange(change)
    return group.promise
  }

  /** As `change`, but waits for no commit, not even for one that waits for something itself (W4). */
  changeAhead(changes: readonly Change[]): Promise<void> {
    const refusal = this.#stopped ?? this.#closing
    if (refusal !== null) return rejected(refusal)
    this.#ahead ??= new Group(this.#groupNext++)
    for (const change of changes) this.#ahead.addChange(change)
    const { promise } = this.#ahead
    this.#writing ??= this.#write()
    this.#wake()
    return promise
  }

  /** Resolves when everything that is queued now is durable and in the index. @throws ERR_STORE */
  async index(): Promise<void> {
    const refusal = this.#stopped ?? this.#closing
    if (refusal !== null) throw refusal
    await this.#index()
  }

  async #index(): Promise<void> {
    const until = this.#tail.blockNext
    while (this.#blockIndexed < until) {
      const group = this.#openGroup()
      group.isCheckpoint = true
      await group.promise
    }
  }

  /** Resolves when what is queued now is durable or has failed, whatever is queued later. Never rejects. */
  async settle(): Promise<void> {
    const last = this.#group ?? this.#current
    if (last !== null) await last.promise.catch(() => {})
  }

  /** Resolves when nothing waits to be written: while others append, that may be never. Never rejects. */
  async #drain(): Promise<void> {
    while (this.#writing !== null) await this.#writing
  }

  /** Writes what waits, the index and `last`, then refuses everything with `reason`. @throws ERR_STORE */
  async stop(last: Change, reason: LoomError): Promise<void> {
    this.#closing = reason
    await this.#drain()
    try {
      if (this.#stopped === null) await this.#index()
      if (this.#stopped === null) await this.#change([last])
    } catch (error) {
      // Displaced: there is nothing to give back. Any other failure the caller should know.
      if (toLoomError(error).code !== 'ERR_FENCED') throw error
    } finally {
      await this.#drain()
      this.#stopped ??= reason
    }
  }

  readonly #nextBlock = (): number => this.#tail.blockNext++

  #openGroup(): Group {
    this.#group ??= new Group(this.#groupNext++)
    this.#writing ??= this.#write()
    return this.#group
  }

  #create(state: ActorState, record: ActorRecord): Buffer {
    invariant(state.number === 0 && state.create === null, 'an actor is created once')
    const { type, id, incarnation, digest, createdAtMs } = record
    state.incarnation = incarnation
    state.number = this.#tail.actorNext++
    state.create = { type, id, incarnation, digest, createdAtMs }
    this.#tail.byNumber.set(state.number, state)
    this.#tail.created.set(textOf(record), state)
    return encodeActor(record)
  }

  /** Makes the tail hold a clean state; false when it is not the newest of its actor (W3). */
  #adopt(key: ActorKey, state: ActorState): boolean {
    const { byNumber, created } = this.#tail
    if (state.number === 0)
      return !created.has(textOf(key)) && this.#environment.get(directoryKey(key)) === undefined
    const known = byNumber.get(state.number)
    if (known !== undefined) return known === state
    if (this.#tail.indexedCount(state.number) !== state.seqIndexed) return false
    byNumber.set(state.number, state)
    return true
  }

  async #write(): Promise<void> {
    // Lets everything that runs in this turn of the event loop join the group.
    await nextTurn()
    for (;;) {
      await this.#writeAhead()
      // A checkpoint goes on where no commits come to carry it.
      const group = this.#group ?? (this.#pass === null ? null : this.#openGroup())
      if (group === null && this.#ahead === null) break
      if (group === null) continue
      this.#group = null
      this.#current = group
      await this.#writeGroup(group, this.#tail.blockNext)
      this.#current = null
      await nextTurn()
    }
    this.#writing = null
  }

  /** Writes what is to be written ahead of commits, if there is anything. Never rejects. */
  async #writeAhead(): Promise<void> {
    const group = this.#ahead
    if (group === null) return
    this.#ahead = null
    try {
      if (this.#stopped !== null) throw this.#stopped
      const isWritten = await this.#environment.write(this.#epoch, group.seal())
      if (!isWritten) throw this.#stop(fencedError(this.#epoch, this.#claimNow()))
      group.succeed()
      this.#environment.refresh()
    } catch (error) {
      const failure = toLoomError(error, 'ERR_STORE')
      if (this.#stopped === null) this.#probe()
      group.fail(failure)
    }
  }

  /** Waits until a group may be written (S9); what it waits for may wait for what is written ahead. */
  async #settleWaits({ waits }: Group): Promise<void> {
    if (waits.length === 0) return
    let isSettled = false
    const settled = Promise.all(waits).finally(() => {
      isSettled = true
      this.#wake()
    })
    ignoreOutcome(settled)
    while (!isSettled) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        if (this.#ahead !== null) resolve()
      })
      await nextTurn()
      await this.#writeAhead()
    }
    await settled
  }

  /** `blockEnd`: the block behind those of `group`. */
  async #writeGroup(group: Group, blockEnd: number): Promise<void> {
    this.#commitCount += group.commitCount
    this.#sizeBytes += group.sizeBytes
    let isDurable = false
    try {
      await this.#settleWaits(group)
      if (this.#stopped !== null) throw this.#stopped
      const slice = this.#nextSlice(group, blockEnd)
      const changes = group.seal()
      if (slice !== null) changes.push(...slice.puts)
      isDurable = changes.length === 0 || (await this.#environment.write(this.#epoch, changes))
      if (isDurable) this.#succeed(group, slice)
      else this.#fail(group, this.#stop(fencedError(this.#epoch, this.#claimNow())))
    } catch (error) {
      const failure = toLoomError(error, 'ERR_STORE')
      // A broken invariant: what this process believes of the journals is not to be trusted any more.
      if (isDurable || failure.code === 'ERR_INVARIANT') this.#stop(failure)
      else if (this.#stopped === null) this.#probe()
      this.#fail(group, failure)
    }
  }

  /** What of a checkpoint goes with a group; null when none is due. */
  #nextSlice(group: Group, blockEnd: number): CheckpointSlice | null {
    const isDue =
      group.isCheckpoint ||
      this.#commitCount >= this.#checkpointCommits ||
      this.#sizeBytes >= CHECKPOINT_SIZE_BYTES
    if (this.#pass === null && !isDue) return null
    if (this.#pass === null) {
      this.#pass = new CheckpointPass(this.#tail, blockEnd)
      this.#commitCount = 0
      this.#sizeBytes = 0
    }
    // The further it is behind the commits that come meanwhile, the larger its steps.
    const lag = Math.trunc(this.#commitCount / LAG_COMMIT_COUNT)
    return this.#pass.slice(blockEnd, SLICE_ROW_COUNT * (1 + lag))
  }

  #succeed(group: Group, slice: CheckpointSlice | null): void {
    group.succeed()
    for (const state of group.touched) if (state.isEnded) this.#tail.forgetCreated(state)
    // What has just become durable is what is read from now on.
    this.#environment.refresh()
    if (slice === null) return
    finishSlice(this.#tail, slice)
    if (!slice.isLast || this.#pass === null) return
    this.#blockIndexed = this.#pass.blockNext
    this.#pass = null
  }

  /** Fails a group and the one that waits behind it (W2). */
  #fail(group: Group, error: LoomError): void {
    // What it had written is in the index; the next one covers the rest.
    if (this.#pass !== null) this.#commitCount = this.#checkpointCommits
    this.#pass = null
    const waiting = this.#group
    this.#group = null
    for (const failed of waiting === null ? [group] : [group, waiting]) {
      for (const state of failed.touched)
        if (state.seqDurable === 0 && state.create !== null) {
          this.#tail.byNumber.delete(state.number)
          this.#tail.forgetCreated(state)
        }
      failed.fail(error)
    }
  }

  #stop(error: LoomError): LoomError {
    this.#stopped ??= error
    return error
  }

  /** After a failed write: can the next one succeed? (A full disk may have room again, a dead one not.) */
  #probe(): void {
    try {
      this.#environment.probe()
    } catch (error) {
      this.#stop(toLoomError(error, 'ERR_STORE'))
    }
  }

  #claimNow(): { pid: number; epoch: number } | null {
    try {
      this.#environment.refresh()
      return readClaim(this.#environment)
    } catch {
      return null
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

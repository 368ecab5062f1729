/**
 * The journal and snapshots of one actor in an LMDB store.
 *
 * Owns: the ActorLog contract. Does not own: writing (writer.ts), reading (reader.ts).
 */
import type { Digest } from '../../base/digest.ts'
import { type LoomError, toLoomError } from '../../base/errors.ts'
import type { ActorKey } from '../../base/names.ts'
import {
  endedError,
  readOnlyError,
  rejected,
  snapshotError,
  trimError,
  trimSeqError,
} from '../checks.ts'
import type {
  ActorLog,
  ActorRecord,
  Commit,
  JournalRow,
  ReminderRow,
  SnapshotRow,
  StateRow,
} from '../store.ts'
import type { ActorState } from './actor-state.ts'
import type { Environment } from './environment.ts'
import { listState, readState } from './keyed-state.ts'
import { snapshotKey } from './keys.ts'
import { firstSeqOf, trimChanges } from './lives.ts'
import { looseChanges } from './loose-blobs.ts'
import { encodeSnapshot, findKey, newestSnapshot, readEntries, rejectedSnapshot } from './reader.ts'
import { listReminders } from './reminders.ts'
import type { Sweeper } from './sweeper.ts'
import type { Writer } from './writer.ts'

/** What a log needs of its store. */
export interface LogHome {
  readonly epoch: number
  readonly environment: Environment
  /** Null in a store that was opened for reading. */
  readonly writer: Writer | null
  readonly sweeper: Sweeper | null
  /** The state to read from: for a reader, as of now. Throws when the store is closed. */
  currentState(key: ActorKey, state: ActorState): ActorState
}

export class LmdbLog implements ActorLog {
  readonly key: ActorKey
  readonly record: ActorRecord | null
  readonly seqNext: number
  readonly seqFirst: number
  readonly #home: LogHome
  readonly #state: ActorState

  constructor(home: LogHome, key: ActorKey, record: ActorRecord | null, state: ActorState) {
    this.key = key
    this.record = record
    this.seqNext = state.seqDurable
    this.seqFirst = firstSeqOf(home.environment, state.number)
    this.#home = home
    this.#state = state
    if (home.writer === null) return
    state.owner = this
    state.broken = null
  }

  get broken(): LoomError | null {
    return this.#state.broken
  }

  append(commit: Commit): Promise<void> {
    const { writer, sweeper } = this.#home
    if (writer === null) return rejected(readOnlyError())
    try {
      const durable = writer.append(this, this.key, this.#state, commit)
      if (commit.end === true) sweeper?.add({ actor: this.#state.number, seqBefore: null }, durable)
      return durable
    } catch (error) {
      return rejected(toLoomError(error, 'ERR_STORE'))
    }
  }

  async read(seqFrom: number, countMax: number): Promise<readonly JournalRow[]> {
    const state = this.#current()
    return readEntries(this.#home.environment, state, seqFrom, seqFrom + countMax)
  }

  findIdempotent(key: string): number | null | Promise<number | null> {
    return this.#reading((state) => findKey(this.#home.environment, state, key))
  }

  /** What is not indexed yet need not be; a row that was written stays until its time (forget-keys.ts). */
  forgetKey(key: string): void {
    this.#state.forgetKey(key)
  }

  readState(key: string): Uint8Array | null | Promise<Uint8Array | null> {
    return this.#reading(({ number }) =>
      number === 0 ? null : readState(this.#home.environment, number, key),
    )
  }

  listState(
    prefix: string,
    after: string | null,
    countMax: number,
  ): readonly StateRow[] | Promise<readonly StateRow[]> {
    return this.#reading(({ number }) =>
      number === 0 ? [] : listState(this.#home.environment, number, prefix, after, countMax),
    )
  }

  async listReminders(): Promise<readonly ReminderRow[]> {
    const { number } = this.#current()
    return number === 0 ? [] : listReminders(this.#home.environment, number)
  }

  async trim(seqBefore: number, frees: readonly Digest[] = []): Promise<void> {
    const { writer, sweeper, environment } = this.#home
    if (writer === null) throw readOnlyError()
    const error = this.#endedError() ?? trimSeqError(this.key, seqBefore)
    if (error !== null) throw error
    const { number } = this.#current()
    if (number > 0 && seqBefore <= firstSeqOf(environment, number)) return
    const pending = sweeper?.newest(number) ?? null
    if (pending !== null && (pending.sweep.seqBefore ?? Infinity) >= seqBefore) {
      // One that gives up as much is on its way, and must not be taken back by this one.
      await pending.ready
      return
    }
    const newest = number === 0 ? null : newestSnapshot(environment, number, Infinity)
    const refusal = trimError(this.key, seqBefore, newest)
    if (refusal !== null) throw refusal
    const loose = looseChanges(environment, this.#home.epoch, frees)
    const durable = writer.change([...trimChanges(number, seqBefore), ...loose])
    sweeper?.add({ actor: number, seqBefore }, durable)
    await durable
  }

  /** Why nothing is added to this life any more, or null. */
  #endedError(): LoomError | null {
    return this.#state.isEnding ? endedError(this.key) : null
  }

  #current(): ActorState {
    return this.#home.currentState(this.key, this.#state)
  }

  /** The value, or what stands in its way as a promise that rejects: callers have one way to fail. */
  #reading<T>(read: (state: ActorState) => T): T | Promise<T> {
    try {
      return read(this.#current())
    } catch (error) {
      return rejected(toLoomError(error, 'ERR_STORE'))
    }
  }

  async writeSnapshot(snapshot: SnapshotRow): Promise<void> {
    const { writer } = this.#home
    if (writer === null) throw readOnlyError()
    const { number, seqQueued, broken } = this.#state
    const error = this.#endedError() ?? broken ?? snapshotError(this.key, snapshot, seqQueued)
    if (error !== null) throw error
    const key = snapshotKey(number, snapshot.seq)
    await writer.change([{ key, value: encodeSnapshot(snapshot.bytes) }])
  }

  async readSnapshot(seqMax: number): Promise<SnapshotRow | null> {
    const { number } = this.#current()
    return number === 0 ? null : newestSnapshot(this.#home.environment, number, seqMax)
  }

  async rejectSnapshot(seq: number): Promise<void> {
    const { writer, environment } = this.#home
    if (writer === null) throw readOnlyError()
    const { number } = this.#current()
    if (number === 0) return
    const key = snapshotKey(number, seq)
    const value = environment.get(key)
    if (value !== undefined) await writer.change([{ key, value: rejectedSnapshot(value) }])
  }
}

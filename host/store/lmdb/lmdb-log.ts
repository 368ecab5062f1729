/**
 * The journal and snapshots of one actor in an LMDB store.
 *
 * Owns: the ActorLog contract. Does not own: writing (writer.ts), reading (reader.ts).
 */
import { toLoomError } from '../../base/errors.ts'
import type { ActorKey } from '../../base/names.ts'
import { readOnlyError, rejected, snapshotError } from '../checks.ts'
import type { ActorLog, ActorRecord, Commit, JournalRow, SnapshotRow } from '../store.ts'
import type { ActorState } from './actor-state.ts'
import type { Environment } from './environment.ts'
import { snapshotKey } from './keys.ts'
import { encodeSnapshot, findKey, newestSnapshot, readEntries, rejectedSnapshot } from './reader.ts'
import type { Writer } from './writer.ts'

/** What a log needs of its store. */
export interface LogHome {
  readonly environment: Environment
  /** Null in a store that was opened for reading. */
  readonly writer: Writer | null
  /** The state to read from: for a reader, as of now. Throws when the store is closed. */
  currentState(key: ActorKey, state: ActorState): ActorState
}

export class LmdbLog implements ActorLog {
  readonly key: ActorKey
  readonly record: ActorRecord | null
  readonly seqNext: number
  readonly #home: LogHome
  readonly #state: ActorState

  constructor(home: LogHome, key: ActorKey, record: ActorRecord | null, state: ActorState) {
    this.key = key
    this.record = record
    this.seqNext = state.seqDurable
    this.#home = home
    this.#state = state
    if (home.writer === null) return
    state.owner = this
    state.broken = null
  }

  append(commit: Commit): Promise<void> {
    const { writer } = this.#home
    if (writer === null) return rejected(readOnlyError())
    try {
      return writer.append(this, this.key, this.#state, commit)
    } catch (error) {
      return rejected(toLoomError(error, 'ERR_STORE'))
    }
  }

  async read(seqFrom: number, countMax: number): Promise<readonly JournalRow[]> {
    const state = this.#home.currentState(this.key, this.#state)
    const seqEnd = Math.min(seqFrom + countMax, state.seqDurable)
    return seqFrom < seqEnd ? readEntries(this.#home.environment, state, seqFrom, seqEnd) : []
  }

  async findIdempotent(key: string): Promise<number | null> {
    return findKey(this.#home.environment, this.#home.currentState(this.key, this.#state), key)
  }

  async writeSnapshot(snapshot: SnapshotRow): Promise<void> {
    const { writer } = this.#home
    if (writer === null) throw readOnlyError()
    const { number, seqQueued, broken } = this.#state
    const error = broken ?? snapshotError(this.key, snapshot, seqQueued)
    if (error !== null) throw error
    const key = snapshotKey(number, snapshot.seq)
    await writer.put({ key, value: encodeSnapshot(snapshot.bytes) })
  }

  async readSnapshot(seqMax: number): Promise<SnapshotRow | null> {
    const { number } = this.#home.currentState(this.key, this.#state)
    return number === 0 ? null : newestSnapshot(this.#home.environment, number, seqMax)
  }

  async rejectSnapshot(seq: number): Promise<void> {
    const { writer, environment } = this.#home
    if (writer === null) throw readOnlyError()
    const { number } = this.#home.currentState(this.key, this.#state)
    if (number === 0) return
    const key = snapshotKey(number, seq)
    const value = environment.get(key)
    if (value !== undefined) await writer.put({ key, value: rejectedSnapshot(value) })
  }
}

/**
 * Lives: actors leave the host, or end.
 *
 * Guarantee: a deleted actor is gone when the promise resolves: journal, snapshots, keyed state, reminders and
 * idempotency keys. A later call begins a new life under the same name. What it had sent is still delivered.
 *
 * Owns: the last commit of a life. Does not own: who may have the actor meanwhile (pool/), what a commit that ends
 * a life removes (store/).
 *
 * Invariant LV1: calls that were queued when the deletion was asked for are run before it; calls that arrive later
 * belong to the next life. None is dropped.
 */
import type { Clock } from '../base/clock.ts'
import { LoomError } from '../base/errors.ts'
import { type ActorKey, formatActorKey } from '../base/names.ts'
import { encodeEntry } from '../journal/codec.ts'
import type { Pool } from '../pool/pool.ts'
import type { Store } from '../store/store.ts'
import type { Outbox } from './outbox.ts'

export interface LivesOptions {
  readonly store: Store
  readonly pool: Pool
  readonly clock: Clock
  readonly outbox: Pick<Outbox, 'endLife'>
}

export class Lives {
  readonly #options: LivesOptions

  constructor(options: LivesOptions) {
    this.#options = options
  }

  /** Evicts an actor, with a snapshot, when its queued calls are finished; false when it is not resident. */
  deactivate(key: ActorKey): Promise<boolean> {
    return this.#options.pool.vacate(key)
  }

  /** Also for an actor that is quarantined, or whose component is gone. @throws ERR_ACTOR_UNKNOWN */
  async delete(key: ActorKey): Promise<void> {
    await this.#options.pool.vacate(key, () => this.#end(key))
  }

  async #end(key: ActorKey): Promise<void> {
    const { store, clock, outbox } = this.#options
    const log = await store.openLog(key)
    const isMarked = (await store.readQuarantine(key)) !== null
    // A mark without a journal is what a crash leaves of an import that had just begun, or of the step below.
    if (log.record === null && !isMarked)
      throw new LoomError('ERR_ACTOR_UNKNOWN', `${formatActorKey(key)} has no journal`)
    if (log.record !== null) {
      const seq = log.seqNext
      const entry = encodeEntry(seq, { kind: 'deleted', atMs: clock.wallMs() })
      await outbox.endLife(log)
      await log.append({ seq, entries: [entry], end: true })
    }
    if (isMarked) await store.release(key)
  }
}

/**
 * Quarantines: which actors of a host take no turns, and why.
 *
 * Guarantee: an actor whose journal was found damaged or diverging stays quarantined, over restarts, until somebody
 * releases it; meanwhile its calls are refused without its journal being read.
 *
 * Owns: marking, releasing, refusing. Does not own: what damage is (actor/), where marks lie (store/).
 *
 * Invariant Q1: a mark that is on its way to the disk is awaited before the actor is looked at again.
 */
import type { Clock } from '../base/clock.ts'
import { LoomError } from '../base/errors.ts'
import { type ActorKey, formatActorKey } from '../base/names.ts'
import type { QuarantineRow, Store } from '../store/store.ts'

export interface QuarantinesOptions {
  readonly store: Store
  readonly clock: Clock
  readonly warn: (message: string, actor: ActorKey) => void
}

export class Quarantines {
  readonly #options: QuarantinesOptions
  /** Marks on their way to the disk (Q1). */
  readonly #marking = new Map<string, Promise<void>>()

  constructor(options: QuarantinesOptions) {
    this.#options = options
  }

  /** @throws ERR_QUARANTINED (data: reason, atMs) when the actor is marked. */
  async refuse(key: ActorKey): Promise<void> {
    const row = await this.find(key)
    if (row !== null) throw quarantinedError(row)
  }

  async find(key: ActorKey): Promise<QuarantineRow | null> {
    await this.#marking.get(formatActorKey(key))
    return this.#options.store.readQuarantine(key)
  }

  /**
   * Marks the actor when `error` says that it has to be quarantined; not when it says that it is marked. Never rejects: what
   * is found again is marked again.
   */
  async note(key: ActorKey, error: LoomError): Promise<void> {
    if (error.code !== 'ERR_QUARANTINED' || error.data.atMs !== undefined) return
    const name = formatActorKey(key)
    const marking = this.#marking.get(name) ?? this.#mark(key, error)
    this.#marking.set(name, marking)
    await marking
    if (this.#marking.get(name) === marking) this.#marking.delete(name)
  }

  async #mark(key: ActorKey, error: LoomError): Promise<void> {
    const { store, clock, warn } = this.#options
    const { cause, data } = error
    const code = typeof data.reason === 'string' ? data.reason : error.code
    const message = cause instanceof Error ? cause.message : error.message
    warn(`quarantined: ${code}: ${message}`, key)
    try {
      const { type, id } = key
      await store.quarantine({ key: { type, id }, atMs: clock.wallMs(), code, message })
    } catch (failure) {
      warn(`the quarantine could not be written: ${String(failure)}`, key)
    }
  }

  list(): AsyncIterable<QuarantineRow> {
    return this.#options.store.quarantined()
  }

  /** False when the actor is not marked. */
  async release(key: ActorKey): Promise<boolean> {
    if ((await this.find(key)) === null) return false
    await this.#options.store.release(key)
    return true
  }
}

/** What a call of a marked actor gets. */
export function quarantinedError({ key, atMs, code, message }: QuarantineRow): LoomError {
  return new LoomError('ERR_QUARANTINED', `${formatActorKey(key)} is quarantined: ${message}`, {
    data: { reason: code, atMs },
  })
}

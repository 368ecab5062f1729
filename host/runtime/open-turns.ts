/**
 * Open turns: turns that were cut off in the middle are run to their end: those that an earlier host left when this
 * one starts, and those whose activation broke while it lives on.
 *
 * Guarantee: such a turn goes on without anybody calling its actor, as soon as the actor can be activated.
 *
 * Owns: finding and activating those actors, until they have no open turn. Does not own: running the turn again
 * (actor/activation/activation.ts).
 */
import type { Activation } from '../actor/activation/activation.ts'
import type { Clock } from '../base/clock.ts'
import { type LoomError, toLoomError } from '../base/errors.ts'
import { OPEN_TURNS_AT_ONCE_MAX, RETRY_MAX_MS, RETRY_MIN_MS } from '../base/limits.ts'
import { type ActorKey, formatActorKey } from '../base/names.ts'
import { ignoreOutcome } from '../base/promises.ts'
import type { Pool } from '../pool/pool.ts'
import type { Store } from '../store/store.ts'
import { Delays, longer } from './delays.ts'

export interface OpenTurnsOptions {
  readonly store: Store
  readonly pool: Pool
  readonly clock: Clock
  readonly warn: (message: string, actor: ActorKey) => void
}

export class OpenTurns {
  readonly #options: OpenTurnsOptions
  readonly #delays: Delays
  readonly #activating = new Set<Promise<void>>()
  /** Names of actors that are seen to. */
  readonly #resuming = new Set<string>()

  constructor(options: OpenTurnsOptions) {
    this.#options = options
    this.#delays = new Delays(options.clock)
  }

  /** Finds those of earlier hosts, however long the store cannot be read. */
  start(): Promise<void> {
    return this.#delays.untilRead(() => this.#start())
  }

  async #start(): Promise<void> {
    for await (const key of this.#options.store.openTurns()) {
      if (this.#delays.closed) return
      if (this.#resuming.has(formatActorKey(key))) continue
      this.#resuming.add(formatActorKey(key))
      const done = this.#resume(key, RETRY_MIN_MS).finally(() => {
        this.#activating.delete(done)
      })
      this.#activating.add(done)
      if (this.#activating.size >= OPEN_TURNS_AT_ONCE_MAX) await Promise.race(this.#activating)
    }
  }

  /** The activation of an actor broke, and its journal may end in the middle of a turn. */
  add(key: ActorKey): void {
    const name = formatActorKey(key)
    if (this.#resuming.has(name)) return
    this.#resuming.add(name)
    this.#delays.after(RETRY_MIN_MS, () => this.#resume(key, longer(RETRY_MIN_MS)))
  }

  close(): void {
    this.#delays.close()
  }

  /** An activation runs an open turn by itself. Resolves when there is one. Never rejects. */
  async #resume(key: ActorKey, pauseMs: number): Promise<void> {
    try {
      ignoreOutcome(this.#follow(key, await this.#options.pool.acquire(key), pauseMs))
    } catch (error) {
      this.#again(key, pauseMs, toLoomError(error))
    }
  }

  /** To the end of what the activation does now. */
  async #follow(key: ActorKey, activation: Activation, pauseMs: number): Promise<void> {
    try {
      if (!activation.closed) await activation.observe()
      this.#resuming.delete(formatActorKey(key))
    } catch (error) {
      this.#again(key, pauseMs, toLoomError(error))
    }
  }

  #again(key: ActorKey, pauseMs: number, { code, kind, message }: LoomError): void {
    if (code === 'ERR_QUARANTINED' || kind === 'lost') this.#resuming.delete(formatActorKey(key))
    if (this.#delays.closed || !this.#resuming.has(formatActorKey(key))) return
    // Its type may be registered in a moment.
    if (pauseMs >= RETRY_MAX_MS)
      this.#options.warn(`its open turn cannot go on: ${code}: ${message}`, key)
    this.#delays.after(pauseMs, () => this.#resume(key, longer(pauseMs)))
  }
}

/**
 * Open turns: turns that an earlier host left in the middle are run to their end when this one starts.
 *
 * Guarantee: such a turn goes on without anybody calling its actor, as soon as the actor can be activated.
 *
 * Owns: finding and activating those actors. Does not own: running the turn again (actor/activation.ts).
 */
import type { Clock, Timer } from '../base/clock.ts'
import { toLoomError } from '../base/errors.ts'
import { OPEN_TURNS_AT_ONCE_MAX, OUTBOX_RETRY_MAX_MS, OUTBOX_RETRY_MIN_MS } from '../base/limits.ts'
import type { ActorKey } from '../base/names.ts'
import type { Pool } from '../pool/pool.ts'
import type { Store } from '../store/store.ts'

export interface OpenTurnsOptions {
  readonly store: Store
  readonly pool: Pool
  readonly clock: Clock
  readonly warn: (message: string, actor: ActorKey) => void
}

export class OpenTurns {
  readonly #options: OpenTurnsOptions
  readonly #timers = new Set<Timer>()
  readonly #activating = new Set<Promise<void>>()
  #closed = false

  constructor(options: OpenTurnsOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    for await (const key of this.#options.store.openTurns()) {
      if (this.#closed) return
      const done = this.#resume(key, OUTBOX_RETRY_MIN_MS).finally(() => {
        this.#activating.delete(done)
      })
      this.#activating.add(done)
      if (this.#activating.size >= OPEN_TURNS_AT_ONCE_MAX) await Promise.race(this.#activating)
    }
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#timers) timer.cancel()
  }

  /** An activation runs an open turn by itself. Never rejects. */
  async #resume(key: ActorKey, retryMs: number): Promise<void> {
    try {
      await this.#options.pool.acquire(key)
    } catch (error) {
      const { code, message } = toLoomError(error)
      if (this.#closed || code === 'ERR_QUARANTINED') return
      // Its type may be registered in a moment.
      if (retryMs >= OUTBOX_RETRY_MAX_MS)
        this.#options.warn(`its open turn cannot go on: ${code}: ${message}`, key)
      this.#later(retryMs, () => this.#resume(key, Math.min(retryMs * 2, OUTBOX_RETRY_MAX_MS)))
    }
  }

  #later(delayMs: number, task: () => Promise<void>): void {
    const timer = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(timer)
      if (!this.#closed) void task()
    })
    this.#timers.add(timer)
  }
}

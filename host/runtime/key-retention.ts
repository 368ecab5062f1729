/**
 * Key retention: forgets idempotency keys that are too old to be asked for again.
 *
 * Guarantee: a key answers retries for at least the retention time, and is forgotten at most one interval later.
 *
 * Owns: when the store is swept. Does not own: the sweep (store/), which gives turns their time.
 *
 * Invariants:
 *   KR1. The first sweep comes an interval after the start, so that what a crash cut off (messages, turns that wait) is
 *        asked for again under keys that are still known.
 *   KR2. A wall clock that jumps ahead makes no key older: of the last retention time, the moment counts at which it was
 *        furthest behind. One that jumps back makes keys stay longer.
 */
import type { Clock, Timer } from '../base/clock.ts'
import type { Store } from '../store/store.ts'

export interface KeyRetentionOptions {
  readonly store: Pick<Store, 'forgetKeys'>
  readonly clock: Clock
  readonly retentionMs: number
  readonly warn: (message: string) => void
}

/** Sweeps per retention time; each visits every key. */
const SWEEPS_PER_RETENTION = 24
const INTERVAL_MIN_MS = 60_000

export class KeyRetention {
  readonly #options: KeyRetentionOptions
  #timer: Timer | null = null
  /** How far the wall clock was ahead of the steady one, and when, in the last retention time (KR2). */
  #leads: readonly { readonly atMs: number; readonly leadMs: number }[] = []
  #sweeping: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: KeyRetentionOptions) {
    this.#options = options
    this.#schedule()
  }

  /** Resolves when no sweep runs any more. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    await this.#sweeping
  }

  #schedule(): void {
    if (this.#closed) return
    const { clock, retentionMs } = this.#options
    this.#noteLead()
    const intervalMs = Math.max(INTERVAL_MIN_MS, retentionMs / SWEEPS_PER_RETENTION)
    this.#timer = clock.after(intervalMs, () => {
      this.#sweeping = this.#sweep()
    })
  }

  #noteLead(): void {
    const { clock, retentionMs } = this.#options
    const atMs = clock.monotonicMs()
    const recent = this.#leads.filter((lead) => atMs - lead.atMs <= retentionMs)
    this.#leads = [...recent, { atMs, leadMs: clock.wallMs() - atMs }]
  }

  async #sweep(): Promise<void> {
    const { store, clock, retentionMs, warn } = this.#options
    this.#noteLead()
    const leadMs = Math.min(...this.#leads.map((lead) => lead.leadMs))
    try {
      await store.forgetKeys(Math.floor(clock.monotonicMs() + leadMs - retentionMs))
    } catch (error) {
      // Nothing is lost by keys that stay; a host that lost its store learns it at its next commit.
      if (!this.#closed) warn(`idempotency keys could not be swept: ${String(error)}`)
    }
    this.#schedule()
  }
}

/**
 * Delays: what the host puts off, until it closes.
 *
 * Owns: the timers, and trying again what reads the store at the start. Does not own: what is done then, and whether
 * anything else is tried again.
 */
import type { Clock, Timer } from '../base/clock.ts'
import { RETRY_MAX_MS, RETRY_MIN_MS } from '../base/limits.ts'
import { ignoreOutcome } from '../base/promises.ts'

export class Delays {
  readonly #clock: Clock
  readonly #timers = new Set<Timer>()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Runs `task` in `delayMs`, unless closed by then. What it rejects with is its own affair. */
  after(delayMs: number, task: () => void | Promise<void>): void {
    if (this.#closed) return
    const untilMs = this.#clock.monotonicMs() + delayMs
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer)
      // A timer may fire early, as its delay has a maximum.
      const leftMs = untilMs - this.#clock.monotonicMs()
      if (leftMs >= 1) this.after(leftMs, task)
      else if (!this.#closed) ignoreOutcome(Promise.resolve(task()))
    })
    this.#timers.add(timer)
  }

  /** Resolves in `delayMs`; never, when closed by then. */
  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve))
  }

  /**
   * Runs `task`, which reads the store, until it has succeeded, or this is closed. Never rejects: the store says why to
   * everybody who commits; here it is asked again.
   */
  async untilRead(task: () => Promise<void>): Promise<void> {
    for (let pauseMs = RETRY_MIN_MS; !this.#closed; pauseMs = longer(pauseMs))
      try {
        await task()
        return
      } catch {
        await this.pause(pauseMs)
      }
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#timers) timer.cancel()
  }
}

/** The pause behind one of `pauseMs`, when that was not enough. */
export function longer(pauseMs: number): number {
  return Math.min(Math.max(pauseMs * 2, RETRY_MIN_MS), RETRY_MAX_MS)
}

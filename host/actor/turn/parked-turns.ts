/**
 * Parked turns: how many turns of a host may wait on their own stacks, and for how long.
 *
 * Owns: the count and the time. Does not own: parking itself (turn-engine.ts, component/instance/parking.ts).
 *
 * A parked turn keeps its instance's memory and a stack. One that waits long gives them up: it is unwound,
 * and run again when its answer is there, as every turn is where the engine cannot park.
 *
 * Invariant PT1. A turn is parked for at least `timeoutMs`, unless its answer comes, and for less than twice that.
 */
import type { Clock, Timer } from '../../base/clock.ts'

export interface ParkedTurnsOptions {
  readonly clock: Clock
  readonly countMax: number
  readonly timeoutMs: number
}

/** Gives a parked turn's stack and memory up. */
export type Drop = () => void

export class ParkedTurns {
  readonly #options: ParkedTurnsOptions
  /** Parked since the last sweep, and since before it. One timer for all: most turns wait far less. */
  #young = new Set<Drop>()
  #old = new Set<Drop>()
  #timer: Timer | null = null

  constructor(options: ParkedTurnsOptions) {
    this.#options = options
  }

  get count(): number {
    return this.#young.size + this.#old.size
  }

  /** False when no more turns may be parked. */
  enter(drop: Drop): boolean {
    if (this.count >= this.#options.countMax) return false
    this.#young.add(drop)
    this.#timer ??= this.#schedule()
    return true
  }

  leave(drop: Drop): void {
    if (!this.#young.delete(drop)) this.#old.delete(drop)
  }

  #schedule(): Timer {
    const { clock, timeoutMs } = this.#options
    return clock.after(timeoutMs, () => {
      for (const drop of [...this.#old]) drop()
      this.#old = this.#young
      this.#young = new Set()
      this.#timer = this.count === 0 ? null : this.#schedule()
    })
  }
}

/**
 * Turnstile: so many at once, the others in the order in which they came.
 *
 * Owns: who may go through. Does not own: what they do there.
 *
 * Invariant TS1. Whoever went in comes out: an action that throws leaves its place as one that returns.
 */
import { deferred } from './promises.ts'

export class Turnstile {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(countMax: number) {
    this.#free = countMax
  }

  /** Runs `action` as soon as there is a place. @throws what it throws */
  async pass<T>(action: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else {
      const { promise, resolve } = deferred<void>()
      this.#waiting.push(resolve)
      await promise
    }
    try {
      return await action()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}

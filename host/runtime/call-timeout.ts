/**
 * Call timeouts that tell the truth: a caller that stops waiting is told that the call may still happen, and
 * under which idempotency key to ask again.
 *
 * Owns: the key of a call that has a timeout and no key, the waiting. Does not own: the turn, which goes on.
 */
import type { Clock } from '../base/clock.ts'
import { LoomError } from '../base/errors.ts'
import type { Random } from '../base/random.ts'

export class CallTimeouts {
  readonly #clock: Clock
  readonly #random: Random

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  /** The key under which a call with a timeout is run: without one, nobody could ask again. */
  newKey(): string {
    return this.#random.id()
  }

  /** `running`, unless it takes longer. @throws ERR_TIMEOUT (data: idempotencyKey, timeoutMs) */
  limit<T>(what: string, key: string, timeoutMs: number, running: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = this.#clock.after(
        timeoutMs,
        () => reject(timeoutError(what, key, timeoutMs)),
        true,
      )
      running.then(
        (value) => {
          timer.cancel()
          resolve(value)
        },
        (error) => {
          timer.cancel()
          reject(error)
        },
      )
    })
  }
}

function timeoutError(what: string, idempotencyKey: string, timeoutMs: number): LoomError {
  const again = `it may still happen: ask again with idempotency key ${JSON.stringify(idempotencyKey)}`
  return new LoomError('ERR_TIMEOUT', `${what} has not ended within ${timeoutMs} ms; ${again}`, {
    data: { idempotencyKey, timeoutMs },
  })
}

/** @throws ERR_OPTION */
export function checkTimeout(timeoutMs: number): void {
  if (Number.isSafeInteger(timeoutMs) && timeoutMs > 0) return
  throw new LoomError('ERR_OPTION', `timeoutMs: expected a positive integer, got ${timeoutMs}`)
}

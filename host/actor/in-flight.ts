/**
 * Calls in flight: those with an idempotency key that wait, run or are being committed.
 *
 * Owns: joining a retry to the first call while its result is not in the journal yet.
 * Does not own: retries of what is journaled (known-outcome.ts).
 */
import { isDeepStrictEqual } from 'node:util'
import type { ActorKey } from '../base/names.ts'
import type { WitValue } from '../component/wit.ts'
import { keyMismatch } from './known-outcome.ts'
import type { ActorMethod } from './program.ts'

interface InFlight {
  readonly method: ActorMethod
  readonly args: readonly WitValue[]
  readonly promise: Promise<WitValue>
}

export class CallsInFlight {
  readonly #actor: ActorKey
  readonly #calls = new Map<string, InFlight>()

  constructor(actor: ActorKey) {
    this.#actor = actor
  }

  /** Remembers a call until its promise has settled. */
  track(key: string, call: InFlight): void {
    this.#calls.set(key, call)
    const forget = (): void => {
      this.#calls.delete(key)
    }
    call.promise.then(forget, forget)
  }

  /** The first call's promise for a retry of it; null when none is in flight. */
  join(key: string, method: ActorMethod, args: readonly WitValue[]): Promise<WitValue> | null {
    const first = this.#calls.get(key)
    if (first === undefined) return null
    const same = first.method.name === method.name && isDeepStrictEqual(first.args, args)
    return same ? first.promise : Promise.reject(keyMismatch(this.#actor, key, first.method.name))
  }
}

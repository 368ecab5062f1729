/**
 * Calls in flight: those with an idempotency key that wait, run or are being committed.
 *
 * Owns: joining a retry to the first call while its result is not in the journal yet.
 * Does not own: retries of what is journaled (known-outcome.ts).
 */
import type { ActorKey } from '../../base/names.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import { isSameValue } from '../../journal/values.ts'
import type { ActorMethod } from '../program/program.ts'
import type { Invocation } from './invocation.ts'
import { keyMismatch } from './known-outcome.ts'

interface InFlight {
  readonly invocation: Invocation
  readonly promise: Promise<WitValue>
}

export class CallsInFlight {
  readonly #actor: ActorKey
  readonly #calls = new Map<string, InFlight>()

  constructor(actor: ActorKey) {
    this.#actor = actor
  }

  /** Remembers a call until its promise has settled. */
  track(key: string, invocation: Invocation, promise: Promise<WitValue>): void {
    this.#calls.set(key, { invocation, promise })
    const forget = (): void => {
      this.#calls.delete(key)
    }
    promise.then(forget, forget)
  }

  /** The first call's promise for a retry of it; null when none is in flight. */
  join(key: string, method: ActorMethod, args: readonly WitValue[]): Promise<WitValue> | null {
    const first = this.#calls.get(key)
    if (first === undefined) return null
    const { method: known, args: given } = first.invocation
    const same = known.name === method.name && isSameValue(given, args)
    return same ? first.promise : Promise.reject(keyMismatch(this.#actor, key, known.name))
  }

  /** As `join`; null also where the call in flight is another one. */
  joinSame(key: string, method: ActorMethod, args: readonly WitValue[]): Promise<WitValue> | null {
    const first = this.#calls.get(key)
    const isSame =
      first?.invocation.method.name === method.name && isSameValue(first.invocation.args, args)
    return isSame ? first.promise : null
  }

  /** The first call, while its turn has not begun. */
  waiting(key: string): Invocation | null {
    const invocation = this.#calls.get(key)?.invocation
    return invocation === undefined || invocation.begun ? null : invocation
  }
}

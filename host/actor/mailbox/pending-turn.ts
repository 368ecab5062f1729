/**
 * Pending turn: one whose end is appended and not durable yet.
 *
 * Owns: who is told when it is durable, or lost. Does not own: when that is (journal-tail.ts).
 *
 * Next state: durable, or lost; for good.
 */
import type { LoomError } from '../../base/errors.ts'
import type { TurnOutcome } from '../../journal/entry.ts'
import type { Pending } from '../journal/journal-tail.ts'
import type { CallWaiter } from './invocation.ts'
import { settle } from './outcomes.ts'

/** One object per turn and no promise of its own: what becomes durable together is told together. */
export class PendingTurn implements Pending {
  readonly #waiter: CallWaiter
  readonly #outcome: TurnOutcome
  readonly #show: (() => void) | null

  /** `show`: what becomes visible of the turn before it is answered; null for nothing, as of most turns. */
  constructor(waiter: CallWaiter, outcome: TurnOutcome, show: (() => void) | null) {
    this.#waiter = waiter
    this.#outcome = outcome
    this.#show = show
  }

  durable(): void {
    this.#show?.()
    settle(this.#waiter, this.#outcome)
  }

  lost(error: LoomError): void {
    this.#waiter.reject(error)
  }
}

/**
 * Parked turn: a turn that runs on a stack of its own, and is parked while it waits.
 *
 * Owns: its steps, one after the other: suspended -> suspended -> ... -> finished.
 * Does not own: the guest (component/instance/parking.ts), the journal (awaiting-turn.ts), when to give up (parked-turns.ts).
 *
 * States: running -> parked (the guest waits) -> running (resume) -> ended, or dropped from either.
 *
 * Invariants:
 *   PD1. A turn that was dropped is never resumed. Its guest is unwound by an error, because the engine
 *        frees no parked stack by itself, and every import refuses it on the way: nothing that it still does
 *        can be seen.
 *   PD2. What was dropped leaves the engine without a body: nobody looks at that memory again.
 */
import { LoomError } from '../../base/errors.ts'
import { type Deferred, deferred } from '../../base/promises.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import type { Park } from '../../hostcalls/recorder.ts'
import type { Suspension } from '../../hostcalls/suspension.ts'
import type { RecordedCall } from '../../journal/entry.ts'
import type { ActorBody } from '../program/program.ts'
import type { ParkedTurns } from './parked-turns.ts'
import type { ParkedTurn, SuspendedTurn, TurnStep } from './turn-step.ts'

/** What a turn needs of its engine. */
export interface TurnHost {
  readonly suspended: (suspension: Suspension, parked: ParkedTurn) => SuspendedTurn
  readonly unpark: (recorded: RecordedCall) => void
  readonly dropped: () => void
}

export class ParkableTurn implements ParkedTurn {
  readonly #parkedTurns: ParkedTurns
  readonly #host: TurnHost
  #step: Deferred<TurnStep> = deferred()
  /** What the guest waits for; null while it runs, and at the end. */
  #answer: Deferred<WitValue> | null = null
  #ended = false

  constructor(parkedTurns: ParkedTurns, host: TurnHost) {
    this.#parkedTurns = parkedTurns
    this.#host = host
  }

  /** Resolves with the turn's next step. */
  get step(): Promise<TurnStep> {
    return this.#step.promise
  }

  readonly park: Park = (suspension) => {
    if (this.#ended || !this.#parkedTurns.enter(this.drop)) return null
    this.#answer = deferred()
    this.#step.resolve(this.#host.suspended(suspension, this))
    return this.#answer.promise
  }

  /** The guest has come to its end. */
  end(step: () => TurnStep): void {
    if (this.#ended) return
    this.#ended = true
    this.#step.resolve(step())
  }

  resume(recorded: RecordedCall): Promise<TurnStep> | null {
    const answer = this.#answer
    if (answer === null) return null
    this.#answer = null
    this.#parkedTurns.leave(this.drop)
    this.#host.unpark(recorded)
    this.#step = deferred()
    answer.resolve(recorded.result)
    return this.#step.promise
  }

  readonly drop = (): void => {
    const answer = this.#answer
    if (answer === null) return
    this.#answer = null
    this.#ended = true
    this.#parkedTurns.leave(this.drop)
    this.#host.dropped()
    answer.reject(new LoomError('ERR_CLOSING', 'the turn was given up while it was parked'))
  }
}

function gone(): never {
  throw new LoomError('ERR_INVARIANT', 'the turn was given up while it was parked')
}

/** The body of an engine whose turn was dropped (PD2). */
export const DROPPED: ActorBody = {
  parks: () => false,
  invoke: gone,
  rollback: () => false,
  accept: gone,
  capture: gone,
  restore: gone,
  stateHash: gone,
  release: () => {},
}

/**
 * Reception: what becomes of a call before its turn.
 *
 * A call is refused, answered by a query, joined to its first one, or put into the mailbox.
 *
 * Owns: the calls in flight by their keys. Does not own: the order of turns and their replies (activation.ts).
 *
 * Invariant RC1: of calls with one key at most one is in the mailbox, or runs.
 */
import type { LoomError } from '../../base/errors.ts'
import { deferred, ignoreOutcome, isPromise } from '../../base/promises.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import type { TurnOutcome } from '../../journal/entry.ts'
import type { ActorLog } from '../../store/store.ts'
import { argumentsError, argumentsSize } from '../mailbox/argument-size.ts'
import { CallsInFlight } from '../mailbox/in-flight.ts'
import { type CallHead, Invocation, type Journal } from '../mailbox/invocation.ts'
import { findEither } from '../mailbox/known-outcome.ts'
import { type LocalCaller, LocalWaiter, outcomeOf, returned } from '../mailbox/local-call.ts'
import type { Mailbox } from '../mailbox/mailbox.ts'
import type { TurnEngine } from '../turn/turn-engine.ts'
import type { Queries } from './queries.ts'
import type { TurnJournal } from './turn-journal.ts'

/** The activation, as its reception sees it. */
export interface ReceptionPort {
  /** Why no call is taken any more, or null. */
  ended(): LoomError | null
  /** Null before the first turn, and while it is rebuilt. */
  engine(): TurnEngine | null
  readonly open: Journal
  /** The mailbox has a call. */
  arrived(): void
  /** Answers a call that the journal has at `seq`. */
  answerAgain(invocation: Invocation, seq: number): void
}

interface ReceptionParts {
  readonly log: ActorLog
  readonly mailbox: Mailbox
  readonly queries: Queries
  readonly journal: TurnJournal
}

export class Reception {
  readonly #parts: ReceptionParts
  readonly #port: ReceptionPort
  readonly #inFlight: CallsInFlight

  constructor(parts: ReceptionParts, port: ReceptionPort) {
    this.#parts = parts
    this.#port = port
    this.#inFlight = new CallsInFlight(parts.log.key)
  }

  /** Resolves when the call's turn is durable. */
  call(head: CallHead): Promise<WitValue> {
    const { method, args, idempotencyKey, formerKey = null } = head
    const size = argumentsSize(args)
    const refusal = this.#refusal(head, size)
    if (refusal !== null) return Promise.reject(refusal)
    const { queries, journal } = this.#parts
    if (queries.has(method.name)) return queries.ask(this.#port.engine(), head, journal.tail)
    if (idempotencyKey !== null) {
      const first = this.#inFlight.join(idempotencyKey, method, args)
      if (first !== null) return first
    }
    const former = formerKey === null ? null : this.#inFlight.joinSame(formerKey, method, args)
    if (former !== null) return former
    const waiter = deferred<WitValue>()
    let known = idempotencyKey === null ? null : this.#find(idempotencyKey)
    if (formerKey !== null) {
      known = findEither(this.#parts.log, journal.tail, known, { method, args, formerKey })
      ignoreOutcome(known)
    }
    const invocation = new Invocation(head, waiter, known, this.#port.open, size)
    this.track(invocation, waiter.promise)
    this.#enqueue(invocation)
    return waiter.promise
  }

  /**
   * The outcome is there when the turn has ended. Rejects only when nobody knows it. `isNew`: the key was drawn at
   * random for this call and nobody has used it, so there is nothing to look for.
   */
  callLocally(
    head: CallHead,
    caller: LocalCaller,
    isNew: boolean,
  ): TurnOutcome | Promise<TurnOutcome> {
    const { method, args, idempotencyKey: key } = head
    const size = argumentsSize(args)
    const refusal = this.#refusal(head, size)
    if (refusal !== null) return outcomeOf(refusal)
    const { queries, journal } = this.#parts
    if (queries.has(method.name))
      return queries.callLocally(this.#port.engine(), head, journal.tail, caller)
    const mayBeKnown = key !== null && !isNew
    const first = mayBeKnown ? this.#inFlight.join(key, method, args) : null
    if (first !== null) return first.then(returned, outcomeOf)
    const waiter = new LocalWaiter(caller)
    const known = mayBeKnown ? this.#find(key) : null
    const invocation = new Invocation(head, waiter, known, this.#port.open, size)
    this.#enqueue(invocation)
    if (waiter.outcome !== null) return waiter.outcome
    // Until now it was this call that ran; a turn that has ended is found in the journal.
    this.track(invocation, waiter.durable)
    return waiter.ended
  }

  /** Retries of a call join it until `promise` has settled. */
  track(invocation: Invocation, promise: Promise<WitValue>): void {
    const { idempotencyKey: key } = invocation
    if (key !== null) this.#inFlight.track(key, invocation, promise)
  }

  /**
   * Answers a call that waits for its turn: from the journal when it has happened, else with `error`, and it does
   * not happen. False when its turn has begun, or no such call is here.
   */
  async giveUp(idempotencyKey: string, error: LoomError): Promise<boolean> {
    const invocation = this.#inFlight.waiting(idempotencyKey)
    if (invocation === null) return false
    let seq: number | null
    try {
      seq = await invocation.known
    } catch {
      // Its turn in the mailbox says so.
      return false
    }
    if (invocation.begun || invocation.givenUp) return invocation.givenUp
    invocation.givenUp = true
    if (seq === null) invocation.waiter.reject(error)
    else this.#port.answerAgain(invocation, seq)
    return true
  }

  #enqueue(invocation: Invocation): void {
    this.#parts.mailbox.push(invocation)
    this.#port.arrived()
  }

  #find(key: string): number | null | Promise<number | null> {
    const known = this.#parts.log.findIdempotent(key)
    if (isPromise(known)) ignoreOutcome(known)
    return known
  }

  /** Why a call cannot be queued, or null. */
  #refusal({ method, caller }: CallHead, sizeBytes: number): LoomError | null {
    const { log, mailbox } = this.#parts
    // Calls of other actors are few: each of those waits for its own.
    const full = this.#port.ended() ?? (caller === null ? mailbox.refusal(sizeBytes) : null)
    return full ?? argumentsError(log.key, method.name, sizeBytes)
  }
}

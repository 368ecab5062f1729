/**
 * Local calls: what an actor of this host is told of another's turn, before that turn is durable.
 *
 * Owns: the outcome as a value. Does not own: who may be told so early (activation.ts), what follows when the turn
 * is lost after all (shared-fate.ts).
 */
import { isLoomError, type LoomError } from '../base/errors.ts'
import type { ActorKey } from '../base/names.ts'
import { deferred, ignoreOutcome } from '../base/promises.ts'
import type { WitValue } from '../component/wit.ts'
import type { TurnOutcome } from '../journal/entry.ts'
import type { CallHead, CallWaiter } from './invocation.ts'
import type { JournalTail } from './journal-tail.ts'
import type { ActorProgram } from './program.ts'
import type { Place } from './shared-fate.ts'

/** The actor of this host that made a call, as its callee sees it. */
export interface LocalCaller {
  readonly name: string
  readonly tail: Pick<JournalTail, 'end' | 'restOn'>
}

/** An actor of this host, as those that call it and those that it calls see it. */
export interface LocalActor extends LocalCaller {
  readonly key: ActorKey
  readonly program: ActorProgram
  readonly queries: { has(method: string): boolean }
  /** True while it runs a turn that was cut off, perhaps before the embedder has registered all types. */
  readonly resumes: boolean
  /** False when its turns are lost. */
  readonly open: boolean
  callLocally(head: CallHead, caller: LocalCaller): TurnOutcome | Promise<TurnOutcome>
  giveUp(idempotencyKey: string, error: LoomError): Promise<boolean>
}

export const returned = (value: WitValue): TurnOutcome => ({ kind: 'returned', value })

/**
 * The failed outcome that an error stands for.
 * @throws the error itself when it does not say whether the turn happened.
 */
export function outcomeOf(error: unknown): TurnOutcome {
  if (!isLoomError(error) || isUndecided(error)) throw error
  return { kind: 'failed', code: error.code, message: error.message }
}

/** Whether the call may yet happen, or has happened, without anybody knowing. */
export function isUndecided(error: unknown): boolean {
  if (!isLoomError(error)) return false
  return error.kind === 'lost' || error.kind === 'fatal' || error.code === 'ERR_CLOSING'
}

export class LocalWaiter implements CallWaiter {
  /** Null until the turn has ended. */
  outcome: TurnOutcome | null = null
  readonly #ended = deferred<TurnOutcome>()
  readonly #durable = deferred<WitValue>()
  readonly #caller: LocalCaller
  readonly behind: Place

  constructor(caller: LocalCaller) {
    this.#caller = caller
    this.behind = caller.tail.end
    ignoreOutcome(this.#ended.promise)
    ignoreOutcome(this.#durable.promise)
  }

  /** The outcome, when the turn has ended. Rejects when nobody knows it. */
  get ended(): Promise<TurnOutcome> {
    return this.#ended.promise
  }

  /** As for a caller from outside. */
  get durable(): Promise<WitValue> {
    return this.#durable.promise
  }

  accept(outcome: TurnOutcome, place: Place): void {
    this.#caller.tail.restOn(place)
    this.#end(outcome)
  }

  #end(outcome: TurnOutcome): void {
    this.outcome = outcome
    this.#ended.resolve(outcome)
  }

  resolve(value: WitValue): void {
    this.#end(returned(value))
    this.#durable.resolve(value)
  }

  reject(error: unknown): void {
    this.#durable.reject(error)
    try {
      this.#end(outcomeOf(error))
    } catch {
      this.#ended.reject(error)
    }
  }
}

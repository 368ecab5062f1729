/**
 * Local calls: what an actor of this host is told of another's turn, before that turn is durable.
 *
 * Owns: the outcome as a value. Does not own: who may be told so early (activation.ts), what follows when the turn
 * is lost after all (shared-fate.ts).
 */
import { invariant, isLoomError, type LoomError } from '../../base/errors.ts'
import type { ActorKey } from '../../base/names.ts'
import { type Deferred, deferred, ignoreOutcome } from '../../base/promises.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import type { TurnOutcome } from '../../journal/entry.ts'
import type { JournalTail } from '../journal/journal-tail.ts'
import type { Place } from '../journal/shared-fate.ts'
import type { ActorProgram } from '../program/program.ts'
import type { CallHead, CallWaiter } from './invocation.ts'

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
  /** `isNew`: nobody can have used the call's key before. */
  callLocally(
    head: CallHead,
    caller: LocalCaller,
    isNew: boolean,
  ): TurnOutcome | Promise<TurnOutcome>
  /** Its running turn calls `callee` under `key`. */
  calls(callee: LocalActor, key: string): void
  /** Nobody will ask for the outcome of the call with `key` again. */
  forgetKey(key: string): void
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

/**
 * Waits for a turn of a callee. Most callees are free: then the outcome is there when the call returns, and nobody asks
 * for a promise.
 */
export class LocalWaiter implements CallWaiter {
  /** Null until the turn has ended. */
  outcome: TurnOutcome | null = null
  readonly behind: Place
  readonly #caller: LocalCaller
  #ended: Deferred<TurnOutcome> | null = null
  #durable: Deferred<WitValue> | null = null
  /** Why nobody knows the outcome, if so. */
  #undecided: { readonly error: unknown } | null = null

  constructor(caller: LocalCaller) {
    this.#caller = caller
    this.behind = caller.tail.end
  }

  /** The outcome, when the turn has ended. Rejects when nobody knows it. Of a turn that did not end at once. */
  get ended(): Promise<TurnOutcome> {
    this.#ended ??= this.#promised()
    return this.#ended.promise
  }

  /** As for a caller from outside. Of a turn that did not end at once. */
  get durable(): Promise<WitValue> {
    this.#durable ??= this.#promised()
    return this.#durable.promise
  }

  #promised<T>(): Deferred<T> {
    invariant(this.outcome === null, 'who knows the outcome does not wait for it')
    const promised = deferred<T>()
    ignoreOutcome(promised.promise)
    if (this.#undecided !== null) promised.reject(this.#undecided.error)
    return promised
  }

  accept(outcome: TurnOutcome, place: Place): void {
    this.#caller.tail.restOn(place)
    this.#end(outcome)
  }

  #end(outcome: TurnOutcome): void {
    this.outcome = outcome
    this.#ended?.resolve(outcome)
  }

  resolve(value: WitValue): void {
    if (this.outcome === null) this.#end(returned(value))
    this.#durable?.resolve(value)
  }

  reject(error: unknown): void {
    this.#durable?.reject(error)
    if (this.outcome !== null) return
    if (isLoomError(error) && !isUndecided(error)) {
      this.#end(outcomeOf(error))
      return
    }
    this.#undecided = { error }
    this.#ended?.reject(error)
  }
}

/**
 * TypeScript actors: the class that authors extend.
 *
 * Guarantee to authors: methods run one at a time, to their end, also when they await; a method that
 * throws leaves the state as it was; state that a returned method left is durable and comes back after
 * a crash. Everything else on the object (fields) lasts for one turn: each runs on a new object, so that
 * no turn can depend on what a crash or an eviction would have wiped out.
 */
import { LoomError } from '../base/errors.ts'
import { asJournaled } from '../journal/values.ts'

/** Whom to call. */
export interface ActorTarget {
  readonly type: string
  readonly id: string
}

/**
 * Keyed state: values beside `state`, for what is too large or too many to keep there. Read one by one; what a
 * turn writes is committed with it, or not at all when it fails. Values: plain data.
 * Keys: 1 to 512 bytes of UTF-8.
 */
export interface SimpleState {
  /** Undefined when there is none. Recorded. */
  get<T = unknown>(key: string): Promise<T | undefined>
  has(key: string): Promise<boolean>
  set(key: string, value: unknown): void
  delete(key: string): void
  /** Keys that begin with `prefix`, in the order of their bytes, behind `after`; at most `limit` (10,000). */
  keys(options?: {
    readonly prefix?: string
    readonly after?: string
    readonly limit?: number
  }): Promise<readonly string[]>
}

export interface ActorContext {
  readonly actorId: string
  readonly actorType: string
  readonly incarnation: string
  /** The caller's idempotency key, or a random id journaled with the turn. */
  invocationId(): string
  /** Wall-clock time, recorded. Units: milliseconds since 1970-01-01T00:00:00Z. */
  now(): number
  /** A uniform number in [0, 1), recorded. */
  random(): number
  /** A random UUID (version 4), recorded. */
  uuid(): string
  /** The actor that called, or null for a caller from outside. */
  readonly caller: ActorTarget | null
  /**
   * Calls another actor and waits. Its turn happens once, also when this one is cut off by a crash and run
   * again. Await it before the next call: calls are made one after the other.
   * @throws the callee's error (ERR_TRAP, ERR_ACTOR_FAILED, ...); ERR_DEADLOCK when the call comes back.
   */
  call<T = unknown>(target: ActorTarget, method: string, ...args: readonly unknown[]): Promise<T>
  /** Sends a message: run once after this turn is durable; not sent when this turn fails. */
  send(target: ActorTarget, method: string, ...args: readonly unknown[]): void
  /** As `send`, no sooner than `delayMs` milliseconds after this turn. */
  sendLater(delayMs: number, target: ActorTarget, method: string, ...args: readonly unknown[]): void
  readonly simpleState: SimpleState
  log(level: 'trace' | 'debug' | 'info' | 'warn' | 'error', message: string): void
}

/** Plain data: what survives a structured clone and holds no function. */
export type ActorState = Readonly<Record<string, unknown>>

/**
 * Base class of TypeScript actors. Every method of the subclass is callable, except those whose name
 * begins with `_`.
 */
export abstract class Actor<S extends ActorState = ActorState> {
  readonly context: ActorContext
  #state: S

  constructor(context: ActorContext, state: S) {
    this.context = context
    this.#state = deepFreeze(state)
  }

  /** Keyed state (see SimpleState). */
  get simpleState(): SimpleState {
    return this.context.simpleState
  }

  /** The state as of now, frozen in depth. Change it through `updateState`. */
  get state(): S {
    return this.#state
  }

  /**
   * Merges `change` (or what it returns) into the state. Discarded when the turn fails.
   * @throws ERR_ARGUMENT_TYPE when the change holds what cannot be kept: functions, symbols.
   */
  updateState(change: Partial<S> | ((state: S) => Partial<S>)): void {
    const patch = typeof change === 'function' ? change(this.#state) : change
    this.#state = deepFreeze({ ...this.#state, ...plainCopy(patch) })
  }
}

export interface ActorClass {
  new (context: ActorContext, state: never): Actor
  /** State of an actor that was never called. Default: an empty object. */
  readonly initialState?: ActorState
}

function plainCopy<T>(value: T): T {
  try {
    return asJournaled(value) as T
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new LoomError('ERR_ARGUMENT_TYPE', `state must be plain data: ${reason}`, {
      cause: error,
    })
  }
}

/** Stops at what is frozen already, so that its cost is that of the change. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  if (ArrayBuffer.isView(value)) return value
  Object.freeze(value)
  for (const item of Object.values(value)) deepFreeze(item)
  return value
}

/**
 * TypeScript actors: the class that authors extend.
 *
 * Guarantee to authors: methods run one at a time, to their end, also when they await; a method that
 * throws leaves the state as it was; state that a returned method left is durable and comes back after
 * a crash. Everything else on the object (fields) lasts for one turn: each runs on a new object, so that
 * no turn can depend on what a crash or an eviction would have wiped out.
 */
import { LoomError } from '../../base/errors.ts'
import { asJournaled, type Unkept } from '../../journal/values.ts'
import { frozen } from './frozen-state.ts'
import { Reach } from './typescript-calls.ts'

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

/** When a reminder or timer ticks. */
export interface TickOptions {
  /** A time (RFC 3339) or a duration (`1h30m`, `PT1H30M`). Default: at once. */
  readonly due?: string
  /** A duration, `R5/PT1M` (five ticks in all), `@every 1m`, or cron (`0 9 * * MON-FRI`). Default: one tick. */
  readonly period?: string
  /** A time, or a duration behind the first tick: no tick is due then or later. Default: none. */
  readonly ttl?: string
  /** Of ticks that nobody could run at their time: `once` for all of them, `skip`, or `all`. Default `once`. */
  readonly missed?: 'once' | 'skip' | 'all'
  /** Given to each tick. Plain data. */
  readonly data?: unknown
}

/** A reminder that is set. */
export interface ReminderDescription extends TickOptions {
  readonly name: string
  /** When its next tick is due. Units: milliseconds since 1970-01-01T00:00:00Z. */
  readonly dueAtMs: number
}

/**
 * Durable ticks: each is a turn of the method `receiveReminder(name, data)`, once, also over restarts. One that
 * fails is run again three times, a second apart; then it is given up, and the next one counts.
 */
export interface Reminders {
  /**
   * Sets a reminder, over one of the same name, when this turn is committed.
   * @throws ERR_OPTION, ERR_NAME; without a method `receiveReminder` the turn fails with ERR_METHOD_UNKNOWN.
   */
  set(name: string, options?: TickOptions): void
  /** There need not be one. */
  cancel(name: string): void
  /** In order of name, as the turns before this one have left them. Recorded. */
  list(): Promise<readonly ReminderDescription[]>
}

/**
 * Ticks that last as long as the actor is resident: gone after a restart or an eviction. Each is a turn of the
 * method `receiveTimer(name, data)`; one that fails is not run again.
 */
export interface Timers {
  /** Sets a timer, over one of the same name, when this turn is durable. @throws as Reminders.set */
  set(name: string, options?: TickOptions): void
  cancel(name: string): void
}

/** As the global `fetch` takes it, and no more than that. */
export interface FetchOptions {
  /** Default GET. In capitals. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** How long to wait for the whole response. Default, and at most: as the type says (FetchPolicy). */
  readonly timeoutMs?: number
}

/** A response that is there whole. */
export interface FetchAnswer {
  readonly status: number
  /** True for 200 to 299. */
  readonly ok: boolean
  /** Where it came from in the end, behind redirects. */
  readonly url: string
  /** In order of name, in small letters. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** All values of a header, joined by commas, or null. */
  header(name: string): string | null
  bytes(): Uint8Array
  text(): string
  json<T = unknown>(): T
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
  /**
   * Sends an HTTP request and waits for the whole response, which is recorded: a replay asks nobody. A turn that a
   * crash cut off meanwhile asks again, with the same `idempotency-key` header: the server may see it twice. Await
   * it before the next call.
   * @throws ERR_FETCH_DENIED  `fetch.allow` of the type does not list where it goes; nothing was sent there.
   * @throws ERR_FETCH         no response: data.reason is invalid, unreachable, timeout or too-large.
   */
  fetch(url: string | URL, options?: FetchOptions): Promise<FetchAnswer>
  readonly simpleState: SimpleState
  readonly reminders: Reminders
  readonly timers: Timers
  log(level: 'trace' | 'debug' | 'info' | 'warn' | 'error', message: string): void
}

/** Plain data: what survives a structured clone and holds no function, and no record with a key `__proto__`. */
export type ActorState = Readonly<Record<string, unknown>>

/**
 * Base class of TypeScript actors. Every method of the subclass is callable, except those whose name
 * begins with `_`. A method `execute(input)` also takes every message whose payload names no method.
 */
export abstract class Actor<S extends ActorState = ActorState> {
  readonly context: ActorContext
  #state: S

  constructor(context: ActorContext, state: S) {
    this.context = context
    this.#state = frozen(state)
  }

  /** Keyed state (see SimpleState). */
  get simpleState(): SimpleState {
    return this.context.simpleState
  }

  /** The state as of now, frozen in depth. Change it through `updateState`. Sets, dates and bytes are the turn's own. */
  get state(): S {
    return this.#state
  }

  /**
   * Merges `change` (or what it returns) into the state. Discarded when the turn fails.
   * @throws ERR_ARGUMENT_TYPE when the change holds what cannot be kept: functions, symbols, a key `__proto__`.
   */
  updateState(change: Partial<S> | ((state: S) => Partial<S>)): void {
    const patch = typeof change === 'function' ? change(this.#state) : change
    const unkept = Reach.unkeptOf(this.context)
    this.#state = frozen({ ...this.#state, ...plainState(patch, unkept) })
  }
}

export interface ActorClass {
  new (context: ActorContext, state: never): Actor
  /** State of an actor that was never called. Default: an empty object. */
  readonly initialState?: ActorState
  /** Methods that only look: they run beside the turn, on the state before it, and are not journaled. */
  readonly queries?: readonly string[]
}

/** A copy of a state, or of a change of it. @throws ERR_ARGUMENT_TYPE */
export function plainState<T>(value: T, unkept?: Unkept): T {
  try {
    return asJournaled(value, unkept) as T
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new LoomError('ERR_ARGUMENT_TYPE', `state must be plain data: ${reason}`, {
      cause: error,
    })
  }
}

/**
 * TypeScript actors: the class that authors extend.
 */
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
  log(level: 'trace' | 'debug' | 'info' | 'warn' | 'error', message: string): void
}

/** Anything that survives a structured clone and holds no function. */
export type ActorState = Readonly<Record<string, unknown>>

export abstract class Actor<S extends ActorState = ActorState> {
  readonly context: ActorContext
  #state: S

  constructor(context: ActorContext, state: S) {
    this.context = context
    this.#state = state
  }

  /** The state as of now; frozen. Change it through `updateState`. */
  get state(): S {
    return this.#state
  }

  /** Merges `change` (or what it returns) into the state. Discarded when the turn fails. */
  updateState(change: Partial<S> | ((state: S) => Partial<S>)): void {
    const patch = typeof change === 'function' ? change(this.#state) : change
    this.#state = Object.freeze({ ...this.#state, ...patch })
  }
}

export interface ActorClass {
  new (context: ActorContext, state: never): Actor
  /** State of an actor that was never called. Default: an empty object. */
  readonly initialState?: ActorState
}

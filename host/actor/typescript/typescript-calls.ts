/**
 * Calls of TypeScript actors: how what one run of a method asks of the host passes through the recorder.
 *
 * Owns: the end of a run. Does not own: recording (hostcalls/), which functions there are (typescript-context.ts).
 *
 * Invariants:
 *   TC1. What enters or leaves is copied as the journal gives it back, so that a live turn sees the very values that
 *        its replay will see, and nothing that an author does to a value changes what is recorded.
 *   TC2. A run that comes to a call which has to wait is over: the method runs again from its beginning when the
 *        answer is there (R5). Its code never learns of it: the promise that it awaits never settles.
 *   TC3. Code that goes on behind the end of its run (a promise that nobody awaited, a timer) reaches nothing, since
 *        another turn may be running: effects are dropped, promises never settle, what else it asks for is not
 *        recorded, and the state is the one that the method left. It may not fail either: nobody is there to catch that.
 *   TC4. What former builds took in another form fails a live turn, whatever its code does with the error; in replay it is
 *        taken as it was, so that their journals replay.
 */
import { LoomError } from '../../base/errors.ts'
import { ignoreOutcome } from '../../base/promises.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import type { HostCallContext } from '../../hostcalls/host-interface.ts'
import type { Recorder } from '../../hostcalls/recorder.ts'
import { type RecordableCall, Suspension } from '../../hostcalls/suspension.ts'
import type { Effect } from '../../journal/entry.ts'
import { asJournaled, copyJournaled, REFUSED, RENAMED, type Unkept } from '../../journal/values.ts'

const asIs = (result: unknown): WitValue => result as WitValue

type Perform = RecordableCall['perform']

/** running: next state waiting or over. waiting: came to a call that has to wait (TC2). over: the method has ended. */
type Stage = 'running' | 'waiting' | 'over'

export class Calls implements Unkept {
  readonly context: HostCallContext
  readonly #recorder: Recorder
  readonly #replaying: boolean
  #stage: Stage = 'running'
  #suspension: Suspension | null = null
  /** Ends the wait for the method (TC2). */
  #unwind: (suspension: Suspension) => void = () => {}
  #isTold = false

  constructor(context: HostCallContext, recorder: Recorder) {
    this.context = context
    this.#recorder = recorder
    this.#replaying = recorder.replaying
  }

  /** Position of the next recorded call in the turn. */
  get position(): number {
    return this.#recorder.position
  }

  /** The method has ended. */
  end(): void {
    if (this.#stage === 'running') this.#stage = 'over'
  }

  /**
   * What `leave` makes of the method's result, unless it comes to a call that has to wait first: rejects with the Suspension
   * then. `leave` is called when the run ends: before any other code that goes on.
   */
  ended<T, Left>(result: PromiseLike<T>, leave: (value: T) => Left): Promise<Left> {
    return new Promise((resolve, reject) => {
      this.#unwind = reject
      if (this.#suspension !== null) reject(this.#suspension)
      result.then(
        (value) => {
          try {
            resolve(leave(value))
          } catch (error) {
            reject(error)
          } finally {
            this.end()
          }
        },
        (error) => {
          this.end()
          reject(error)
        },
      )
    })
  }

  now(name: string, args: readonly WitValue[], perform: () => WitValue): WitValue {
    if (this.#isOver(name)) return perform()
    return this.#make('recorded', name, args, perform)
  }

  /** A promise, as the author awaits it. `copy`: of an object, so that the recorded one stays as it is (TC1). */
  later(
    kind: RecordableCall['kind'],
    name: string,
    args: readonly WitValue[],
    perform: Perform,
    copy: (recorded: WitValue) => WitValue = copyOf,
  ): Promise<WitValue> {
    if (this.#isOver(name)) return new Promise(() => {})
    try {
      return Promise.resolve(copy(this.#make(kind, name, args, perform)))
    } catch (error) {
      if (!(error instanceof Suspension)) return handled(Promise.reject(error))
      this.#stage = 'waiting'
      this.#suspension = error
      this.#unwind(error)
      return new Promise(() => {})
    }
  }

  effect(effect: Effect): void {
    if (!this.#isOver(effect.kind)) this.context.effect(effect)
  }

  /** TC4. Of code that reaches nothing any more (TC3) nothing is kept either. @throws ERR_ARGUMENT_TYPE */
  refuse(reason: string): void {
    if (this.#replaying || this.#stage !== 'running') return
    throw this.#recorder.fail(new LoomError('ERR_ARGUMENT_TYPE', reason))
  }

  /** TC4, of what the method leaves at its end: its code cannot catch that. */
  get atEnd(): Unkept {
    return this.#replaying ? RENAMED : REFUSED
  }

  log(level: string, message: string): void {
    if (this.#stage !== 'waiting' && this.context.live) this.context.log(level, message)
  }

  invocationId(): string {
    return this.#stage === 'running' ? this.context.invocationId() : this.context.random.id()
  }

  /** TC3. */
  #isOver(name: string): boolean {
    if (this.#stage === 'running') return false
    if (this.#stage === 'over' && !this.#isTold && !this.#replaying) {
      this.#isTold = true
      const advice = 'await whatever a method starts'
      this.context.log('error', `${name} was asked for behind the end of its turn: ${advice}`)
    }
    return true
  }

  #make(
    kind: RecordableCall['kind'],
    name: string,
    args: readonly WitValue[],
    perform: Perform,
  ): WitValue {
    const target = `loom:actor/context#${name}`
    return this.#recorder.call({ kind, target, args, perform, check: asIs }) as WitValue
  }
}

/** What the context of a run is made of, for the class that is given it; authors do not see it. */
export class Reach {
  readonly #calls: Calls

  constructor(calls: Calls) {
    this.#calls = calls
  }

  /** Undefined for a context that no host made. */
  static unkeptOf(context: object): Unkept | undefined {
    return #calls in context ? context.#calls : undefined
  }
}

/** A copy of a recorded value for its author (TC1). */
export function copyOf(value: WitValue): WitValue {
  return typeof value === 'object' && value !== null ? copyJournaled(value) : value
}

/** A promise whose rejection ends no process when nobody awaits it. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  ignoreOutcome(promise)
  return promise
}

/** Plain data as the journal gives it back (TC1). @throws ERR_ARGUMENT_TYPE */
export function plain(what: string, value: unknown, unkept?: Unkept): WitValue {
  try {
    return asJournaled(value, unkept) as WitValue
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new LoomError('ERR_ARGUMENT_TYPE', `${what}: expected plain data: ${reason}`)
  }
}

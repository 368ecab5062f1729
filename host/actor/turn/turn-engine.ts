/**
 * Turn engine: runs one turn of one actor at a time, live or replayed.
 *
 * Owns: the body, its recorder and the context of the running turn.
 * Does not own: the mailbox and the commit (activation.ts), reading the journal (recovery.ts).
 *
 * Invariants:
 *   T1. A turn that failed leaves no trace: the body is rolled back, or the engine is spoiled and is dropped.
 *   T2. A live turn and its replay see the same host-call results, the same invocation id and the same time.
 *   T3. After a divergence the engine is spoiled.
 *   T4. A turn that has to wait is parked (parked-turn.ts), or unwound and run again on a rebuilt engine from
 *       what it recorded. Either way its steps are the same.
 *   T5. The invocation id of a turn that waits is drawn when it first does: its opened entry holds it.
 */
import { finalCode, LoomError, toLoomError } from '../../base/errors.ts'
import { FAILURE_MESSAGE_LENGTH_MAX } from '../../base/limits.ts'
import { isPromise } from '../../base/promises.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import { type LivePorts, type OpenTurn, Recorder } from '../../hostcalls/recorder.ts'
import { Suspension } from '../../hostcalls/suspension.ts'
import { NO_EFFECTS, type RecordedCall, type TurnEntry } from '../../journal/entry.ts'
import { isSameValue } from '../../journal/values.ts'
import type { ActorBody, ActorMethod, ActorProgram } from '../program/program.ts'
import { DevelopmentCheck } from './development.ts'
import { DROPPED, ParkableTurn } from './parked-turn.ts'
import type { ParkedTurns } from './parked-turns.ts'
import { type EngineEnvironment, TurnContext } from './turn-context.ts'
import type { LiveTurn, ParkedTurn, SuspendedTurn, TurnPrefix, TurnStep } from './turn-step.ts'

export class TurnEngine {
  #body: ActorBody
  readonly #recorder: Recorder
  readonly #context: TurnContext
  readonly #parkedTurns: ParkedTurns | null
  /** What instantiation recorded. */
  readonly startCalls: readonly RecordedCall[]
  #spoiled = false
  /** The live turn, while it runs: kept longer, its caller's promise would live until the actor's next turn. */
  #turn: LiveTurn | null = null
  #parkable: ParkableTurn | null = null
  /** The running turn is one of the host's own (host-methods.ts). */
  #ownMethod = false
  /** Null but in development. */
  #check: DevelopmentCheck | null = null

  private constructor(
    body: ActorBody,
    recorder: Recorder,
    context: TurnContext,
    { parkedTurns }: EngineEnvironment,
    startCalls: readonly RecordedCall[],
  ) {
    this.startCalls = startCalls
    this.#body = body
    this.#recorder = recorder
    this.#context = context
    this.#parkedTurns = parkedTurns
  }

  /** Starts a new actor. `calls` is what instantiation recorded, for the created entry. */
  static startLive(
    program: ActorProgram,
    environment: EngineEnvironment,
  ): { readonly engine: TurnEngine; readonly calls: readonly RecordedCall[] } {
    const recorder = new Recorder(program.callLimits)
    recorder.beginLive()
    const context = new TurnContext(environment, recorder, program)
    try {
      const body = program.start(context, recorder)
      const calls = recorder.end()
      context.finish()
      const engine = new TurnEngine(body, recorder, context, environment, calls)
      engine.#checkTurns(program, environment, calls)
      return { engine, calls }
    } catch (error) {
      throw error instanceof Suspension ? waitsAtStart(error) : error
    }
  }

  /** Starts an actor as it was started first. @throws ERR_DIVERGENCE */
  static startReplay(
    program: ActorProgram,
    environment: EngineEnvironment,
    calls: readonly RecordedCall[],
  ): TurnEngine {
    const recorder = new Recorder(program.callLimits)
    recorder.beginReplay(calls)
    const context = new TurnContext(environment, recorder, program)
    const body = program.start(context, recorder)
    recorder.end()
    const engine = new TurnEngine(body, recorder, context, environment, calls)
    engine.#checkTurns(program, environment, calls)
    return engine
  }

  /** In development, as `calls` started the actor. */
  #checkTurns(
    program: ActorProgram,
    environment: EngineEnvironment,
    calls: readonly RecordedCall[],
  ): void {
    if (environment.development !== true || program.type !== 'typescript') return
    const replaying = { ...environment, development: false, ports: null, log: () => {} }
    this.#check = new DevelopmentCheck(() => TurnEngine.startReplay(program, replaying, calls))
  }

  /** True when the engine must be dropped and the actor rebuilt (T1, T3). */
  get spoiled(): boolean {
    return this.#spoiled
  }

  /** Runs a turn for the first time, or from its prefix on; never throws: a failure is an outcome. */
  runLive(turn: LiveTurn, prefix?: TurnPrefix): TurnStep | Promise<TurnStep> {
    if (this.#check === null) return this.#run(turn, prefix)
    return this.#runChecked(this.#check, turn, prefix)
  }

  /** Runs a query: nothing that it asks for happens, and the state that it leaves is of no use. */
  runQuery(turn: LiveTurn, prefix: TurnPrefix): TurnStep | Promise<TurnStep> {
    return this.#run(turn, prefix, QUERY)
  }

  async #runChecked(
    check: DevelopmentCheck,
    turn: LiveTurn,
    prefix: TurnPrefix | undefined,
  ): Promise<TurnStep> {
    const before = this.capture()
    const step = await this.#run(turn, prefix)
    if (step.kind !== 'finished' || this.#spoiled) return step
    const checked = await check.check(turn, step, before, this.stateHash())
    if (checked !== step) this.restore(before)
    return checked
  }

  #run(
    turn: LiveTurn,
    prefix: TurnPrefix | undefined,
    ports: LivePorts = this.#unparked,
  ): TurnStep | Promise<TurnStep> {
    const { method, args } = turn
    this.#turn = turn
    this.#context.begin(turn, prefix?.invocationId ?? null)
    if (this.#parkedTurns !== null && this.#body.parks(method))
      return this.#runParkable(this.#parkedTurns, method, args, prefix)
    this.#recorder.beginLive(prefix?.calls, ports)
    let value: WitValue | Promise<WitValue>
    try {
      value = this.#invoke(method, args)
    } catch (error) {
      return this.#failed(error)
    }
    if (isPromise(value)) return value.then((result) => this.#returned(result), this.#failed)
    return this.#returned(value)
  }

  #invoke(method: ActorMethod, args: readonly WitValue[]): WitValue | Promise<WitValue> {
    this.#ownMethod = method.perform !== undefined
    if (method.perform !== undefined) return method.perform(this.#context, args)
    return this.#body.invoke(method, args)
  }

  /** The state is the turn's, unless it was the host's own and touched none. */
  #accept(): void {
    if (!this.#ownMethod) this.#body.accept()
  }

  /** As `runLive`, so that the guest can be parked. */
  #runParkable(
    parkedTurns: ParkedTurns,
    method: ActorMethod,
    args: readonly WitValue[],
    prefix: TurnPrefix | undefined,
  ): Promise<TurnStep> {
    const turn = new ParkableTurn(parkedTurns, {
      suspended: (suspension, parked) =>
        this.#suspended(this.#recorder.recorded(), suspension, parked),
      unpark: (recorded) => this.#recorder.unpark(recorded),
      dropped: () => {
        this.#spoiled = true
        this.#body = DROPPED
      },
    })
    this.#parkable = turn
    this.#recorder.beginLive(prefix?.calls, { open: this.#open, park: turn.park })
    const run = async (): Promise<WitValue> => this.#invoke(method, args)
    run().then(
      (value) => turn.end(() => this.#returned(value)),
      (error) => turn.end(() => this.#failed(error)),
    )
    return turn.step
  }

  /** Gives up a turn that is parked, for good: its stack and its memory are freed. */
  drop(): void {
    this.#parkable?.drop()
  }

  #suspended(
    calls: readonly RecordedCall[],
    suspension: Suspension,
    parked: ParkedTurn | null,
  ): SuspendedTurn {
    this.#context.finish()
    const invocationId = this.#context.drawnInvocationId()
    return { kind: 'suspended', calls, invocationId, suspension, parked }
  }

  /**
   * Runs a journaled turn again and compares. A failed turn is passed over: it left no trace.
   * @throws ERR_DIVERGENCE (data: seq, expected, got)
   */
  replay(seq: number, entry: TurnEntry, method: ActorMethod): void | Promise<void> {
    const { outcome } = entry
    if (outcome.kind === 'failed') return undefined
    this.#recorder.beginReplay(entry.calls, entry.effects)
    this.#context.begin(entry, entry.invocationId)
    let value: WitValue | Promise<WitValue>
    try {
      value = this.#invoke(method, entry.args)
    } catch (error) {
      throw this.#diverged(seq, entry, error)
    }
    if (!isPromise(value)) return this.#compare(seq, entry, outcome.value, value)
    return value.then(
      (result) => this.#compare(seq, entry, outcome.value, result),
      (error) => {
        throw this.#diverged(seq, entry, error)
      },
    )
  }

  capture(): Uint8Array {
    return this.#body.capture()
  }

  /** @throws ERR_SNAPSHOT_CORRUPT */
  restore(image: Uint8Array): void {
    this.#body.restore(image)
  }

  stateHash(): string {
    return this.#body.stateHash()
  }

  /** Gives its instance back, if another actor may have it. The engine is not used again. */
  release(): void {
    if (!this.#spoiled) this.#body.release()
    this.#spoiled = true
  }

  /** The id is drawn before the entry that has to hold it. */
  readonly #open: OpenTurn = (calls) => {
    this.#turn?.open(calls, this.#context.drawnInvocationId())
  }
  readonly #unparked: LivePorts = { open: this.#open, park: null }

  #returned(value: WitValue): TurnStep {
    this.#turn = null
    try {
      const calls = this.#recorder.end()
      const { effects } = this.#recorder
      this.#accept()
      this.#context.finish()
      const outcome = { kind: 'returned', value } as const
      const invocationId = this.#context.ownInvocationId
      return { kind: 'finished', calls, effects, outcome, invocationId }
    } catch (error) {
      return this.#failed(error)
    }
  }

  readonly #failed = (thrown: unknown): TurnStep => {
    this.#turn = null
    const { calls, failure } = this.#recorder.abandon()
    const reason = failure ?? thrown
    if (!this.#ownMethod && !this.#body.rollback()) this.#spoiled = true
    if (reason instanceof Suspension) return this.#suspended(calls, reason, null)
    const invocationId = this.#context.ownInvocationId
    const error = toLoomError(reason)
    const message = shortened(this.#context.messageOf(error))
    const outcome = { kind: 'failed', code: finalCode(error), message } as const
    return { kind: 'finished', calls, effects: NO_EFFECTS, outcome, invocationId }
  }

  #compare(seq: number, entry: TurnEntry, expected: WitValue, got: WitValue): void {
    try {
      this.#recorder.end()
    } catch (error) {
      throw this.#diverged(seq, entry, error)
    }
    if (!isSameValue(expected, got)) throw this.#divergence(seq, entry, show(expected), show(got))
    this.#accept()
  }

  #diverged(seq: number, entry: TurnEntry, thrown: unknown): LoomError {
    const { failure } = this.#recorder.abandon()
    const error = toLoomError(failure ?? thrown)
    if (error.code === 'ERR_DIVERGENCE')
      return this.#divergence(seq, entry, String(error.data.expected), String(error.data.got))
    const outcome = entry.outcome.kind === 'returned' ? show(entry.outcome.value) : 'a failure'
    return this.#divergence(seq, entry, outcome, `${error.code}: ${error.message}`, error)
  }

  #divergence(
    seq: number,
    entry: TurnEntry,
    expected: string,
    got: string,
    cause?: LoomError,
  ): LoomError {
    this.#spoiled = true
    return new LoomError(
      'ERR_DIVERGENCE',
      `entry ${seq}, ${entry.method}: the journal has ${expected}, replay gives ${got}`,
      { cause, data: { seq, method: entry.method, expected, got } },
    )
  }
}

const QUERY: LivePorts = { open: null, park: null, query: true }

function waitsAtStart({ target }: Suspension): LoomError {
  return new LoomError(
    'ERR_HOST_CALL',
    `${target} has to wait, which is not possible while a component is instantiated`,
  )
}

/** A failure's message as it is journaled: a guest may panic with a megabyte. */
export function shortened(message: string): string {
  if (message.length <= FAILURE_MESSAGE_LENGTH_MAX) return message
  return `${message.slice(0, FAILURE_MESSAGE_LENGTH_MAX).toWellFormed()}…`
}

const SHOWN_LENGTH_MAX = 200

/** A value for a message. */
function show(value: WitValue): string {
  const text =
    JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? item.toString() : item)) ??
    'no value'
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text
}

/**
 * Turn context: what host functions may know of the running turn, and reach through it.
 *
 * Owns: the turn's ids, what it has written to keyed state, its log lines.
 * Does not own: recording (hostcalls/recorder.ts), what lies beyond the turn (ports.ts).
 */
import type { Clock } from '../../base/clock.ts'
import { isLoomError, LoomError } from '../../base/errors.ts'
import { type ActorKey, checkReminderName } from '../../base/names.ts'
import { isThenable } from '../../base/promises.ts'
import type { Random } from '../../base/random.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import type { FetchOutcome, FetchRequest } from '../../hostcalls/fetch.ts'
import type {
  ActorReads,
  HostCallContext,
  OutgoingCall,
  ReminderInfo,
} from '../../hostcalls/host-interface.ts'
import { HostResources } from '../../hostcalls/host-resources.ts'
import { LineLog, type StandardStream } from '../../hostcalls/line-log.ts'
import type { Recorder } from '../../hostcalls/recorder.ts'
import type { Effect, TurnOutcome } from '../../journal/entry.ts'
import type { ActorProgram } from '../program/program.ts'
import { tickMethod } from '../program/tick-methods.ts'
import type { RemindEffect } from '../ticks/reminder.ts'
import { parseSchedule } from '../ticks/schedule.ts'
import { callKey, mergeKeys } from './effects.ts'
import type { ParkedTurns } from './parked-turns.ts'
import type { TurnCaller } from './turn-step.ts'

export interface EngineEnvironment {
  readonly key: ActorKey
  readonly incarnation: string
  readonly clock: Clock
  readonly random: Random
  readonly log: (level: string, message: string) => void
  /** Null where turns that wait are always unwound. */
  readonly parkedTurns: ParkedTurns | null
  /** Run every turn of a TypeScript actor a second time and compare (development.ts). Default false. */
  readonly development?: boolean
  /** What lies beyond the turn; null where turns are only replayed. */
  readonly ports: ActorPorts | null
}

/** What a live turn reaches beyond itself. */
export interface ActorPorts extends ActorReads {
  /** `callId` is the same when a re-run of the turn makes the call again; `isNew` when this run is the first. */
  callActor(
    call: OutgoingCall,
    callId: string,
    isNew: boolean,
  ): TurnOutcome | PromiseLike<TurnOutcome>
  /** `callId` as above. */
  fetch(request: FetchRequest, callId: string): Promise<FetchOutcome>
}

const NOTHING_WRITTEN: ReadonlyMap<string, WitValue> = new Map()

export class TurnContext implements HostCallContext {
  readonly key: ActorKey
  readonly incarnation: string
  readonly clock: Clock
  readonly random: Random
  readonly log: (level: string, message: string) => void
  readonly #recorder: Recorder
  readonly #ports: ActorPorts | null
  readonly #program: ActorProgram
  /** What the running turn has written to keyed state; null when nothing. */
  #written: Map<string, WitValue> | null = null
  #inTurn = false
  /** The turn's invocation id is drawn at random in this run: it never ran before, and no call of it was made. */
  #drawsId = false
  caller: string | null = null
  idempotencyKey: string | null = null
  ownInvocationId: string | null = null
  lastWords: string | null = null
  readonly resources = new HostResources()
  /** Null until the guest writes: most never do. */
  #lines: LineLog | null = null

  constructor(environment: EngineEnvironment, recorder: Recorder, program: ActorProgram) {
    this.key = environment.key
    this.incarnation = environment.incarnation
    this.clock = environment.clock
    this.random = environment.random
    this.log = environment.log
    this.#recorder = recorder
    this.#ports = environment.ports
    this.#program = program
  }

  get live(): boolean {
    return this.#recorder.live
  }

  begin({ idempotencyKey, caller }: TurnCaller, invocationId: string | null): void {
    this.#inTurn = true
    this.#drawsId = idempotencyKey === null && invocationId === null
    this.#written = null
    this.caller = caller
    this.idempotencyKey = idempotencyKey
    this.ownInvocationId = invocationId
    this.lastWords = null
  }

  /** Instantiation is none: an id drawn then would be in no entry, and another one in replay (T2). */
  invocationId(): string {
    if (!this.#inTurn)
      throw new LoomError('ERR_HOST_CALL', 'there is no invocation while an actor is instantiated')
    if (this.idempotencyKey !== null) return this.idempotencyKey
    this.ownInvocationId ??= this.random.id()
    return this.ownInvocationId
  }

  effect(effect: Effect): void {
    if (!this.#inTurn)
      throw new LoomError('ERR_HOST_CALL', 'there are no effects while an actor is instantiated')
    if (effect.kind === 'remind' || effect.kind === 'timer') this.#checkTicks(effect)
    if (effect.kind.startsWith('cancel-'))
      checkReminderName((effect as { readonly name: string }).name)
    this.#recorder.effect(effect)
    if (effect.kind !== 'set' && effect.kind !== 'delete') return
    this.#written ??= new Map()
    this.#written.set(effect.key, effect.kind === 'set' ? effect.value : undefined)
  }

  /**
   * The texts follow from the turn and are checked in replay too. The method follows from the program, which may
   * have lost it since: a live turn without it fails, whatever the guest does.
   */
  #checkTicks({ kind, name, schedule }: RemindEffect): void {
    checkReminderName(name)
    parseSchedule(schedule)
    if (this.#recorder.replaying) return
    try {
      tickMethod(this.#program, kind)
    } catch (error) {
      throw isLoomError(error) ? this.#recorder.fail(error) : error
    }
  }

  readState(key: string): WitValue | PromiseLike<WitValue> {
    if (this.#written?.has(key)) return this.#written.get(key)
    return this.#reach().readState(key)
  }

  listState(
    prefix: string,
    after: string | null,
    countMax: number,
  ): readonly string[] | PromiseLike<readonly string[]> {
    const stored = this.#reach().listState(prefix, after, countMax + (this.#written?.size ?? 0))
    const written = this.#written ?? NOTHING_WRITTEN
    const isDeleted = (value: WitValue): boolean => value === undefined
    const merge = (keys: readonly string[]): readonly string[] =>
      mergeKeys(keys, written, isDeleted, prefix, after).slice(0, countMax)
    return isThenable(stored) ? stored.then(merge) : merge(stored)
  }

  listReminders(): readonly ReminderInfo[] | PromiseLike<readonly ReminderInfo[]> {
    return this.#reach().listReminders()
  }

  callActor(call: OutgoingCall): TurnOutcome | PromiseLike<TurnOutcome> {
    const callId = callKey(this.incarnation, this.#recorder.position, this.invocationId())
    return this.#reach().callActor(call, callId, this.#drawsId)
  }

  fetch(request: FetchRequest, index: number): Promise<FetchOutcome> {
    const callId = callKey(this.incarnation, index, this.invocationId())
    return this.#reach().fetch(request, callId)
  }

  #reach(): ActorPorts {
    if (this.#inTurn && this.#ports !== null) return this.#ports
    throw new LoomError(
      'ERR_HOST_CALL',
      'only a live turn reaches keyed state, other actors and servers',
    )
  }

  /** The id that the turn has a right to, drawn now if it was not yet (T5); null where the caller's key is it. */
  drawnInvocationId(): string | null {
    if (this.#inTurn) this.invocationId()
    return this.ownInvocationId
  }

  panic(message: string): void {
    this.lastWords = message
  }

  write(stream: StandardStream, bytes: Uint8Array): void {
    this.#lines ??= new LineLog(this.log)
    this.#lines.write(stream, bytes)
  }

  /** Ends the run of a turn: lines that it did not end are logged. */
  finish(): void {
    this.#lines?.finish()
  }

  /** As `finish`, and says why the turn failed, with what the guest said last. */
  messageOf(error: LoomError): string {
    const words = this.#lines?.finish() ?? ''
    if (this.lastWords !== null) return this.lastWords
    return error.code === 'ERR_TRAP' && words !== '' ? `${error.message}: ${words}` : error.message
  }
}

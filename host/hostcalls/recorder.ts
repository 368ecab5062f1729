/**
 * Recorder: the one door between a guest and the host. Live, it performs host calls and keeps the
 * recorded ones; in replay it answers them from the journal and compares.
 *
 * Owns: the host calls of the running turn. Does not own: the journal, the turn's outcome (actor/).
 *
 * Invariants:
 *   R1. In replay no recorded function is performed (J5).
 *   R2. The first mismatch in replay is kept and thrown again at the turn's end, so that a guest that
 *       catches exceptions cannot hide it (J4).
 *   R3. The same holds live for a host function that failed: the turn fails, whatever the guest does.
 *   R5. A call that has to wait parks the guest where it can be parked. Otherwise it unwinds the turn: a
 *       Suspension passes through the guest's frames, the instance is dropped, and the turn is run again from
 *       what it recorded, when the result is there. Both record the same.
 *   R6. What is recorded between two commits is never much more than an entry holds, names of functions included: a
 *       guest that asks for more is stopped at that call, before it fills the host's memory.
 *   R7. Effects are kept in the order in which the turn asked for them, and compared in replay as calls are.
 *   R4. A recorded result is checked against its WIT type before it is kept, so that the journal never
 *       holds a value that replay could not give to the guest.
 */
import { LoomError } from '../base/errors.ts'
import { ENTRY_SIZE_MAX_BYTES } from '../base/limits.ts'
import { ignoreOutcome, isThenable } from '../base/promises.ts'
import type { WitValue } from '../component/wit/wit.ts'
import { type Effect, NO_EFFECTS, type RecordedCall } from '../journal/entry.ts'
import { hashArguments, isSameValue } from '../journal/values.ts'
import {
  CALL_LIMITS,
  EFFECT_SIZE_BYTES,
  type HostCallLimits,
  refusedCall,
  sizeOf,
  tooMuch,
} from './call-limits.ts'
import { divergence, effectDivergence } from './divergence.ts'
import { recordedSize } from './recorded-size.ts'
import { hostCallError, type RecordableCall, type Suspension, suspensionOf } from './suspension.ts'

/**
 * Makes the journal hold what a live turn has recorded, ahead of whatever is committed next. Called in the
 * turn, before a call that others may see.
 */
export type OpenTurn = (calls: readonly RecordedCall[]) => void

/** Parks the guest: what its import returns. Null when the turn has to be unwound. */
export type Park = (suspension: Suspension) => Promise<WitValue> | null

/** How a live turn reaches its journal, and its stack. */
export interface LivePorts {
  readonly open: OpenTurn | null
  /** Null where the guest cannot be parked. */
  readonly park: Park | null
  /** Effects and calls of others are refused. Default false. */
  readonly query?: boolean
}

const NO_PORTS: LivePorts = { open: null, park: null }

/**
 * Next state: `idle` at `end`. A live turn that is run again first answers `resumed` calls from what it
 * recorded before, and is live behind them.
 */
type Mode =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'live'
      readonly recorded: RecordedCall[]
      readonly resumed: number
      readonly open: OpenTurn | null
      next: number
    }
  | {
      readonly kind: 'replay'
      readonly expected: readonly RecordedCall[]
      readonly effects: readonly Effect[]
      next: number
    }

const IDLE: Mode = { kind: 'idle' }
const NO_CALLS: readonly RecordedCall[] = Object.freeze([])

export class Recorder {
  readonly #limits: HostCallLimits
  #mode: Mode = IDLE
  #park: Park | null = null
  #query = false
  #failure: LoomError | Suspension | null = null
  #asked = false
  /** What the running turn has asked for; in replay, how many of the journal's it has. */
  #effects: Effect[] | null = null
  #effectsNext = 0
  /** Of what was recorded since `beginLive`; a lower bound of what it takes in an entry (R6). */
  #recordedSizeBytes = 0
  /** Of all that the running turn was told, whichever way (CL1). */
  #turnSizeBytes = 0

  constructor(limits: HostCallLimits = CALL_LIMITS) {
    this.#limits = limits
  }

  /** True while what happens has not happened before. */
  get live(): boolean {
    const mode = this.#mode
    return mode.kind === 'live' && mode.next >= mode.resumed
  }

  /** True while a journaled turn runs again. */
  get replaying(): boolean {
    return this.#mode.kind === 'replay'
  }

  /** True while the turn has asked the host for nothing, be it recorded or pure. */
  get quiet(): boolean {
    return !this.#asked
  }

  /** True while the turn runs on a stack that can be parked. */
  get parking(): boolean {
    return this.#park !== null
  }

  /** `resumed`: what the turn recorded before it was unwound. */
  beginLive(resumed: readonly RecordedCall[] = NO_CALLS, ports: LivePorts = NO_PORTS): void {
    const { open, park, query = false } = ports
    this.#park = park
    this.#query = query
    this.#recordedSizeBytes = 0
    this.#turnSizeBytes = 0
    const { length } = resumed
    this.#mode = { kind: 'live', recorded: [...resumed], resumed: length, open, next: 0 }
    this.#effects = null
    this.#failure = null
    this.#asked = false
  }

  /** What the turn has recorded so far. */
  recorded(): readonly RecordedCall[] {
    return this.#mode.kind === 'live' ? [...this.#mode.recorded] : NO_CALLS
  }

  /** The call that the guest is parked in has its result. */
  unpark(recorded: RecordedCall): void {
    const mode = this.#mode
    if (mode.kind !== 'live') throw new LoomError('ERR_INVARIANT', 'a turn that is over goes on')
    mode.recorded.push(recorded)
    mode.next++
    this.#turnSizeBytes += sizeOf(recorded.result)
    // What was recorded before is journaled: R6 counts anew, as it does when a turn is run again.
    this.#recordedSizeBytes = 0
  }

  beginReplay(expected: readonly RecordedCall[], effects: readonly Effect[] = NO_EFFECTS): void {
    this.#park = null
    this.#query = false
    this.#mode = { kind: 'replay', expected, effects, next: 0 }
    this.#effectsNext = 0
    this.#failure = null
    this.#asked = false
  }

  /** Makes the turn fail, whatever the guest does (R3); returns the error to throw. */
  fail(error: LoomError): LoomError {
    this.#failure ??= error
    return error
  }

  /** Position of the next recorded call in the turn. */
  get position(): number {
    return this.#mode.kind === 'idle' ? 0 : this.#mode.next
  }

  /** What the live turn that ended last asked for. */
  get effects(): readonly Effect[] {
    return this.#effects ?? NO_EFFECTS
  }

  /** Keeps an effect of a live turn; compares it with the journal's in replay. */
  effect(effect: Effect): void {
    const mode = this.#mode
    this.#asked = true
    if (this.#failure !== null) throw this.#failure
    if (mode.kind === 'idle')
      throw new LoomError('ERR_INVARIANT', `${effect.kind} was asked for outside of a turn`)
    if (this.#query) throw this.fail(queryError(`loom:actor#${effect.kind}`))
    if (mode.kind === 'live') this.#keep(effect)
    else this.#compareEffect(effect, mode.effects[this.#effectsNext++])
  }

  #keep(effect: Effect): void {
    const target = `loom:actor#${effect.kind}`
    this.#takeRoom(target, EFFECT_SIZE_BYTES + sizeOf(effect as unknown as WitValue))
    this.#effects ??= []
    this.#effects.push(effect)
  }

  /** R6. @throws ERR_HOST_CALLS */
  #takeRoom(target: string, sizeBytes: number): void {
    this.#recordedSizeBytes += sizeBytes
    if (this.#recordedSizeBytes > ENTRY_SIZE_MAX_BYTES) throw this.fail(tooMuch(target))
  }

  #compareEffect(effect: Effect, expected: Effect | undefined): void {
    if (isSameValue(effect, expected)) return
    this.#failure = effectDivergence(this.#effectsNext - 1, expected, effect)
    throw this.#failure
  }

  /** Ends the turn and returns its recorded calls. @throws what R2 and R3 kept. */
  end(): readonly RecordedCall[] {
    const mode = this.#mode
    const failure = this.#failure ?? unconsumed(mode) ?? this.#effectLeft(mode)
    this.#mode = IDLE
    this.#failure = null
    if (failure !== null) throw failure
    return mode.kind === 'live' ? mode.recorded : NO_CALLS
  }

  #effectLeft(mode: Mode): LoomError | null {
    if (mode.kind !== 'replay' || this.#effectsNext >= mode.effects.length) return null
    return effectDivergence(this.#effectsNext, mode.effects[this.#effectsNext], undefined)
  }

  /** Ends a turn that failed and returns what it had recorded, and what R2 and R3 kept. */
  abandon(): {
    readonly calls: readonly RecordedCall[]
    readonly failure: LoomError | Suspension | null
  } {
    const mode = this.#mode
    const failure = this.#failure
    this.#mode = IDLE
    this.#failure = null
    return { calls: mode.kind === 'live' ? mode.recorded : NO_CALLS, failure }
  }

  /**
   * Performs or answers one call of a recorded or awaiting function; a promise when the guest is parked.
   * @throws Suspension (R5)
   */
  call(call: RecordableCall): WitValue | Promise<WitValue> {
    const mode = this.#mode
    this.#asked = true
    if (this.#failure !== null) throw this.#failure
    const { target, args } = call
    if (mode.kind === 'live') {
      const expected = mode.next < mode.resumed ? mode.recorded[mode.next] : undefined
      if (expected === undefined) return this.#record(mode, call)
      this.#turnSizeBytes += sizeOf(expected.result)
      return this.#answer(mode, expected, target, hashArguments(args))
    }
    if (mode.kind === 'replay')
      return this.#answer(mode, mode.expected[mode.next], target, hashArguments(args))
    throw new LoomError('ERR_INVARIANT', `${target} was called outside of a turn`)
  }

  #record(mode: Mode & { kind: 'live' }, call: RecordableCall): WitValue | Promise<WitValue> {
    const { target, args, perform, check, kind } = call
    if (this.#query && kind !== 'recorded') throw this.fail(queryError(target))
    this.#checkLimits(mode, target, kind !== 'recorded')
    if (kind === 'awaiting') return this.#wait(suspensionOf(call, async () => perform()))
    if (kind === 'calling') this.#guard(target, () => mode.open?.(mode.recorded))
    const result = this.#guard(target, perform)
    if (isThenable(result)) {
      const started = Promise.resolve(result)
      ignoreOutcome(started)
      this.#checkLimits(mode, target, true)
      const suspension = suspensionOf(call, () => started)
      if (kind === 'calling') return this.#wait(suspension)
      throw this.#unwind(suspension)
    }
    const checked = this.#guard(target, () => check(result))
    const argsHash = hashArguments(args)
    this.#turnSizeBytes += sizeOf(checked)
    this.#takeRoom(target, recordedSize(target, argsHash, checked))
    mode.recorded.push({ target, argsHash, result: checked })
    mode.next++
    return checked
  }

  /** @throws ERR_HOST_CALLS */
  #checkLimits(mode: Mode & { kind: 'live' }, target: string, mayWait: boolean): void {
    const { length } = mode.recorded
    const refused = refusedCall(this.#limits, target, mayWait, length, this.#turnSizeBytes)
    if (refused !== null) throw this.fail(refused)
  }

  #wait(suspension: Suspension): Promise<WitValue> {
    const parked = this.#park === null ? null : this.#park(suspension)
    if (parked === null) throw this.#unwind(suspension)
    return parked
  }

  #unwind(suspension: Suspension): Suspension {
    this.#failure = suspension
    return suspension
  }

  /** Whether the journal has this call at this place. */
  holds(target: string, args: readonly WitValue[]): boolean {
    const mode = this.#mode
    if (mode.kind === 'idle') return false
    const expected = mode.kind === 'live' ? mode.recorded[mode.next] : mode.expected[mode.next]
    return expected?.target === target && expected.argsHash === hashArguments(args)
  }

  /** Performs a pure function: live and in replay alike. */
  callPure(target: string, perform: () => WitValue): WitValue {
    this.#asked = true
    if (this.#failure !== null) throw this.#failure
    return this.#guard(target, perform)
  }

  #guard<T>(target: string, perform: () => T): T {
    try {
      return perform()
    } catch (error) {
      // What the function has kept says more than that it threw (R2, R3).
      this.#failure ??= hostCallError(target, error)
      throw this.#failure
    }
  }

  #answer(
    mode: Mode & { kind: 'live' | 'replay' },
    expected: RecordedCall | undefined,
    target: string,
    argsHash: number,
  ): WitValue {
    if (expected?.target === target && expected.argsHash === argsHash) {
      mode.next++
      return expected.result
    }
    this.#failure = divergence(mode.next, expected, { target, argsHash })
    throw this.#failure
  }
}

function queryError(target: string): LoomError {
  return new LoomError('ERR_QUERY', `${target}: a query asks for no effects and calls nobody`)
}

function unconsumed(mode: Mode): LoomError | null {
  if (mode.kind === 'idle') return null
  const expected = mode.kind === 'live' ? mode.recorded : mode.expected
  const count = mode.kind === 'live' ? mode.resumed : mode.expected.length
  if (mode.next >= count) return null
  return divergence(mode.next, expected[mode.next], undefined)
}

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
 *   R6. What is recorded between two commits is never much more than an entry holds: a guest that asks for
 *       more is stopped at that call, before it fills the host's memory.
 *   R4. A recorded result is checked against its WIT type before it is kept, so that the journal never
 *       holds a value that replay could not give to the guest.
 */
import { isLoomError, LoomError } from '../base/errors.ts'
import { ENTRY_SIZE_MAX_BYTES } from '../base/limits.ts'
import { ignoreOutcome, isThenable } from '../base/promises.ts'
import type { HostFunction } from '../component/component.ts'
import { isStackOverflow, toFailure } from '../component/failure.ts'
import type { WitValue } from '../component/wit.ts'
import type { RecordedCall } from '../journal/entry.ts'
import { hashArguments } from '../journal/values.ts'
import type { HostCallContext, HostFunctionSpec } from './host-interface.ts'

/** Why a turn has to wait (R5). Not an error: nothing failed. */
export class Suspension {
  /** The function was known to wait before it was called: only such calls can park the guest. */
  readonly deferred: boolean
  readonly target: string
  readonly argsHash: number
  /** Makes the call, or waits for it when it was made; the result is checked (R4). Called once. */
  readonly result: () => Promise<WitValue>

  constructor({ deferred, target, args }: SuspendedCall, result: () => Promise<WitValue>) {
    this.deferred = deferred
    this.target = target
    this.argsHash = hashArguments(args)
    this.result = result
  }
}

type SuspendedCall = Pick<RecordableCall, 'deferred' | 'target' | 'args'>

/** Parks the guest: what its import returns. Null when the turn has to be unwound. */
export type Park = (suspension: Suspension) => Promise<WitValue> | null

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
      next: number
    }
  | { readonly kind: 'replay'; readonly expected: readonly RecordedCall[]; next: number }

const IDLE: Mode = { kind: 'idle' }
const NO_CALLS: readonly RecordedCall[] = Object.freeze([])

export class Recorder {
  #mode: Mode = IDLE
  #park: Park | null = null
  #failure: LoomError | Suspension | null = null
  #asked = false
  /** Of what was recorded since `beginLive`; a lower bound of what it takes in an entry (R6). */
  #recordedSizeBytes = 0

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

  /** `resumed`: what the turn recorded before it was unwound. `park`: the guest can be parked. */
  beginLive(resumed: readonly RecordedCall[] = NO_CALLS, park: Park | null = null): void {
    this.#park = park
    this.#recordedSizeBytes = 0
    this.#mode = { kind: 'live', recorded: [...resumed], resumed: resumed.length, next: 0 }
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
    // What was recorded before is journaled: R6 counts anew, as it does when a turn is run again.
    this.#recordedSizeBytes = 0
  }

  beginReplay(expected: readonly RecordedCall[]): void {
    this.#park = null
    this.#mode = { kind: 'replay', expected, next: 0 }
    this.#failure = null
    this.#asked = false
  }

  /** Ends the turn and returns its recorded calls. @throws what R2 and R3 kept. */
  end(): readonly RecordedCall[] {
    const mode = this.#mode
    const failure = this.#failure ?? unconsumed(mode)
    this.#mode = IDLE
    this.#failure = null
    if (failure !== null) throw failure
    return mode.kind === 'live' ? mode.recorded : NO_CALLS
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
      return this.#answer(mode, expected, target, hashArguments(args))
    }
    if (mode.kind === 'replay')
      return this.#answer(mode, mode.expected[mode.next], target, hashArguments(args))
    throw new LoomError('ERR_INVARIANT', `${target} was called outside of a turn`)
  }

  #record(mode: Mode & { kind: 'live' }, call: RecordableCall): WitValue | Promise<WitValue> {
    const { target, args, perform, check, deferred } = call
    if (deferred) return this.#wait(suspensionOf(call, async () => perform()))
    const result = this.#guard(target, perform)
    if (isThenable(result)) {
      const started = Promise.resolve(result)
      ignoreOutcome(started)
      throw this.#unwind(suspensionOf(call, () => started))
    }
    const checked = this.#guard(target, () => check(result))
    this.#recordedSizeBytes += CALL_SIZE_BYTES + sizeOf(checked)
    if (this.#recordedSizeBytes > ENTRY_SIZE_MAX_BYTES) {
      this.#failure = tooMuch(target)
      throw this.#failure
    }
    mode.recorded.push({ target, argsHash: hashArguments(args), result: checked })
    mode.next++
    return checked
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
      this.#failure = hostCallError(target, error)
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

function suspensionOf(call: RecordableCall, start: () => Promise<unknown>): Suspension {
  const { target, check } = call
  return new Suspension(call, async () => {
    try {
      return check(await start())
    } catch (error) {
      throw hostCallError(target, error)
    }
  })
}

/** A target, a hash and a result take at least this much in an entry. */
const CALL_SIZE_BYTES = 8

/** Bytes of strings and lists in a value; the rest is small. */
function sizeOf(value: WitValue): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 1
  if (ArrayBuffer.isView(value)) return value.byteLength
  let size = 1
  for (const item of Object.values(value as Record<string, WitValue>)) size += sizeOf(item)
  return size
}

function tooMuch(target: string): LoomError {
  return new LoomError(
    'ERR_OPTION',
    `${target}: what the turn was told by the host exceeds the ${ENTRY_SIZE_MAX_BYTES} bytes of a journal entry`,
  )
}

/** One call of a recorded or awaiting function, as its import makes it. */
export interface RecordableCall {
  readonly target: string
  readonly args: readonly WitValue[]
  readonly perform: () => WitValue | PromiseLike<unknown>
  readonly check: (result: unknown) => WitValue
  /** Do not perform before everything that led to the call is durable. */
  readonly deferred: boolean
}

type CallHead = Pick<RecordedCall, 'target' | 'argsHash'>

function describe(call: CallHead | undefined): string {
  if (call === undefined) return 'no further host call'
  return `${call.target} (arguments ${call.argsHash.toString(16).padStart(8, '0')})`
}

function divergence(
  call: number,
  expected: CallHead | undefined,
  got: CallHead | undefined,
): LoomError {
  return new LoomError(
    'ERR_DIVERGENCE',
    `host call ${call}: expected ${describe(expected)}, got ${describe(got)}`,
    { data: { call, expected: describe(expected), got: describe(got) } },
  )
}

function unconsumed(mode: Mode): LoomError | null {
  if (mode.kind === 'idle') return null
  const expected = mode.kind === 'live' ? mode.recorded : mode.expected
  const count = mode.kind === 'live' ? mode.resumed : mode.expected.length
  if (mode.next >= count) return null
  return divergence(mode.next, expected[mode.next], undefined)
}

/** A stack that is full is full of the guest's frames (component/failure.ts F3). */
function hostCallError(target: string, error: unknown): LoomError {
  if (isLoomError(error) && (error.code === 'ERR_HOST_CALL' || error.code === 'ERR_TRAP'))
    return error
  if (isStackOverflow(error)) return toFailure(error, target)
  const message = error instanceof Error ? error.message : String(error)
  return new LoomError('ERR_HOST_CALL', `${target} failed: ${message}`, { cause: error })
}

const asRecorded = (result: unknown): WitValue => result as WitValue

/** Binds `spec` for one instance: what the guest's import calls. */
export function bindHostFunction(
  recorder: Recorder,
  context: HostCallContext,
  target: string,
  spec: HostFunctionSpec,
  check: (result: unknown) => WitValue,
): HostFunction {
  if (spec.kind === 'pure')
    return (...args) => recorder.callPure(target, () => spec.perform(context, args) as WitValue)
  const deferred = spec.kind === 'awaiting'
  const { derive } = spec
  if (derive !== undefined)
    return (...args) => {
      const perform = (): WitValue | PromiseLike<unknown> => spec.perform(context, args)
      const call = { target, args, perform, check: asRecorded, deferred }
      const given = (recorded: WitValue): WitValue =>
        recorder.callPure(target, () => derive(context, recorded))
      const recorded = recorder.call(call)
      return recorded instanceof Promise ? recorded.then(given) : given(recorded as WitValue)
    }
  return (...args) => {
    const perform = (): WitValue | PromiseLike<unknown> => spec.perform(context, args)
    return recorder.call({ target, args, perform, check, deferred })
  }
}

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
 *   R4. A recorded result is checked against its WIT type before it is kept, so that the journal never
 *       holds a value that replay could not give to the guest.
 */
import { isLoomError, LoomError } from '../base/errors.ts'
import type { WitValue } from '../component/wit.ts'
import type { RecordedCall } from '../journal/entry.ts'
import { hashArguments } from '../journal/values.ts'
import type { HostCallContext, HostFunctionSpec } from './host-interface.ts'

/** Next state: `idle` at `end`. */
type Mode =
  | { readonly kind: 'idle' }
  | { readonly kind: 'live'; readonly recorded: RecordedCall[] }
  | { readonly kind: 'replay'; readonly expected: readonly RecordedCall[]; next: number }

const IDLE: Mode = { kind: 'idle' }
const NO_CALLS: readonly RecordedCall[] = Object.freeze([])

export class Recorder {
  #mode: Mode = IDLE
  #failure: LoomError | null = null

  get live(): boolean {
    return this.#mode.kind === 'live'
  }

  /** True while the turn has made no recorded call. */
  get quiet(): boolean {
    const mode = this.#mode
    if (mode.kind === 'live') return mode.recorded.length === 0
    return mode.kind === 'idle' || mode.next === 0
  }

  beginLive(): void {
    this.#mode = { kind: 'live', recorded: [] }
    this.#failure = null
  }

  beginReplay(expected: readonly RecordedCall[]): void {
    this.#mode = { kind: 'replay', expected, next: 0 }
    this.#failure = null
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
  abandon(): { readonly calls: readonly RecordedCall[]; readonly failure: LoomError | null } {
    const mode = this.#mode
    const failure = this.#failure
    this.#mode = IDLE
    this.#failure = null
    return { calls: mode.kind === 'live' ? mode.recorded : NO_CALLS, failure }
  }

  /** Performs or answers one call of a recorded function. */
  call(
    target: string,
    perform: () => WitValue,
    args: readonly WitValue[],
    check: (result: unknown) => WitValue,
  ): WitValue {
    const mode = this.#mode
    if (this.#failure !== null) throw this.#failure
    if (mode.kind === 'live') {
      const result = this.#guard(target, () => check(perform()))
      mode.recorded.push({ target, argsHash: hashArguments(args), result })
      return result
    }
    if (mode.kind === 'replay') return this.#answer(mode, target, hashArguments(args))
    throw new LoomError('ERR_INVARIANT', `${target} was called outside of a turn`)
  }

  /** Performs a pure function: live and in replay alike. */
  callPure(target: string, perform: () => WitValue): WitValue {
    if (this.#failure !== null) throw this.#failure
    return this.#guard(target, perform)
  }

  #guard(target: string, perform: () => WitValue): WitValue {
    try {
      return perform()
    } catch (error) {
      this.#failure = hostCallError(target, error)
      throw this.#failure
    }
  }

  #answer(mode: Mode & { kind: 'replay' }, target: string, argsHash: number): WitValue {
    const expected = mode.expected[mode.next]
    if (expected?.target === target && expected.argsHash === argsHash) {
      mode.next++
      return expected.result
    }
    this.#failure = divergence(mode.next, expected, { target, argsHash })
    throw this.#failure
  }
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
  if (mode.kind !== 'replay' || mode.next === mode.expected.length) return null
  return divergence(mode.next, mode.expected[mode.next], undefined)
}

function hostCallError(target: string, error: unknown): LoomError {
  if (isLoomError(error) && error.code === 'ERR_HOST_CALL') return error
  const message = error instanceof Error ? error.message : String(error)
  return new LoomError('ERR_HOST_CALL', `${target} failed: ${message}`, { cause: error })
}

/** Binds `spec` for one instance: what the guest's import calls. */
export function bindHostFunction(
  recorder: Recorder,
  context: HostCallContext,
  target: string,
  spec: HostFunctionSpec,
  check: (result: unknown) => WitValue,
): (...args: WitValue[]) => WitValue {
  if (spec.kind === 'pure')
    return (...args) => recorder.callPure(target, () => spec.perform(context, args))
  return (...args) => recorder.call(target, () => spec.perform(context, args), args, check)
}

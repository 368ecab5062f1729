/**
 * Turn step: how far a turn has come when its engine gives it out of its hands.
 *
 * Next state of a suspended turn: suspended again or finished, by `resume` or by a run from its prefix.
 */
import type { WitValue } from '../../component/wit/wit.ts'
import type { Suspension } from '../../hostcalls/suspension.ts'
import type { Effect, RecordedCall, TurnOutcome } from '../../journal/entry.ts'
import type { ActorMethod } from '../program/program.ts'

/** Who asks for a turn, and under which key. */
export interface TurnCaller {
  readonly idempotencyKey: string | null
  /** The actor that called, as `type/id`. */
  readonly caller: string | null
}

/** What is run, and how the journal is made to hold it before it has ended. */
export interface LiveTurn extends TurnCaller {
  readonly method: ActorMethod
  readonly args: readonly WitValue[]
  /** Appends what the turn has recorded: `calls` from its beginning on. @throws ERR_OPTION */
  open(calls: readonly RecordedCall[], invocationId: string | null): void
}

export interface TurnResult {
  readonly kind: 'finished'
  readonly calls: readonly RecordedCall[]
  readonly effects: readonly Effect[]
  readonly outcome: TurnOutcome
  readonly invocationId: string | null
  /** In development: the turn ended, and its replay differed. */
  readonly unfaithful?: true
}

/** The turn came to a call that has to wait (T4). */
export interface SuspendedTurn {
  readonly kind: 'suspended'
  /** Everything recorded before that call. */
  readonly calls: readonly RecordedCall[]
  readonly invocationId: string | null
  readonly suspension: Suspension
  /** Where the guest is parked; null when it was unwound, and the engine is spoiled. */
  readonly parked: ParkedTurn | null
}

export type TurnStep = TurnResult | SuspendedTurn

/** What a turn had recorded when it was unwound, and goes on from. */
export interface TurnPrefix {
  readonly calls: readonly RecordedCall[]
  readonly invocationId: string | null
}

export interface ParkedTurn {
  /** Gives the guest its answer; resolves with the next step. Null when the turn was dropped. */
  resume(recorded: RecordedCall): Promise<TurnStep> | null
  /** Gives the turn up (PD1). */
  drop(): void
}

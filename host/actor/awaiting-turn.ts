/**
 * Awaiting turns: a turn that waits for a host call, parked or unwound and run again.
 *
 * Guarantee: an awaiting call is made only when everything that led to it is durable; its result is
 * journaled before the turn that used it is answered. After a crash at any point the turn is run again
 * from what the journal has; a call whose result is not there is made again.
 *
 * Whether the guest is parked meanwhile or run again from the start, the journal is the same.
 *
 * Owns: the sequence opened -> call -> continued -> call -> ... of one turn. Does not own: the commit,
 * the engine's rebuilding, and the turn's closed entry (activation.ts).
 */
import { isLoomError } from '../base/errors.ts'
import type { RecordedCall, TurnHead, TurnPart } from '../journal/entry.ts'
import type { ActorMethod } from './program.ts'
import { shortened, type TurnEngine } from './turn-engine.ts'
import type { TurnPrefix, TurnResult, TurnStep } from './turn-step.ts'

export interface AwaitingPort {
  readonly wallMs: () => number
  /**
   * Appends one entry; resolves with its seq when it is durable.
   * @throws ERR_OPTION at once, when the entry is too large; nothing was appended.
   */
  readonly commit: (part: TurnPart) => Promise<number>
  /** @throws why the turn must not go on, when its activation broke while it waited. */
  readonly check: () => void
  /** An engine with the state before the open turn. */
  readonly rebuild: () => Promise<TurnEngine>
}

export interface AwaitingTurn {
  readonly method: ActorMethod
  readonly head: Pick<TurnHead, 'idempotencyKey' | 'method' | 'args'>
  /** Null when nothing of the turn is journaled yet. */
  readonly openedSeq: number | null
  /** How many of its calls the journal has. */
  readonly journaledCount: number
}

/** A turn that has to be closed in the journal. */
export interface OpenedTurn {
  readonly openedSeq: number
  /** What the closed entry has to add to the journal. */
  readonly callsLeft: readonly RecordedCall[]
}

export interface AwaitedTurn {
  readonly result: TurnResult
  /** Null when the turn failed before anything of it was journaled. */
  readonly openedSeq: number | null
  readonly callsLeft: readonly RecordedCall[]
}

/** Drives a turn from `step` to its end. @throws what `commit` and `rebuild` throw. */
export async function driveAwaitingTurn(
  port: AwaitingPort,
  turn: AwaitingTurn,
  first: TurnStep,
): Promise<AwaitedTurn> {
  let step = first
  let { openedSeq, journaledCount } = turn
  while (step.kind === 'suspended') {
    const calls = step.calls.slice(journaledCount)
    const { invocationId, suspension, parked } = step
    const atMs = port.wallMs()
    let committed: Promise<number> | null = null
    try {
      if (openedSeq === null)
        committed = port.commit({ kind: 'opened', atMs, invocationId, ...turn.head, calls })
      else if (calls.length > 0) committed = port.commit({ kind: 'continued', atMs, calls })
    } catch (error) {
      parked?.drop()
      return { result: failedTurn(step, error), openedSeq, callsLeft: [] }
    }
    const seq = await committed
    openedSeq ??= seq
    journaledCount = step.calls.length
    const { target, argsHash } = suspension
    let recorded: RecordedCall
    try {
      recorded = { target, argsHash, result: await suspension.result() }
    } catch (error) {
      parked?.drop()
      return { result: failedTurn(step, error), openedSeq, callsLeft: [] }
    }
    port.check()
    const resumed = parked?.resume(recorded) ?? null
    if (resumed !== null) {
      step = await resumed
      continue
    }
    const prefix: TurnPrefix = { calls: [...step.calls, recorded], invocationId }
    const engine = await port.rebuild()
    step = await engine.runLive(turn.method, turn.head.args, turn.head.idempotencyKey, prefix)
  }
  return { result: step, openedSeq, callsLeft: step.calls.slice(journaledCount) }
}

/** The turn whose awaited call failed. */
function failedTurn(step: TurnPrefix, error: unknown): TurnResult {
  const code = isLoomError(error) ? error.code : 'ERR_HOST_CALL'
  const message = shortened(error instanceof Error ? error.message : String(error))
  const { calls, invocationId } = step
  return { kind: 'finished', calls, invocationId, outcome: { kind: 'failed', code, message } }
}

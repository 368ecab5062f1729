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
 *
 * Invariant AT1: a call of which nobody knows whether it happened is no failure of the turn: the activation
 * breaks, the turn stays open in the journal, and is run again.
 */

import { finalCode } from '../../base/errors.ts'
import { NO_EFFECTS, type RecordedCall } from '../../journal/entry.ts'
import { isUndecided } from '../mailbox/local-call.ts'
import { shortened, type TurnEngine } from '../turn/turn-engine.ts'
import type { LiveTurn, TurnPrefix, TurnResult, TurnStep } from '../turn/turn-step.ts'

export interface AwaitingPort {
  /**
   * Makes the journal hold `calls`; resolves when that is durable.
   * @throws ERR_OPTION at once, when the entry is too large; nothing was appended.
   */
  journal(calls: readonly RecordedCall[], invocationId: string | null): Promise<void>
  /** @throws why the turn must not go on, when its activation broke while it waited. */
  check(): void
  /** An engine with the state before the open turn. */
  rebuild(): Promise<TurnEngine>
}

/** Drives a turn from `step` to its end. @throws what the port throws, and AT1. */
export async function driveAwaitingTurn(
  port: AwaitingPort,
  turn: LiveTurn,
  first: TurnStep,
): Promise<TurnResult> {
  let step = first
  while (step.kind === 'suspended') {
    const { calls, invocationId, suspension, parked } = step
    let durable: Promise<void>
    try {
      durable = port.journal(calls, invocationId)
    } catch (error) {
      parked?.drop()
      return failedTurn(step, error)
    }
    if (suspension.kind !== 'calling') await durable
    const { target, argsHash } = suspension
    let recorded: RecordedCall
    try {
      recorded = { target, argsHash, result: await suspension.result() }
    } catch (error) {
      parked?.drop()
      if (isUndecided(error)) throw error
      return failedTurn(step, error)
    }
    port.check()
    const resumed = parked?.resume(recorded) ?? null
    if (resumed !== null) {
      step = await resumed
      continue
    }
    const engine = await port.rebuild()
    step = await engine.runLive(turn, { calls: [...calls, recorded], invocationId })
  }
  return step
}

/** The turn whose awaited call failed. */
function failedTurn(step: TurnPrefix, error: unknown): TurnResult {
  const code = finalCode(error)
  const message = shortened(error instanceof Error ? error.message : String(error))
  const { calls, invocationId } = step
  const outcome = { kind: 'failed', code, message } as const
  return { kind: 'finished', calls, effects: NO_EFFECTS, invocationId, outcome }
}

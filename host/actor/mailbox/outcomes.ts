/**
 * Outcomes: what callers are told of turns, commits and recoveries.
 */
import { ERRORS, type ErrorCode, isLoomError, LoomError } from '../../base/errors.ts'
import { BUSY_RETRY_AFTER_MS } from '../../base/limits.ts'
import { type ActorKey, formatActorKey } from '../../base/names.ts'
import type { TurnOutcome } from '../../journal/entry.ts'
import type { TurnResult } from '../turn/turn-step.ts'
import type { CallWaiter } from './invocation.ts'

/** Answers a call with its turn's outcome. */
export function settle(waiter: CallWaiter, outcome: TurnOutcome): void {
  if (outcome.kind === 'returned') waiter.resolve(outcome.value)
  else waiter.reject(failureOf(outcome))
}

/** What `failureOf` has made. */
const failures = new WeakSet<object>()

export function failureOf({ code, message }: TurnOutcome & { kind: 'failed' }): LoomError {
  const error = new LoomError(knownCode(code), message)
  failures.add(error)
  return error
}

/** The turn ran and failed, for good; whatever its code says. Any other error says that nobody knows, or that it did not run. */
export function isTurnFailure(error: unknown): boolean {
  return typeof error === 'object' && error !== null && failures.has(error)
}

/** A code read from a journal; one of a later version is still a guest's failure. */
function knownCode(code: string): ErrorCode {
  return Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'ERR_TRAP'
}

/** What callers get when their turn's commit failed. */
export function commitError(key: ActorKey, error: unknown): LoomError {
  if (isLoomError(error) && error.code !== 'ERR_STORE') return error
  const reason = error instanceof Error ? error.message : String(error)
  return new LoomError(
    'ERR_COMMIT',
    `${formatActorKey(key)}: whether the turn is durable is unknown: ${reason}`,
    { cause: error },
  )
}

/** What a retry gets whose first call was given up, with a part of the journal, while it waited. */
export function forgotten(key: ActorKey): LoomError {
  const message = `${formatActorKey(key)}: the key was just forgotten; ask again`
  return new LoomError('ERR_BUSY', message, { data: { retryAfterMs: BUSY_RETRY_AFTER_MS } })
}

/** What damages or diverges keeps everything and refuses turns; other errors pass. */
export function quarantine(key: ActorKey, error: unknown): unknown {
  const cause = isLoomError(error) ? error : null
  if (cause === null || (cause.kind !== 'corrupt' && cause.kind !== 'divergence')) return error
  return new LoomError(
    'ERR_QUARANTINED',
    `${formatActorKey(key)} is quarantined: ${cause.message}`,
    { cause, data: { ...cause.data, reason: cause.code } },
  )
}

/** An open turn that does not go as its journal says is not a failed turn: nobody knows what it is. */
export function refuseDivergence(key: ActorKey, { outcome, unfaithful }: TurnResult): void {
  // What the check in development refused has gone as its journal says.
  if (unfaithful === true) return
  if (outcome.kind === 'failed' && outcome.code === 'ERR_DIVERGENCE')
    throw quarantine(key, new LoomError('ERR_DIVERGENCE', outcome.message))
}

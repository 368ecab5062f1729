/**
 * Failure: what went wrong while a guest ran, and whose fault it was.
 *
 * Owns: the translation of what the engine throws into the error table, and the first failure of a run.
 * Does not own: what becomes of the instance (instantiate.ts).
 *
 * Invariants:
 *   F1. What a host function threw leaves unchanged, the same object; everything else that leaves is a
 *       LoomError.
 *   F2. The first failure of a run wins, also when the guest caught the exception and went on.
 *   F4. When the guest was stopped by a limit, that is the failure, whatever it looks like to the engine.
 *   F3. Exhausting the stack is the guest's fault wherever on its stack it was noticed.
 */
import { isLoomError, LoomError } from '../../base/errors.ts'
import type { Meter } from '../core/meter.ts'
import { STACK_USED_UP, trapError } from '../refuse.ts'
import { AbiTrap } from './abi.ts'

/** The run of one instance, shared by its imports and exports. */
export interface Run {
  failure: { readonly error: unknown } | null
  readonly meter: Meter
}

/** Keeps the first failure of a run and returns what to throw (F2, F4). */
export function fail(run: Run, error: unknown): unknown {
  run.failure ??= { error: run.meter.stopped(placeOf(error)) ?? error }
  return run.failure.error
}

function placeOf(error: unknown): string {
  const place = isLoomError(error) ? error.data.function : undefined
  return typeof place === 'string' ? place : 'the guest'
}

export function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('call stack')
}

/** How a TypeError of Node 26 begins when the stack is full at an `instanceof`, as those of the binder (F3). */
const FULL_STACK_IN_INSTANCEOF = "Right-hand side of 'instanceof' is not"

/** What the engine or the binder threw while `where` ran, as a LoomError. */
export function toFailure(error: unknown, where: string): LoomError {
  if (error instanceof LoomError) return error
  if (error instanceof AbiTrap) return trapError(where, error.message)
  if (error instanceof WebAssembly.RuntimeError) return trapError(where, error.message, error)
  if (isStackOverflow(error)) return trapError(where, STACK_USED_UP, error)
  if (error instanceof RangeError)
    return trapError(where, `a value is too large: ${error.message}`, error)
  if (Object.prototype.toString.call(error) === '[object WebAssembly.Exception]')
    return trapError(where, 'the guest threw an exception that nothing caught', error)
  const message = error instanceof Error ? error.message : String(error)
  if (message.startsWith(FULL_STACK_IN_INSTANCEOF)) return trapError(where, STACK_USED_UP, error)
  return new LoomError('ERR_INVARIANT', `${where}: ${message}`, { cause: error })
}

/** What a host function threw (F1, F3), or the lifting of its scalars. */
export function toHostFailure(error: unknown, where: string): unknown {
  return error instanceof AbiTrap || isStackOverflow(error) ? toFailure(error, where) : error
}

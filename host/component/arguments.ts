/**
 * Arguments: values from JavaScript callers and host functions are checked against their WIT types.
 *
 * Owns: what a caller may pass for each type, and the messages when it does not fit.
 * Does not own: the values' form inside (wit.ts), JSON (json.ts).
 *
 * Invariants:
 *   AR1. What is returned is in the canonical form of wit.ts, built anew for records, variants and lists
 *        of them, so that getters and later changes of the caller's objects are never seen by the guest.
 *        Typed arrays are passed on without a copy.
 *   AR2. All checks come before the guest runs; a value that passed can be lowered without failing.
 *
 * Source: Component Model Explainer.md, "JavaScript Embedding" (stricter: nothing is coerced but safe
 * integers for 64-bit types, arrays for lists of numbers and null for none).
 */
import { LoomError } from '../base/errors.ts'
import { VALUE_SIZE_MAX_BYTES } from '../base/limits.ts'
import { type Check, checkerOf, describe, Mismatch, startPath } from './check.ts'
import type { WitFunction, WitType, WitValue } from './wit.ts'

const known = new WeakMap<WitFunction, readonly Check[]>()
let lastFunc: WitFunction | undefined
let lastChecks: readonly Check[] = []

function checksOf(func: WitFunction): readonly Check[] {
  if (func === lastFunc) return lastChecks
  let checks = known.get(func)
  if (checks === undefined) {
    checks = func.params.map((param) => checkerOf(param.type))
    known.set(func, checks)
  }
  lastFunc = func
  lastChecks = checks
  return checks
}

/**
 * Validates arguments against a function's WIT types.
 * @throws ERR_ARGUMENT_COUNT, ERR_ARGUMENT_TYPE naming the parameter, the path in it, expected and got.
 */
export function checkArguments(func: WitFunction, args: readonly unknown[]): WitValue[] {
  const checks = checksOf(func)
  const { length } = checks
  if (args.length !== length) throw countError(func, args.length)
  const values: WitValue[] = []
  for (let index = 0; index < length; index++) {
    const check = checks[index]
    if (check !== undefined) values.push(checkOne(func, index, check, args[index]))
  }
  return values
}

function checkOne(func: WitFunction, index: number, check: Check, arg: unknown): WitValue {
  startPath()
  try {
    return check(arg)
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error
    const name = func.params[index]?.name ?? ''
    throw mismatchError(`argument ${index + 1} "${name}"`, name, error)
  }
}

/** Checks the result of a host function. @throws ERR_HOST_CALL */
export function checkResult(where: string, check: Check, value: unknown): WitValue {
  startPath()
  try {
    return check(value)
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error
    const at = error.path === '' ? 'result' : `result${error.path}`
    throw new LoomError(
      'ERR_HOST_CALL',
      `${where}: ${at}: expected ${error.expected}, got ${error.got}`,
      { data: { function: where, path: at, expected: error.expected, got: error.got } },
    )
  }
}

/**
 * Validates one value.
 * @throws ERR_ARGUMENT_TYPE
 */
export function checkValue(type: WitType, value: unknown, what = 'value'): WitValue {
  startPath()
  try {
    return checkerOf(type)(value)
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error
    throw mismatchError(what, what, error)
  }
}

function countError(func: WitFunction, got: number): LoomError {
  const expected = func.params.length
  const names = func.params.map((param) => param.name).join(', ')
  return new LoomError(
    'ERR_ARGUMENT_COUNT',
    `${func.name}: expected ${expected} argument${expected === 1 ? '' : 's'}${names === '' ? '' : ` (${names})`}, got ${got}`,
    { data: { method: func.name, expected, got } },
  )
}

export function mismatchError(what: string, root: string, mismatch: Mismatch): LoomError {
  const { path, expected, got } = mismatch
  const at = path === '' ? '' : ` at ${root}${path}`
  return new LoomError('ERR_ARGUMENT_TYPE', `${what}${at}: expected ${expected}, got ${got}`, {
    data: { path: `${root}${path}`, expected, got },
  })
}

export { describe, VALUE_SIZE_MAX_BYTES }

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
import { LoomError } from '../../base/errors.ts'
import type { WitFunction, WitValue } from '../wit/wit.ts'
import { type Check, checkerOf, clearPath, Mismatch } from './check.ts'

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
  let index = 0
  try {
    for (; index < length; index++) values.push((checks[index] as Check)(args[index]))
  } catch (error) {
    const name = func.params[index]?.name ?? ''
    throw toArgumentError(error, `argument ${index + 1} "${name}"`, name)
  }
  return values
}

/**
 * Validates what a function returned, as arguments are; void is undefined.
 * @throws ERR_ARGUMENT_TYPE
 */
export function checkResult({ name, result }: WitFunction, value: unknown): WitValue {
  if (result === null) return undefined
  try {
    return checkerOf(result)(value)
  } catch (error) {
    throw toArgumentError(error, `the result of ${name}`, 'result')
  }
}

/** What a checker threw for the result of a host function, as ERR_HOST_CALL. */
export function toResultError(error: unknown, where: string): unknown {
  if (!(error instanceof Mismatch)) {
    clearPath()
    return error
  }
  const { expected, got } = error
  const path = `result${error.path}`
  return new LoomError('ERR_HOST_CALL', `${where}: ${path}: expected ${expected}, got ${got}`, {
    data: { function: where, path, expected, got },
  })
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

/** What a checker or a JSON reader threw for an argument; `root` is how its path begins. */
export function toArgumentError(error: unknown, what: string, root: string): unknown {
  if (!(error instanceof Mismatch)) {
    clearPath()
    return error
  }
  const { expected, got } = error
  const path = `${root}${error.path}`
  const at = error.path === '' ? '' : ` at ${path}`
  return new LoomError('ERR_ARGUMENT_TYPE', `${what}${at}: expected ${expected}, got ${got}`, {
    data: { path, expected, got },
  })
}

/**
 * How methods are called, and how they fail.
 *
 * Owns: arguments and results through their types (types.js); what is thrown becomes the error of a `result`, or
 * the end of the call with message and place.
 *
 * Invariants:
 *   RA1. No message is lost: what is thrown and is no error of the WIT is told to the host, then the call ends.
 *   RA2. With jobs, the engine calls a method three times (engine-patch.ts EP4): it begins, its jobs are run, and it
 *        gives its result.
 */
import { panic } from 'loom:engine/guest'
import { end } from './engine.js'
import { placeOf } from './place.js'
import { string, WrongType } from './types.js'

/** `error` as the caller reads it, with its causes. */
export function describe(error) {
  if (!(error instanceof Error)) {
    const text =
      typeof error === 'string'
        ? error
        : JSON.stringify(error, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))
    return `thrown: ${text ?? String(error)}`
  }
  const name = error.name === 'Error' ? '' : `${error.name}: `
  const cause = error.cause === undefined ? '' : `, caused by ${describe(error.cause)}`
  return `${error instanceof WrongType ? '' : name}${error.message}${cause}`
}

/** Tells the host and ends the call. */
function fail(error) {
  const { file, line, column } = placeOf(error)
  panic(describe(error), file, line, column)
  end()
}

function lowerError(type, error) {
  const isTold = error !== null && typeof error === 'object' && Object.hasOwn(error, 'payload')
  if (!isTold && error instanceof Error) {
    if (type === string) return error.message.toWellFormed()
    throw error
  }
  return type === null ? undefined : type.lower(isTold ? error.payload : error, 'the error')
}

/** Gives the result to the engine: returned, or thrown where it is the error of a `result`. */
function finish({ place, result }, { error, value }) {
  if (error !== undefined && !result?.isResult) fail(error.reason)
  let thrown
  try {
    if (error === undefined) {
      if (result === null) return undefined
      const type = result.isResult ? result.ok : result
      return type === null ? undefined : type.lower(value, place)
    }
    thrown = { payload: lowerError(result.err, error.reason) }
  } catch (reason) {
    fail(reason)
  }
  throw thrown
}

function begin({ receiver, name, params }, args) {
  try {
    return { value: receiver[name](...params.map((type, index) => type.lift(args[index]))) }
  } catch (reason) {
    return { error: { reason } }
  }
}

const missing = []
const methods = []

/**
 * The method `name` of the author's `receiver` as the engine calls it. `place` names it in messages, `result` is null
 * for none.
 */
export function exported(place, receiver, name, params, result) {
  const method = { place, receiver, name, params, result }
  if (typeof receiver?.[name] !== 'function') missing.push(place)
  methods.push(method)
  return (...args) => finish(method, begin(method, args))
}

/** Looks like a promise to the engine, and does nothing. */
class Nothing {
  // biome-ignore lint/suspicious/noThenProperty: what the engine asks for is just that
  then() {}
}
const NOTHING = new Nothing()

/** As `exported`, of a method that may return a promise. */
export function exportedWithJobs(...contract) {
  exported(...contract)
  const method = methods.at(-1)
  let phase = 0
  let outcome = null
  return (...args) => {
    phase += 1
    if (phase === 1) {
      outcome = begin(method, args)
      if (typeof outcome.value?.then !== 'function') return undefined
      const promise = outcome.value
      outcome = null
      promise.then(
        (value) => {
          outcome = { value }
        },
        (reason) => {
          outcome = { error: { reason } }
        },
      )
      return undefined
    }
    if (phase === 2) return NOTHING
    phase = 0
    const done = outcome ?? {
      error: {
        reason: new Error(
          `${method.place}: the promise is never settled: nothing is left to wait for`,
        ),
      },
    }
    outcome = null
    return finish(method, done)
  }
}

/** As `exportedWithJobs`, where the engine waits for promises itself. */
export function exportedAwaited(...contract) {
  exported(...contract)
  const method = methods.at(-1)
  return (...args) => {
    const { value, error } = begin(method, args)
    if (error !== undefined || typeof value?.then !== 'function')
      return finish(method, { value, error })
    return value.then(
      (settled) => finish(method, { value: settled }),
      (reason) => finish(method, { error: { reason } }),
    )
  }
}

/** A function of the host as authors call it. */
export function imported(place, call, params, result) {
  return (...args) => {
    const lowered = params.map((type, index) =>
      type.lower(args[index], `${place}: argument ${index + 1}`),
    )
    if (!result?.isResult) {
      const value = call(...lowered)
      return result === null ? undefined : result.lift(value)
    }
    let value
    try {
      value = call(...lowered)
    } catch (error) {
      if (!Object.hasOwn(error, 'payload')) throw error
      const payload = result.err === null ? undefined : result.err.lift(error.payload)
      throw Object.assign(
        new Error(
          typeof payload === 'string'
            ? payload
            : `${place}: ${JSON.stringify(payload, (_, one) => (typeof one === 'bigint' ? `${one}n` : one))}`,
        ),
        { payload },
      )
    }
    return result.ok === null ? undefined : result.ok.lift(value)
  }
}

/** Ends the build. Throws when the author's module lacks methods. */
export function built() {
  if (missing.length > 0) throw new Error(`loom:missing ${missing.join(' ')}`)
}

/**
 * JSON: WIT values to JSON and back, for HTTP and the command line.
 *
 * Owns: the one mapping, whose table is docs/wit-json.md. Does not own: values as such (wit.ts, check.ts).
 *
 * Invariants:
 *   JS1. `valueFromJson(type, valueToJson(type, value))` equals `value` for every canonical value, also after
 *        JSON.stringify and JSON.parse in between.
 *   JS2. What comes in is checked in full; what is refused is named with its path.
 */
import { LoomError } from '../../base/errors.ts'
import type { JsonValue, WitFunction, WitType, WitValue } from '../wit/wit.ts'
import { toArgumentError } from './arguments.ts'
import { absent, fromJson } from './json-read.ts'
import { toJson } from './json-write.ts'

/** A canonical value (wit.ts) of `type` as JSON. */
export function valueToJson(type: WitType, value: WitValue): JsonValue {
  return toJson(type)(value)
}

/**
 * JSON as a canonical value of `type`. `what` names the value in messages.
 * @throws ERR_ARGUMENT_TYPE
 */
export function valueFromJson(type: WitType, json: unknown, what = 'value'): WitValue {
  return read(type, json, what, what)
}

function read(type: WitType, json: unknown, what: string, root: string): WitValue {
  try {
    return fromJson(type)(json)
  } catch (error) {
    throw toArgumentError(error, what, root)
  }
}

/**
 * Reads the arguments of a call: a JSON array with one item per parameter. Missing trailing arguments
 * whose type is an option are none.
 * @throws ERR_ARGUMENT_COUNT, ERR_ARGUMENT_TYPE naming the parameter, the path in it, expected and got.
 */
export function argumentsFromJson(func: WitFunction, json: readonly unknown[]): WitValue[] {
  const { params } = func
  const needed = params.findLastIndex((param) => param.type.kind !== 'option') + 1
  if (json.length < needed || json.length > params.length) {
    const names = params.map((param) => param.name).join(', ')
    throw new LoomError(
      'ERR_ARGUMENT_COUNT',
      `${func.name}: expected ${params.length} arguments (${names}), got ${json.length}`,
      { data: { method: func.name, expected: params.length, got: json.length } },
    )
  }
  return params.map(({ name, type }, index) =>
    read(
      type,
      index < json.length ? json[index] : absent(type),
      `argument ${index + 1} "${name}"`,
      name,
    ),
  )
}

/** The result of a call as JSON; null for functions without one. */
export function resultToJson(func: WitFunction, value: WitValue): JsonValue {
  return func.result === null ? null : valueToJson(func.result, value)
}

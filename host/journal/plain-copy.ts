/**
 * Plain copies: numbers, texts, booleans, arrays and records of them, copied without writing and reading them.
 *
 * Owns: speed. Whatever enters or leaves a TypeScript actor is copied, several times in each turn. Does not own: what may
 * be journaled (values.ts); what it does not know is left to that.
 *
 * Invariant PC1: the copy is what the journal gives back of the value (a property test compares them).
 */

/** `copyPlain` met something that it does not copy. */
export const NOT_COPIED = Symbol('not copied')

/** Deeper values are left to structuredClone, which knows circular ones. */
const DEPTH_MAX = 32

/** A copy that shares nothing with `value`, or NOT_COPIED. */
export function copyPlain(value: unknown): unknown {
  return copy(value, DEPTH_MAX)
}

function copy(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'number':
    case 'boolean':
    case 'undefined':
      return value
    case 'string':
      return value.isWellFormed() ? value : NOT_COPIED
    case 'bigint':
      return isInteger64(value) ? value : NOT_COPIED
    case 'object':
      if (value === null) return null
      return depth === 0 ? NOT_COPIED : copyObject(value, depth - 1)
    default:
      return NOT_COPIED
  }
}

function isInteger64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value || BigInt.asUintN(64, value) === value
}

function copyObject(value: object, depth: number): unknown {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Array.prototype && Array.isArray(value)) return copyArray(value, depth)
  return prototype === Object.prototype ? copyRecord(value, depth) : NOT_COPIED
}

function copyArray(items: readonly unknown[], depth: number): unknown {
  const { length } = items
  const copies: unknown[] = []
  for (let index = 0; index < length; index++) {
    const item = items[index]
    if (item === undefined && !(index in items)) return NOT_COPIED
    const copied = copy(item, depth)
    if (copied === NOT_COPIED) return NOT_COPIED
    copies.push(copied)
  }
  return copies
}

function copyRecord(record: object, depth: number): unknown {
  const copies: Record<string, unknown> = {}
  for (const key of Object.keys(record)) {
    if (!isPlainKey(key)) return NOT_COPIED
    const copied = copy(record[key as never], depth)
    if (copied === NOT_COPIED) return NOT_COPIED
    copies[key] = copied
  }
  return copies
}

/**
 * `__proto__` is no property of its own when it is assigned; the others hide what msgpackr asks of a record, which may
 * refuse it then.
 */
const KEYS_LEFT = new Set(['__proto__', 'constructor', 'hasOwnProperty', 'toJSON'])

function isPlainKey(key: string): boolean {
  return !KEYS_LEFT.has(key) && key.isWellFormed()
}

/**
 * Values of WIT types, as authors see them and as the engine takes and gives them.
 *
 * Owns: both directions for every type: `lift` for what comes in, `lower` for what goes out. `lower` refuses a value
 * that is not of the type, with its place: the engine's own message would name neither.
 *
 * What engines do otherwise: QuickJS cuts numbers of 32 bits to signed ones, and has null for none and plain arrays for
 * lists of numbers; for the rest see engine.js.
 */
import { giveList, giveLong, takeLong } from './engine.js'

export class WrongType extends TypeError {}

function show(value) {
  if (typeof value === 'string')
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (value === null || typeof value !== 'object') return String(value)
  if (typeof value.then === 'function') return 'a promise'
  if (Array.isArray(value)) return 'an array'
  return value.constructor?.name && value.constructor !== Object
    ? `a ${value.constructor.name}`
    : 'an object'
}

function wrong(value, expected, at) {
  return new WrongType(`${at}: expected ${expected}, got ${show(value)}`)
}

const same = (value) => value

function small(name, from, to, lift = same) {
  return {
    name,
    lift,
    lower(value, at) {
      if (typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to)
        return value | 0
      throw wrong(value, `${name} (an integer from ${from} to ${to})`, at)
    },
  }
}

export const u8 = small('u8', 0, 255)
export const s8 = small('s8', -128, 127)
export const u16 = small('u16', 0, 65535)
export const s16 = small('s16', -32768, 32767)
export const u32 = small('u32', 0, 4294967295, (value) => value >>> 0)
export const s32 = small('s32', -2147483648, 2147483647)

function long(name, from, to, lift) {
  return {
    name,
    lift,
    lower(value, at) {
      const whole = Number.isSafeInteger(value) ? BigInt(value) : value
      if (typeof whole === 'bigint' && whole >= from && whole <= to) return giveLong(whole)
      throw wrong(value, `${name} (a bigint from ${from}n to ${to}n)`, at)
    },
  }
}

export const u64 = long('u64', 0n, 2n ** 64n - 1n, takeLong)
export const s64 = long('s64', -(2n ** 63n), 2n ** 63n - 1n, (value) =>
  BigInt.asIntN(64, takeLong(value)),
)

function primitive(name, type) {
  return {
    name,
    lift: same,
    lower(value, at) {
      if (typeof value === type) return value
      throw wrong(value, `${name} (a ${type})`, at)
    },
  }
}

export const f32 = primitive('f32', 'number')
export const f64 = primitive('f64', 'number')
export const bool = primitive('bool', 'boolean')

export const string = {
  name: 'string',
  lift: same,
  lower(value, at) {
    if (typeof value === 'string') return value.toWellFormed()
    throw wrong(value, 'string', at)
  },
}

export const char = {
  name: 'char',
  lift: same,
  lower(value, at) {
    if (typeof value === 'string' && [...value].length === 1 && value.isWellFormed()) return value
    throw wrong(value, 'char (a string of one character)', at)
  },
}

const ARRAYS = {
  u8: Uint8Array,
  s8: Int8Array,
  u16: Uint16Array,
  s16: Int16Array,
  u32: Uint32Array,
  s32: Int32Array,
  u64: BigUint64Array,
  s64: BigInt64Array,
  f32: Float32Array,
  f64: Float64Array,
}

export function list(element) {
  const name = `list<${element.name}>`
  const Numbers = ARRAYS[element.name]
  return {
    name,
    lift(value) {
      if (element.lift === same)
        return Numbers === undefined || value instanceof Numbers ? value : Numbers.from(value)
      const items = value.map(element.lift)
      return Numbers === undefined ? items : Numbers.from(items)
    },
    lower(value, at) {
      if (Numbers !== undefined && value instanceof Numbers) return value
      if (!Array.isArray(value)) throw wrong(value, name, at)
      const items = value.map((item, index) => element.lower(item, `${at}[${index}]`))
      return giveList(items, Numbers)
    },
  }
}

export function option(element) {
  const name = `option<${element.name}>`
  const isNested = element.name.startsWith('option<')
  if (isNested) {
    const tagged = variant(name, [['none'], ['some', element]])
    return tagged
  }
  return {
    name,
    lift: (value) => (value === null || value === undefined ? undefined : element.lift(value)),
    lower: (value, at) => (value === undefined || value === null ? null : element.lower(value, at)),
  }
}

export function tuple(...elements) {
  const name = `tuple<${elements.map((one) => one.name).join(', ')}>`
  return {
    name,
    lift: (value) => elements.map((element, index) => element.lift(value[index])),
    lower(value, at) {
      if (!Array.isArray(value) || value.length !== elements.length)
        throw wrong(value, `${name} (an array of ${elements.length})`, at)
      return elements.map((element, index) => element.lower(value[index], `${at}[${index}]`))
    },
  }
}

export function record(name, fields) {
  const entries = Object.entries(fields)
  return {
    name,
    lift(value) {
      const lifted = {}
      for (const [field, type] of entries) lifted[field] = type.lift(value[field])
      return lifted
    },
    lower(value, at) {
      if (value === null || typeof value !== 'object') throw wrong(value, `the record ${name}`, at)
      const lowered = {}
      for (const [field, type] of entries)
        lowered[field] = type.lower(value[field], `${at}.${field}`)
      return lowered
    },
  }
}

/** `cases`: `[name]` or `[name, type]`. */
export function variant(name, cases) {
  const types = new Map(cases)
  return {
    name,
    lift({ tag, val }) {
      const type = types.get(tag)
      return type === undefined ? { tag } : { tag, val: type.lift(val) }
    },
    lower(value, at) {
      const tag = value?.tag
      if (!types.has(tag))
        throw wrong(tag, `${name} (a tag of ${[...types.keys()].join(', ')})`, `${at}.tag`)
      const type = types.get(tag)
      return type === undefined ? { tag } : { tag, val: type.lower(value.val, `${at}.val`) }
    },
  }
}

/** A result that is not what a function returns. */
export function result(ok, err) {
  const name = `result<${ok?.name ?? '_'}, ${err?.name ?? '_'}>`
  const sides = [ok === null ? ['ok'] : ['ok', ok], err === null ? ['err'] : ['err', err]]
  return { ...variant(name, sides), ok, err, isResult: true }
}

export function enumeration(name, cases) {
  const known = new Set(cases)
  return {
    name,
    lift: same,
    lower(value, at) {
      if (known.has(value)) return value
      throw wrong(value, `${name} (${cases.join(', ')})`, at)
    },
  }
}

export function flags(name, labels) {
  return {
    name,
    lift: same,
    lower(value, at) {
      if (value === null || typeof value !== 'object') throw wrong(value, `the flags ${name}`, at)
      return Object.fromEntries(labels.map((label) => [label, Boolean(value[label])]))
    },
  }
}

/** A resource of the host: the object is the engine's own. */
export function handle(name) {
  return {
    name,
    lift: same,
    lower(value, at) {
      if (value !== null && typeof value === 'object') return value
      throw wrong(value, `the resource ${name}`, at)
    },
  }
}

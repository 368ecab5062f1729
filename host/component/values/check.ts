/**
 * Check: one checker per WIT type, which returns the canonical form of a value or says what is wrong.
 *
 * Owns: checkers, their memo, the path to the wrong part. Does not own: the errors that callers see
 * (arguments.ts).
 *
 * Invariants:
 *   CH1. Checkers never run guest code; a getter or proxy of the caller may run, and throw, here only.
 *   CH2. The path is kept in one stack: a checker that descends pushes, and pops when the part is good. It
 *        is empty between checks: a Mismatch takes it along, and `clearPath` follows any other throw.
 */
import { VALUE_SIZE_MAX_BYTES } from '../../base/limits.ts'
import { camelCase } from '../wit/labels.ts'
import { layoutOf } from '../wit/layout.ts'
import type { WitType, WitValue } from '../wit/wit.ts'
import { arrayKindOf, canonicalizeNaNs, type NumberArray } from './numbers.ts'

export type Check = (value: unknown) => WitValue

const path: (string | number)[] = []

/** After anything but a Mismatch came out of a check: a getter of the caller threw. */
export function clearPath(): void {
  path.length = 0
}

function takePath(): string {
  const parts = path.splice(0)
  return parts.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('')
}

/** Runs `read` on the part of a value that is called `part`. */
export function descend(
  part: string | number,
  read: (value: unknown) => WitValue,
  value: unknown,
): WitValue {
  path.push(part)
  const result = read(value)
  path.pop()
  return result
}

/** Thrown by checkers and turned into a LoomError by whoever called them. */
export class Mismatch extends Error {
  readonly path: string
  readonly expected: string
  readonly got: string

  constructor(expected: string, got: string) {
    super(expected)
    this.path = takePath()
    this.expected = expected
    this.got = got
  }
}

const TEXT_MAX = 40

/** A value in few words, for messages. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > TEXT_MAX
        ? `${JSON.stringify(value.slice(0, TEXT_MAX))}… (${value.length} characters)`
        : JSON.stringify(value)
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
      return `${value}n`
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'object': {
      if (value === null) return 'null'
      if (Array.isArray(value)) return `an array of ${value.length}`
      const name = Object.prototype.toString.call(value).slice(8, -1)
      return name === 'Object' ? 'an object' : `a ${name}`
    }
    default:
      return `a ${typeof value}`
  }
}

export function mismatch(expected: string, value: unknown): never {
  throw new Mismatch(expected, describe(value))
}

const known = new WeakMap<WitType, Check>()

export function checkerOf(type: WitType): Check {
  let check = known.get(type)
  if (check === undefined) {
    check = make(type)
    known.set(type, check)
  }
  return check
}

function make(type: WitType): Check {
  const scalar = SCALARS[type.kind]
  if (scalar !== undefined) return scalar
  switch (type.kind) {
    case 'list':
      return listChecker(type.element)
    case 'record':
      return recordChecker(type.fields)
    case 'tuple':
      return tupleChecker(type.elements)
    case 'variant':
      return taggedChecker('variant', type.cases)
    case 'result':
      return taggedChecker('result', [
        { name: 'ok', type: type.ok },
        { name: 'err', type: type.err },
      ])
    case 'option':
      return optionChecker(type.element)
    case 'enum': {
      const cases = new Set(type.cases)
      const expected = `one of ${quoteAll(type.cases)}`
      return (value) =>
        typeof value === 'string' && cases.has(value) ? value : mismatch(expected, value)
    }
    case 'flags':
      return flagsChecker(type.labels)
    default:
      return checkRepresentation
  }
}

/** Of a handle; whose it is, the host that passes it in vouches for (wit.ts). */
function checkRepresentation(value: unknown): WitValue {
  return typeof value === 'number' && value >>> 0 === value
    ? value + 0
    : mismatch('the representation of a resource (0..4294967295)', value)
}

const NAMES_MAX = 12

export function quoteAll(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_MAX).map((name) => JSON.stringify(name))
  return names.length > NAMES_MAX ? `${shown.join(', ')}, …` : shown.join(', ')
}

function integerChecker(kind: string, min: number, max: number): Check {
  const expected = `${kind} (${min}..${max})`
  return (value) => {
    // `+ 0` makes -0 the 0 that the guest sees.
    if (typeof value === 'number' && value >= min && value <= max && Number.isInteger(value))
      return value + 0
    return mismatch(expected, value)
  }
}

function bigintChecker(kind: string, min: bigint, max: bigint): Check {
  const expected = `${kind} (${min}..${max}), as bigint or safe integer`
  return (value) => {
    if (typeof value === 'bigint') {
      if (value >= min && value <= max) return value
    } else if (Number.isSafeInteger(value)) {
      const wide = BigInt(value as number)
      if (wide >= min) return wide
    }
    return mismatch(expected, value)
  }
}

function checkString(value: unknown): WitValue {
  if (typeof value !== 'string') return mismatch('string', value)
  if (value.length * 3 > VALUE_SIZE_MAX_BYTES) checkStringSize(value)
  if (!value.isWellFormed())
    throw new Mismatch(
      'string of whole Unicode characters',
      `a lone surrogate in ${describe(value)}`,
    )
  return value
}

function checkStringSize(value: string): void {
  const size = Math.max(Buffer.byteLength(value, 'utf8'), 2 * value.length)
  if (size > VALUE_SIZE_MAX_BYTES)
    throw new Mismatch(`string of at most ${VALUE_SIZE_MAX_BYTES} bytes`, `${size} bytes`)
}

const SCALARS: Readonly<Partial<Record<WitType['kind'], Check>>> = {
  bool: (value) => (typeof value === 'boolean' ? value : mismatch('bool', value)),
  u8: integerChecker('u8', 0, 0xff),
  s8: integerChecker('s8', -0x80, 0x7f),
  u16: integerChecker('u16', 0, 0xffff),
  s16: integerChecker('s16', -0x8000, 0x7fff),
  u32: (value) =>
    typeof value === 'number' && value >>> 0 === value
      ? value + 0
      : mismatch('u32 (0..4294967295)', value),
  s32: (value) =>
    typeof value === 'number' && (value | 0) === value
      ? value + 0
      : mismatch('s32 (-2147483648..2147483647)', value),
  u64: bigintChecker('u64', 0n, 0xffff_ffff_ffff_ffffn),
  s64: bigintChecker('s64', -0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn),
  f32: (value) => (typeof value === 'number' ? Math.fround(value) : mismatch('f32', value)),
  f64: (value) => (typeof value === 'number' ? value : mismatch('f64', value)),
  char: (value) => {
    if (typeof value === 'string' && value.length > 0 && value.length <= 2) {
      const code = value.codePointAt(0) ?? 0
      if (String.fromCodePoint(code) === value && (code < 0xd800 || code > 0xdfff)) return value
    }
    return mismatch('char (a string of one Unicode character)', value)
  },
  string: checkString,
}

function checkListSize(element: WitType, length: number): void {
  const size = length * layoutOf(element).size
  if (size > VALUE_SIZE_MAX_BYTES)
    throw new Mismatch(`list of at most ${VALUE_SIZE_MAX_BYTES} bytes`, `${size} bytes`)
}

function listChecker(element: WitType): Check {
  const check = checkerOf(element)
  const ArrayClass = arrayKindOf(element)?.Class
  const expected =
    ArrayClass === undefined ? 'an array' : `${ArrayClass.name} or an array of ${element.kind}`
  const checkItems = (value: unknown): WitValue[] => {
    if (!Array.isArray(value)) return mismatch(expected, value)
    checkListSize(element, value.length)
    const items: WitValue[] = []
    const depth = path.length
    for (let index = 0; index < value.length; index++) {
      path[depth] = index
      items.push(check(value[index]))
    }
    path.length = depth
    return items
  }
  if (ArrayClass === undefined) return checkItems
  return (value) => {
    if (value instanceof ArrayClass) {
      checkListSize(element, (value as NumberArray).length)
      return value as NumberArray
    }
    const items = checkItems(value)
    const numbers = new ArrayClass(items.length)
    for (let index = 0; index < items.length; index++) numbers[index] = items[index] as never
    canonicalizeNaNs(numbers)
    return numbers
  }
}

function asObject(value: unknown, expected: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return mismatch(expected, value)
  return value as Record<string, unknown>
}

/** @throws Mismatch when `object` has a key that is none of `keys`. */
function refuseUnknownKeys(object: object, keys: ReadonlySet<string>): void {
  for (const key of Object.keys(object))
    if (!keys.has(key))
      throw new Mismatch(`only the keys ${quoteAll([...keys])}`, `the key ${describe(key)}`)
}

function recordChecker(fields: readonly { name: string; type: WitType }[]): Check {
  const members = fields.map(({ name, type }) => ({
    key: camelCase(name),
    check: checkerOf(type),
    isOption: type.kind === 'option',
    // Every object has a `constructor`; of such names only own properties count.
    isInherited: camelCase(name) in Object.prototype,
  }))
  const keys = new Set(members.map(({ key }) => key))
  const expected = `an object with the keys ${quoteAll([...keys])}`
  return (value) => {
    const object = asObject(value, expected)
    const record: Record<string, WitValue> = {}
    const depth = path.length
    let presentCount = 0
    for (const { key, check, isOption, isInherited } of members) {
      path[depth] = key
      const part = isInherited && !Object.hasOwn(object, key) ? undefined : object[key]
      if (part === undefined) {
        if (!isOption) throw new Mismatch('a value', 'nothing')
        if (Object.hasOwn(object, key)) presentCount++
      } else presentCount++
      record[key] = check(part)
    }
    path.length = depth
    if (Object.keys(object).length !== presentCount) refuseUnknownKeys(object, keys)
    return record
  }
}

function tupleChecker(types: readonly WitType[]): Check {
  const checks = types.map(checkerOf)
  const expected = `an array of ${types.length}`
  return (value) => {
    if (!Array.isArray(value) || value.length !== checks.length) return mismatch(expected, value)
    const depth = path.length
    const items = checks.map((check, index) => {
      path[depth] = index
      return check(value[index])
    })
    path.length = depth
    return items
  }
}

function optionChecker(element: WitType): Check {
  if (element.kind === 'option')
    return taggedChecker('option of an option', [
      { name: 'none', type: null },
      { name: 'some', type: element },
    ])
  const check = checkerOf(element)
  return (value) => (value === undefined || value === null ? undefined : check(value))
}

const TAGGED_KEYS = new Set(['tag', 'val'])

function taggedChecker(
  what: string,
  cases: readonly { name: string; type: WitType | null }[],
): Check {
  const checks = new Map(
    cases.map(({ name, type }) => [name, type === null ? null : checkerOf(type)]),
  )
  const expected = `a ${what} { tag, val }`
  const tags = `one of the tags ${quoteAll(cases.map(({ name }) => name))}`
  return (value) => {
    const object = asObject(value, expected)
    const { tag, val } = object
    const depth = path.length
    path[depth] = 'tag'
    const check = typeof tag === 'string' ? checks.get(tag) : undefined
    if (check === undefined) return mismatch(tags, tag)
    path.length = depth
    refuseUnknownKeys(object, TAGGED_KEYS)
    path[depth] = 'val'
    if (check === null) {
      if (val !== undefined && val !== null) mismatch('nothing', val)
      path.length = depth
      return { tag: tag as string }
    }
    const payload = check(val)
    path.length = depth
    return { tag: tag as string, val: payload }
  }
}

function flagsChecker(labels: readonly string[]): Check {
  const keys = new Set(labels.map(camelCase))
  const expected = `an object of flags ${quoteAll([...keys])}`
  return (value) => {
    const object = asObject(value, expected)
    refuseUnknownKeys(object, keys)
    const flags: Record<string, boolean> = {}
    const depth = path.length
    for (const key of keys) {
      path[depth] = key
      const flag = Object.hasOwn(object, key) ? object[key] : undefined
      if (flag !== undefined && typeof flag !== 'boolean') mismatch('bool', flag)
      flags[key] = flag === true
    }
    path.length = depth
    return flags
  }
}

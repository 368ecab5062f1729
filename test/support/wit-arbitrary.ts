// Random WIT types and random values of a type, in the canonical JavaScript form of host/component/wit/wit.ts.
import fc from 'fast-check'
import { camelCase } from '../../host/component/wit/labels.ts'
import type { WitPrimitive, WitType, WitValue } from '../../host/component/wit/wit.ts'
import { listValue } from './number-arrays.ts'

const PRIMITIVES: readonly WitPrimitive[] = [
  'bool',
  'u8',
  's8',
  'u16',
  's16',
  'u32',
  's32',
  'u64',
  's64',
  'f32',
  'f64',
  'char',
  'string',
]
const LABELS = ['a', 'b-c', 'value', 'x1', 'long-name-two', 'http-status', 'zip', 'constructor']

const primitive: fc.Arbitrary<WitType> = fc.constantFrom(...PRIMITIVES).map((kind) => ({ kind }))

function labels(min: number, max: number): fc.Arbitrary<string[]> {
  return fc.uniqueArray(fc.constantFrom(...LABELS), { minLength: min, maxLength: max })
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `case-${index}`)
}

export interface TypeOptions {
  readonly depth: number
  /** option<option<T>>, which jco 1.35 mistakes. */
  readonly nestedOptions?: boolean
  readonly strings?: boolean
}

export function typeArbitrary(options: TypeOptions): fc.Arbitrary<WitType> {
  const leaf =
    options.strings === false ? primitive.filter(({ kind }) => kind !== 'string') : primitive
  if (options.depth <= 0) return leaf
  const inner = typeArbitrary({ ...options, depth: options.depth - 1 })
  const optional = fc.option(inner, { nil: null })
  const optionElement = options.nestedOptions
    ? inner
    : inner.filter(({ kind }) => kind !== 'option')
  const list = inner.map((element): WitType => ({ kind: 'list', element }))
  return fc.oneof(
    { weight: 2, arbitrary: leaf },
    ...(options.strings === false ? [] : [list]),
    fc.tuple(labels(1, 4), fc.array(inner, { minLength: 4, maxLength: 4 })).map(
      ([names, types]): WitType => ({
        kind: 'record',
        name: null,
        fields: names.map((name, index) => ({ name, type: types[index] ?? { kind: 'u8' } })),
      }),
    ),
    fc
      .array(inner, { minLength: 1, maxLength: 4 })
      .map((elements): WitType => ({ kind: 'tuple', elements })),
    fc.tuple(labels(1, 5), fc.array(optional, { minLength: 5, maxLength: 5 })).map(
      ([names, types]): WitType => ({
        kind: 'variant',
        name: null,
        cases: names.map((name, index) => ({ name, type: types[index] ?? null })),
      }),
    ),
    fc
      .constantFrom(1, 2, 5, 256, 300)
      .map((count): WitType => ({ kind: 'enum', name: null, cases: numbered(count) })),
    optionElement.map((element): WitType => ({ kind: 'option', element })),
    fc.tuple(optional, optional).map(([ok, err]): WitType => ({ kind: 'result', ok, err })),
    fc
      .constantFrom(1, 7, 8, 9, 16, 17, 32)
      .map((count): WitType => ({ kind: 'flags', name: null, labels: numbered(count) })),
  )
}

const INTEGERS: Readonly<Record<string, readonly [number, number]>> = {
  u8: [0, 0xff],
  s8: [-0x80, 0x7f],
  u16: [0, 0xffff],
  s16: [-0x8000, 0x7fff],
  u32: [0, 0xffff_ffff],
  s32: [-0x8000_0000, 0x7fff_ffff],
}

const text = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 30 }).filter((value) => value.isWellFormed()),
  fc.string({ maxLength: 3 }).map((value) => value.repeat(400)),
  fc.constantFrom('', 'é', '\ufeffbom', '\ufffd', 'ÿ'.repeat(20), '🎉'.repeat(300)),
)

/** Made once, as `text` is: fast-check makes a map of all of Unicode for it. */
const character = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 1 })
  .filter((value) => value.isWellFormed())

function keyed(entries: readonly (readonly [string, WitType])[]): fc.Arbitrary<WitValue> {
  return fc
    .tuple(...entries.map(([, type]) => valueArbitrary(type)))
    .map((values) => Object.fromEntries(entries.map(([key], index) => [key, values[index]])))
}

function tagged(cases: readonly { name: string; type: WitType | null }[]): fc.Arbitrary<WitValue> {
  return fc.oneof(
    ...cases.map(({ name, type }) =>
      type === null
        ? fc.constant<WitValue>({ tag: name })
        : valueArbitrary(type).map((val): WitValue => ({ tag: name, val })),
    ),
  )
}

export function valueArbitrary(type: WitType): fc.Arbitrary<WitValue> {
  const range = INTEGERS[type.kind]
  if (range !== undefined) return fc.integer({ min: range[0], max: range[1] })
  switch (type.kind) {
    case 'bool':
      return fc.boolean()
    case 'u64':
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
    case 's64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    case 'f32':
      return fc.float()
    case 'f64':
      return fc.double()
    case 'char':
      return character
    case 'string':
      return text
    case 'list': {
      const { element } = type
      return fc
        .array(valueArbitrary(element), { maxLength: 5 })
        .map((items) => listValue(element, items))
    }
    case 'record':
      return keyed(type.fields.map(({ name, type: inner }) => [camelCase(name), inner] as const))
    case 'tuple':
      return fc.tuple(...type.elements.map(valueArbitrary))
    case 'variant':
      return tagged(type.cases)
    case 'result':
      return tagged([
        { name: 'ok', type: type.ok },
        { name: 'err', type: type.err },
      ])
    case 'enum':
      return fc.constantFrom(...type.cases)
    case 'option':
      if (type.element.kind === 'option')
        return tagged([
          { name: 'none', type: null },
          { name: 'some', type: type.element },
        ])
      return fc.option(valueArbitrary(type.element), { nil: undefined })
    case 'flags':
      return fc
        .array(fc.boolean(), { minLength: type.labels.length, maxLength: type.labels.length })
        .map((bits) =>
          Object.fromEntries(
            type.labels.map((label, index) => [camelCase(label), bits[index] ?? false]),
          ),
        )
    case 'own':
    case 'borrow':
      return fc.nat(2 ** 31)
    default:
      throw new Error(`no values of ${type.kind}`)
  }
}

/** True when `type`, or a part of it, is one that `found` means. */
export function holdsType(type: WitType, found: (type: WitType) => boolean): boolean {
  if (found(type)) return true
  const inner = (part: WitType | null): boolean => part !== null && holdsType(part, found)
  switch (type.kind) {
    case 'list':
    case 'option':
      return inner(type.element)
    case 'tuple':
      return type.elements.some(inner)
    case 'record':
      return type.fields.some((field) => inner(field.type))
    case 'variant':
      return type.cases.some((item) => inner(item.type))
    case 'result':
      return inner(type.ok) || inner(type.err)
    default:
      return false
  }
}

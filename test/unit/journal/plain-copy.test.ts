// Aim: the fast copy of plain values is what the journal gives back of them, or nothing. Method: random values, nested,
// with what no journal holds among them, copied both ways.
import { inspect } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { copyPlain, NOT_COPIED } from '../../../host/journal/plain-copy.ts'
import { asJournaled, asJournaledAny, isSameValue, RENAMED } from '../../../host/journal/values.ts'

const key = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom('__proto__', 'hasOwnProperty', 'constructor', 'toJSON', '0', 'ü', '\ud800'),
)
const any = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(0, -0, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 53),
    fc.double(),
    fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
    fc.boolean(),
    fc.constantFrom<unknown>(null, undefined),
    fc.string({ maxLength: 20 }),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constant('a\ud800b'),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.sparseArray(tie('value'), { maxNumElements: 3, maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    fc.uint8Array({ maxLength: 5 }),
    // Of two invalid ones Node says that they differ.
    fc.date({ noInvalidDate: true }),
  ),
})).value

type Given = { readonly value: unknown } | { readonly error: string }

function given(make: () => unknown): Given {
  try {
    return { value: make() }
  } catch (error) {
    return { error: String(error) }
  }
}

test('what it copies is what the journal gives back', () => {
  let copied = 0
  fc.assert(
    fc.property(any, (value) => {
      if (copyPlain(value) !== NOT_COPIED) copied++
      const [fast, slow] = [given(() => asJournaled(value)), given(() => asJournaledAny(value))]
      // Vitest would take the class of a record from its key "constructor", and call two invalid dates different.
      expect(isSameValue(fast, slow), inspect([fast, slow], { depth: null })).toBe(true)
      expect(keysOf(fast)).toEqual(keysOf(slow))
    }),
    { numRuns: 5_000, examples: [[{ toJSON: 1n, constructor: [] }]] },
  )
  expect(copied).toBeGreaterThan(2_000)
})

/** All keys in their order, at any depth. */
function keysOf(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return []
  return Object.keys(value).flatMap((name) => [name, ...keysOf(value[name as never])])
}

test('a copy shares nothing with what was copied', () => {
  const inner = { list: [1, { deep: true }] }
  const copy = asJournaled({ inner }) as { inner: typeof inner }
  expect(copy).toEqual({ inner })
  expect(copy.inner).not.toBe(inner)
  expect(copy.inner.list).not.toBe(inner.list)
  expect(copy.inner.list[1]).not.toBe(inner.list[1])
})

test('what cannot be journaled is refused as it was', () => {
  const ring: Record<string, unknown> = {}
  ring.self = ring
  for (const value of [() => 1, { f: () => 1 }, [Symbol('s')], ring])
    expect(() => asJournaled(value)).toThrow()
})

test('keys that mean something to an object stay keys', () => {
  const value = JSON.parse('{"constructor": 1, "toString": 2, "__proto": 3}')
  expect(keysOf(asJournaled(value))).toEqual(Object.keys(value))
  expect(asJournaled(value)).toStrictEqual(asJournaledAny(value))
})

test.each([
  ['a record', JSON.parse('{"__proto__": {"admin": true}}')],
  ['a record of a record', JSON.parse('[{"a": [{"__proto__": 1}]}]')],
  ['a map', new Map([['__proto__', 1]])],
  ['a record in a map', new Map([['a', JSON.parse('{"__proto__": 1}')]])],
  ['a record in a set', new Set([JSON.parse('{"__proto__": 1}')])],
])(
  'the key __proto__ of %s is refused by name, or called as former builds called it',
  (_, value) => {
    expect(() => asJournaled(value)).toThrow('a record cannot have the key "__proto__"')
    const copy = asJournaled(value, RENAMED)
    expect(inspect(copy, { depth: null })).toMatch(/__proto_: /)
    expect((copy as { admin?: boolean }).admin).toBeUndefined()
  },
)

test('a text that says __proto__ is a text', () => {
  expect(asJournaled(['__proto__', new Map([['a', '__proto__']])])).toEqual([
    '__proto__',
    { a: '__proto__' },
  ])
})

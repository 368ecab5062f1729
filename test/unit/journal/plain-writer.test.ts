// Aim: the fast writer of plain values writes what the library writes, to the byte, or nothing. Method: random values,
// nested, at the edges of every format, written by both.
import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { expect, test } from 'vitest'
import { writePlain } from '../../../host/journal/plain-writer.ts'
import { packAfterHeader, packAny, packValue, unpackAny } from '../../../host/journal/values.ts'

const EDGES = [
  0,
  0x1f,
  0x20,
  0x7f,
  0x80,
  0xff,
  0x100,
  0xffff,
  0x10000,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
]
const numbers = [...EDGES, ...EDGES.map((edge) => -edge - 1), ...EDGES.map((edge) => edge + 0.5)]
const bigs = [
  0n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
  2n ** 64n,
  -(2n ** 63n),
  -(2n ** 63n) - 1n,
]

const any = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(...numbers, ...bigs, -0, Number.NaN, Number.POSITIVE_INFINITY),
    fc.integer(),
    fc.double(),
    fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
    fc.boolean(),
    fc.constantFrom<unknown>(null, undefined),
    fc.string({ maxLength: 300 }),
    fc.integer({ min: 0, max: 300 }).map((length) => 'x'.repeat(length)),
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 3, noNullPrototype: true }),
    fc.uint8Array({ maxLength: 5 }),
  ),
})).value

test('what it writes is what the library writes', () => {
  let written = 0
  fc.assert(
    fc.property(any, fc.constantFrom(0, 8), (value, headerSize) => {
      const given = writePlain(value, headerSize)
      if (given === null) return
      written++
      expect(Buffer.from(given.subarray(headerSize))).toStrictEqual(Buffer.from(packAny(value)))
    }),
    { numRuns: 5_000 },
  )
  expect(written).toBeGreaterThan(2_000)
})

test('every number and 64-bit integer at the edge of a format is written as by the library', () => {
  for (const value of [...numbers, ...bigs]) {
    const given = writePlain([value], 0)
    if (given !== null) expect([...given]).toEqual([...packAny([value])])
    expect(Object.is((unpackAny(packValue([value])) as unknown[])[0], value)).toBe(true)
  }
})

test('what only the library knows is left to it', () => {
  const others = [
    -0,
    2n ** 64n,
    'ü',
    'x'.repeat(256),
    new Uint8Array(1),
    new Map(),
    () => 1,
    Symbol('s'),
  ]
  for (const value of others) expect(writePlain([value], 0)).toBeNull()
  expect(writePlain({ hasOwnProperty: 1 }, 0)).toBeNull()
  expect(
    writePlain(
      Array.from({ length: 16 }, () => 1),
      0,
    ),
  ).toBeNull()
  expect(
    writePlain(
      Array.from({ length: 15 }, () => 'x'.repeat(200)),
      0,
    ),
  ).toBeNull()
})

test('circular values are refused by the library, not here', () => {
  const circular: unknown[] = []
  circular.push(circular)
  expect(writePlain(circular, 0)).toBeNull()
})

test('values keep their bytes while many more are written', () => {
  const first = packAfterHeader(['first', 1], 8)
  const bytes = [...first]
  for (let count = 0; count < 5_000; count++) packAfterHeader(['next', count], 8)
  expect([...first]).toEqual(bytes)
})

test('the header is left to the caller', () => {
  const plain = packAfterHeader([1, 'a'], 8)
  const other = packAfterHeader([1, 'ä'], 8)
  for (const bytes of [plain, other]) expect(unpackAny(bytes, 8)).toHaveLength(2)
})

test('a library of default options reads what both write', () => {
  const library = new Packr({ useRecords: false, mapsAsObjects: true, moreTypes: true })
  expect(library.unpack(Buffer.from(packValue([1, 'a', { b: true }])))).toEqual([
    1,
    'a',
    { b: true },
  ])
})

// Aim: the fast reader of plain values gives what the library gives, or nothing. Method: random values, packed
// by the library, and random and damaged bytes, read by both.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NOT_PLAIN, readPlain } from '../../../host/journal/plain-values.ts'
import { packValue, unpackAny } from '../../../host/journal/values.ts'

const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    fc.integer(),
    fc.double(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
    fc.string({ maxLength: 300 }),
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 2, noNullPrototype: true }),
    fc.uint8Array({ maxLength: 5 }),
  ),
})).value

test('what it reads is what the library reads', () => {
  let read = 0
  fc.assert(
    fc.property(plain, (value) => {
      const bytes = packValue(value)
      const given = readPlain(bytes, 0)
      if (given === NOT_PLAIN) return
      read++
      expect(given).toStrictEqual(unpackAny(bytes))
    }),
    { numRuns: 2_000 },
  )
  expect(read).toBeGreaterThan(500)
})

test('damaged bytes never give it a value that the library does not read', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const given = readPlain(bytes, 0)
      if (given !== NOT_PLAIN) expect(given).toStrictEqual(unpackAny(bytes))
    }),
    { numRuns: 5_000 },
  )
})

test('texts that share a place in its cache are told apart', () => {
  const names = Array.from({ length: 2_000 }, (_, index) => `name-${index}`)
  for (const name of [...names, ...names]) expect(readPlain(packValue([name]), 0)).toEqual([name])
})

// Aim: what a recorded call takes in an entry is known before there is one, so that a turn is refused in time, and no turn
// that fits. Method: random calls, beside the bytes that the journal has for them.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { WitValue } from '../../../host/component/wit/wit.ts'
import { recordedSize } from '../../../host/hostcalls/recorded-size.ts'
import { packAny } from '../../../host/journal/values.ts'
import { seedOf } from '../../support/seed.ts'

const seed = seedOf('sizes of recorded calls')
const ascii = fc.string({ unit: 'binary-ascii', maxLength: 100 })
const EDGES = [0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 2 ** 32 - 1, 2 ** 32]

const { value } = fc.letrec<{ value: WitValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<WitValue>(undefined, true, ...EDGES, ...EDGES.map((edge) => -edge)),
    fc.integer(),
    fc.double(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    ascii,
    fc.uint8Array(),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(ascii, tie('value'), { maxKeys: 20 }) as fc.Arbitrary<WitValue>,
  ),
}))

test('a call is measured as no more than the journal has for it, and not much less', () => {
  const call = fc.tuple(ascii, fc.nat({ max: 2 ** 32 - 1 }), value)
  fc.assert(
    fc.property(call, ([target, argsHash, result]) => {
      const { length } = packAny([target, argsHash, result])
      const size = recordedSize(target, argsHash, result)
      expect(size).toBeLessThanOrEqual(length)
      expect(3 * size).toBeGreaterThanOrEqual(length)
    }),
    { seed },
  )
})

test('texts outside of ASCII are measured as no more than they take', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const { length } = packAny([text, 0, text])
      const size = recordedSize(text, 0, text)
      expect(size).toBeLessThanOrEqual(length)
      expect(3 * size).toBeGreaterThanOrEqual(length)
    }),
    { seed },
  )
})

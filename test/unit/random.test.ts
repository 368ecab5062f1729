// Aim: what the host draws is drawn once, whatever sizes are asked for in which order. Method: many draws, of sizes
// on both sides of the pool's limit, none of which may come twice or be empty of randomness.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { systemRandom } from '../../host/base/random.ts'

test('random bytes have the size that was asked for, and never come twice', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 8, max: 200 }), { maxLength: 50 }), (sizes) => {
      for (const size of sizes) {
        const bytes = systemRandom.bytes(size)
        expect(bytes.length).toBe(size)
        const start = Buffer.from(bytes).toString('hex', 0, 8)
        expect(seen.has(start)).toBe(false)
        seen.add(start)
      }
    }),
    { numRuns: 500 },
  )
  expect(seen.size).toBeGreaterThan(2_000)
})

test('what was drawn is the caller’s own: it is not changed by later draws', () => {
  const first = systemRandom.bytes(16)
  const before = Buffer.from(first).toString('hex')
  for (let draw = 0; draw < 1_000; draw++) systemRandom.bytes(16).fill(0)
  expect(Buffer.from(first).toString('hex')).toBe(before)
  expect(new Set(Array.from({ length: 1_000 }, () => systemRandom.id())).size).toBe(1_000)
})

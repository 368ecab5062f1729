// Aim: the checksum of short and long bytes is CRC-32. Method: every size around the steps in which it is computed,
// at every start and behind any other bytes, against zlib.
import { crc32 as zlibCrc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32 } from '../../host/base/checksum.ts'

test('a checksum is what zlib computes, whatever the size, the start and the seed', () => {
  const sized = fc
    .integer({ min: 1, max: 140 })
    .chain((size) => fc.uint8Array({ minLength: size, maxLength: size }))
  fc.assert(
    fc.property(sized, fc.nat(9), fc.nat(0xffff_ffff), (bytes, given, seed) => {
      const start = Math.min(given, bytes.length - 1)
      expect(crc32(bytes, start, seed)).toBe(zlibCrc32(bytes.subarray(start), seed))
    }),
    { numRuns: 2_000 },
  )
})

test('it is the one of the standard', () => {
  expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926)
})

// zlib forgets the seed there.
test('nothing behind other bytes has their checksum', () => {
  expect(crc32(new Uint8Array(0), 0, 7)).toBe(7)
})

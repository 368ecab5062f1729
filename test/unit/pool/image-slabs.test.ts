// Aim: what is put into slabs comes back as it was, whatever else was put and taken meanwhile, and room that is not used
// goes back. Method: random puts and takes beside a map that holds the same.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ImageSlabs, SLAB_ITEM_MAX_BYTES } from '../../../host/pool/image-slabs.ts'
import { thrown } from '../../support/wat.ts'

const SLAB_SIZE_BYTES = 256 * 1_024

/** A size is put; a fraction takes one of what is there. */
const steps = fc.array(
  fc.oneof(
    { arbitrary: fc.constantFrom(0, 1, 59, 60, 61, 255, 2_000, SLAB_ITEM_MAX_BYTES), weight: 3 },
    { arbitrary: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), weight: 2 },
  ),
  { maxLength: 400 },
)

function item(size: number, mark: number): Uint8Array {
  return new Uint8Array(size).fill(mark & 0xff)
}

test('every item comes back as it was, once', () => {
  fc.assert(
    fc.property(steps, (given) => {
      const slabs = new ImageSlabs()
      const kept = new Map<number, Uint8Array>()
      given.forEach((step, index) => {
        if (Number.isInteger(step) && !(step === 0 && kept.size > 0)) {
          const bytes = item(step, index)
          const place = slabs.put(bytes)
          expect(kept.has(place)).toBe(false)
          kept.set(place, Uint8Array.from(bytes))
          bytes.fill(0xee)
          return
        }
        const place = [...kept.keys()][Math.floor(step * kept.size)]
        if (place === undefined) return
        expect(slabs.take(place)).toEqual(kept.get(place))
        kept.delete(place)
      })
      for (const [place, bytes] of kept) expect(slabs.take(place)).toEqual(bytes)
      expect(slabs.reservedBytes).toBe(0)
    }),
  )
})

test('slots that were freed are used again before there is another slab', () => {
  const slabs = new ImageSlabs()
  const places = Array.from({ length: 5_000 }, (_, index) => slabs.put(item(250, index)))
  const reserved = slabs.reservedBytes
  expect(reserved).toBeLessThan(1.2 * 5_000 * 256 + SLAB_SIZE_BYTES)
  for (let round = 0; round < 3; round++) {
    for (let at = 0; at < places.length; at += 2) slabs.take(places[at] ?? 0)
    for (let at = 0; at < places.length; at += 2) places[at] = slabs.put(item(251, at))
    expect(slabs.reservedBytes).toBe(reserved)
  }
  expect(places.map((place) => slabs.take(place)[0])).toEqual(
    places.map((_, index) => index & 0xff),
  )
  expect(slabs.reservedBytes).toBe(0)
})

test('what does not fit into a slot is refused', () => {
  const slabs = new ImageSlabs()
  expect(thrown(() => slabs.put(item(SLAB_ITEM_MAX_BYTES + 1, 1)))).toMatchObject({
    code: 'ERR_INVARIANT',
  })
})

// Aim: an entry whose payload went to a blob comes back as it was, and damage of either is noticed. Method: random
// payloads; every bit of the entry flipped; another seq, another blob.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { digestOf } from '../../../host/base/digest.ts'
import { decodeEntry, encodeEntry } from '../../../host/journal/codec.ts'
import { attach, blobOf, detach, isDetached } from '../../../host/journal/detached.ts'
import type { JournalEntry } from '../../../host/journal/entry.ts'

const NONCE = new Uint8Array(16).fill(7)

const turn = (text: string, caller: string | null): JournalEntry => ({
  kind: 'turn',
  atMs: 1_700_000_000_000,
  idempotencyKey: null,
  invocationId: null,
  method: 'm',
  args: [text],
  caller,
  calls: [],
  effects: [],
  outcome: { kind: 'returned', value: text },
})

test('what is detached is attached again, byte for byte, in each version', () => {
  fc.assert(
    fc.property(
      fc.nat(2 ** 40),
      fc.string(),
      fc.option(fc.constant('T/a')),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      (seq, text, caller, nonce) => {
        const entry = encodeEntry(seq, turn(text, caller))
        const detached = detach(seq, entry, nonce)
        expect(isDetached(entry)).toBe(false)
        expect(isDetached(detached.entry)).toBe(true)
        expect(detached.entry).toHaveLength(44)
        expect(blobOf(seq, detached.entry)).toBe(digestOf(detached.blob))
        const whole = attach(seq, detached.entry, detached.blob)
        expect(Buffer.compare(whole, entry)).toBe(0)
        expect(decodeEntry(seq, whole)).toEqual(turn(text, caller))
      },
    ),
  )
})

test('every flipped bit of a detached entry is noticed, and so is another seq', () => {
  const { entry } = detach(5, encodeEntry(5, turn('x', null)), NONCE)
  for (let bit = 8; bit < entry.length * 8; bit++) {
    const damaged = Uint8Array.from(entry)
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(() => blobOf(5, damaged)).toThrow(
      expect.objectContaining({ code: 'ERR_JOURNAL_CORRUPT', data: { seq: 5 } }),
    )
  }
  expect(() => blobOf(6, entry)).toThrow(expect.objectContaining({ code: 'ERR_JOURNAL_CORRUPT' }))
  expect(() => blobOf(5, entry.subarray(0, 43))).toThrow(/checksum/)
})

test('a blob that is no payload, or of another size, is refused', () => {
  const { entry, blob } = detach(5, encodeEntry(5, turn('x', null)), NONCE)
  const other = Uint8Array.from(blob)
  other[0] = 0
  for (const wrong of [other, blob.subarray(0, blob.length - 1), new Uint8Array(0)])
    expect(() => attach(5, entry, wrong)).toThrow(/is not its payload/)
})

test('the same payload makes another blob each time: none is shared between entries', () => {
  const entry = encodeEntry(5, turn('x', null))
  const digests = [1, 2].map((fill) => detach(5, entry, new Uint8Array(16).fill(fill)).digest)
  expect(new Set(digests).size).toBe(2)
})

test('an entry whose payload is elsewhere is not read as one that has it', () => {
  const { entry } = detach(5, encodeEntry(5, turn('x', null)), NONCE)
  expect(() => decodeEntry(5, entry)).toThrow(
    expect.objectContaining({ code: 'ERR_JOURNAL_CORRUPT' }),
  )
})

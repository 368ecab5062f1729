// Aim: entries come back exactly, and damage never passes as an entry. Method: random entries, every bit flipped.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeEntry, encodeEntry } from '../../../host/journal/codec.ts'
import type { TurnEntry } from '../../../host/journal/entry.ts'
import { packValue, unpackValue } from '../../../host/journal/values.ts'
import { errorOf } from '../../support/host.ts'

const scalar = fc.oneof(
  fc.boolean(),
  fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 }),
  fc.double(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.string({ unit: 'grapheme' }),
  fc.constant(undefined),
  fc.constant(-0),
)
const typedArray = fc.oneof(
  fc.uint8Array(),
  fc.int8Array(),
  fc.uint16Array(),
  fc.int16Array(),
  fc.uint32Array(),
  fc.int32Array(),
  fc.bigUint64Array(),
  fc.bigInt64Array(),
  fc.float32Array(),
  fc.float64Array(),
)
const key = fc.stringMatching(/^[a-z][a-zA-Z0-9]{0,6}$/)
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    typedArray,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value

const turn: TurnEntry = {
  kind: 'turn',
  atMs: 1_700_000_000_000,
  idempotencyKey: 'k1',
  invocationId: null,
  method: 'increment',
  args: [5, -0],
  caller: null,
  calls: [{ target: 'a:b/c#d', argsHash: 7, result: 9n }],
  effects: [],
  outcome: { kind: 'returned', value: 12n },
}

describe('values', () => {
  test('come back with their class, their bits and their sign', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(unpackValue(packValue(given))).toStrictEqual(given)
      }),
    )
  })
})

describe('entries', () => {
  test('come back as they were', () => {
    const failed = {
      ...turn,
      outcome: { kind: 'failed', code: 'ERR_TRAP', message: 'no' },
    } as const
    const created = {
      kind: 'created',
      atMs: 1,
      type: 'Counter',
      id: 'c1',
      incarnation: 'i',
      digest: 'typescript',
      calls: turn.calls,
    } as const
    const effects = [
      { kind: 'set', key: 'k', value: new Uint8Array([1]) },
      { kind: 'delete', key: 'k' },
      { kind: 'send', target: { type: 'T', id: 'a' }, method: 'm', args: [-0], delayMs: 0 },
      { kind: 'send', target: { type: 'T', id: 'a' }, method: 'm', args: '[1]', delayMs: 5 },
      {
        kind: 'remind',
        name: 'n',
        schedule: { due: '1s', period: null, ttl: null, missed: 'once' },
        data: undefined,
      },
      { kind: 'cancel-timer', name: 'n' },
    ] as const
    const asked = { ...turn, caller: 'T/b', effects } as const
    const { outcome, calls, effects: _, ...head } = turn
    const opened = { ...head, kind: 'opened', caller: 'T/b', calls } as const
    const closed = { kind: 'closed', atMs: 1, openedSeq: 1, calls, effects, outcome } as const
    const deleted = { kind: 'deleted', atMs: 9 } as const
    const others = [asked, opened, closed, deleted]
    for (const [seq, entry] of [turn, failed, created, ...others].entries())
      expect(decodeEntry(seq, encodeEntry(seq, entry))).toStrictEqual(entry)
    expect(decodeEntry(2 ** 40, encodeEntry(2 ** 40, turn))).toStrictEqual(turn)
  })

  test('with any bit flipped are refused, naming the seq', () => {
    const good = encodeEntry(17, turn)
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = Uint8Array.from(good)
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(() => decodeEntry(17, bad)).toThrow(/^journal entry 17 is damaged: /)
    }
  })

  test('cut anywhere, or at another seq, are refused', () => {
    const good = encodeEntry(17, turn)
    for (let size = 0; size < good.length; size++)
      expect(() => decodeEntry(17, good.subarray(0, size))).toThrow(/entry 17 is damaged/)
    expect(() => decodeEntry(18, good)).toThrow(/entry 18 is damaged/)
  })

  test('that are too large are refused before they are written', async () => {
    const large = { ...turn, args: [new Uint8Array(17 * 1024 * 1024)] }
    const error = await errorOf(Promise.resolve().then(() => encodeEntry(1, large)))
    expect(error.code).toBe('ERR_OPTION')
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkArguments } from '../../../host/component/values/arguments.ts'
import type { WitFunction, WitPrimitive, WitType } from '../../../host/component/wit/wit.ts'
import { thrown } from '../../support/wat.ts'
import { typeArbitrary, valueArbitrary } from '../../support/wit-arbitrary.ts'

function func(type: WitType, name = 'by'): WitFunction {
  return { name: 'f', params: [{ name, type }], result: null }
}

const of = (kind: WitPrimitive): WitType => ({ kind })
const order: WitType = {
  kind: 'record',
  name: 'order',
  fields: [
    {
      name: 'items',
      type: {
        kind: 'list',
        element: {
          kind: 'record',
          name: 'item',
          fields: [
            { name: 'unit-price', type: of('u32') },
            { name: 'note', type: { kind: 'option', element: of('string') } },
          ],
        },
      },
    },
  ],
}
const shape: WitType = {
  kind: 'variant',
  name: 'shape',
  cases: [
    { name: 'empty', type: null },
    { name: 'side', type: of('u8') },
  ],
}

describe('what is passed on', () => {
  test.each<[string, WitType, unknown, unknown]>([
    ['minus zero becomes zero for integers', of('u32'), -0, 0],
    ['a safe integer becomes a bigint', of('u64'), 5, 5n],
    ['a negative safe integer becomes a bigint', of('s64'), -5, -5n],
    ['an f32 is rounded as the guest sees it', of('f32'), 0.1, Math.fround(0.1)],
    ['null is none', { kind: 'option', element: of('u8') }, null, undefined],
    [
      'an array of numbers becomes a typed array',
      { kind: 'list', element: of('u32') },
      [1, 2],
      Uint32Array.of(1, 2),
    ],
    [
      'an array of integers becomes big ones',
      { kind: 'list', element: of('u64') },
      [1, 2n],
      BigUint64Array.of(1n, 2n),
    ],
    [
      'a case without payload is a tag alone',
      shape,
      { tag: 'empty', val: undefined },
      { tag: 'empty' },
    ],
    [
      'a flag that is not given is false',
      { kind: 'flags', name: null, labels: ['a-b', 'c'] },
      { aB: true },
      { aB: true, c: false },
    ],
    [
      'an option that is not given is none',
      order,
      { items: [{ unitPrice: 1 }] },
      { items: [{ unitPrice: 1, note: undefined }] },
    ],
    ['a character outside the first plane', of('char'), '🎉', '🎉'],
  ])('%s', (_, type, value, expected) => {
    const [got] = checkArguments(func(type), [value])
    expect(got).toStrictEqual(expected)
    expect(Object.is(got, -0)).toBe(false)
  })

  test('a typed array is passed on without a copy', () => {
    const bytes = Uint8Array.of(1)
    expect(checkArguments(func({ kind: 'list', element: of('u8') }), [bytes])[0]).toBe(bytes)
  })

  test('a record is read once, so that a getter cannot change its mind', () => {
    let reads = 0
    const item = {
      get unitPrice() {
        return ++reads
      },
    }
    const [got] = checkArguments(func(order), [{ items: [item] }])
    expect(got).toEqual({ items: [{ unitPrice: 1, note: undefined }] })
    expect(reads).toBe(1)
  })
})

test('every canonical value passes as it is', () => {
  const pairs = typeArbitrary({ depth: 3, nestedOptions: true }).chain((type) =>
    valueArbitrary(type).map((value) => ({ type, value })),
  )
  fc.assert(
    fc.property(pairs, ({ type, value }) => {
      expect(checkArguments(func(type), [value])).toEqual([value])
    }),
    { numRuns: 500 },
  )
})

describe('what is refused', () => {
  test.each<[string, WitType, unknown, string]>([
    ['a negative u32', of('u32'), -1, 'argument 1 "by": expected u32 (0..4294967295), got -1'],
    ['a fraction', of('u8'), 1.5, 'expected u8 (0..255), got 1.5'],
    ['NaN for an integer', of('s8'), Number.NaN, 'expected s8 (-128..127), got NaN'],
    ['a numeric string', of('u32'), '1', 'got "1"'],
    ['a bigint for a u32', of('u32'), 1n, 'got 1n'],
    ['an unsafe integer', of('u64'), 2 ** 53, 'got 9007199254740992'],
    ['a u64 too large', of('u64'), 2n ** 64n, 'got 18446744073709551616n'],
    ['an s64 too small', of('s64'), -(2n ** 63n) - 1n, 'expected s64'],
    ['two characters', of('char'), 'ab', 'expected char'],
    ['a lone surrogate as char', of('char'), '\ud800', 'expected char'],
    ['a lone surrogate in a string', of('string'), 'a\udc00', 'a lone surrogate'],
    ['1 for true', of('bool'), 1, 'expected bool, got 1'],
    ['a function', of('string'), () => '', 'got a function'],
    [
      'a typed array of another class',
      { kind: 'list', element: of('u32') },
      new Uint8Array(2),
      'Uint32Array or an array of u32, got a Uint8Array',
    ],
    [
      'a bad item',
      { kind: 'list', element: of('u8') },
      [1, 256],
      'argument 1 "by" at by[1]: expected u8 (0..255), got 256',
    ],
    [
      'a tag in no case',
      shape,
      { tag: 'round' },
      'at by.tag: expected one of the tags "empty", "side", got "round"',
    ],
    [
      'a payload that is missing',
      shape,
      { tag: 'side' },
      'at by.val: expected u8 (0..255), got undefined',
    ],
    ['a payload too many', shape, { tag: 'empty', val: 1 }, 'at by.val: expected nothing, got 1'],
    [
      'a key that is inherited only',
      { kind: 'record', name: null, fields: [{ name: 'constructor', type: of('u8') }] },
      {},
      'at by.constructor: expected a value, got nothing',
    ],
    [
      'a misspelt key',
      {
        kind: 'record',
        name: null,
        fields: [{ name: 'a', type: { kind: 'option', element: of('u8') } }],
      },
      { b: 1 },
      'got the key "b"',
    ],
    [
      'a tuple of another length',
      { kind: 'tuple', elements: [of('u8')] },
      [1, 2],
      'expected an array of 1, got an array of 2',
    ],
    [
      'an unknown enum case',
      { kind: 'enum', name: null, cases: ['red'] },
      'blue',
      'expected one of "red", got "blue"',
    ],
  ])('%s', (_, type, value, message) => {
    expect(thrown(() => checkArguments(func(type), [value]))).toMatchObject({
      code: 'ERR_ARGUMENT_TYPE',
      message: expect.stringContaining(message),
    })
  })

  test('the path leads into lists and records', () => {
    const items = [{ unitPrice: 1 }, { unitPrice: 2 }, { unitPrice: 3 }, { unitPrice: '4' }]
    expect(thrown(() => checkArguments(func(order, 'order'), [{ items }]))).toMatchObject({
      message:
        'argument 1 "order" at order.items[3].unitPrice: expected u32 (0..4294967295), got "4"',
      data: { path: 'order.items[3].unitPrice' },
    })
  })

  test('a wrong number of arguments', () => {
    expect(thrown(() => checkArguments(func(of('u8')), []))).toMatchObject({
      code: 'ERR_ARGUMENT_COUNT',
      message: 'f: expected 1 argument (by), got 0',
    })
  })

  test('an error of the caller’s getter comes out as it is, and the next path starts afresh', () => {
    const error = new Error('getter')
    const item = {
      get unitPrice() {
        throw error
      },
    }
    expect(thrown(() => checkArguments(func(order), [{ items: [item] }]))).toBe(error)
    expect(thrown(() => checkArguments(func(of('u8')), [-1]))).toMatchObject({
      data: { path: 'by' },
    })
  })

  test('a list larger than any value may be is refused before it is copied', () => {
    const huge = new Array(70_000_000)
    expect(
      thrown(() => checkArguments(func({ kind: 'list', element: of('u8') }), [huge])),
    ).toMatchObject({
      message: expect.stringContaining('at most 67108864 bytes'),
    })
  })
})

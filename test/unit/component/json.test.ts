import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  argumentsFromJson,
  resultToJson,
  valueFromJson,
  valueToJson,
} from '../../../host/component/values/json.ts'
import type { WitType } from '../../../host/component/wit/wit.ts'
import { thrown } from '../../support/wat.ts'
import { typeArbitrary, valueArbitrary } from '../../support/wit-arbitrary.ts'

const u8: WitType = { kind: 'u8' }
const u64: WitType = { kind: 'u64' }
const f64: WitType = { kind: 'f64' }
const text: WitType = { kind: 'string' }
const maybe: WitType = { kind: 'option', element: u8 }

test('every value of every type survives the way through JSON text', () => {
  const pairs = typeArbitrary({ depth: 3, nestedOptions: true }).chain((type) =>
    valueArbitrary(type).map((value) => ({ type, value })),
  )
  fc.assert(
    fc.property(pairs, ({ type, value }) => {
      const json = JSON.parse(JSON.stringify(valueToJson(type, value)))
      expect(valueFromJson(type, json)).toEqual(value)
    }),
    { numRuns: 1_000 },
  )
})

describe('one table of the mapping', () => {
  test.each<[string, WitType, unknown, unknown]>([
    ['a small u64 is a number', u64, 5n, 5],
    ['a large u64 is a decimal string', u64, 2n ** 64n - 1n, '18446744073709551615'],
    ['NaN is a word', f64, Number.NaN, 'NaN'],
    ['minus infinity is a word', f64, Number.NEGATIVE_INFINITY, '-Infinity'],
    ['minus zero is a word', f64, -0, '-0'],
    ['bytes are base64', { kind: 'list', element: u8 }, Uint8Array.of(1, 2, 255), 'AQL/'],
    ['other lists are arrays', { kind: 'list', element: u64 }, BigUint64Array.of(1n), [1]],
    ['none is null', maybe, undefined, null],
    ['some is the value', maybe, 3, 3],
    [
      'an option of an option is tagged',
      { kind: 'option', element: maybe },
      { tag: 'some', val: undefined },
      { tag: 'some', val: null },
    ],
    [
      'flags are the labels that are set',
      { kind: 'flags', name: null, labels: ['read', 'run-all'] },
      { read: false, runAll: true },
      ['run-all'],
    ],
    [
      'a result without payload is a tag',
      { kind: 'result', ok: null, err: text },
      { tag: 'ok' },
      { tag: 'ok' },
    ],
  ])('%s', (_, type, value, json) => {
    expect(valueToJson(type, value as never)).toStrictEqual(json)
    expect(valueFromJson(type, json)).toStrictEqual(value)
  })
})

describe('what may come in besides', () => {
  const record: WitType = {
    kind: 'record',
    name: 'item',
    fields: [
      { name: 'unit-price', type: u64 },
      { name: 'note', type: { kind: 'option', element: text } },
    ],
  }
  const flags: WitType = { kind: 'flags', name: null, labels: ['read', 'run-all'] }
  test.each<[string, WitType, unknown, unknown]>([
    ['kebab-case keys', record, { 'unit-price': '7' }, { unitPrice: 7n, note: undefined }],
    ['an array of bytes', { kind: 'list', element: u8 }, [1, 2], Uint8Array.of(1, 2)],
    ['base64 without padding', { kind: 'list', element: u8 }, 'AQ', Uint8Array.of(1)],
    ['an object of flags', flags, { 'run-all': true }, { read: false, runAll: true }],
    ['a decimal string where a number would do', u64, '12', 12n],
  ])('%s', (_, type, json, value) => {
    expect(valueFromJson(type, json)).toStrictEqual(value)
  })

  test.each<[string, WitType, unknown, string]>([
    ['an unknown key', record, { unitPrice: 1, prise: 1 }, 'the key "prise"'],
    ['a key in both spellings', record, { unitPrice: 1, 'unit-price': 1 }, 'twice'],
    ['a missing key', record, {}, 'value.unitPrice: expected a value, got nothing'],
    ['a number beyond the safe integers', u64, 2 ** 60, 'got 1152921504606847000'],
    ['a fraction for an integer', u64, '1.5', 'decimal string'],
    ['a negative u64', u64, '-1', 'expected u64'],
    ['a long digit string', u64, '9'.repeat(50), 'decimal string'],
    ['broken base64', { kind: 'list', element: u8 }, 'A', 'base64'],
    ['a byte out of range', { kind: 'list', element: u8 }, [1, 256], 'value[1]'],
    ['an unknown flag', flags, ['fly'], 'value[0]: expected one of "read", "run-all", got "fly"'],
    ['a wrong tag', { kind: 'result', ok: u8, err: null }, { tag: 'yes' }, 'value.tag'],
    [
      'a payload too many',
      { kind: 'result', ok: null, err: null },
      { tag: 'ok', val: 1 },
      'value.val',
    ],
    [
      'an extra key beside the tag',
      { kind: 'result', ok: null, err: null },
      { tag: 'ok', v: 1 },
      'only the keys',
    ],
    ['an unknown float word', f64, 'nan', 'expected f64'],
  ])('%s is refused', (_, type, json, message) => {
    expect(thrown(() => valueFromJson(type, json))).toMatchObject({
      code: 'ERR_ARGUMENT_TYPE',
      message: expect.stringContaining(message),
    })
  })
})

describe('arguments and results', () => {
  const func = {
    name: 'order',
    params: [
      { name: 'what', type: text },
      { name: 'count', type: maybe },
    ],
    result: u64,
  }
  test('trailing options may be left out', () => {
    expect(argumentsFromJson(func, ['tea'])).toStrictEqual(['tea', undefined])
  })
  test('a missing argument is an error of count', () => {
    expect(thrown(() => argumentsFromJson(func, []))).toMatchObject({ code: 'ERR_ARGUMENT_COUNT' })
  })
  test('an error names the parameter', () => {
    expect(thrown(() => argumentsFromJson(func, ['tea', 300]))).toMatchObject({
      code: 'ERR_ARGUMENT_TYPE',
      message: 'argument 2 "count": expected u8 (0..255), got 300',
      data: { path: 'count' },
    })
  })
  test('a function without result returns null', () => {
    expect(resultToJson({ ...func, result: null }, undefined)).toBeNull()
    expect(resultToJson(func, 3n)).toBe(3)
  })
})

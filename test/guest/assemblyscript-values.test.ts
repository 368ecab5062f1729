import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Methods, Oracle } from './oracle.ts'
import { openOracle } from './oracle.ts'

let oracle: Oracle
let echo: Methods

beforeAll(async () => {
  oracle = await openOracle(await readFile('test/fixtures/components/echo.wasm'))
  echo = oracle.instantiate()
})

afterAll(() => oracle.close())

function call(method: string, ...args: unknown[]): unknown {
  const found = echo[method]
  if (!found) throw new Error(`no method ${method}`)
  try {
    return found(...args)
  } catch (error) {
    // jco throws the error side of a result.
    return { thrown: (error as { payload?: unknown } | undefined)?.payload ?? error }
  }
}

const person = {
  name: 'Ánna 🦊',
  age: 255,
  tags: ['', 'b'],
  home: { street: '日本', zip: undefined },
  color: 'dark-blue',
  permissions: { read: true, write: false, runAll: true },
  shapes: [{ tag: 'empty' }, { tag: 'rect', val: { width: 1.5, height: -2 } }],
  score: 18446744073709551615n,
}

const values: readonly [method: string, ...values: unknown[]][] = [
  ['echoBool', true, false],
  ['echoU8', 0, 255],
  ['echoS8', -128, 127],
  ['echoU16', 0, 65535],
  ['echoS16', -32768, 32767],
  ['echoU32', 0, 4294967295],
  ['echoS32', -2147483648, 2147483647],
  ['echoU64', 0n, 18446744073709551615n],
  ['echoS64', -9223372036854775808n, 9223372036854775807n],
  ['echoF32', 0, -0, 1.5, Number.POSITIVE_INFINITY, Number.NaN],
  ['echoF64', 0, -0, 0.1, Number.NEGATIVE_INFINITY, Number.NaN],
  ['echoChar', 'a', '日', '🦊'],
  ['echoString', '', 'a', 'Zoë 🦊\0"', 'x'.repeat(70_000)],
  ['echoListBool', [], [true, false]],
  ['echoListU8', new Uint8Array(), Uint8Array.of(0, 255)],
  ['echoListS8', Int8Array.of(-128, 127)],
  ['echoListU16', Uint16Array.of(0, 65535)],
  ['echoListS16', Int16Array.of(-32768, 32767)],
  ['echoListU32', new Uint32Array(), Uint32Array.of(0, 4294967295)],
  ['echoListS32', new Int32Array(), Int32Array.of(-2147483648, 7)],
  ['echoListU64', BigUint64Array.of(0n, 18446744073709551615n)],
  ['echoListS64', BigInt64Array.of(-9223372036854775808n, 7n)],
  ['echoListF32', Float32Array.of(1.5, -0)],
  ['echoListF64', Float64Array.of(0.1, Number.NaN)],
  ['echoListChar', ['a', '🦊']],
  ['echoListString', [], ['', 'é', '🦊']],
  ['echoListList', [new Uint16Array(), Uint16Array.of(1, 2)]],
  ['echoListPoint', [], [{ x: 1, y: -2 }]],
  ['echoListPerson', [person, { ...person, home: undefined, score: undefined, shapes: [] }]],
  ['echoListColor', ['red', 'green', 'dark-blue']],
  ['echoListOption', [undefined, 0, 255]],
  ['echoListTuple', [['a', true], ['', false]]], // biome-ignore format: one line
  ['echoMap', [], [['a', 1], ['b', 4294967295]]], // biome-ignore format: one line
  [
    'echoScalars',
    {
      b: true,
      i8Value: -1,
      u16Value: 65535,
      i64Value: -2n,
      f32Value: 0.5,
      u8Value: 9,
      f64Value: 0.1,
      c: '🦊',
    },
  ],
  ['echoPoint', { x: -1, y: 2 }],
  ['echoPerson', person],
  ['echoTuple2', [255, 18446744073709551615n]],
  ['echoTuple3', ['a', 1.5, 'green']],
  ['echoTuple4', [true, -128, -32768, { x: 1, y: 2 }]],
  [
    'echoVariant',
    { tag: 'empty' },
    { tag: 'circle', val: 0.1 },
    { tag: 'rect', val: { width: 1.5, height: 2.5 } },
    { tag: 'polygon', val: [[1, -1]] },
    { tag: 'label', val: 'é' },
    { tag: 'ident', val: 18446744073709551615n },
    { tag: 'shift', val: -128 },
  ],
  ['echoEnum', 'red', 'dark-blue'],
  ['echoFlags', { read: false, write: false, runAll: false }, { read: true, write: true, runAll: true }], // biome-ignore format: one line
  ['echoOptionU32', undefined, 0, 4294967295],
  ['echoOptionF64', undefined, 0.1],
  ['echoOptionString', undefined, '', 'é'],
  ['echoOptionPoint', undefined, { x: 1, y: 2 }],
  ['echoOptionList', undefined, new Uint8Array(), Uint8Array.of(1)],
  ['nothing'],
]

describe('values cross the boundary unchanged', () => {
  test.each(values.map(([method, ...samples]) => ({ method, samples })))(
    '$method',
    ({ method, samples }) => {
      for (const sample of samples) expect(call(method, sample)).toEqual(sample)
    },
  )

  test('flags of more than one byte', () => {
    const none = {
      monday: false,
      tuesday: false,
      wednesday: false,
      thursday: false,
      friday: false,
      saturday: false,
      sunday: false,
      holiday: false,
      halfDay: false,
    }
    for (const flags of [
      none,
      { ...none, halfDay: true },
      { ...none, monday: true, holiday: true },
    ]) {
      expect(call('echoWideFlags', flags)).toEqual(flags)
    }
  })

  test('results, whose error side jco throws', () => {
    expect(call('echoResult', { tag: 'ok', val: 7n })).toBe(7n)
    expect(call('echoResult', { tag: 'err', val: 'no' })).toEqual({ thrown: 'no' })
    expect(call('echoResultOk', { tag: 'ok', val: { x: 1, y: 2 } })).toEqual({ x: 1, y: 2 })
    expect(call('echoResultOk', { tag: 'err' })).toHaveProperty('thrown')
    expect(call('echoResultErr', { tag: 'ok' })).toBeUndefined()
    const shape = { tag: 'ident', val: 5n }
    expect(call('echoResultErr', { tag: 'err', val: shape })).toEqual({ thrown: shape })
    expect(call('echoResultBare', { tag: 'ok' })).toBeUndefined()
    expect(call('echoResultBare', { tag: 'err' })).toHaveProperty('thrown')
  })

  test('more flat parameters than the ABI passes in registers', () => {
    const args = [1, -2, 3, -4n, 0.5, 0.25, true, '🦊', 'é', 5n, 6, 7, 8, { x: 9, y: -10 }, 'green']
    expect(call('manyParams', ...args)).toBe('1|-2|3|-4|0.5|0.25|true|🦊|é|5|6|7|8|9|-10|1')
    expect(call('sixteenParams', ...Array(16).fill(4294967295))).toBe(68719476720n)
  })

  test('several values in one call', () => {
    const args = ['é', [{ x: 1, y: 2 }], 3n, { tag: 'label', val: 'b' }]
    expect(call('mixed', ...args)).toEqual(args)
  })
})

test('an option in an option, which jco misreads, is right in the core module', () => {
  const [core] = oracle.core
  if (!core) throw new Error('no core module')
  const imports = { 'loom:actor/guest@0.1.0': { panic: () => undefined } }
  const { exports } = new WebAssembly.Instance(core, imports)
  const name = 'test:echo/echo@0.1.0#echo-option-option'
  const raw = exports as unknown as Record<string, (...args: number[]) => number>
  const memory = exports.memory as WebAssembly.Memory
  raw._initialize?.()
  // outer discriminant u8 at 0, inner one u8 at 4, u32 at 8
  for (const [outer, inner, value] of [
    [0, 0, 0],
    [1, 0, 0],
    [1, 1, 7],
  ] as const) {
    const area = new DataView(memory.buffer, raw[name]?.(outer, inner, value))
    expect(area.getUint8(0)).toBe(outer)
    if (outer === 1) expect(area.getUint8(4)).toBe(inner)
    if (inner === 1) expect(area.getUint32(8, true)).toBe(value)
    raw[`cabi_post_${name}`]?.(0)
  }
})

test('any person crosses the boundary unchanged, and garbage is collected between calls', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 })
  const shape = fc.oneof(
    fc.constant({ tag: 'empty' }),
    fc.record({ tag: fc.constant('circle'), val: fc.double() }),
    fc.record({ tag: fc.constant('label'), val: text }),
    fc.record({ tag: fc.constant('ident'), val: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
    fc.record({ tag: fc.constant('shift'), val: fc.integer({ min: -128, max: 127 }) }),
  )
  const anyPerson = fc.record({
    name: text,
    age: fc.integer({ min: 0, max: 255 }),
    tags: fc.array(text),
    home: fc.option(fc.record({ street: text, zip: fc.option(text, { nil: undefined }) }), {
      nil: undefined,
    }),
    color: fc.constantFrom('red', 'green', 'dark-blue'),
    permissions: fc.record({ read: fc.boolean(), write: fc.boolean(), runAll: fc.boolean() }),
    shapes: fc.array(shape),
    score: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(anyPerson, { maxLength: 5 }), (people) => {
      expect(call('echoListPerson', people)).toEqual(people)
    }),
    { numRuns: 200 },
  )
})

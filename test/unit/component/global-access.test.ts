import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { GlobalValue } from '../../../host/component/component.ts'
import { meterModule } from '../../../host/component/core/fuel.ts'
import {
  ACCESS_NAME,
  FUEL_INDEX,
  type GlobalAccess,
  InstanceGlobals,
  ROOM_INDEX,
} from '../../../host/component/core/global-access.ts'
import {
  type InstrumentedModule,
  instrument,
  instrumentAll,
} from '../../../host/component/core/instrument.ts'
import { readCoreModule } from '../../../host/component/core/module.ts'
import { runWat, thrown } from '../../support/wat.ts'

const FUEL_PER_TURN = 10_000
const LIMITS = { fuelPerTurn: FUEL_PER_TURN, memoryPagesMax: 2, resultBytesMax: 1_000 }

type Exports = Record<string, (...args: unknown[]) => unknown>

async function rewritten(text: string, ownsCounters = true): Promise<InstrumentedModule> {
  const binary = await parse(text)
  return instrument(binary, readCoreModule(binary, 0, binary.length), { ownsCounters })
}

async function globalsOf(text: string): Promise<{ globals: InstanceGlobals; exports: Exports }> {
  const { bytes, globals: types } = await rewritten(text)
  const exports = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Exports
  const globals = new InstanceGlobals([types], types.length)
  globals.add(exports[ACCESS_NAME] as unknown as GlobalAccess)
  return { globals, exports }
}

const KINDS = `(global $a (mut i32) (i32.const -5)) (global i64 (i64.const 9)) (global $b (mut i64) (i64.const -6))
  (global $c (mut f32) (f32.const 1.5)) (global $d (mut f64) (f64.const -0))`
const READERS = ['a', 'b', 'c', 'd']
  .map((name, index) => {
    const type = ['i32', 'i64', 'f32', 'f64'][index]
    return `(func (export "${name}") (result ${type}) (global.get $${name}))`
  })
  .join(' ')

describe('mutable globals', () => {
  test('of every type are read as the guest has them', async () => {
    const { globals } = await globalsOf(`(module ${KINDS})`)
    expect(globals.read()).toStrictEqual([-5, -6n, 1.5, -0])
  })

  test('become what is written, for the guest as well', async () => {
    const { globals, exports } = await globalsOf(`(module ${KINDS} ${READERS})`)
    const values = fc.tuple(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.float(),
      fc.double(),
    )
    fc.assert(
      fc.property(values, (wanted) => {
        globals.write(wanted)
        expect(globals.read()).toStrictEqual(wanted)
        expect(['a', 'b', 'c', 'd'].map((name) => exports[name]?.())).toStrictEqual(wanted)
      }),
    )
  })

  test('hold the canonical NaN alone, whatever the guest sets them to', async () => {
    const text = `(module (import "other" "e" (global $e (mut f64)))
      (global $c (mut f32) (f32.const nan)) (global $d (mut f64) (f64.const 0))
      (func (export "set") (param i32 i64)
        (global.set $c (f32.reinterpret_i32 (local.get 0)))
        (global.set $d (f64.reinterpret_i64 (local.get 1)))
        (global.set $e (f64.reinterpret_i64 (local.get 1))))
      (func (export "c") (result i32) (i32.reinterpret_f32 (global.get $c)))
      (func (export "d") (result i64) (i64.reinterpret_f64 (global.get $d)))
      (func (export "e") (result i64) (i64.reinterpret_f64 (global.get $e))))`
    const { bytes } = await rewritten(text)
    const e = new WebAssembly.Global({ value: 'f64', mutable: true }, 0)
    const imports = { other: { e } }
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports)
    const { set, c, d, e: of } = exports as Exports
    const bits = (single: number, double: bigint) => {
      set?.(single, double)
      return [c?.(), d?.(), of?.()]
    }
    const canonical = 0x7ff8_0000_0000_0000n
    expect([c?.(), d?.()]).toEqual([0x7fc0_0000, 0n])
    expect(bits(0x7fa0_0000, 0x7ff0_0000_0000_0005n)).toEqual([0x7fc0_0000, canonical, canonical])
    expect(bits(-1, -1n)).toEqual([0x7fc0_0000, canonical, canonical])
    const one = 0x3ff0_0000_0000_0000n
    expect(bits(0x3f80_0000, one)).toEqual([0x3f80_0000, one, one])
    const minusInfinity = -0x0010_0000_0000_0000n
    expect(bits(-0x0080_0000, minusInfinity)).toEqual([-0x0080_0000, minusInfinity, minusInfinity])
  })

  test.each([
    ['(global (mut f32) (f32.const nan:0x200000))', 'as another NaN than the canonical one'],
    ['(global (mut f64) (f64.const -nan))', 'as another NaN than the canonical one'],
    ['(import "a" "b" (global $g f64)) (global (mut f64) (global.get $g))', 'as another global'],
  ])('that begin otherwise are refused: %s', async (text, message) => {
    await expect(rewritten(`(module ${text})`)).rejects.toMatchObject({
      code: 'ERR_COMPONENT_FEATURE',
      message: expect.stringContaining(message),
    })
  })

  test('are as they were after a restore, NaNs too, and immutable ones are the module’s own', async () => {
    const { globals, exports } = await globalsOf(`(module (global $n f64 (f64.const -nan:0x5))
      (global $d (mut f64) (f64.const 0))
      (func (export "divide") (global.set $d (f64.div (f64.const 0) (global.get $d))))
      (func (export "n") (result i64) (i64.reinterpret_f64 (global.get $n)))
      (func (export "d") (result i64) (i64.reinterpret_f64 (global.get $d))))`)
    expect(exports.n?.()).toBe(-0x0010_0000_0000_0000n + 5n)
    exports.divide?.()
    const before = exports.d?.()
    globals.write(globals.read())
    expect(exports.d?.()).toBe(before)
  })

  test.each<[string, readonly GlobalValue[]]>([
    ['a bigint for an i32', [1n, 1n, 1, 1]],
    ['a number for an i64', [1, 1, 1, 1]],
  ])('refuse %s', async (_, values) => {
    const { globals } = await globalsOf(`(module ${KINDS})`)
    expect(thrown(() => globals.write(values))).toMatchObject({ code: 'ERR_SNAPSHOT_CORRUPT' })
  })

  test('are one export, and of a module without any, code or not, none', async () => {
    const of = async (text: string) =>
      WebAssembly.Module.exports(new WebAssembly.Module((await rewritten(text, false)).bytes)).map(
        ({ name }) => name,
      )
    expect(await of(`(module ${KINDS})`)).toEqual([ACCESS_NAME])
    expect(await of('(module (func) (global i32 (i32.const 1)))')).toEqual([])
  })

  test('behind types of every form have a function of the right type', async () => {
    const text = `(module (type $f (func (result i32))) (rec (type $s (struct (field i8) (field (mut i64)))) (type (sub (array (mut i16)))))
      (type (func (param (ref null $s))))
      (global $g (mut i32) (i32.const 7)) (func (export "g") (type $f) (global.get $g)))`
    const { bytes, globals: types } = await rewritten(text)
    expect(types).toEqual(['i32'])
    if (WebAssembly.validate(await parse(text))) expect(WebAssembly.validate(bytes)).toBe(true)
  })
})

describe('counters', () => {
  const LOOP = '(func (export "loop") (loop (br 0)))'

  test('of a module that defines them are full, and set from outside', async () => {
    const { exports } = await globalsOf(`(module ${KINDS} ${LOOP})`)
    const access = exports[ACCESS_NAME] as unknown as GlobalAccess
    expect([access(FUEL_INDEX, 0n, 0), access(ROOM_INDEX, 0n, 0)]).toEqual([2n ** 62n, 2n ** 62n])
    access(FUEL_INDEX, 1_000n, 1)
    expect(thrown(() => exports.loop?.())).toBeInstanceOf(WebAssembly.RuntimeError)
    expect(access(FUEL_INDEX, 0n, 0)).toBeLessThan(0n)
  })

  test.each<[string, string, readonly number[], string]>([
    ['a module that is alone', '(module (func))', [0], 'own'],
    ['one that is made twice', '(module (func))', [0, 0], 'imported'],
    ['one that would start without limits', '(module (func $f) (start $f))', [0], 'imported'],
  ])('%s', async (_, text, made, counters) => {
    const binary = await parse(text)
    const core = readCoreModule(binary, 0, binary.length)
    const [all] = instrumentAll(binary, [core], [meterModule(binary, core)], made)
    expect(all?.counters).toBe(counters)
  })

  const component = (modules: string, instances: string) => `(component ${modules} ${instances}
    (func $run (canon lift (core func $i "loop"))) (export "run" (func $run)))`

  test.each([
    [
      'one core instance',
      component(`(core module $m ${LOOP})`, '(core instance $i (instantiate $m))'),
    ],
    [
      'two, one of which has no code',
      component(
        `(core module $m ${LOOP}) (core module $n (global (mut i32) (i32.const 4)))`,
        '(core instance (instantiate $n)) (core instance $i (instantiate $m))',
      ),
    ],
    [
      'two that share them',
      component(
        `(core module $n (func (export "spin") (loop (br 0))))
         (core module $m (import "n" "spin" (func $spin)) (func (export "loop") (call $spin)))`,
        '(core instance $n (instantiate $n)) (core instance $i (instantiate $m (with "n" (instance $n))))',
      ),
    ],
  ])('stop a turn in a component of %s', async (_, text) => {
    const { instance, call } = await runWat(text)
    instance.limit(LIMITS)
    expect(thrown(() => call('run'))).toMatchObject({
      code: 'ERR_FUEL',
      data: { allowed: FUEL_PER_TURN },
    })
  })
})

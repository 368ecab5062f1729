// Aim: metering changes nothing but fuel, charges at least what runs, charges the same every time, and never
// turns an invalid module into a valid one. Method: random programs, plain beside metered; random damage.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isLoomError } from '../../../host/base/errors.ts'
import { meterModule } from '../../../host/component/core/fuel.ts'
import { instrument } from '../../../host/component/core/instrument.ts'
import { readCoreModule } from '../../../host/component/core/module.ts'
import { meter, meteredModule, outcomeOf, plainExports, runMetered } from '../../support/metered.ts'
import { programs, STEP_INSTRUCTIONS } from '../../support/program-arbitrary.ts'
import { seedOf } from '../../support/seed.ts'

const options = (what: string, numRuns: number) => ({ numRuns, seed: seedOf(what) })
const START = 10n ** 12n

function stateOf(exports: Record<string, unknown>): unknown {
  const memory = exports.memory as WebAssembly.Memory
  return [
    Buffer.from(memory.buffer).toString('latin1'),
    (exports.g as WebAssembly.Global).value,
    (exports.steps as WebAssembly.Global).value,
  ]
}

describe('random programs', () => {
  test('give the same results, memory and globals as without fuel, and pay for what they run', async () => {
    await fc.assert(
      fc.asyncProperty(programs, async ({ text, args }) => {
        const plain = await plainExports(text)
        const expected = outcomeOf(() => plain.run?.(...args))
        const module = await meteredModule(text)
        const first = runMetered(module, START)
        expect(outcomeOf(() => first.exports.run?.(...args))).toEqual(expected)
        expect(stateOf(first.exports) as never).toEqual(stateOf(plain))
        const spent = START - first.fuel
        const steps = (plain.steps as unknown as WebAssembly.Global).value as bigint
        expect(spent).toBeGreaterThanOrEqual(steps * BigInt(STEP_INSTRUCTIONS))
        const second = runMetered(module, START)
        outcomeOf(() => second.exports.run?.(...args))
        expect(second.fuel).toBe(first.fuel)
      }),
      options('metered programs', 60),
    )
  })

  test('stop at the same place, whenever the same fuel runs out', async () => {
    const budgets = fc.tuple(programs, fc.bigInt({ min: 1n, max: 2_000n }))
    await fc.assert(
      fc.asyncProperty(budgets, async ([{ text, args }, fuel]) => {
        const module = await meteredModule(text)
        const [first, second] = [runMetered(module, fuel), runMetered(module, fuel)]
        const outcome = outcomeOf(() => first.exports.run?.(...args))
        expect(outcomeOf(() => second.exports.run?.(...args))).toEqual(outcome)
        expect(stateOf(second.exports)).toEqual(stateOf(first.exports))
        expect(second.fuel).toBe(first.fuel)
        if (first.fuel < 0n) expect(outcome).toBe('trap: unreachable')
      }),
      options('exhausted programs', 30),
    )
  })

  test('that are damaged are refused, or as valid as without fuel', async () => {
    const damage = fc.tuple(
      programs,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
    )
    await fc.assert(
      fc.asyncProperty(damage, async ([{ text }, changes]) => {
        const binary = Uint8Array.from(await parse(text))
        const code = readCoreModule(binary, 0, binary.length).sections.find(({ id }) => id === 10)
        const from = code?.payload ?? 0
        for (const [at, value] of changes) binary[from + (at % (binary.length - from))] = value
        let metered: Uint8Array
        try {
          metered = meter(binary)
        } catch (error) {
          expect(isLoomError(error) ? error.code : error).toMatch(/^ERR_COMPONENT_/)
          return
        }
        expect(WebAssembly.validate(metered)).toBe(WebAssembly.validate(binary))
      }),
      options('damaged programs', 200),
    )
  })
})

describe('a module', () => {
  test('whose constants name its own globals keeps its meaning', async () => {
    const text = `(module
      (global $a i32 (i32.const 8)) (global $b (export "b") i32 (global.get $a))
      (memory (export "memory") 1) (table 20 funcref)
      (elem (offset (global.get $b)) func $f) (data (offset (global.get $a)) "x")
      (func $f (result i32) (i32.load8_u (global.get $a)))
      (func (export "run") (result i32) (call_indirect (result i32) (global.get $b))))`
    const binary = await parse(text)
    const metered = meter(binary)
    expect(WebAssembly.validate(metered)).toBe(WebAssembly.validate(binary))
    if (!WebAssembly.validate(metered)) return
    expect(runMetered(new WebAssembly.Module(metered)).exports.run?.()).toBe(120)
  })

  test('with more than 127 globals is renamed over the size of an index', async () => {
    const globals = Array.from({ length: 140 }, (_, at) => `(global (mut i32) (i32.const ${at}))`)
    const reads = Array.from({ length: 140 }, (_, at) => `(global.get ${at})`)
    const sum = `${reads.join(' ')} ${'i32.add '.repeat(139)}`
    const module = await meteredModule(
      `(module ${globals.join('')} (func (export "f") (result i32) ${sum}))`,
    )
    expect(runMetered(module).exports.f?.()).toBe((139 * 140) / 2)
  })

  // The text format of the tools has lost the legacy instructions, which toolchains still emit.
  test('with legacy exceptions is metered', () => {
    const body = [
      0x00, 0x06, 0x7f, 0x08, 0x00, 0x07, 0x00, 0x41, 0x05, 0x19, 0x41, 0x06, 0x0b, 0x0b,
    ]
    const binary = Uint8Array.from([
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...[1, 8, 2, 0x60, 0, 0, 0x60, 0, 1, 0x7f],
      ...[3, 2, 1, 1],
      ...[13, 3, 1, 0, 0],
      ...[7, 5, 1, 1, 0x66, 0, 0],
      ...[10, body.length + 2, 1, body.length, ...body],
    ])
    const run = runMetered(new WebAssembly.Module(meter(binary)))
    expect(run.exports.f?.()).toBe(5)
    expect(START - run.fuel).toBeGreaterThan(500n)
  })

  test.each<[string, string]>([
    [
      '(func (result v128) (i8x16.relaxed_swizzle (v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0)))',
      'relaxed SIMD',
    ],
    ['(func (drop (ref.i31 (i32.const 1))))', 'instruction 0xfb 0x1c (garbage collection)'],
  ])('with %s is refused with the name and the place', async (code, feature) => {
    const binary = await parse(`(module ${code})`)
    expect(() => meter(binary)).toThrow(
      expect.objectContaining({
        code: 'ERR_COMPONENT_FEATURE',
        message: expect.stringMatching(/at byte \d+/),
      }),
    )
    expect(() => meter(binary)).toThrow(feature)
  })

  test.each<[string, number[]]>([
    ['instruction 0xe0 (stack switching)', [0xe0, 0x00]],
    ['instruction 0xfc 0x16 (wide arithmetic)', [0xfc, 0x16]],
  ])('with an %s is refused likewise', (feature, code) => {
    const body = [0x00, ...code, 0x0b]
    const binary = Uint8Array.from([
      ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      ...[1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0],
      ...[10, body.length + 2, 1, body.length, ...body],
    ])
    expect(() => meter(binary)).toThrow(feature)
  })

  test('with a function of a type among types of garbage collection is refused likewise', async () => {
    const binary = await parse('(module (type $f (sub (func))) (func (type $f)))')
    expect(() => meter(binary)).toThrow('the type of core function 0 (garbage collection)')
  })

  test('cannot name what metering adds', async () => {
    const own = await parse('(module (import "loom:meter" "fuel" (global (mut i64))))')
    expect(() => meter(own)).toThrow('core module imports the reserved "loom:meter"')
    // `local.get 0` in a function without locals, which the counters' locals must not make valid.
    const binary = Uint8Array.from(await parse('(module (func (drop (i32.const 0))))'))
    binary[binary.lastIndexOf(0x41)] = 0x20
    expect(WebAssembly.validate(binary)).toBe(false)
    expect(() => meter(binary)).toThrow('local 0 does not exist')
  })
})

describe('what takes long is charged', () => {
  const spent = async (body: string, items = '(memory 16)'): Promise<bigint> => {
    const run = runMetered(
      await meteredModule(`(module ${items} (func (export "f") ${body}))`),
      START,
    )
    run.exports.f?.()
    return START - run.fuel
  }

  test.each<[string, string, bigint]>([
    ['memory.fill', '(memory.fill (i32.const 0) (i32.const 0) (i32.const 800000))', 100_000n],
    ['memory.copy', '(memory.copy (i32.const 9) (i32.const 0) (i32.const 800000))', 100_000n],
    ['memory.grow', '(drop (memory.grow (i32.const 1)))', 500n],
  ])('%s by its size', async (_, body, least) => {
    const fuel = await spent(body)
    expect(fuel).toBeGreaterThanOrEqual(least)
    expect(fuel).toBeLessThan(least + 100n)
  })

  const many = (what: string, count = 900): string => Array(count).fill(what).join(' ')
  const wide = `(type $wide (func (param ${many('i64')}) (result ${many('i64')})))`

  test.each<[string, string, string, bigint]>([
    [
      'a branch',
      '',
      `(block $b (type $wide) (br $b)) ${many('(drop)')}`,
      450n + 450n, // what the block takes, what the branch carries
    ],
    ['a block', '', `(block (type $wide)) ${many('(drop)')}`, 450n + 450n],
  ])('%s by the values that it moves', async (_, items, body, least) => {
    const text = `${many('(i64.const 3)')} ${body}`
    const fuel = await spent(text, `(memory 1) ${wide} ${items}`)
    expect(fuel).toBeGreaterThanOrEqual(1_800n + least)
    expect(fuel).toBeLessThan(1_800n + least + 40n)
  })

  test('a call with many arguments and results by their number', async () => {
    const items = `${wide} (func $w (type $wide) ${many('(i64.const 1)')})`
    const fuel = await spent(`${many('(i64.const 3)')} (call $w) ${many('(drop)')}`, items)
    expect(fuel).toBeGreaterThanOrEqual(900n * 4n)
  })

  test('a function by the locals that it declares', async () => {
    const items = `(func $l (local ${many('i64', 40_064)}))`
    expect(await spent('(call $l)', items)).toBeGreaterThanOrEqual(10_000n)
    expect(await spent('(call $l)', `(func $l (local ${many('i64', 64)}))`)).toBeLessThan(20n)
  })

  test('a frame that an exception may leave, and no other', async () => {
    const call = '(func $a) (func $b (call $a))'
    expect(await spent('(call $b)', call)).toBeLessThan(30n)
    expect(await spent('(call $b)', `(tag) ${call}`)).toBeGreaterThanOrEqual(80n)
  })

  test('an arm that is not taken costs little, one that is taken all', async () => {
    const long = '(drop (i32.const 1))'.repeat(100)
    const arms = (test: number) => `(if (i32.const ${test}) (then ${long}) (else (nop)))`
    expect(await spent(arms(0))).toBeLessThan(40n)
    expect(await spent(arms(1))).toBeGreaterThanOrEqual(200n)
  })

  test('an endless loop ends, in every form', async () => {
    for (const body of ['(loop (br 0))', '(loop (br_if 0 (i32.const 1)))', '(return_call $f)']) {
      const module = await meteredModule(`(module (func $f (export "f") ${body}))`).catch(
        () => null,
      )
      if (module === null) continue
      const run = runMetered(module, 100_000n)
      expect(outcomeOf(() => run.exports.f?.())).toBe('trap: unreachable')
      expect(run.fuel).toBeLessThan(0n)
    }
  })
})

describe('memory', () => {
  const GROW = '(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))'
  const PAGE = 65_536n

  test('grows up to its own maximum as always, and takes room for it', async () => {
    const run = runMetered(await meteredModule(`(module (memory 1 4) ${GROW})`), START, 10n * PAGE)
    expect([2, 2, 1, 1, 0, -1].map((pages) => run.exports.grow?.(pages))).toEqual([
      1, -1, 3, -1, 4, -1,
    ])
    expect(run.room).toBe(7n * PAGE)
  })

  test('by nothing is the same memory, for which no engine makes another buffer', async () => {
    const items = '(memory (export "memory") 3)'
    const run = runMetered(await meteredModule(`(module ${items} ${GROW})`))
    const memory = run.exports.memory as unknown as WebAssembly.Memory
    const { buffer } = memory
    expect(run.exports.grow?.(0)).toBe(3)
    expect(memory.buffer).toBe(buffer)
    expect(run.exports.grow?.(1)).toBe(3)
    expect(memory.buffer).not.toBe(buffer)
  })

  test('beyond the room traps, and stays stopped', async () => {
    const run = runMetered(await meteredModule(`(module (memory 1) ${GROW})`), START, 2n * PAGE)
    expect(run.exports.grow?.(2)).toBe(1)
    expect(run.exports.grow?.(0)).toBe(3)
    expect(outcomeOf(() => run.exports.grow?.(1))).toBe('trap: unreachable')
    expect(run.fuel).toBe(-(2n ** 62n))
    expect(outcomeOf(() => run.exports.grow?.(0))).toBe('trap: unreachable')
  })

  /** A module that imports a memory which can have `pagesMax`, and is given one of 1 page that the engine lets have 2. */
  async function importing(pagesMax: number) {
    const binary = await parse(`(module (import "m" "m" (memory 1)) ${GROW})`)
    const core = readCoreModule(binary, 0, binary.length)
    const { bytes } = instrument(binary, core, {
      metered: meterModule(binary, core, false, [pagesMax]),
    })
    const room = new WebAssembly.Global({ value: 'i64', mutable: true }, 10n * PAGE)
    const fuel = new WebAssembly.Global({ value: 'i64', mutable: true }, START)
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 })
    const imports = { m: { m: memory }, 'loom:meter': { fuel, room } }
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports)
    return { grow: exports.grow as (pages: number) => number, fuel, room }
  }

  test('of another module grows up to that maximum as well', async () => {
    const { grow, room } = await importing(2)
    expect([grow(2), grow(1), grow(1)]).toEqual([-1, 1, -1])
    expect(room.value).toBe(9n * PAGE)
  })

  test('of another module that the host cannot give stops the guest, and is no maximum', async () => {
    const { grow, fuel } = await importing(5)
    expect(grow(5)).toBe(-1)
    expect(grow(1)).toBe(1)
    expect(outcomeOf(() => grow(1))).toBe('trap: unreachable')
    expect(fuel.value).toBe(-(2n ** 61n))
  })

  test('of tables is bounded likewise', async () => {
    const text = `(module (table 1 funcref) (func (export "grow") (param i32) (result i32)
      (table.grow 0 (ref.null func) (local.get 0))))`
    const run = runMetered(await meteredModule(text), START, PAGE)
    expect(run.exports.grow?.(200)).toBe(1)
    expect(outcomeOf(() => run.exports.grow?.(200))).toBe('trap: unreachable')
  })
})

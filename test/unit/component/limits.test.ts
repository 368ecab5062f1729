// Aim: what a guest may use up in one call is bounded, on its own side and on the host's.
import { describe, expect, test } from 'vitest'
import type {
  ComponentInstance,
  GuestLimits,
  HostFunction,
} from '../../../host/component/component.ts'
import { loadWat, single, thrown } from '../../support/wat.ts'

const LIMITS: GuestLimits = {
  fuelPerTurn: 1_000_000,
  memoryPagesMax: 2_000,
  resultBytesMax: 1_000_000,
}

async function start(
  text: string,
  host: HostFunction = () => undefined,
  limits: Partial<GuestLimits> = {},
): Promise<{ instance: ComponentInstance; call(name: string, ...args: number[]): unknown }> {
  const component = await loadWat(text)
  const instance = component.instantiate(() => host, { ...LIMITS, ...limits })
  return {
    instance,
    call(name, ...args) {
      const target = component.exports.find(({ func }) => func.name === name)
      if (target === undefined) throw new Error(`no export ${name}`)
      return instance.call(target, args)
    },
  }
}

/** A core module that calls `host` (param i32 i32), a string, as often as `f` is told. */
function calling(body: string): string {
  return `(component
    (import "host:api/h" (instance $h (export "take" (func (param "text" string)))))
    (core module $lib (memory (export "memory") 1600))
    (core instance $lib (instantiate $lib))
    (core func $take (canon lower (func $h "take") (memory (core memory $lib "memory"))))
    (core module $m (import "h" "take" (func $take (param i32 i32))) (func $f (export "f") (param i32) ${body}))
    (core instance $i (instantiate $m (with "h" (instance (export "take" (func $take))))))
    (func $f (param "n" u32) (canon lift (core func $i "f")))
    (export "f" (func $f)))`
}

const LOOP = (sizeBytes: number): string =>
  `(loop (call $take (i32.const 0) (i32.const ${sizeBytes}))
     (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))`

describe('host calls', () => {
  test('are bounded by the fuel of a turn, whatever the guest pays for its own code', async () => {
    let count = 0
    const { call } = await start(calling(LOOP(0)), () => {
      count++
      return undefined
    })
    call('f', 400)
    expect(count).toBe(400)
    call('f', 400)
    expect(thrown(() => call('f', 1_000_000))).toMatchObject({
      code: 'ERR_FUEL',
      message: expect.stringMatching(
        /^import host:api\/h#take: the turn called the host more than/,
      ),
    })
    expect(count).toBe(1_300)
  })

  test('pay for the size of what they bring', async () => {
    let size = 0
    const { call } = await start(calling(LOOP(1_000_000)), (text) => {
      size += String(text).length
      return undefined
    })
    expect(thrown(() => call('f', 1_000))).toMatchObject({ code: 'ERR_FUEL' })
    expect(size).toBeLessThanOrEqual(5_000_000)
  })

  test('pay for values that are made one by one, more than for bytes', async () => {
    const taking = (type: string) => `(component
      (import "take" (func $take (param "a" (list ${type}))))
      (core module $lib (memory (export "memory") 10))
      (core instance $lib (instantiate $lib))
      (core func $take (canon lower (func $take) (memory (core memory $lib "memory"))))
      (core module $m (import "" "take" (func $take (param i32 i32)))
        (func (export "f") (loop (call $take (i32.const 0) (i32.const 100)) (br 0))))
      (core instance $i (instantiate $m (with "" (instance (export "take" (func $take))))))
      (func (export "f") (canon lift (core func $i "f"))))`
    const counts: number[] = []
    for (const type of ['u8', 'bool', '(tuple u8)', '(list u8)']) {
      let count = 0
      const { call } = await start(taking(type), () => {
        count += 100
        return undefined
      })
      expect(thrown(() => call('f'))).toMatchObject({ code: 'ERR_FUEL' })
      counts.push(count)
    }
    const [bytes = 0, flags = 0, tuples = 0, lists = 0] = counts
    expect(bytes).toBeGreaterThan(flags)
    expect(flags).toBeGreaterThan(tuples)
    expect(tuples).toBeGreaterThan(lists)
    // Half a microsecond each, at some two units of fuel for a nanosecond.
    expect(lists).toBeLessThan(1_000_000 / 800)
  })

  test('pay for parameters and results of a large type', async () => {
    const wide = `(tuple ${'u8 '.repeat(2_000)})`
    const text = `(component
      (import "take" (func $take (param "a" ${wide}) (result ${wide})))
      (core module $lib (memory (export "memory") 1))
      (core instance $lib (instantiate $lib))
      (core func $take (canon lower (func $take) (memory (core memory $lib "memory"))))
      (core module $m (import "" "take" (func $take (param i32 i32)))
        (func (export "f") (loop (call $take (i32.const 0) (i32.const 4096)) (br 0))))
      (core instance $i (instantiate $m (with "" (instance (export "take" (func $take))))))
      (func (export "f") (canon lift (core func $i "f"))))`
    let count = 0
    const { call } = await start(text, () => {
      count++
      return Array(2_000).fill(0)
    })
    expect(thrown(() => call('f'))).toMatchObject({ code: 'ERR_FUEL' })
    expect(count).toBeLessThan(1_000_000 / (2 * 2_000 * 16))
  })

  test('of another component pay for the size of what it answers', async () => {
    const size = 100_000
    const text = `(component
      (component $callee
        (core module $m (memory (export "memory") 2)
          (func (export "get") (result i32) (i32.store (i32.const 4) (i32.const ${size})) (i32.const 0)))
        (core instance $i (instantiate $m))
        (func (export "get") (result (list u8)) (canon lift (core func $i "get") (memory (core memory $i "memory")))))
      (instance $callee (instantiate $callee))
      (core module $lib (memory (export "memory") 2) (global $n (mut i32) (i32.const 0))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
          (global.set $n (i32.add (global.get $n) (i32.const 1))) (i32.const 16))
        (func (export "count") (result i32) (global.get $n)))
      (core instance $lib (instantiate $lib))
      (core func $get (canon lower (func $callee "get") (memory (core memory $lib "memory"))
        (realloc (core func $lib "realloc"))))
      (core module $m (import "" "get" (func $get (param i32)))
        (func (export "f") (param i32)
          (loop (call $get (i32.const 0)) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
      (core instance $i (instantiate $m (with "" (instance (export "get" (func $get))))))
      (func (export "count") (result u32) (canon lift (core func $lib "count")))
      (func (export "f") (param "n" u32) (canon lift (core func $i "f"))))`
    const { call, instance } = await start(text)
    call('f', 5)
    expect(call('count')).toBe(5)
    expect(thrown(() => call('f', 1_000))).toMatchObject({ code: 'ERR_FUEL' })
    const counted = instance.state.globals.read()[0] as number
    expect(counted * size).toBeLessThan(5_000_000)
  })

  test('cannot bring more at once than a result may hold', async () => {
    const { call } = await start(calling(LOOP(1_000_001)))
    expect(thrown(() => call('f', 1))).toMatchObject({
      code: 'ERR_TRAP',
      message: expect.stringContaining('exceed 1000000 bytes (limits.resultBytesMax)'),
    })
  })

  test('at the bottom of a stack are the guest’s overflow, not the host’s', async () => {
    const body = '(call $take (i32.const 0) (i32.const 8)) (call $f (i32.const 0))'
    const deep = (): number => 1 + deep()
    const { call } = await start(calling(body), undefined, { fuelPerTurn: 2_000_000_000 })
    expect(thrown(() => call('f', 0))).toMatchObject({ code: 'ERR_TRAP' })
    const inHost = await start(calling(body), () => void deep())
    expect(thrown(() => inHost.call('f', 0))).toMatchObject({ code: 'ERR_TRAP' })
  })
})

describe('values', () => {
  test('a result of 100 MB is refused before it is copied', async () => {
    const core = `(func (export "f") (result i32) (drop (memory.grow (i32.const 1600)))
      (i32.store (i32.const 16) (i32.const 0)) (i32.store (i32.const 20) (i32.const 100000000)) (i32.const 16))`
    const { call } = await start(single(core, { f: '(result string)' }))
    expect(thrown(() => call('f'))).toMatchObject({
      code: 'ERR_TRAP',
      message: expect.stringMatching(
        /^f: string: .* exceed 1000000 bytes \(limits.resultBytesMax\)/,
      ),
    })
  })
})

describe('an instantiation that never ends', () => {
  test.each<[string, string]>([
    ['a start function', '(func $s (loop (br 0))) (start $s)'],
    ['recursion in a start function', '(func $s (loop (call $t) (br 0))) (func $t) (start $s)'],
  ])('%s is stopped', async (_, code) => {
    const text = `(component (core module $m ${code}) (core instance (instantiate $m)))`
    await expect(start(text)).rejects.toMatchObject({
      code: 'ERR_FUEL',
      message: expect.stringMatching(/^instantiation: the turn ran longer than limits.fuelPerTurn/),
    })
  })

  test('that grows memory is stopped at its limit', async () => {
    const text = `(component (core module $m (memory 1)
      (func $s (loop (drop (memory.grow (i32.const 100))) (br 0))) (start $s)) (core instance (instantiate $m)))`
    await expect(start(text)).rejects.toMatchObject({
      code: 'ERR_TRAP',
      message: expect.stringContaining('limits.memoryPagesMax (2000)'),
    })
  })
})

describe('tables', () => {
  const component = async (code: string): Promise<number> =>
    (
      await loadWat(`(component (core module $m (memory 1) (table $t 1000 funcref) (func ${code}))
        (core instance (instantiate $m)))`)
    ).initialSizeBytes - 65_536

  test('that code changes take the room of what the host has to save', async () => {
    expect(await component('(table.set $t (i32.const 0) (ref.null func))')).toBe(256_000)
    expect(await component('(drop (table.get $t (i32.const 0)))')).toBe(16_000)
  })

  test('that code changes take it after the instantiation as well', async () => {
    const text = `(component (core module $m (table $t 1000 funcref)
        (func (export "f") (result i32) (table.grow $t (ref.null func) (i32.const 1000))))
      (core instance $i (instantiate $m)) (func (export "f") (result s32) (canon lift (core func $i "f"))))`
    const pages = (memoryPagesMax: number) => start(text, undefined, { memoryPagesMax })
    expect((await pages(8)).call('f')).toBe(1_000)
    const { call } = await pages(7)
    expect(thrown(() => call('f'))).toMatchObject({
      code: 'ERR_TRAP',
      message: expect.stringContaining('limits.memoryPagesMax (7)'),
    })
  })
})

describe('memories', () => {
  test('of an instance are not so many that they take the room of all others', async () => {
    const instances = (count: number): string =>
      `(component (core module $m (memory 0)) ${'(core instance (instantiate $m))'.repeat(count)})`
    expect((await start(instances(100))).instance.state.memories).toHaveLength(100)
    await expect(start(instances(101))).rejects.toMatchObject({
      code: 'ERR_COMPONENT_FEATURE',
      message: expect.stringContaining('more than 100 memories in an instance'),
    })
  })
})

test('a record of more fields than a journal can hold is refused', async () => {
  const fields = Array.from({ length: 65_536 }, (_, index) => `(field "f${index}" u8)`)
  await expect(loadWat(`(component (type (record ${fields.join(' ')})))`)).rejects.toMatchObject({
    code: 'ERR_COMPONENT_FORMAT',
    message: expect.stringContaining('a record type has more than 65535 members'),
  })
})

describe('fuel', () => {
  const two = `(component
    (component $inner
      (core module $m (func (export "spin") (loop (br 0))))
      (core instance $i (instantiate $m))
      (func $spin (canon lift (core func $i "spin")))
      (export "spin" (func $spin)))
    (instance $inner (instantiate $inner))
    (core func $spin (canon lower (func $inner "spin")))
    (core module $m (import "i" "spin" (func $spin)) (func (export "f") (call $spin)) (func (export "g")))
    (core instance $i (instantiate $m (with "i" (instance (export "spin" (func $spin))))))
    (func $f (canon lift (core func $i "f"))) (func $g (canon lift (core func $i "g")))
    (export "f" (func $f)) (export "g" (func $g)))`

  test('is one for all core instances, and runs out through each other’s frames', async () => {
    const { call } = await start(two)
    expect(thrown(() => call('f'))).toMatchObject({ code: 'ERR_FUEL' })
  })

  test('is full again at each call, and no limit holds where none is set', async () => {
    const core = `(func (export "f") (param i32)
      (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))`
    const { call, instance } = await start(single(core, { f: '(param "n" u32)' }))
    for (let turn = 0; turn < 5; turn++) call('f', 50_000)
    instance.limit(null)
    call('f', 1_000_000)
    instance.limit(LIMITS)
    expect(thrown(() => call('f', 1_000_000))).toMatchObject({ code: 'ERR_FUEL' })
  })
})

// Aim: an instance waits for a host function on its own stack, and nothing else can happen to it meanwhile.
// Method: components written by hand, whose host function's promises the test settles. Where the engine has
// no JSPI, the same components must say that they cannot be parked.
import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { describe, expect, test } from 'vitest'
import { deferred } from '../../../host/base/promises.ts'
import type { Component, GuestLimits } from '../../../host/component/component.ts'
import { hasParking } from '../../../host/component/instance/parking.ts'
import { loadComponent } from '../../../host/component/load.ts'
import { checkArguments } from '../../../host/component/values/arguments.ts'
import type { WitValue } from '../../../host/component/wit/wit.ts'
import { resourceComponent } from '../../support/resource-component.ts'
import { ALLOCATOR, loadWat } from '../../support/wat.ts'

const parks = hasParking()
const everything = (): boolean => true

test('the engine has JSPI from Node 24 on', () => {
  expect(parks).toBe(Number(process.versions.node.split('.')[0]) >= 24)
})

const LIMITS: GuestLimits = {
  fuelPerTurn: 1_000_000,
  memoryPagesMax: 3,
  resultBytesMax: 1_000_000,
}

/** What a host function was asked, and the answers that it waits for. */
class Asked {
  readonly args: WitValue[][] = []
  readonly answers: ReturnType<typeof deferred<WitValue>>[] = []
  /** Answers at once, when set. */
  atOnce: ((...args: WitValue[]) => WitValue) | null = null

  readonly host = (...args: WitValue[]): WitValue | Promise<WitValue> => {
    this.args.push(args)
    if (this.atOnce !== null) return this.atOnce(...args)
    const answer = deferred<WitValue>()
    this.answers.push(answer)
    return answer.promise
  }

  async answer(index: number, value: WitValue): Promise<void> {
    this.answers[index]?.resolve(value)
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  }
}

function open(component: Component, limits: GuestLimits | null = null) {
  const asked = new Asked()
  const instance = component.parking(everything).instantiate(() => asked.host, limits)
  const target = (name: string) => {
    const found = component.exports.find(({ func }) => func.name === name)
    if (found === undefined) throw new Error(`no export ${name}`)
    return found
  }
  return {
    asked,
    instance,
    target,
    call: (name: string, ...args: unknown[]) =>
      instance.call(target(name), checkArguments(target(name).func, args)),
    park: (name: string, ...args: unknown[]) =>
      instance.callParking(target(name), checkArguments(target(name).func, args)),
  }
}

const WAITER = `(component
  (import "ask" (func $ask (param "n" u32) (result u64)))
  (core func $ask (canon lower (func $ask)))
  (core module $m (import "" "ask" (func $ask (param i32) (result i64)))
    (memory 1)
    (global $sum (mut i64) (i64.const 0))
    (func (export "once") (param i32) (result i64)
      (global.set $sum (i64.add (global.get $sum) (call $ask (local.get 0)))) (global.get $sum))
    (func (export "many") (param i32) (result i64)
      (loop $l
        (global.set $sum (i64.add (global.get $sum) (call $ask (local.get 0))))
        (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (global.get $sum))
    (func (export "fail") (param i32) (result i64) (drop (call $ask (local.get 0))) (unreachable))
    (func (export "grow") (param i32) (result i64)
      (drop (call $ask (local.get 0))) (drop (memory.grow (local.get 0))) (i64.extend_i32_u (memory.size)))
    (func $spin (param i32) (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "spin") (param i32) (result i64)
      (call $spin (local.get 0)) (drop (call $ask (i32.const 1))) (call $spin (local.get 0)) (i64.const 0))
    (func (export "sum") (result i64) (global.get $sum)))
  (core instance $i (instantiate $m (with "" (instance (export "ask" (func $ask))))))
  ${['once', 'many', 'fail', 'grow', 'spin']
    .map(
      (name) =>
        `(func (export "${name}") (param "n" u32) (result u64) (canon lift (core func $i "${name}")))`,
    )
    .join('\n')}
  (func (export "sum") (result u64) (canon lift (core func $i "sum"))))`

const waiter = await loadWat(WAITER)

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => new Error('nothing was thrown'),
    (error: unknown) => error,
  )
}

test('without an import that waits, or without JSPI, a component is what it was', () => {
  expect(waiter.parking(() => false)).toBe(waiter)
  expect(waiter.parking(everything) === waiter).toBe(!parks)
  const { instance, target } = open(waiter)
  expect(instance.canPark(target('once'))).toBe(parks)
})

describe.runIf(parks)('a parked instance', () => {
  test('goes on where it waited, as often as it waits', async () => {
    const { asked, park, call } = open(waiter)
    const sum = park('many', 3)
    expect(asked.args).toEqual([[3]])
    await asked.answer(0, 100n)
    expect(asked.args).toEqual([[3], [2]])
    await asked.answer(1, 20n)
    await asked.answer(2, 3n)
    expect(await sum).toBe(123n)
    expect(call('sum')).toBe(123n)
  })

  test('refuses every other call, which harms nothing', async () => {
    const { asked, park, call, instance, target } = open(waiter)
    const parked = park('once', 1)
    expect(instance.atRest).toBe(false)
    const refusal = { code: 'ERR_INVARIANT', message: expect.stringContaining('parked in another') }
    expect(() => call('sum')).toThrow(expect.objectContaining(refusal))
    expect(() => instance.callParking(target('once'), [2])).toThrow(
      expect.objectContaining(refusal),
    )
    await asked.answer(0, 7n)
    expect(await parked).toBe(7n)
    expect(instance.atRest).toBe(true)
    expect(call('sum')).toBe(7n)
  })

  test('is entered the plain way where nothing waits, and can be parked again after it', async () => {
    const { asked, park, call } = open(waiter)
    asked.atOnce = () => 5n
    expect(call('once', 1)).toBe(5n)
    expect(await park('once', 1)).toBe(10n)
    asked.atOnce = null
    const parked = park('once', 1)
    await asked.answer(0, 1n)
    expect(await parked).toBe(11n)
  })

  test('fails as it does when it is called the plain way', async () => {
    const { asked, park, instance } = open(waiter)
    const failed = park('fail', 1)
    await asked.answer(0, 1n)
    const plain = open(waiter)
    plain.asked.atOnce = () => 1n
    let expected: unknown
    try {
      plain.call('fail', 1)
    } catch (error) {
      expected = error
    }
    expect(await failureOf(failed)).toEqual(expected)
    expect(() => instance.call(waiter.exports[0] as never, [1])).toThrow('must be dropped')
  })

  test('is unwound and spoiled when the promise is rejected, with the very same error', async () => {
    const { asked, park, call } = open(waiter)
    const parked = park('once', 1)
    const reason = new Error('given up')
    asked.answers[0]?.reject(reason)
    expect(await failureOf(parked)).toBe(reason)
    expect(() => call('sum')).toThrow('must be dropped')
  })

  test('is refused what is of another type, as a host function that answers at once', async () => {
    const { asked, park } = open(waiter)
    const parked = park('once', 1)
    await asked.answer(0, 'no number')
    expect(await failureOf(parked)).toMatchObject({ code: 'ERR_HOST_CALL' })
  })

  test('has one budget of fuel for what it does before and after', async () => {
    const enough = open(waiter, LIMITS)
    const parked = enough.park('spin', 40_000)
    await enough.asked.answer(0, 0n)
    expect(await parked).toBe(0n)
    const short = open(waiter, LIMITS)
    const stopped = short.park('spin', 70_000)
    await short.asked.answer(0, 0n)
    expect(await failureOf(stopped)).toMatchObject({ code: 'ERR_FUEL' })
  })

  test('grows its memory after the wait as far as its limit allows', async () => {
    const grown = open(waiter, LIMITS)
    const parked = grown.park('grow', 2)
    await grown.asked.answer(0, 0n)
    expect(await parked).toBe(3n)
    const greedy = open(waiter, LIMITS)
    const stopped = greedy.park('grow', 3)
    await greedy.asked.answer(0, 0n)
    expect(await failureOf(stopped)).toMatchObject({
      code: 'ERR_TRAP',
      message: expect.stringContaining('memoryPagesMax'),
    })
  })
})

/** A function that needs memory goes through the tables of `wit-component`: shim, main module, fix-ups. */
async function shimmed(): Promise<Component> {
  const binary = await parse(`(module
    (import "test:shim/host" "ask" (func $ask (param i32 i32 i32)))
    (memory (export "memory") 1) ${ALLOCATOR.replace('"realloc"', '"cabi_realloc"')}
    (func (export "test:shim/api#echo") (param i32 i32) (result i32)
      (call $ask (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16)))`)
  const embedded = await componentEmbed({
    binary,
    witSource: `package test:shim;
      interface host { record note { text: string, counts: list<u32> } ask: func(text: string) -> note; }
      interface api { use host.{note}; echo: func(text: string) -> note; }
      world w { import host; export api; }`,
    world: 'w',
  })
  return await loadComponent(await componentNew(embedded))
}

test.runIf(parks)('strings and records pass through the shims of the toolchain', async () => {
  const { asked, park } = open(await shimmed())
  const parked = park('echo', 'wörld')
  expect(asked.args).toEqual([['wörld']])
  const note = { text: 'ß'.repeat(50_000), counts: Uint32Array.of(1, 2, 3) }
  await asked.answer(0, note)
  expect(await parked).toEqual(note)
})

/** `inner` is called by `outer`, which is JavaScript in between; the import that waits is of one of the two. */
function nested(asks: 'inner' | 'outer'): string {
  const lowered = '(core func $ask (canon lower (func $ask)))'
  const given = '(with "" (instance (export "ask" (func $ask))))'
  const wanted = '(import "" "ask" (func $ask (param i32) (result i64)))'
  const body = '(call $ask (local.get 0))'
  const type = '(param "n" u32) (result u64)'
  return `(component
    (import "ask" (func $ask ${type}))
    (component $inner ${asks === 'inner' ? `(import "ask" (func $ask ${type})) ${lowered}` : ''}
      (core module $m ${asks === 'inner' ? wanted : ''} (func (export "run") (param i32) (result i64)
        ${asks === 'inner' ? body : '(i64.extend_i32_u (local.get 0))'}))
      (core instance $i (instantiate $m ${asks === 'inner' ? given : ''}))
      (func (export "run") ${type} (canon lift (core func $i "run"))))
    (instance $inner (instantiate $inner ${asks === 'inner' ? '(with "ask" (func $ask))' : ''}))
    ${asks === 'outer' ? lowered : ''}
    (core func $run (canon lower (func $inner "run")))
    (core module $m (import "i" "run" (func $run (param i32) (result i64))) ${asks === 'outer' ? wanted : ''}
      (func (export "run") (param i32) (result i64)
        (i64.add (call $run (local.get 0)) ${asks === 'outer' ? body : '(i64.const 0)'})))
    (core instance $i (instantiate $m ${asks === 'outer' ? given : ''} (with "i" (instance (export "run" (func $run))))))
    (func (export "run") ${type} (canon lift (core func $i "run"))))`
}

describe('a component of several', () => {
  test('is never parked where a call between its parts leads to an import that waits', async () => {
    const component = await loadWat(nested('inner'))
    expect(component.parking(everything)).toBe(component)
    const { asked, call } = open(component)
    asked.atOnce = () => 3n
    expect(call('run', 1)).toBe(3n)
  })

  test.runIf(parks)('is parked where the part that waits is called from outside only', async () => {
    const component = await loadWat(nested('outer'))
    const { asked, park, call } = open(component)
    const parked = park('run', 4)
    expect(() => call('run', 1)).toThrow('parked in another call')
    await asked.answer(0, 30n)
    expect(await parked).toBe(34n)
    asked.atOnce = () => 1n
    expect(call('run', 1)).toBe(2n)
  })

  test('is never parked where a destructor of the part that waits may run', async () => {
    const component = await loadWat(resourceComponent())
    // `note` is called by the destructor; `[constructor]thing` and the others by the root alone.
    expect(component.parking((_, func) => func.name === 'note')).toBe(component)
    const other = component.parking((_, func) => func.name === '[constructor]thing')
    expect(other === component).toBe(!parks)
  })

  test('is never parked where an import that waits is exported as it is through core', async () => {
    const component = await loadWat(`(component
      (import "ask" (func $ask (param "n" u32) (result u64)))
      (core func $ask (canon lower (func $ask)))
      (func (export "run") (param "n" u32) (result u64) (canon lift (core func $ask))))`)
    expect(component.parking(everything)).toBe(component)
  })
})

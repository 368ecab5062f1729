// Aim: tables that a component's code changes are state like its memory: an image holds them, the hash covers them,
// and a restored instance behaves as the one that was captured. Method: a component of three core modules that pass
// functions and a table to each other, played at random, against instances that only replay.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hasParking } from '../../../host/component/instance/parking.ts'
import { canRestore, capture, hashState, restore, takeBaseline } from '../../../host/image/image.ts'
import { decodeImage, encodeImage } from '../../../host/image/image-codec.ts'
import { seedOf } from '../../support/seed.ts'
import { loadWat, run, thrown } from '../../support/wat.ts'

/**
 * `library` exports functions; `owner` has the tables; `user` imports a table and changes it. Functions in it: of each
 * module, an import of the host, and one that was passed on twice.
 */
const TABLES = `(component
  (import "double" (func $double (param "n" u32) (result u32)))
  (core func $double (canon lower (func $double)))
  (core module $library
    (import "" "double" (func $double (param i32) (result i32)))
    (func (export "add1") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func (export "add2") (param i32) (result i32) (i32.add (local.get 0) (i32.const 2)))
    (export "twice" (func $double)))
  (core instance $library (instantiate $library (with "" (instance (export "double" (func $double))))))
  (core module $owner
    (import "l" "add1" (func $add1 (param i32) (result i32)))
    (type $f (func (param i32) (result i32)))
    (table $t (export "table") 4 60 funcref)
    (table $other 2 20 funcref)
    (table $outside 1 20 externref)
    (elem (i32.const 0) func $add1 $own)
    (elem $passive func $own $add1 $hidden)
    (func $own (param i32) (result i32) (i32.mul (local.get 0) (i32.const 10)))
    (func $hidden (param i32) (result i32) (i32.mul (local.get 0) (i32.const 100)))
    (func (export "call") (param i32 i32) (result i32)
      (call_indirect $t (type $f) (local.get 1) (local.get 0)))
    (func (export "call-other") (param i32 i32) (result i32)
      (call_indirect $other (type $f) (local.get 1) (local.get 0)))
    (func (export "init") (param i32) (table.init $t $passive (local.get 0) (i32.const 0) (i32.const 3)))
    (func (export "copy") (param i32 i32) (table.copy $other $t (local.get 1) (local.get 0) (i32.const 1)))
    (func (export "grow-other") (param i32) (result i32) (table.grow $other (ref.null func) (local.get 0)))
    (func (export "grow-outside") (param i32) (result i32) (table.grow $outside (ref.null extern) (local.get 0)))
    (func (export "sizes") (result i32)
      (i32.add (table.size $t) (i32.mul (i32.const 100) (i32.add (table.size $other)
        (i32.mul (i32.const 100) (table.size $outside)))))))
  (core instance $owner (instantiate $owner (with "l" (instance $library))))
  (core module $user
    (import "o" "table" (table $t 4 funcref))
    (import "l" "twice" (func $twice (param i32) (result i32)))
    (import "l" "add2" (func $add2 (param i32) (result i32)))
    (import "" "double" (func $double (param i32) (result i32)))
    (elem declare func $twice $add2 $double $mine)
    (func $mine (param i32) (result i32) (i32.sub (local.get 0) (i32.const 1)))
    (func $choose (param i32) (result funcref)
      (if (i32.eq (local.get 0) (i32.const 0)) (then (return (ref.func $twice))))
      (if (i32.eq (local.get 0) (i32.const 1)) (then (return (ref.func $add2))))
      (if (i32.eq (local.get 0) (i32.const 2)) (then (return (ref.func $double))))
      (if (i32.eq (local.get 0) (i32.const 3)) (then (return (ref.func $mine))))
      (ref.null func))
    (func (export "set") (param i32 i32) (table.set $t (local.get 0) (call $choose (local.get 1))))
    (func (export "fill") (param i32 i32) (table.fill $t (local.get 0) (call $choose (local.get 1)) (i32.const 2)))
    (func (export "grow") (param i32 i32) (result i32)
      (table.grow $t (call $choose (local.get 1)) (local.get 0))))
  (core instance $user (instantiate $user (with "o" (instance $owner)) (with "l" (instance $library))
    (with "" (instance (export "double" (func $double))))))
  ${lift('owner', 'call', 2, true)} ${lift('owner', 'call-other', 2, true)}
  ${lift('owner', 'init', 1, false)} ${lift('owner', 'copy', 2, false)}
  ${lift('owner', 'grow-other', 1, true)} ${lift('owner', 'grow-outside', 1, true)} ${lift('owner', 'sizes', 0, true)}
  ${lift('user', 'set', 2, false)} ${lift('user', 'fill', 2, false)} ${lift('user', 'grow', 2, true)})`

function lift(instance: string, name: string, count: number, returns: boolean): string {
  const params = ['a', 'b'].slice(0, count).map((param) => `(param "${param}" u32)`)
  const type = `${params.join(' ')} ${returns ? '(result u32)' : ''}`
  return `(func (export "${name}") ${type} (canon lift (core func $${instance} "${name}")))`
}

const component = await loadWat(TABLES)
const hosts = { double: (n: unknown) => 2 * (n as number) }
const start = () => run(component, hosts)
type Started = ReturnType<typeof start>

/** What all elements of both tables do; a missing one traps, so each is asked of an instance of its own. */
const step = fc.oneof(
  fc.record({ name: fc.constantFrom('set', 'fill'), args: fc.tuple(fc.nat(3), fc.nat(4)) }),
  fc.record({ name: fc.constant('grow'), args: fc.tuple(fc.nat(3), fc.nat(4)) }),
  fc.record({ name: fc.constant('copy'), args: fc.tuple(fc.nat(3), fc.nat(1)) }),
  fc.record({ name: fc.constant('init'), args: fc.tuple(fc.nat(1)) }),
  fc.record({ name: fc.constantFrom('grow-other', 'grow-outside'), args: fc.tuple(fc.nat(3)) }),
)
type Step = { readonly name: string; readonly args: readonly number[] }

function play(steps: readonly Step[]): Started {
  let started = start()
  const done: Step[] = []
  for (const each of steps) {
    try {
      started.call(each.name, ...each.args)
      done.push(each)
    } catch {
      // A trap, such as filling beyond the end, spoils the instance and leaves no trace: as a host does.
      started = start()
      for (const { name, args } of done) started.call(name, ...args)
    }
  }
  return started
}

/** What calling element `at` gives, on an instance that is then thrown away. */
function ask(make: () => Started, name: string, at: number): unknown {
  try {
    return make().call(name, at, 7)
  } catch (error) {
    return (error as Error).message
  }
}

const baseline = takeBaseline(start().instance.state)

test('nothing of it is hidden', () => {
  expect(component.hidden).toEqual([])
  expect(start().instance.state.elements).toHaveLength(3)
})

test('a component that only reads its tables exports none of them', async () => {
  const reading =
    await loadWat(`(component (core module $m (table 2 funcref) (elem (i32.const 0) $f)
    (func $f (result i32) (i32.const 5)) (func (export "run") (result i32) (call_indirect (result i32) (i32.const 0))))
    (core instance $i (instantiate $m)) (func (export "run") (result u32) (canon lift (core func $i "run"))))`)
  const { instance, call } = run(reading)
  expect(instance.state.elements).toEqual([])
  expect(call('run')).toBe(5)
})

test('images restore tables into fresh and into recycled instances', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 12 }),
      fc.array(step, { maxLength: 6 }),
      (steps, others) => {
        const live = play(steps)
        const image = decodeImage(encodeImage(capture(live.instance.state, baseline)))
        const fresh = () => {
          const other = start()
          restore(other.instance.state, baseline, image, true)
          return other
        }
        const recycled = play(others)
        const shrinks = live.instance.state.elements.some(
          ({ sizeBytes }, index) =>
            sizeBytes < (recycled.instance.state.elements[index]?.sizeBytes ?? 0),
        )
        expect(canRestore(recycled.instance.state, image)).toBe(!shrinks)
        const hash = hashState(live.instance.state)
        expect(hashState(fresh().instance.state)).toBe(hash)
        if (shrinks) {
          expect(thrown(() => restore(recycled.instance.state, baseline, image))).toMatchObject({
            code: 'ERR_SNAPSHOT_CORRUPT',
          })
          return
        }
        restore(recycled.instance.state, baseline, image)
        expect(hashState(recycled.instance.state)).toBe(hash)
        expect(recycled.call('sizes')).toBe(live.call('sizes'))
        for (let at = 0; at < 5; at++)
          for (const name of ['call', 'call-other'])
            expect(ask(fresh, name, at)).toEqual(ask(() => play(steps), name, at))
      },
    ),
    { numRuns: 60, seed: seedOf('elements') },
  )
})

test('the hash tells tables apart that memory and globals do not', () => {
  const hashes = [0, 1, 2, 3, 4].map((choice) =>
    hashState(play([{ name: 'set', args: [2, choice] }]).instance.state),
  )
  // An import that a module passes on is the function that it is everywhere else.
  expect(hashes[0]).toBe(hashes[2])
  expect(new Set(hashes).size).toBe(4)
  expect(hashes[4]).toBe(hashState(start().instance.state))
})

test.runIf(hasParking())('numbers are the same where the import can be parked', () => {
  const parked = component.parking(() => true)
  expect(parked).not.toBe(component)
  for (const choice of [0, 1, 2, 3]) {
    const plain = play([{ name: 'set', args: [2, choice] }])
    const routed = run(parked, hosts)
    routed.call('set', 2, choice)
    expect(hashState(routed.instance.state)).toBe(hashState(plain.instance.state))
    const image = capture(routed.instance.state, baseline)
    const other = start()
    restore(other.instance.state, baseline, image)
    expect(other.call('call', 2, 5)).toBe(routed.call('call', 2, 5))
  }
})

describe('what is no image of these tables', () => {
  const image = capture(start().instance.state, baseline)
  const changed = (elements: readonly Uint8Array[]) => ({ ...image, elements })
  test.each([
    ['a table is missing', image.elements.slice(1)],
    [
      'a function does not exist',
      [Buffer.from('ffffff7f'.repeat(4), 'hex'), ...image.elements.slice(1)],
    ],
    ['an element is cut off', [Buffer.alloc(17), ...image.elements.slice(1)]],
    ['a table is too large for its module', [Buffer.alloc(4 * 61), ...image.elements.slice(1)]],
    ['a table is too short', [Buffer.alloc(4), ...image.elements.slice(1)]],
  ])('is refused: %s', (_, elements) => {
    expect(
      thrown(() => restore(start().instance.state, baseline, changed(elements))),
    ).toMatchObject({ code: 'ERR_SNAPSHOT_CORRUPT' })
  })
})

test('version 3 is read for ever', () => {
  const golden = 'TElNRwPhrqtXk8QAkJPEEAIAAAAEAAAADQAAAAAAAADEEAAAAAAAAAAAAAAAAAAAAADEBAAAAAA='
  const decoded = decodeImage(Buffer.from(golden, 'base64'))
  const state = start().instance.state
  restore(state, baseline, decoded)
  const expected = play([
    { name: 'set', args: [2, 3] },
    { name: 'grow-other', args: [2] },
  ])
  expect(hashState(state)).toBe(hashState(expected.instance.state))
  expect(encodeImage(capture(expected.instance.state, baseline)).toString('base64')).toBe(golden)
})

test('what drops a segment is named, and never captured', async () => {
  const named =
    await loadWat(`(component (core module $m (func $f) (elem $e func $f) (func (elem.drop $e)))
    (core instance (instantiate $m)))`)
  expect(named.hidden).toEqual(['drops an element segment (elem.drop)'])
})

/** (module (table 1 exnref)) */
const EXNREF = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 4, 4, 1, 0x69, 0, 1)

test.runIf(WebAssembly.validate(EXNREF))(
  'what changes a table of exceptions is named',
  async () => {
    const named = await loadWat(`(component (core module $m (table $x 1 exnref)
    (func (table.set $x (i32.const 0) (ref.null exn)))) (core instance (instantiate $m)))`)
    expect(named.hidden).toEqual(['changes a table of other references'])
  },
)

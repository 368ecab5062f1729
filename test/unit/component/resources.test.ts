import { describe, expect, test } from 'vitest'
import { HANDLE_COUNT_MAX } from '../../../host/base/limits.ts'
import { capture, hashState, restore, takeBaseline } from '../../../host/image/image.ts'
import { decodeImage, encodeImage } from '../../../host/image/image-codec.ts'
import { resourceComponent, resourceHosts } from '../../support/resource-component.ts'
import { ALLOCATOR, loadWat, run, runWat, thrown } from '../../support/wat.ts'

const plain = await loadWat(resourceComponent())

function start(notes: string[] = []) {
  return run(plain, resourceHosts(notes))
}

describe('handles', () => {
  test('a resource of the host is made, lent, given and dropped by index', () => {
    const notes: string[] = []
    const { call } = start(notes)
    expect(call('host-make', 7)).toBe(1)
    expect(call('host-make', 0xffff_ffff)).toBe(2)
    expect(call('host-peek', 2)).toBe(0xffff_ffff)
    expect(call('host-take', 1)).toBe(7)
    expect(call('host-make', 9)).toBe(1)
    call('host-drop', 2)
    expect(notes).toEqual(['taken 7', `thing ${0xffff_ffff}`])
  })

  test('a resource of a nested component keeps its representation there, and its destructor runs', () => {
    const notes: string[] = []
    const { call } = start(notes)
    expect(call('make', 40)).toBe(1)
    expect(call('make', 41)).toBe(2)
    expect(call('peek', 1)).toBe(40)
    expect(call('take', 1)).toBe(40)
    call('drop', 2)
    expect(notes).toEqual(['item 40', 'item 41'])
  })

  test('an index that was freed last is given out first', () => {
    const { call } = start()
    for (const rep of [1, 2, 3]) call('make', rep)
    call('drop', 1)
    call('drop', 3)
    expect([call('host-make', 0), call('make', 0), call('make', 0)]).toEqual([3, 1, 4])
  })

  test.each<[string, readonly (readonly [string, number])[], string]>([
    ['index 0', [['peek', 0]], 'handle 0 of a item is none'],
    ['an index that was never given', [['host-drop', 5]], 'handle 5 of a thing is none'],
    ['an index beyond all tables', [['drop', 0xffff_ffff]], 'handle 4294967295 of a item is none'],
    [
      'use after drop',
      [
        ['make', 1],
        ['drop', 1],
        ['peek', 1],
      ],
      'handle 1 of a item is none',
    ],
    [
      'dropping twice',
      [
        ['make', 1],
        ['drop', 1],
        ['drop', 1],
      ],
      'handle 1 of a item is none',
    ],
    [
      'use after it was given away',
      [
        ['make', 1],
        ['take', 1],
        ['take', 1],
      ],
      'is none',
    ],
    [
      'another type, lent',
      [
        ['make', 1],
        ['host-peek', 1],
      ],
      'handle 1 of a item is used as a thing',
    ],
    [
      'another type, given',
      [
        ['host-make', 1],
        ['take', 1],
      ],
      'handle 1 of a thing is used as a item',
    ],
    [
      'another type, dropped',
      [
        ['host-make', 1],
        ['drop', 1],
      ],
      'handle 1 of a thing is used as a item',
    ],
    [
      'a destructor that traps',
      [
        ['make', 666],
        ['drop', 1],
      ],
      'resource.drop of item: unreachable',
    ],
    [
      'a destructor that traps inside',
      [
        ['make', 666],
        ['take', 1],
      ],
      'resource.drop of item: unreachable',
    ],
  ])('%s traps and spoils the instance', (_, calls, message) => {
    const { call } = start()
    for (const [name, value] of calls.slice(0, -1)) call(name, value)
    const [name, value] = calls.at(-1) ?? ['', 0]
    expect(thrown(() => call(name, value))).toMatchObject({
      code: 'ERR_TRAP',
      message: expect.stringContaining(message),
    })
    expect(thrown(() => call('make', 1))).toMatchObject({ code: 'ERR_INVARIANT' })
  })

  test('what a host function throws when a resource is dropped comes out as it is', () => {
    const error = new Error('no')
    const hosts = {
      ...resourceHosts(),
      '[resource-drop]thing': () => {
        throw error
      },
    }
    const { call } = run(plain, hosts)
    call('host-make', 1)
    expect(thrown(() => call('host-drop', 1))).toBe(error)
  })

  test('a host function must return a representation', () => {
    const { call } = run(plain, { ...resourceHosts(), '[constructor]thing': () => -1 })
    expect(thrown(() => call('host-make', 1))).toMatchObject({
      code: 'ERR_HOST_CALL',
      message: expect.stringContaining('expected the representation of a resource'),
    })
  })

  test('a table holds a limited number of handles', async () => {
    const { call } = await runWat(
      resourceComponent(
        `(func (export "fill") (param i32) (loop $l (drop (call $host-make (i32.const 0)))
           (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))`,
        '(func (export "fill") (param "count" u32) (canon lift (core func $user "fill")))',
      ),
      resourceHosts(),
    )
    call('fill', HANDLE_COUNT_MAX)
    expect(thrown(() => call('host-make', 1))).toMatchObject({
      code: 'ERR_TRAP',
      message: expect.stringContaining('the table of handles is full'),
    })
  })
})

describe('handles that are lent', () => {
  /** `keep` is an export that borrows from the host; `with` lends to a component that calls back. */
  const borrowing = resourceComponent(
    `(func (export "drops") (param i32) (result i32) (local $rep i32)
       (local.set $rep (call $host-peek (local.get 0))) (call $host-drop (local.get 0)) (local.get $rep))
     (func (export "keeps") (param i32) (result i32) (call $host-peek (local.get 0)))
     (func (export "gives") (param i32) (result i32) (call $host-take (local.get 0)))`,
    `(export $thing2 "thing" (type $thing))
     (func (export "drops") (param "t" (borrow $thing)) (result u32) (canon lift (core func $user "drops")))
     (func (export "keeps") (param "t" (borrow $thing)) (result u32) (canon lift (core func $user "keeps")))
     (func (export "gives") (param "t" (borrow $thing)) (result u32) (canon lift (core func $user "gives")))`,
  )

  test('a borrow ends when it is dropped; the resource stays', async () => {
    const notes: string[] = []
    const { call } = await runWat(borrowing, resourceHosts(notes))
    expect(call('drops', 12)).toBe(12)
    expect(call('drops', 13)).toBe(13)
    expect(notes).toEqual([])
  })

  test.each([
    ['keeps', 'returned with 1 borrowed handles that it did not drop'],
    ['gives', 'handle 1 of a thing is borrowed and cannot be given away'],
  ])('a call that %s one traps', async (name, message) => {
    const { call } = await runWat(borrowing, resourceHosts())
    expect(thrown(() => call(name, 12))).toMatchObject({
      code: 'ERR_TRAP',
      message: expect.stringContaining(message),
    })
  })

  /** $child borrows a thing, and before it drops the borrow it calls back what the root gave it. */
  const callingBack = (back: string): string => `(component
    (import "h" (instance $h (export "thing" (type $t (sub resource)))
      (export "make" (func (param "rep" u32) (result (own $t)))) (export "take" (func (param "t" (own $t))))))
    (alias export $h "thing" (type $thing))
    (core func $make (canon lower (func $h "make")))
    (core func $take (canon lower (func $h "take")))
    (core func $drop (canon resource.drop $thing))
    (core module $a (import "" "make" (func $make (param i32) (result i32))) (import "" "drop" (func $drop (param i32)))
      (import "" "take" (func $take (param i32)))
      (global $n (export "n") (mut i32) (i32.const 0))
      (func (export "back") ${back}))
    (core instance $a (instantiate $a (with "" (instance (export "make" (func $make)) (export "drop" (func $drop)) (export "take" (func $take))))))
    (func $back (canon lift (core func $a "back")))
    (component $child
      (import "thing" (type $t (sub resource)))
      (import "back" (func $back))
      (core func $back (canon lower (func $back)))
      (core func $drop (canon resource.drop $t))
      (core module $m (import "" "back" (func $back)) (import "" "drop" (func $drop (param i32)))
        (func (export "use") (param i32) (call $back) (call $drop (local.get 0))))
      (core instance $m (instantiate $m (with "" (instance (export "back" (func $back)) (export "drop" (func $drop))))))
      (func (export "use") (param "t" (borrow $t)) (canon lift (core func $m "use"))))
    (instance $c (instantiate $child (with "thing" (type $thing)) (with "back" (func $back))))
    (core func $use (canon lower (func $c "use")))
    (core module $b (import "" "make" (func $make (param i32) (result i32))) (import "" "use" (func $use (param i32)))
      (import "" "drop" (func $drop (param i32))) (import "a" "n" (global $n (mut i32)))
      (func (export "go") (global.set $n (call $make (i32.const 5))) (call $use (global.get $n)) (call $drop (global.get $n))))
    (core instance $b (instantiate $b (with "a" (instance $a)) (with "" (instance (export "make" (func $make)) (export "use" (func $use)) (export "drop" (func $drop))))))
    (func (export "go") (canon lift (core func $b "go"))))`

  const hosts = (notes: string[] = []) => ({
    make: () => 5,
    take: () => undefined,
    '[resource-drop]thing': (rep: unknown) => {
      notes.push(`thing ${rep}`)
      return undefined
    },
  })

  test('they are free again when the call has ended', async () => {
    const notes: string[] = []
    const { call } = await runWat(callingBack(''), hosts(notes))
    call('go')
    call('go')
    expect(notes).toEqual(['thing 5', 'thing 5'])
  })

  test.each([
    ['dropped', '(call $drop (global.get $n))'],
    ['given away', '(call $take (global.get $n))'],
  ])('they cannot be %s before', async (_, back) => {
    const { call } = await runWat(callingBack(back), hosts())
    expect(thrown(() => call('go'))).toMatchObject({
      code: 'ERR_TRAP',
      message: expect.stringContaining('handle 1 of a thing is lent to a call that has not ended'),
    })
  })

  test('a destructor does not enter a component that is running', async () => {
    // $child runs, and calls back the root, which drops the last handle of what $child defines.
    const { call } = await runWat(`(component
      (core module $t (table (export "t") 1 funcref) (type $v (func))
        (func (export "back") (call_indirect (type $v) (i32.const 0))))
      (core instance $t (instantiate $t))
      (func $back (canon lift (core func $t "back")))
      (component $child
        (import "back" (func $back))
        (core func $back (canon lower (func $back)))
        (core module $d (func (export "dtor") (param i32)))
        (core instance $d (instantiate $d))
        (type $r (resource (rep i32) (dtor (core func $d "dtor"))))
        (core func $new (canon resource.new $r))
        (core module $m (import "" "back" (func $back)) (import "" "new" (func $new (param i32) (result i32)))
          (func (export "make") (result i32) (call $new (i32.const 3)))
          (func (export "run") (call $back)))
        (core instance $m (instantiate $m (with "" (instance (export "back" (func $back)) (export "new" (func $new))))))
        (export $r2 "r" (type $r))
        (func (export "make") (result (own $r2)) (canon lift (core func $m "make")))
        (func (export "run") (canon lift (core func $m "run"))))
      (instance $c (instantiate $child (with "back" (func $back))))
      (alias export $c "r" (type $r))
      (core func $make (canon lower (func $c "make")))
      (core func $run (canon lower (func $c "run")))
      (core func $drop (canon resource.drop $r))
      (core module $m (import "" "make" (func $make (result i32))) (import "" "run" (func $run)) (import "" "drop" (func $drop (param i32)))
        (import "t" "t" (table 1 funcref)) (elem (i32.const 0) $dropit)
        (func $dropit (call $drop (i32.const 1)))
        (func (export "go") (drop (call $make)) (call $run)))
      (core instance $m (instantiate $m (with "t" (instance $t)) (with "" (instance (export "make" (func $make)) (export "run" (func $run)) (export "drop" (func $drop))))))
      (func (export "go") (canon lift (core func $m "go")))
      (export "run" (func $c "run")))`)
    expect(thrown(() => call('go'))).toMatchObject({
      code: 'ERR_TRAP',
      message: 'destructor of r: cannot enter the component instance',
    })
  })
})

describe('components that break the rules of resources are refused', () => {
  const inner = (definitions: string): string => `(component
    (import "h" (instance $h (export "thing" (type $t (sub resource)))))
    (alias export $h "thing" (type $thing)) ${definitions})`

  test.each([
    ['resource.new of an import', '(canon resource.new $thing (core func))', 'defined by another'],
    ['resource.rep of an import', '(canon resource.rep $thing (core func))', 'defined by another'],
    [
      'a borrowed result',
      `(import "f" (func $f (result (borrow $thing)))) (canon lower (func $f) (core func))`,
      'a result cannot be borrowed',
    ],
    ['a handle of no resource', '(type $n u32) (type (own $n))', 'expected a resource'],
    [
      'a destructor of another signature',
      `(core module $m (func (export "d") (param i64))) (core instance $i (instantiate $m))
       (type (resource (rep i32) (dtor (core func $i "d"))))`,
      'destructor: expected core function (i32) -> ()',
    ],
  ])('%s', async (name, definitions, message) => {
    expect(name).not.toBe('')
    const error = await loadWat(inner(definitions)).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'ERR_COMPONENT_FORMAT',
      message: expect.stringContaining(message),
    })
  })
})

describe('when a guest may not touch its handles', () => {
  const component = (realloc: string, post: string): string => `(component
    (type $r (resource (rep i32)))
    (core func $new (canon resource.new $r)) (core func $drop (canon resource.drop $r)) (core func $rep (canon resource.rep $r))
    (core module $m (import "" "new" (func $new (param i32) (result i32))) (import "" "drop" (func $drop (param i32)))
      (import "" "rep" (func $rep (param i32) (result i32)))
      (memory (export "memory") 1) (global $h (mut i32) (i32.const 0))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) ${realloc} (i32.const 64))
      (func (export "f") (param i32 i32) (result i32) (global.set $h (call $new (i32.const 9))) (i32.const 0))
      (func (export "post") (param i32) ${post}))
    (core instance $i (instantiate $m (with "" (instance (export "new" (func $new)) (export "drop" (func $drop)) (export "rep" (func $rep))))))
    (func (export "f") (param "t" string) (result u32) (canon lift (core func $i "f") (memory (core memory $i "memory"))
      (realloc (core func $i "realloc")) (post-return (core func $i "post")))))`

  test.each([
    ['resource.new in realloc', component('(drop (call $new (i32.const 1)))', '')],
    ['resource.drop in post-return', component('', '(call $drop (global.get $h))')],
  ])('%s traps', async (name, text) => {
    const { call } = await runWat(text)
    expect(thrown(() => call('f', 'x'))).toMatchObject({
      code: 'ERR_TRAP',
      message: expect.stringContaining('must not change handles from realloc or post-return'),
    })
    expect(name).not.toBe('')
  })

  test('resource.rep in post-return is allowed', async () => {
    const { call } = await runWat(component('', '(drop (call $rep (global.get $h)))'))
    expect(call('f', 'x')).toBe(0)
  })
})

describe('handles inside of other values', () => {
  test('lists, options and records of handles pass through memory both ways', async () => {
    const notes: string[] = []
    const { call } = await runWat(
      `(component
      (import "h" (instance $h (export "thing" (type $t (sub resource)))
        (export "all" (func (param "count" u32) (result (list (own $t)))))
        (export "sum" (func (param "things" (list (borrow $t))) (param "last" (option (own $t))) (result u32)))))
      (alias export $h "thing" (type $thing))
      (core module $lib (memory (export "memory") 1) ${ALLOCATOR})
      (core instance $lib (instantiate $lib))
      (core func $all (canon lower (func $h "all") (memory (core memory $lib "memory")) (realloc (core func $lib "realloc"))))
      (core func $sum (canon lower (func $h "sum") (memory (core memory $lib "memory")) (realloc (core func $lib "realloc"))))
      (core module $m (import "" "all" (func $all (param i32 i32))) (import "" "sum" (func $sum (param i32 i32 i32 i32) (result i32)))
        (import "" "memory" (memory 1))
        (func (export "go") (param i32) (result i32)
          (call $all (local.get 0) (i32.const 16))
          (call $sum (i32.load (i32.const 16)) (i32.load (i32.const 20)) (i32.const 1) (i32.load (i32.load (i32.const 16))))))
      (core instance $m (instantiate $m (with "" (instance (export "all" (func $all)) (export "sum" (func $sum)) (export "memory" (memory $lib "memory"))))))
      (func (export "go") (param "count" u32) (result u32) (canon lift (core func $m "go"))))`,
      {
        all: (count) => Array.from({ length: Number(count) }, (_, index) => 10 * index),
        sum: (things, last) => {
          notes.push(`last ${last}`)
          return (things as number[]).reduce((sum, rep) => sum + rep, 0)
        },
      },
    )
    // The same handle cannot be lent and given in one call.
    expect(thrown(() => call('go', 4))).toMatchObject({
      message: expect.stringContaining('is lent to a call that has not ended'),
    })
    expect(notes).toEqual([])
  })
})

describe('handles and the state of an instance', () => {
  test('they are captured, restored and hashed; a restored instance goes on alike', () => {
    const one = start()
    for (const rep of [5, 6, 7]) one.call('make', rep)
    one.call('host-make', 99)
    one.call('drop', 2)
    const baseline = takeBaseline(start().instance.state)
    const image = decodeImage(encodeImage(capture(one.instance.state, baseline)))
    const notes: string[] = []
    const two = start(notes)
    two.call('host-make', 1)
    restore(two.instance.state, baseline, image)
    expect(hashState(two.instance.state)).toBe(hashState(one.instance.state))
    expect([two.call('make', 8), two.call('peek', 3), two.call('host-peek', 4)]).toEqual([2, 7, 99])
    two.call('drop', 1)
    expect(notes).toEqual(['item 5'])
    expect(hashState(two.instance.state)).not.toBe(hashState(one.instance.state))
  })

  test('a table that lies about itself is refused', () => {
    const { instance } = start()
    const [table] = instance.state.tables
    const words = (...values: number[]): Uint8Array =>
      new Uint8Array(Uint32Array.from(values).buffer)
    for (const bytes of [
      new Uint8Array(),
      words(0, 1),
      words(1, 1, 5),
      words(1, 0, 1),
      words(0, 0, 0),
      words(0, 9, 5),
      words(2, 0, 0),
    ])
      expect(thrown(() => table?.load(bytes))).toMatchObject({ code: 'ERR_SNAPSHOT_CORRUPT' })
  })
})

import { describe, expect, test } from 'vitest'
import { ALLOCATOR, loadWat, run, runWat, single, thrown } from '../../support/wat.ts'

const echoBody = `(func (export "echo") (param i32 i32) (result i32)
  (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))`

describe('components in a component', () => {
  /** An inner component in UTF-16 that greets; an outer one in UTF-8 that calls it. */
  const composed = `(component
    (import "suffix" (func $suffix (result string)))
    (component $inner
      (core module $m (memory (export "memory") 1) ${ALLOCATOR} ${echoBody}
        (func (export "boom") unreachable))
      (core instance $i (instantiate $m))
      (func $echo (param "t" string) (result string) (canon lift (core func $i "echo")
        (memory (core memory $i "memory")) (realloc (core func $i "realloc")) string-encoding=utf16))
      (func $boom (canon lift (core func $i "boom")))
      (export "echo" (func $echo)) (export "boom" (func $boom)))
    (instance $a (instantiate $inner))
    (instance $b (instantiate $inner))
    (core module $lib (memory (export "memory") 1) ${ALLOCATOR})
    (core instance $lib (instantiate $lib))
    (core func $echo-a (canon lower (func $a "echo") (memory (core memory $lib "memory")) (realloc (core func $lib "realloc"))))
    (core func $boom (canon lower (func $b "boom")))
    (core func $suffix (canon lower (func $suffix) (memory (core memory $lib "memory")) (realloc (core func $lib "realloc"))))
    (core module $m (import "a" "echo" (func $echo (param i32 i32 i32))) (import "a" "boom" (func $boom))
      (import "a" "suffix" (func $suffix (param i32)))
      (func (export "outer") (param i32 i32) (result i32) (call $echo (local.get 0) (local.get 1) (i32.const 32)) (i32.const 32))
      (func (export "suffixed") (result i32) (call $suffix (i32.const 48)) (i32.const 48))
      (func (export "fail") (call $boom)))
    (core instance $i (instantiate $m (with "a" (instance (export "echo" (func $echo-a)) (export "boom" (func $boom)) (export "suffix" (func $suffix))))))
    (func $outer (param "t" string) (result string) (canon lift (core func $i "outer")
      (memory (core memory $lib "memory")) (realloc (core func $lib "realloc"))))
    (func $suffixed (result string) (canon lift (core func $i "suffixed") (memory (core memory $lib "memory"))))
    (func $fail (canon lift (core func $i "fail")))
    (export "outer" (func $outer)) (export "suffixed" (func $suffixed)) (export "fail" (func $fail))
    (export "b" (instance $b)))`

  test('values cross from one memory and encoding to another', async () => {
    const { call } = await runWat(composed, { suffix: () => 'ß' })
    expect(call('outer', 'grüße 🎉')).toBe('grüße 🎉')
    expect(call('suffixed')).toBe('ß')
    expect(call('echo', 'b, directly')).toBe('b, directly')
  })

  test('the state lists every memory and mutable global, in the order of making', async () => {
    const { instance } = await runWat(composed, { suffix: () => '' })
    expect(instance.state.memories).toHaveLength(3)
    expect(instance.state.globals).toHaveLength(3)
  })

  test('a trap inside comes out once, named by the innermost caller, and spoils the whole', async () => {
    const running = await runWat(composed, { suffix: () => '' })
    expect(thrown(() => running.call('fail'))).toMatchObject({
      code: 'ERR_TRAP',
      message: 'call of another component: unreachable',
    })
    expect(thrown(() => running.call('outer', 'x'))).toMatchObject({ code: 'ERR_INVARIANT' })
  })
})

test('an import that is exported as it is keeps the rules of host functions', async () => {
  const text = '(component (import "f" (func $f (result u8))) (export "g" (func $f)))'
  const error = new TypeError('mine')
  const fails = () => {
    throw error
  }
  expect((await runWat(text, { f: () => 7 })).call('g')).toBe(7)
  const failing = await runWat(text, { f: fails })
  expect(thrown(() => failing.call('g'))).toBe(error)
  const wrong = await runWat(text, { f: () => 256 })
  expect(thrown(() => wrong.call('g'))).toMatchObject({ code: 'ERR_HOST_CALL' })
})

describe('core modules that are linked through each other', () => {
  test('a shim and a fixup, as wit-component makes them', async () => {
    const { call } = await runWat(
      `(component
      (import "h" (instance $h (export "shout" (func (param "t" string) (result string)))))
      (core module $shim (table (export "$imports") 1 1 funcref)
        (func (export "0") (param i32 i32 i32) (call_indirect (param i32 i32 i32) (local.get 0) (local.get 1) (local.get 2) (i32.const 0))))
      (core instance $shim (instantiate $shim))
      (core module $main (import "h" "shout" (func $shout (param i32 i32 i32))) (memory (export "memory") 1) ${ALLOCATOR}
        (func (export "f") (param i32 i32) (result i32) (call $shout (local.get 0) (local.get 1) (i32.const 16)) (i32.const 16)))
      (core instance $main (instantiate $main (with "h" (instance (export "shout" (func $shim "0"))))))
      (core func $shout (canon lower (func $h "shout") (memory (core memory $main "memory")) (realloc (core func $main "realloc"))))
      (core module $fixup (import "" "0" (func (param i32 i32 i32))) (import "" "$imports" (table 1 1 funcref)) (elem (i32.const 0) func 0))
      (core instance (instantiate $fixup (with "" (instance (export "0" (func $shout)) (export "$imports" (table $shim "$imports"))))))
      (func $f (param "t" string) (result string) (canon lift (core func $main "f") (memory (core memory $main "memory")) (realloc (core func $main "realloc"))))
      (export "f" (func $f)))`,
      { shout: (text) => String(text).toUpperCase() },
    )
    expect(call('f', 'hey')).toBe('HEY')
  })

  test('a start function that traps is a trap of instantiation', async () => {
    const component = await loadWat(
      '(component (core module $m (func $s unreachable) (start $s)) (core instance (instantiate $m)))',
    )
    expect(thrown(() => run(component))).toMatchObject({
      code: 'ERR_TRAP',
      message: 'instantiation: unreachable',
    })
  })

  test('what a host function throws in a start function comes out as the same object', async () => {
    const error = new Error('start')
    const component =
      await loadWat(`(component (import "f" (func $f)) (core func $l (canon lower (func $f)))
      (core module $m (import "h" "f" (func $f)) (start $f))
      (core instance (instantiate $m (with "h" (instance (export "f" (func $l)))))))`)
    const fails = {
      f: () => {
        throw error
      },
    }
    expect(thrown(() => run(component, fails))).toBe(error)
  })
})

describe('signatures', () => {
  const lifting = (core: string, type: string, options = '') => `(component
    (core module $m (memory (export "memory") 1) (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0)) (func (export "f") ${core}))
    (core instance $i (instantiate $m))
    (func $f ${type} (canon lift (core func $i "f") ${options})) (export "f" (func $f)))`

  // wasm-tools parses text without validating it, so wrong components can be written by hand.
  test.each<[string, string, string]>([
    [
      'a core function of another type',
      lifting('(param i64)', '(param "a" u32)'),
      'expected core function (i32) -> (), got (i64) -> ()',
    ],
    [
      'a string without memory',
      lifting('(param i32 i32)', '(param "a" string)'),
      'needs the option memory',
    ],
    [
      'a string without realloc',
      lifting('(param i32 i32)', '(param "a" string)', '(memory (core memory $i "memory"))'),
      'needs the option realloc',
    ],
    [
      'a realloc of another type',
      lifting(
        '(param i32 i32)',
        '(param "a" string)',
        '(memory (core memory $i "memory")) (realloc (core func $i "f"))',
      ),
      'realloc: expected core function',
    ],
    [
      'a post-return of another type',
      lifting('', '', '(post-return (core func $i "realloc"))'),
      'post-return: expected core function () -> ()',
    ],
    [
      'an import of another type',
      `(component (import "f" (func $f (param "a" u32))) (core func $l (canon lower (func $f)))
        (core module $m (import "h" "f" (func (param i64)))) (core instance (instantiate $m (with "h" (instance (export "f" (func $l)))))))`,
      'import "h" "f" of core module 0: expected core function (i32) -> (), got (i64) -> ()'.slice(
        0,
        36,
      ),
    ],
    [
      'an import that is not given',
      '(component (core module $m (import "h" "f" (func))) (core instance (instantiate $m)))',
      'imports from "h", which is not given',
    ],
  ])('%s is refused at load', async (_, text, message) => {
    await expect(loadWat(text)).rejects.toMatchObject({
      code: 'ERR_COMPONENT_FORMAT',
      message: expect.stringContaining(message),
    })
  })
})

describe('instrumentation', () => {
  test('private memories and globals are part of the state, in modules with and without exports', async () => {
    const { instance } = await runWat(`(component
      (core module $a (memory 2) (global (mut i32) (i32.const 5)) (global i32 (i32.const 6)) (global (mut f64) (f64.const 1.5)))
      (core module $b (memory (export "m") 1) (global (export "g") (mut i64) (i64.const -1)) (func (export "f")))
      (core module $c (import "b" "m" (memory 1)) (import "b" "g" (global (mut i64))) (global $p (mut i32) (i32.const 7)) (func $s (global.set $p (i32.const 8))) (start $s))
      (core instance (instantiate $a)) (core instance $b (instantiate $b))
      (core instance (instantiate $c (with "b" (instance $b)))))`)
    expect(instance.state.memories.map(({ buffer }) => buffer.byteLength)).toEqual([
      131_072, 65_536,
    ])
    expect(instance.state.globals.read()).toEqual([5, 1.5, -1n, 8])
  })

  test.each<[string, string, string[]]>([
    ['table.set', '(table.set 0 (i32.const 0) (ref.null func))', []],
    ['table.grow', '(drop (table.grow 0 (ref.null func) (i32.const 1)))', []],
    ['table.fill', '(table.fill 0 (i32.const 0) (ref.null func) (i32.const 0))', []],
    ['data.drop', '(data.drop 0)', ['drops a data segment (data.drop)']],
    ['a read only', '(drop (table.get 0 (i32.const 0))) (drop (table.size 0))', []],
    [
      'none behind blocks, branches and vectors',
      `(block (loop (if (i32.const 0) (then (br_table 0 1 2 (i32.const 0)))))) (drop (v128.const i32x4 38 38 38 38))
       (drop (f64.const 38)) (drop (i8x16.extract_lane_u 3 (v128.const i64x2 38 38))) (drop (select (result i32) (i32.const 38) (i32.const 1) (i32.const 0)))`,
      [],
    ],
  ])('%s is noted', async (_, body, hidden) => {
    const component =
      await loadWat(`(component (core module $m (table 1 10 funcref) (memory 1) (data "x")
      (func ${body})) (core instance (instantiate $m)))`)
    expect(component.hidden).toEqual(hidden)
  })

  test('a module that takes a reserved name is refused', async () => {
    await expect(
      loadWat('(component (core module (global (export "loom:m0") (mut i32) (i32.const 0))))'),
    ).rejects.toMatchObject({ message: expect.stringContaining('reserved "loom:m0"') })
  })
})

test('functions have the names of their types, and named types keep their names', async () => {
  const { component } = await runWat(
    single(echoBody, { echo: '(param "the-text" string) (result string)' }),
  )
  expect(component.exports).toMatchObject([
    {
      index: 0,
      interfaceName: '',
      func: {
        name: 'echo',
        params: [{ name: 'the-text', type: { kind: 'string' } }],
        result: { kind: 'string' },
      },
    },
  ])
})

describe('re-entrance', () => {
  // The parent lends its function to the child, and calls the child: allowed from the parent down and up
  // again, refused when the way leads into the child a second time.
  const donut = (again: boolean) => `(component
    (core module $t (table (export "t") 1 1 funcref)
      (func (export "back") (result i32) (call_indirect (result i32) (i32.const 0))))
    (core instance $t (instantiate $t))
    (func $back (result u32) (canon lift (core func $t "back")))
    (component $child (import "back" (func $back (result u32)))
      (core func $back (canon lower (func $back)))
      (core module $m (import "h" "back" (func $back (result i32)))
        (func (export "in") (result i32) (i32.add (call $back) (i32.const 1)))
        (func (export "leaf") (result i32) (i32.const 40)))
      (core instance $i (instantiate $m (with "h" (instance (export "back" (func $back))))))
      (func $in (result u32) (canon lift (core func $i "in")))
      (func $leaf (result u32) (canon lift (core func $i "leaf")))
      (export "in" (func $in)) (export "leaf" (func $leaf)))
    (instance $c (instantiate $child (with "back" (func $back))))
    (core func $in (canon lower (func $c "in")))
    (core func $leaf (canon lower (func $c "leaf")))
    (core module $f (import "h" "t" (table 1 1 funcref)) (import "h" "leaf" (func $leaf (result i32)))
      (func $seven (result i32) (i32.const 7))
      (elem (i32.const 0) func ${again ? '$leaf' : '$seven'}))
    (core instance (instantiate $f (with "h" (instance (export "t" (table $t "t")) (export "leaf" (func $leaf))))))
    (core module $o (import "h" "in" (func $in (result i32))) (func (export "out") (result i32) (call $in)))
    (core instance $o (instantiate $o (with "h" (instance (export "in" (func $in))))))
    (func $out (result u32) (canon lift (core func $o "out")))
    (export "out" (func $out)) (export "c" (instance $c)))`

  test('a parent may be called back by its child', async () => {
    const { call } = await runWat(donut(false))
    expect(call('out')).toBe(8)
    expect(call('in')).toBe(8)
  })

  test.each(['out', 'in'])('a child may not be entered twice, by way of "%s"', async (name) => {
    const { call } = await runWat(donut(true))
    expect(thrown(() => call(name))).toMatchObject({
      code: 'ERR_TRAP',
      message: expect.stringContaining('cannot enter the component instance'),
    })
  })
})

test('a core module that is instantiated twice is compiled once', async () => {
  const { instance } = await runWat(`(component
    (component $c (core module $m (memory 1)) (core instance (instantiate $m)) (core instance (instantiate $m)))
    (instance (instantiate $c)) (instance (instantiate $c)))`)
  expect(instance.state.memories).toHaveLength(4)
})

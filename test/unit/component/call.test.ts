import { describe, expect, test } from 'vitest'
import { LoomError } from '../../../host/base/errors.ts'
import { run, runWat, single, thrown } from '../../support/wat.ts'

describe('rules of the Canonical ABI that a guest can break', () => {
  /** A core function that returns `pointer` after writing `words` to memory at 16. */
  const returning = (pointer: number, ...words: number[]): string =>
    `(func (export "f") (result i32) ${words
      .map((word, index) => `(i32.store (i32.const ${16 + 4 * index}) (i32.const ${word}))`)
      .join(' ')} (i32.const ${pointer}))`

  test.each<[string, string, string, string]>([
    ['a string beyond memory', '(result string)', returning(16, 65_530, 7), 'ends beyond memory'],
    ['a string of 4 GiB', '(result string)', returning(16, 0, -1), 'ends beyond memory'],
    ['a return pointer that is not aligned', '(result string)', returning(18), 'not aligned'],
    ['a return pointer beyond memory', '(result string)', returning(65_532), 'ends beyond memory'],
    ['a string that is not UTF-8', '(result string)', returning(16, 24, 1, 0xff), 'not UTF-8'],
    [
      'a long string that is not UTF-8',
      '(result string)',
      returning(16, 24, 1_000, 0xff),
      'not UTF-8',
    ],
    ['an encoded surrogate', '(result string)', returning(16, 24, 3, 0x80a0ed), 'not UTF-8'],
    ['a list that is not aligned', '(result (list u32))', returning(16, 2, 1), 'not aligned'],
    ['a list beyond memory', '(result (list u32))', returning(16, 0, 65_536), 'ends beyond memory'],
    ['a list of 16 GiB', '(result (list u32))', returning(16, 0, -1), 'ends beyond memory'],
  ])('%s traps', async (_, type, core, rule) => {
    const { call } = await runWat(single(core, { f: type }))
    expect(thrown(() => call('f'))).toMatchObject({
      code: 'ERR_TRAP',
      message: expect.stringMatching(new RegExp(`^f: .*${rule}`)),
    })
  })

  test.each<[string, string, number, string]>([
    ['a char beyond Unicode', 'char', 0x11_0000, 'not a Unicode scalar value'],
    ['a char that is a surrogate', 'char', 0xd800, 'not a Unicode scalar value'],
    ['a negative char', 'char', -1, 'not a Unicode scalar value'],
    ['an enum case out of range', '$e', 2, 'discriminant 2 of enum'],
    ['a bare result out of range', '(result)', 2, 'discriminant 2 of result'],
  ])('%s traps', async (_, type, value, rule) => {
    const text = `(component
      (core module $m (func (export "f") (result i32) (i32.const ${value})))
      (core instance $i (instantiate $m))
      (type $e0 (enum "a" "b")) (export $e "e" (type $e0))
      (func $f (result ${type}) (canon lift (core func $i "f")))
      (export "f" (func $f)))`
    const { call } = await runWat(text)
    expect(thrown(() => call('f'))).toMatchObject({
      code: 'ERR_TRAP',
      message: expect.stringContaining(rule),
    })
  })

  test.each<[string, string, number, unknown]>([
    ['any bool but 0 is true', 'bool', 2, true],
    ['the high bits of a u8 are ignored', 'u8', 0x1ff, 255],
    ['the high bits of an s8 are ignored', 's8', 0x1ff, -1],
    ['the high bits of a u16 are ignored', 'u16', -1, 65_535],
    ['the high bits of an s16 are ignored', 's16', 0x18000, -32_768],
    ['a u32 is unsigned', 'u32', -1, 4_294_967_295],
    ['an s32 is signed', 's32', -1, -1],
  ])('%s', async (_, type, value, expected) => {
    const { call } = await runWat(`(component
      (core module $m (func (export "f") (result i32) (i32.const ${value})))
      (core instance $i (instantiate $m))
      (func $f (result ${type}) (canon lift (core func $i "f")))
      (export "f" (func $f)))`)
    expect(call('f')).toBe(expected)
  })

  test.each<[string, string, string]>([
    ['beyond memory', '(i32.const 65532)', 'realloc returned 65532 for 400 bytes, beyond memory'],
    ['far beyond memory', '(i32.const -4)', 'realloc returned 4294967292'],
    ['not aligned', '(i32.const 2)', 'not aligned to 4 bytes'],
  ])('realloc that returns a pointer %s traps', async (_, pointer, rule) => {
    const { call } = await runWat(`(component
      (core module $m (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) ${pointer})
        (func (export "f") (param i32 i32)))
      (core instance $i (instantiate $m))
      (func $f (param "v" (list u32)) (canon lift (core func $i "f")
        (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
      (export "f" (func $f)))`)
    expect(thrown(() => call('f', new Uint32Array(100)))).toMatchObject({
      code: 'ERR_TRAP',
      message: expect.stringContaining(rule),
    })
  })

  test('lists that overlap in memory cannot make the host run out of memory', async () => {
    // 4,000 inner lists, all of them the same 32 KiB.
    const { call } = await runWat(
      single(
        `(func (export "f") (result i32) (local $i i32)
          (loop $l
            (i32.store (i32.add (i32.const 32768) (i32.mul (local.get $i) (i32.const 8))) (i32.const 0))
            (i32.store (i32.add (i32.const 32772) (i32.mul (local.get $i) (i32.const 8))) (i32.const 32768))
            (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4000))))
          (i32.store (i32.const 16) (i32.const 32768)) (i32.store (i32.const 20) (i32.const 4000)) (i32.const 16))`,
        { f: '(result (list (list u8)))' },
      ),
    )
    expect(thrown(() => call('f'))).toMatchObject({
      code: 'ERR_TRAP',
      message: expect.stringContaining('exceed 67108864 bytes'),
    })
  })

  test.each<[string, string, string]>([
    ['unreachable', 'unreachable', 'unreachable'],
    ['a division by zero', '(drop (i32.div_u (i32.const 1) (i32.const 0)))', 'divide by zero'],
    ['a load beyond memory', '(drop (i32.load (i32.const -8)))', 'out of bounds'],
    ['endless recursion', '(call $f)', 'the guest used up the stack'],
  ])('%s is a trap with the reason', async (_, body, reason) => {
    const { call } = await runWat(single(`(func $f (export "f") ${body})`, { f: '' }))
    const error = thrown(() => call('f'))
    expect(error).toBeInstanceOf(LoomError)
    expect(error).toMatchObject({
      code: 'ERR_TRAP',
      message: expect.stringMatching(`^f: .*${reason}`),
    })
  })
})

describe('an instance', () => {
  const caller = `(component
    (import "host:api/h" (instance $h (export "get" (func (param "a" u32) (result u32)))
                                      (export "text" (func (result string)))))
    (core module $lib (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
    (core instance $lib (instantiate $lib))
    (core func $get (canon lower (func $h "get")))
    (core func $text (canon lower (func $h "text") (memory (core memory $lib "memory")) (realloc (core func $lib "realloc"))))
    (core module $m
      (import "h" "get" (func $get (param i32) (result i32)))
      (import "h" "text" (func $text (param i32)))
      (import "lib" "memory" (memory 1))
      (func (export "f") (param i32) (result i32) (call $get (local.get 0)))
      (func (export "g") (result i32) (call $text (i32.const 16)) (i32.const 16)))
    (core instance $i (instantiate $m (with "lib" (instance $lib))
      (with "h" (instance (export "get" (func $get)) (export "text" (func $text))))))
    (func $f (param "a" u32) (result u32) (canon lift (core func $i "f")))
    (func $g (result string) (canon lift (core func $i "g") (memory (core memory $lib "memory"))))
    (export "f" (func $f)) (export "g" (func $g)))`

  test('what a host function throws comes out as the same object, and spoils the instance', async () => {
    const error = { any: 'thing' }
    const running = await runWat(caller, {
      get: () => {
        throw error
      },
      text: () => '',
    })
    expect(thrown(() => running.call('f', 1))).toBe(error)
    expect(thrown(() => running.call('f', 1))).toMatchObject({
      code: 'ERR_INVARIANT',
      message: expect.stringContaining('threw before'),
    })
  })

  test('undefined thrown by a host function comes out as undefined', async () => {
    const running = await runWat(caller, {
      get: () => {
        throw undefined
      },
      text: () => '',
    })
    expect(thrown(() => running.call('f', 1))).toBeUndefined()
  })

  test('a call from a host function into the same instance is refused and harms nothing', async () => {
    let inner: unknown
    const running = await runWat(caller, {
      get: (a) => {
        inner = thrown(() => running.call('f', 1))
        return a
      },
      text: () => '',
    })
    expect(running.call('f', 4_294_967_295)).toBe(4_294_967_295)
    expect(inner).toMatchObject({
      code: 'ERR_INVARIANT',
      message: expect.stringContaining('another call'),
    })
    expect(running.call('f', 2)).toBe(2)
  })

  test.each<[string, unknown, string]>([
    [
      'too large',
      2 ** 32,
      'import host:api/h#get: result: expected u32 (0..4294967295), got 4294967296',
    ],
    ['missing', undefined, 'got undefined'],
    ['a promise', Promise.resolve(1), 'got a Promise'],
  ])(
    'a result of a host function that is %s is the fault of the host',
    async (_, value, message) => {
      const { call } = await runWat(caller, { get: () => value as number, text: () => '' })
      expect(thrown(() => call('f', 1))).toMatchObject({
        code: 'ERR_HOST_CALL',
        message: expect.stringContaining(message),
      })
    },
  )

  test('a lone surrogate from a host function is refused', async () => {
    const { call } = await runWat(caller, { get: () => 1, text: () => 'a\ud800' })
    expect(thrown(() => call('g'))).toMatchObject({ code: 'ERR_HOST_CALL' })
  })

  test('a host function that exhausts the stack is a trap', async () => {
    const forever = (): number => forever() + 1
    const { call } = await runWat(caller, { get: forever, text: () => '' })
    expect(thrown(() => call('f', 1))).toMatchObject({ code: 'ERR_TRAP' })
  })

  test('imports are resolved once per instance, and asked for by their exact names', async () => {
    const { component } = await runWat(caller, { get: () => 1, text: () => '' })
    const asked: string[] = []
    component.instantiate((interfaceName, func) => {
      asked.push(`${interfaceName}#${func.name}`)
      return () => 1
    })
    expect(asked).toEqual(['host:api/h#get', 'host:api/h#text'])
    expect(component.imports).toMatchObject([
      { name: 'host:api/h', functions: [{ name: 'get' }, { name: 'text' }] },
    ])
  })

  test('a trap in one instance leaves the others of the component alone', async () => {
    const core = `(global $n (mut i32) (i32.const 0))
      (func (export "f") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
      (func (export "boom") unreachable)`
    const first = await runWat(single(core, { f: '(result u32)', boom: '' }))
    const second = run(first.component)
    expect(first.call('f')).toBe(1)
    expect(thrown(() => first.call('boom'))).toMatchObject({ code: 'ERR_TRAP' })
    expect([second.call('f'), second.call('f')]).toEqual([1, 2])
  })
})

describe('memory', () => {
  test('may grow in realloc, in the call and in a host call without a stale view', async () => {
    const { call } = await runWat(
      single(
        `(func (export "f") (param i32 i32) (result i32)
          (drop (memory.grow (i32.const 3)))
          (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))`,
        { f: '(param "v" (list string)) (result (list string))' },
      ),
    )
    const long = ['x'.repeat(200_000), 'é'.repeat(100_000), '']
    expect(call('f', long)).toEqual(long)
    expect(call('f', long)).toEqual(long)
  })

  test('may be grown by the host between calls', async () => {
    const running = await runWat(
      single(
        `(func (export "f") (param i32 i32) (result i32)
          (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))`,
        { f: '(param "v" string) (result string)' },
      ),
    )
    expect(running.call('f', 'before')).toBe('before')
    running.instance.state.memories[0]?.grow(1)
    expect(running.call('f', 'after')).toBe('after')
  })
})

describe('post-return and realloc', () => {
  const leaving = (where: 'post' | 'realloc') => `(component
    (import "tick" (func $tick))
    (core func $tick (canon lower (func $tick)))
    (core module $m (import "h" "tick" (func $tick)) (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) ${where === 'realloc' ? '(call $tick)' : ''} (i32.const 64))
      (func (export "f") (param i32 i32) (result i32) (i32.const 16))
      (func (export "post") (param i32) ${where === 'post' ? '(call $tick)' : ''} (i32.store (i32.const 32) (local.get 0))))
    (core instance $i (instantiate $m (with "h" (instance (export "tick" (func $tick))))))
    (func $f (param "v" string) (result string) (canon lift (core func $i "f") (memory (core memory $i "memory"))
      (realloc (core func $i "realloc")) (post-return (core func $i "post"))))
    (export "f" (func $f)))`

  test.each(['post', 'realloc'] as const)('%s must not call out', async (where) => {
    let ticks = 0
    const { call } = await runWat(leaving(where), {
      tick: () => {
        ticks++
        return undefined
      },
    })
    expect(thrown(() => call('f', 'a'))).toMatchObject({
      code: 'ERR_TRAP',
      message: expect.stringContaining('import tick: the guest must not call imports'),
    })
    expect(ticks).toBe(0)
  })

  test('post-return gets what the function returned, after the result was read', async () => {
    const core = `(func (export "f") (result i32) (i32.store (i32.const 16) (i32.const 24)) (i32.store (i32.const 20) (i32.const 1))
        (i32.store8 (i32.const 24) (i32.const 97)) (i32.const 16))
      (func (export "post") (param i32) (i32.store8 (i32.const 24) (i32.const 98)) (global.set $heap (local.get 0)))`
    const running = await runWat(
      single(core, { f: '(result string)' }, '(post-return (core func $i "post"))'),
    )
    expect(running.call('f')).toBe('a')
    expect(running.instance.state.globals.read()[0]).toBe(16)
  })
})

test('a guest that catches the exception of a host function does not get away with it', async () => {
  const text = `(component
    (import "fail" (func $fail))
    (core func $fail (canon lower (func $fail)))
    (core module $m (import "h" "fail" (func $fail))
      (func (export "f") (result i32) try call $fail catch_all end try call $fail catch_all end i32.const 1))
    (core instance $i (instantiate $m (with "h" (instance (export "fail" (func $fail))))))
    (func $f (result u32) (canon lift (core func $i "f")))
    (export "f" (func $f)))`
  const error = new Error('once')
  let calls = 0
  const { call } = await runWat(text, {
    fail: () => {
      calls++
      throw error
    },
  })
  expect(thrown(() => call('f'))).toBe(error)
  expect(calls).toBe(1)
})

// Aim: what the specification's reference tests ask of a component and our other tests do not. The cases are our own,
// condensed; each names the file of github.com/WebAssembly/component-model, folder test/, that asks for it.
// docs/adr/0036 says how that suite as a whole comes out; validate/ has the rules of validation.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { describe, expect, test } from 'vitest'
import { loadComponent } from '../../../host/component/load.ts'
import type { WitValue } from '../../../host/component/wit/wit.ts'
import { loadWat, run } from '../../support/wat.ts'

const func = (name: string): string => `(import "${name}" (func))`
const instance = (name: string): string => `(import "${name}" (instance))`

async function refusal(text: string): Promise<unknown> {
  return await loadWat(`(component ${text})`).then(
    () => 'accepted',
    (error: unknown) => error,
  )
}

describe('names (validation/kebab.wast, extern-names.wast, annotated-names.wast)', () => {
  test.each([
    'a',
    'a-b-c',
    'a1-2-3',
    'A-B2-C',
    'm1x3d-4CR0NYMS',
    'wasi:http/types',
    'a-b:c-d/e-F@1.2.3-rc.1+build.5',
    'a:b/c@1',
    'a:b/c@0.2',
    'a:b/c@0.0.0',
  ])('%s is one', async (name) => {
    expect(await refusal(instance(name))).toBe('accepted')
  })

  test.each([
    '',
    '1',
    'a-',
    'a--b',
    '-a',
    'aBc',
    'a_b',
    'a.b',
    'a:b',
    'a:/b',
    ':a/b',
    'A:b/c',
    'a:B/c',
    'a:b/cD',
    'a:b/c@',
    'a:b/c@1.2',
    'a:b/c@01.2.3',
    'a:b/c@1.2.3-',
    'a:b/c@1.2.3+',
    '[method]a',
    '[method]a.',
    '[method].a',
    '[method]a.b.c',
    '[static]a',
    '[constructor]',
    '[other]a',
  ])('%s is none', async (name) => {
    expect(await refusal(name.startsWith('[') ? func(name) : instance(name))).toMatchObject({
      code: 'ERR_COMPONENT_FORMAT',
      message: expect.stringContaining(JSON.stringify(name)),
    })
  })

  test.each([
    ['a name of a dependency', 'unlocked-dep=<a:b>'],
    ['a package in a package', 'a:b/c/d'],
    ['a namespace in a namespace', 'a:b:c/d@1.0.0'],
  ])('%s is a feature', async (_, name) => {
    expect(await refusal(instance(name))).toMatchObject({
      code: 'ERR_COMPONENT_FEATURE',
      message: expect.stringContaining(JSON.stringify(name)),
    })
  })

  test.each([
    ['a:b/c@1', '.2.3', 'instance', 'accepted'],
    ['a:b/c@0.2', '.6-rc.1', 'instance', 'accepted'],
    ['a:b/c@1', '2.3', 'instance', 'together are no version'],
    ['a:b/c@1', '.2', 'instance', 'together are no version'],
    ['a:b/c@1.2.3', '-rc', 'instance', 'together are no version'],
    ['a:b/c@1', '.2.3', 'func', 'only instances have versions'],
  ])('version %s and %s of an %s: %s', async (name, suffix, sort, verdict) => {
    const text = `(component (import "${name}" (versionsuffix "${suffix}") (${sort})))`
    if (verdict === 'accepted') expect(await refusal(text)).toBe(verdict)
    else
      expect(await refusal(text)).toMatchObject({
        code: 'ERR_COMPONENT_FORMAT',
        message: expect.stringContaining(verdict),
      })
  })

  test('annotated names are for functions', async () => {
    expect(await refusal(instance('[method]a.b'))).toMatchObject({ code: 'ERR_COMPONENT_FORMAT' })
  })

  const SAME: readonly (readonly [string, string])[] = [
    ['foo', 'FOO'],
    ['foo-bar', 'foo-BAR'],
    ['[static]a.b', '[method]a.b'],
    ['a:b/c', 'a:b/C'],
  ]
  test.each(SAME)('%s and %s are too much alike', async (one, other) => {
    const declare = (name: string): string => (name.includes(':') ? instance(name) : func(name))
    expect(await refusal(declare(one) + declare(other))).toMatchObject({
      code: 'ERR_COMPONENT_FORMAT',
      message: expect.stringContaining('is too much like'),
    })
    const type = `(type (instance (export "${one}" (instance)) (export "${other}" (instance))))`
    if (!one.startsWith('[')) expect(await refusal(type)).not.toBe('accepted')
  })

  test('a resource and its constructor are not', async () => {
    const text = `(import "a" (type $a (sub resource)))
      (import "[constructor]a" (func (result (own $a)))) (import "[method]a.b" (func (param "self" (borrow $a))))`
    expect(await refusal(text)).toBe('accepted')
    expect(await refusal(`${text} (import "[static]a.a" (func))`)).not.toBe('accepted')
  })
})

describe('types (validation/resources.wast, outer-alias.wast; binary/binary.wast)', () => {
  const REFUSED: Record<string, string> = {
    'a borrowed result of a type that nobody uses':
      '(type $R (resource (rep i32))) (type (func (result (borrow $R))))',
    'a borrowed part of such a result':
      '(type $R (resource (rep i32))) (type (func (result (option (borrow $R)))))',
    'a resource of the component around':
      '(type $R (resource (rep i32))) (component $C (alias outer 1 $R (type $r))) (instance (instantiate $C))',
    'a type of such a resource':
      '(type $R (resource (rep i32))) (type $O (own $R)) (component $C (alias outer 1 $O (type $o))) (instance (instantiate $C))',
  }
  test.each(Object.entries(REFUSED))('%s is refused', async (_, text) => {
    expect(await refusal(text)).toMatchObject({ code: 'ERR_COMPONENT_FORMAT' })
  })

  test('an instance type reaches a resource of the component around it', async () => {
    const text =
      '(type $R (resource (rep i32))) (type (instance (alias outer 1 $R (type $r)) (export "f" (func (param "r" (own $r))))))'
    expect(await refusal(text)).toBe('accepted')
  })
})

/** A component that lowers an empty list into another one, whose realloc answers `pointer`. */
const passing = (pointer: number, align: string): string => `(component
  (component $C
    (core module $M (memory (export "m") 1) (global $calls (mut i32) (i32.const 0))
      (func (export "r") (param i32 i32 i32 i32) (result i32)
        (global.set $calls (i32.add (global.get $calls) (i32.const 1))) (i32.const ${pointer}))
      (func (export "f") (param i32 i32) (result i32) (global.get $calls)))
    (core instance $i (instantiate $M))
    (func (export "f") (param "a" (list ${align})) (result u32)
      (canon lift (core func $i "f") (memory (core memory $i "m")) (realloc (core func $i "r")))))
  (component $D
    (import "f" (func $f (param "a" (list ${align})) (result u32)))
    (core module $Memory (memory (export "m") 1)) (core instance $m (instantiate $Memory))
    (core func $g (canon lower (func $f) (memory (core memory $m "m"))))
    (core module $M (import "" "f" (func $f (param i32 i32) (result i32)))
      (func (export "run") (result i32) (call $f (i32.const 0) (i32.const 0))))
    (core instance $i (instantiate $M (with "" (instance (export "f" (func $g))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $c (instantiate $C)) (instance $d (instantiate $D (with "f" (func $c "f"))))
  (func (export "run") (alias export $d "run")))`

async function passed(pointer: number, align: string): Promise<WitValue> {
  const component = await loadComponent(await parse(passing(pointer, align)))
  return run(component).call('run')
}

describe('an empty list (values/realloc.wast, alignment.wast)', () => {
  test('asks for room as any other does', async () => {
    expect(await passed(16, 'u8')).toBe(1)
    expect(await passed(65_536, 'u64')).toBe(1)
  })

  test.each([
    ['beyond memory', 65_537, 'u8'],
    ['at the end of addresses', -1, 'u8'],
    ['not aligned', 12, 'u64'],
  ])('traps when it is given a place %s', async (_, pointer, align) => {
    await expect(passed(pointer, align)).rejects.toMatchObject({ code: 'ERR_TRAP' })
  })
})

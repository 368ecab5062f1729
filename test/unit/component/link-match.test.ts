// Aim: what a nested component is given fits what it declares, or the component is refused; the message names
// the argument, the part of it, what was expected and what was given. Method: components written by hand, of
// which the toolchain's own validator (wasm-tools) says the same.
import { componentWit, parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { describe, expect, test } from 'vitest'
import { isLoomError } from '../../../host/base/errors.ts'
import { loadComponent } from '../../../host/component/load.ts'
import { runWat } from '../../support/wat.ts'

/** What wasm-tools says of a component, and what the linker says. */
async function judge(text: string): Promise<{ isValid: boolean; refusal: string | null }> {
  const bytes = await parse(text)
  const isValid = await componentWit(bytes).then(
    () => true,
    () => false,
  )
  const refusal = await loadComponent(bytes).then(
    () => null,
    (error: unknown) => {
      expect(isLoomError(error), String(error)).toBe(true)
      expect(error).toMatchObject({ code: 'ERR_COMPONENT_FORMAT' })
      return (error as Error).message
    },
  )
  return { isValid, refusal }
}

const CORE = `(core module $m (func (export "f") (param i32) (result i32) (local.get 0)) (func (export "v")))
  (core instance $i (instantiate $m))`

/** A component that imports "x" as `declared`, is given `given`, and stands among `definitions`. */
function nested(declared: string, definitions: string, given: string): string {
  return `(component ${CORE} ${definitions}
    (component $child ${declared})
    (instance (instantiate $child (with "x" ${given}))))`
}

const FUNC = '(func $f (param "a" u32) (result u32) (canon lift (core func $i "f")))'
/** An instance with a function and the types that it needs. */
const bundle = (definitions: string, exports: string): string =>
  `${definitions} (instance $given ${exports})`
const instanceOf = (declarations: string): string => `(import "x" (instance $x ${declarations}))`

/** A component that exports resource "r" with functions that take and give it. */
const OWNER = `(component $owner
  (core module $n (func (export "f") (param i32) (result i32) (local.get 0)))
  (core instance $j (instantiate $n))
  (type $r0 (resource (rep i32)))
  (export $r "r" (type $r0))
  (func (export "pass") (param "r" (own $r)) (result (own $r)) (canon lift (core func $j "f"))))
  (instance $one (instantiate $owner)) (instance $two (instantiate $owner))`
const PASS =
  '(export "r" (type $r (sub resource))) (export "pass" (func (param "r" (own $r)) (result (own $r))))'

const FITTING: readonly (readonly [string, string])[] = [
  ['a function', nested('(import "x" (func (param "a" u32) (result u32)))', FUNC, '(func $f)')],
  [
    'an instance with more than is declared',
    nested(
      instanceOf('(export "f" (func (param "a" u32) (result u32)))'),
      bundle(FUNC, '(export "f" (func $f)) (export "g" (func $f))'),
      '(instance $given)',
    ),
  ],
  [
    'an instance of which nothing is declared',
    nested(instanceOf(''), bundle(FUNC, '(export "f" (func $f))'), '(instance $given)'),
  ],
  ['an instance with a resource', nested(instanceOf(PASS), OWNER, '(instance $one)')],
  [
    'a resource, and a function of it',
    `(component ${OWNER}
      (alias export $one "r" (type $r))
      (component $child (import "x" (type $t (sub resource))) (import "y" (func (param "r" (own $t)) (result (own $t)))))
      (instance (instantiate $child (with "x" (type $r)) (with "y" (func $one "pass")))))`,
  ],
  [
    'the same resource through two instances',
    `(component ${OWNER}
      (component $child
        (import "x" (instance $x (export "r" (type (sub resource)))))
        (alias export $x "r" (type $r))
        (import "y" (instance (export "r" (type (eq $r))) (export "pass" (func (param "r" (own $r)) (result (own $r)))))))
      (instance (instantiate $child (with "x" (instance $one)) (with "y" (instance $one)))))`,
  ],
  [
    'an equal type',
    nested(
      '(type $e (enum "a" "b")) (import "x" (type (eq $e)))',
      '(type $g (enum "a" "b"))',
      '(type $g)',
    ),
  ],
  [
    'an instance in an instance',
    nested(
      instanceOf('(export "in" (instance (export "f" (func (param "a" u32) (result u32)))))'),
      bundle(`${FUNC} (instance $in (export "f" (func $f)))`, '(export "in" (instance $in))'),
      '(instance $given)',
    ),
  ],
  [
    'an export under a type that shows less of it',
    `(component ${CORE} ${FUNC} (instance $a (export "f" (func $f)) (export "g" (func $f)))
      (export "x:y/z" (instance $a) (instance (export "f" (func (param "a" u32) (result u32))))))`,
  ],
]

describe('what fits is accepted', () => {
  test.each(FITTING)('%s', async (_, text) => {
    expect(await judge(text)).toEqual({ isValid: true, refusal: null })
  })
})

const withFunc = (declared: string): string =>
  nested(`(import "x" (func ${declared}))`, FUNC, '(func $f)')
const withType = (declared: string, given: string): string =>
  nested(`(type $t ${declared}) (import "x" (type (eq $t)))`, `(type $g ${given})`, '(type $g)')

const X = 'instantiation argument "x"'
const MISFITS: readonly (readonly [string, string, string])[] = [
  [
    'nothing',
    `(component (component $c (import "x" (func))) (instance (instantiate $c)))`,
    `${X}: expected a function, got nothing`,
  ],
  [
    'a function for an instance',
    nested('(import "x" (instance))', FUNC, '(func $f)'),
    `${X}: expected an instance, got a function`,
  ],
  [
    'a type for a function',
    nested('(import "x" (func))', '(type $t u8)', '(type $t)'),
    `${X}: expected a function, got a type`,
  ],
  [
    'a function with a parameter too many',
    withFunc('(result u32)'),
    `${X}: expected no parameters, got parameters 1 labels ("a")`,
  ],
  [
    'a parameter of another name',
    withFunc('(param "b" u32) (result u32)'),
    `${X}: expected parameters 1 labels ("b"), got parameters 1 labels ("a")`,
  ],
  [
    'a parameter of another type',
    withFunc('(param "a" s32) (result u32)'),
    `${X} parameter "a": expected s32, got u32`,
  ],
  [
    'a result that is missing',
    withFunc('(param "a" u32)'),
    `${X} result: expected nothing, got u32`,
  ],
  [
    'a result of another type',
    withFunc('(param "a" u32) (result (option u8))'),
    `${X} result: expected option<u8>, got u32`,
  ],
  [
    'an instance that lacks a function',
    nested(
      instanceOf('(export "f" (func (param "a" u32) (result u32))) (export "g" (func))'),
      bundle(FUNC, '(export "f" (func $f))'),
      '(instance $given)',
    ),
    `${X} export "g": expected a function, got nothing`,
  ],
  [
    'an instance whose function is of another type',
    nested(
      instanceOf('(export "f" (func (param "a" char) (result u32)))'),
      bundle(FUNC, '(export "f" (func $f))'),
      '(instance $given)',
    ),
    `${X} export "f" parameter "a": expected char, got u32`,
  ],
  [
    'an instance with something else under the name',
    nested(
      instanceOf('(export "f" (instance))'),
      bundle(FUNC, '(export "f" (func $f))'),
      '(instance $given)',
    ),
    `${X} export "f": expected an instance, got a function`,
  ],
  [
    'an instance in an instance that lacks a function',
    nested(
      instanceOf('(export "in" (instance (export "f" (func))))'),
      bundle('(instance $in)', '(export "in" (instance $in))'),
      '(instance $given)',
    ),
    `${X} export "in" export "f": expected a function, got nothing`,
  ],
  [
    'a record with another field',
    withType('(record (field "a" u8))', '(record (field "b" u8))'),
    `${X}: expected 1 labels ("a"), got 1 labels ("b")`,
  ],
  [
    'a record whose field is of another type',
    withType('(record (field "a" (list u8)))', '(record (field "a" (list s8)))'),
    `${X} field "a" element: expected u8, got s8`,
  ],
  [
    'a variant whose case has a payload',
    withType('(variant (case "a") (case "b"))', '(variant (case "a") (case "b" u8))'),
    `${X} case "b": expected nothing, got u8`,
  ],
  [
    'an enum of other labels',
    withType('(enum "a" "b")', '(enum "b" "a")'),
    'expected 2 labels ("a", "b"), got 2 labels ("b", "a")',
  ],
  [
    'flags with one more',
    withType('(flags "a")', '(flags "a" "b")'),
    'expected 1 labels ("a"), got 2 labels ("a", "b")',
  ],
  [
    'a tuple with one more',
    withType('(tuple u8)', '(tuple u8 u8)'),
    'expected a tuple of 1, got a tuple of 2',
  ],
  [
    'a tuple with another element',
    withType('(tuple u8 (tuple bool))', '(tuple u8 (tuple char))'),
    'element 1 element 0: expected bool, got char',
  ],
  [
    'a result without an error',
    withType('(result u8 (error u8))', '(result u8)'),
    `${X} err: expected u8, got nothing`,
  ],
  [
    'a list for an option',
    withType('(option u8)', '(list u8)'),
    'expected option<u8>, got list<u8>',
  ],
  [
    'a function type for a value type',
    withType('u8', '(func)'),
    'expected a u8, got a type of funcs',
  ],
  [
    'a value type for a resource',
    nested('(import "x" (type (sub resource)))', '(type $t u8)', '(type $t)'),
    `${X}: expected a resource, got a u8`,
  ],
  [
    'a resource and the function of another one',
    `(component ${OWNER}
      (alias export $one "r" (type $r))
      (component $child (import "t" (type $t (sub resource))) (import "x" (func (param "r" (own $t)) (result (own $t)))))
      (instance (instantiate $child (with "t" (type $r)) (with "x" (func $two "pass")))))`,
    `${X} parameter "r": expected resource t, got another resource r`,
  ],
  [
    'the resource of another instance',
    `(component ${OWNER}
      (component $child
        (import "t" (instance $x (export "r" (type (sub resource)))))
        (alias export $x "r" (type $r))
        (import "x" (instance (export "r" (type (eq $r))))))
      (instance (instantiate $child (with "t" (instance $one)) (with "x" (instance $two)))))`,
    `${X} export "r": expected resource r, got another resource r`,
  ],
  [
    'an own handle for a borrowed one',
    `(component ${OWNER}
      (alias export $one "r" (type $r))
      (component $child (import "t" (type $t (sub resource))) (import "x" (func (param "r" (borrow $t)) (result (own $t)))))
      (instance (instantiate $child (with "t" (type $r)) (with "x" (func $one "pass")))))`,
    `${X} parameter "r": expected borrow<t>, got r`,
  ],
  [
    'an export under a type that it has not',
    `(component ${CORE} ${FUNC} (instance $a (export "f" (func $f)))
      (export "x:y/z" (instance $a) (instance (export "f" (func (param "a" u64) (result u32))))))`,
    'export "x:y/z" export "f" parameter "a": expected u64, got u32',
  ],
]

describe('what does not fit is refused', () => {
  test.each(MISFITS)('%s', async (_, text, message) => {
    const { isValid, refusal } = await judge(text)
    expect(refusal).toContain(message)
    expect(isValid).toBe(false)
  })
})

describe('a component sees of an instance only what it declares', () => {
  const child = (name: string): string => `(component $child
    ${instanceOf('(export "f" (func (param "a" u32) (result u32)))')}
    (export "out" (func $x "${name}")))`
  const text = (name: string): string => `(component ${CORE} ${FUNC}
    (instance $given (export "f" (func $f)) (export "g" (func $f)))
    ${child(name)} (instance $c (instantiate $child (with "x" (instance $given))))
    (export "out" (func $c "out")))`

  test('not what else there is', async () => {
    const { isValid, refusal } = await judge(text('g'))
    expect(refusal).toContain('exports no func "g"')
    expect(isValid).toBe(false)
    const { call } = await runWat(text('f'))
    expect(call('out', 7)).toBe(7)
  })
})

// Aim: what is valid is never refused, however near to a rule it comes. Method: components written by hand, each a
// step away from an invalid one of cases.ts; components that the toolchain makes of random types.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadComponent } from '../../../../host/component/load.ts'
import { readComponent } from '../../../../host/component/read.ts'
import { times } from '../../../support/long.ts'
import { buildProbe } from '../../../support/probe.ts'
import { buildRaw } from '../../../support/raw.ts'
import { seedsOf } from '../../../support/seed.ts'
import { typeArbitrary } from '../../../support/wit-arbitrary.ts'

const CORE = `(core module $m (func (export "f") (param i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m))`
const LIFTED = '(canon lift (core func $i "f"))'

const VALID: readonly (readonly [string, string])[] = [
  [
    'a function whose type is ascribed by the name that its resource got',
    `${CORE} (type $r (resource (rep i32))) (func $f (param "a" u32) (result (own $r)) ${LIFTED})
      (export $e "r" (type $r)) (export "f" (func $f) (func (param "a" u32) (result (own $e))))`,
  ],
  [
    'a type that an exported instance names',
    `${CORE} (type $t (record (field "x" u32))) (instance $b (export "t" (type $t))) (export $e "i" (instance $b))
      (alias export $e "t" (type $n)) (func $f (param "a" $n) (result u32) ${LIFTED}) (export "f" (func $f))`,
  ],
  [
    'an instance of a hidden type that nobody imports',
    '(type (instance (type $t (record (field "x" u32))) (export "f" (func (param "p" $t)))))',
  ],
  [
    'a hidden type in an instance that is not exported',
    '(type $t (record (field "x" u32))) (type $u (record (field "t" $t))) (instance (export "u" (type $u)))',
  ],
  [
    'a type that goes through a component and comes out',
    `(component $outer (type $t (record (field "x" u32))) (import "t" (type $n (eq $t)))
      (component $c (type $t (record (field "x" u32))) (import "t" (type $n (eq $t)))
        (type $u (record (field "t" $n))) (export "u" (type $u)))
      (instance $c (instantiate $c (with "t" (type $n)))) (export "u" (type $c "u")))`,
  ],
  [
    'a constructor that may fail, a method and a static function',
    `(component (import "a" (type $a (sub resource)))
      (import "[constructor]a" (func (param "n" u8) (result (result (own $a) (error string)))))
      (import "[method]a.b" (func (param "self" (borrow $a)) (param "n" u8)))
      (import "[static]a.c" (func (result u8))))`,
  ],
  [
    'a method of a resource under the name that it is exported by',
    `(component (import "b" (type $b (sub resource))) (import "f" (func $f (param "self" (borrow $b))))
      (export $c "c" (type $b)) (export "[method]c.m" (func $f) (func (param "self" (borrow $c)))))`,
  ],
  [
    'an imported component that gives what another one wants',
    `(component (import "c1" (component $c1 (import "t" (type $t (sub resource))) (export "f" (func (param "p" (own $t))))))
      (import "c2" (component $c2 (import "t" (type $t (sub resource))) (import "f" (func (param "p" (own $t))))))
      (type $r (resource (rep i32)))
      (instance $i (instantiate $c1 (with "t" (type $r))))
      (instance (instantiate $c2 (with "t" (type $r)) (with "f" (func $i "f")))))`,
  ],
  [
    'a component with fewer imports and more exports than declared',
    `(component $c (import "c" (component (import "a" (func)) (import "b" (func)) (export "x" (func)))))
      (component $d (import "b" (func $b)) (export "x" (func $b)) (export "y" (func $b)))
      (instance (instantiate $c (with "c" (component $d))))`,
  ],
  [
    'a module with fewer imports, more exports and a wider memory than declared',
    `(core module $m (memory (export "m") 2 3) (func (export "f")))
      (component $c (import "m" (core module (import "" "x" (func)) (export "m" (memory 1 4)))))
      (instance (instantiate $c (with "m" (core module $m))))`,
  ],
  [
    'a module type that has a type from outside',
    '(core type $f (func (param i32))) (core type (module (alias outer 1 $f (type $t)) (import "a" "b" (func (type $t)))))',
  ],
  [
    'references in whatever form they are written',
    `(component (core module $a (table (export "t") 1 (ref null func))) (core instance $i (instantiate $a))
      (core module $b (import "" "t" (table 1 funcref))) (core instance (instantiate $b (with "" (instance $i)))))`,
  ],
]

describe('valid and near to a rule', () => {
  test.each(VALID)('%s', async (_, text) => {
    const bytes = await parse(`(component ${text})`)
    await expect(loadComponent(bytes)).resolves.toBeDefined()
  })
})

const types = fc.array(typeArbitrary({ depth: 3, nestedOptions: true }), {
  minLength: 1,
  maxLength: 4,
})

test.each(seedsOf('valid components'))(
  'what the toolchain makes of random types is valid (seed %i)',
  async (seed) => {
    await fc.assert(
      fc.asyncProperty(types, async (some) => {
        for (const bytes of [await buildRaw(some), await buildProbe(some, 'utf16')])
          expect(readComponent(bytes).unused).toEqual([])
      }),
      { seed, numRuns: times(12) },
    )
  },
)

// Aim: no small component costs a host seconds, or the memory of thousands, for each instance of it, for which nobody pays
// fuel; and no component of a toolchain comes near. Method: those that would, each of a kilobyte or a few hundred.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { describe, expect, test } from 'vitest'
import { type InstanceParts, partsOf } from '../../../host/component/core/instance-work.ts'
import { readCoreModule } from '../../../host/component/core/module.ts'
import { loadWat } from '../../support/wat.ts'

const numbered = (count: number, item: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => item(index)).join(' ')
const instances = (count: number, args = ''): string =>
  numbered(count, (index) => `(core instance $i${index} (instantiate $m ${args}))`)

const ENDLESS: Readonly<Record<string, { readonly wat: string; readonly most: string }>> = {
  'a large table that no code changes': {
    wat: '(core module $m (table 10000000 funcref)) (core instance (instantiate $m))',
    most: '10000000 elements of tables',
  },
  'many instances of a module with many exports': {
    wat: `(core module $m (func) ${numbered(500, (index) => `(export "${index}" (func 0))`)}) ${instances(500)}`,
    most: '250000 exports',
  },
  'many instances that fill one table': {
    wat: `(core module $t (table (export "t") 10000 funcref)) (core instance $t (instantiate $t))
      (core module $m (import "t" "t" (table 10000 funcref)) (func)
        (elem (i32.const 0) ${numbered(10_000, () => '0')}))
      ${instances(900, '(with "t" (instance $t))')}`,
    most: '9000000 elements of segments',
  },
  'many instances of a component that holds nothing but a table of handles': {
    wat: `(component $c (type (resource (rep i32)))) ${numbered(260_000, () => '(instance (instantiate $c))')}`,
    most: '260001 component instances',
  },
  'many functions between components and the host': {
    wat: `(type $r (resource (rep i32))) ${numbered(210_000, () => '(core func (canon resource.drop $r))')}`,
    most: '210000 adapted functions',
  },
}

describe('an instance that takes an engine long each time', () => {
  test.each(Object.entries(ENDLESS))('is refused: %s', async (_, { wat, most }) => {
    await expect(loadWat(`(component ${wat})`)).rejects.toMatchObject({
      code: 'ERR_COMPONENT_FEATURE',
      message: expect.stringContaining(
        `an instance of too much to be made for each actor, most of it ${most}`,
      ),
    })
  })

  test('is counted by what instances are made of, not by what is there', async () => {
    const table = '(core module $m (table 1000000 funcref))'
    await expect(loadWat(`(component ${table} ${instances(2)})`)).resolves.toBeDefined()
    await expect(loadWat(`(component ${table} ${instances(8)})`)).rejects.toMatchObject({
      code: 'ERR_COMPONENT_FEATURE',
    })
  })
})

test('the parts of a module are counted, imported ones apart', async () => {
  const binary = await parse(`(module
    (import "a" "f" (func)) (import "a" "t" (table 7 funcref)) (table 5 externref) (memory 1) (tag) (global i32 (i32.const 1))
    (func (export "f")) (func) (elem (table 0) (i32.const 0) func 0 1) (elem func 1) (elem declare func 2)
    (elem (table 0) (i32.const 3) funcref (ref.func 2) (ref.null func))
    (data (i32.const 0) "abc") (data "de"))`)
  const parts: InstanceParts = partsOf(binary, readCoreModule(binary, 0, binary.length))
  expect(parts).toEqual({
    functions: 3,
    imports: 2,
    exports: 1,
    globals: 1,
    tags: 1,
    tables: 1,
    'elements of tables': 5,
    'segments of elements': 4,
    'elements of segments': 6,
    'segments of data': 2,
    'bytes of data': 5,
  })
})

import { expect, test } from 'vitest'
import { loadWat, runWat } from '../../support/wat.ts'

test('constant expressions may calculate, on every Node that is supported', async () => {
  const { call } = await runWat(`(component
    (core module $a (global (export "base") i32 (i32.const 40)))
    (core instance $a (instantiate $a))
    (core module $m (import "a" "base" (global $base i32))
      (global $g i32 (i32.add (global.get $base) (i32.mul (i32.const 1) (i32.const 2))))
      (func (export "f") (result i32) (global.get $g)))
    (core instance $m (instantiate $m (with "a" (instance $a))))
    (func (export "f") (result u32) (canon lift (core func $m "f"))))`)
  expect(call('f')).toBe(42)
})

// Valid, and taken by newer engines: the component is none the worse.
test.each([
  ['a constant of an own global', '(global $a i32 (i32.const 3)) (global i32 (global.get $a))'],
  [
    'a table with an initial value',
    '(func $f) (table 1 funcref (ref.func $f)) (func (drop (table.get 0 (i32.const 0))))',
  ],
])('%s works, or is refused as what this engine lacks', async (feature, core) => {
  const text = `(component (core module $m ${core}) (core instance (instantiate $m)))`
  const newer = Number.parseInt(process.versions.v8, 10) >= 12
  const outcome = await loadWat(text).then(
    () => 'works',
    (error: { code: string; message: string }) => `${error.code} ${error.message}`,
  )
  const refused = `ERR_COMPONENT_FEATURE component: ${feature} (this engine) is not supported by this host`
  expect(outcome).toBe(newer ? 'works' : refused)
})

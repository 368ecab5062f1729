import { expect, test } from 'vitest'
import { runWat } from '../../support/wat.ts'

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

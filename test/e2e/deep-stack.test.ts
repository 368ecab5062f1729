// Aim: a turn that returned on a deep stack is replayed in a process whose stack is too small for it. Fault model: a process
// dies; the next one's stack ends where the first one's did not. Here the first has a larger one; in life its code was
// optimised, whose frames are several times smaller.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { expect, test } from 'vitest'

import { loom, PACKAGE_ROOT, run, temporaryFolder } from '../support/processes.ts'

/** Goes as deep as it is told and leaves a mark at each step of the way back. Returns how often it was called. */
const DEEP = `(component
  (core module $m
    (memory (export "memory") 1)
    (global $calls (mut i32) (i32.const 0))
    (func $go (param $n i32)
      (if (local.get $n) (then (call $go (i32.sub (local.get $n) (i32.const 1)))))
      (i32.store8 (i32.and (local.get $n) (i32.const 0xffff))
        (i32.add (i32.load8_u (i32.and (local.get $n) (i32.const 0xffff))) (i32.const 1))))
    (func (export "descend") (param i32) (result i32)
      (call $go (local.get 0))
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (global.get $calls)))
  (core instance $i (instantiate $m))
  (func (export "descend") (param "depth" u32) (result u32) (canon lift (core func $i "descend"))))`
const CHILD = path.join(PACKAGE_ROOT, 'test/support/deep-child.mjs')
const LARGE_STACK = '--stack-size=6000'
const DEPTH = '45000'

async function descend(folder: string, flags: string[], ...depths: string[]): Promise<string[]> {
  const component = path.join(folder, 'deep.wasm')
  writeFileSync(component, await parse(DEEP))
  const args = [...flags, CHILD, path.join(folder, 'data'), component, ...depths]
  const { stdout, stderr, code } = await run(process.execPath, args)
  expect([code, stderr]).toEqual([0, ''])
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

test('a turn that went deeper than this process can is replayed on a larger stack', async () => {
  const folder = temporaryFolder()
  const [first, second, third, hash] = await descend(folder, [LARGE_STACK], '7', DEPTH, '5')
  expect([first, second, third]).toEqual(['1', '2', '3'])
  // The premise: live, this process refuses what the other could do.
  const [refused] = await descend(temporaryFolder(), [], DEPTH)
  expect(refused).toMatch(/^ERR_TRAP: .*used up the stack/)
  const [fourth, , again] = await descend(folder, [], '5', DEPTH)
  expect(fourth).toBe('4')
  expect(await descend(folder, [LARGE_STACK], '0')).toEqual(['5', expect.any(String)])
  expect([hash, again]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), expect.any(String)])
})

test('its state is that of the process with the larger stack, and loom replay says so too', async () => {
  const folder = temporaryFolder()
  const [, hash] = await descend(folder, [LARGE_STACK], DEPTH)
  expect(await descend(folder, [])).toEqual([hash])
  const { code, stdout } = await loom(['replay', 'Deep/a', '--data', path.join(folder, 'data')])
  expect([code, stdout]).toEqual([0, expect.stringContaining(hash as string)])
})

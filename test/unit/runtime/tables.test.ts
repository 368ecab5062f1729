// Aim: state that an image does not hold is never lost: an actor that keeps some in a table is rebuilt from its
// journal alone. Method: a component that swaps the functions of its table, with a snapshot due at each turn.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { expect, test } from 'vitest'
import { fsBlobs, memory, openInspector } from '../../../host/index.ts'
import { openHost, temporaryFolder } from '../../support/host.ts'

const SWAPPING = `(component
  (core module $m (table 1 funcref) (elem (i32.const 0) func $one) (elem declare func $one $two)
    (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
    (func (export "swap") (table.set (i32.const 0) (ref.func $two)))
    (func (export "which") (result i32) (call_indirect (result i32) (i32.const 0))))
  (core instance $i (instantiate $m))
  (func $swap (canon lift (core func $i "swap"))) (export "swap" (func $swap))
  (func $which (result u32) (canon lift (core func $i "which"))) (export "which" (func $which)))`

test('an actor that changes a table is never snapshotted, says so, and comes back as it was', async () => {
  const store = memory()
  const blobs = fsBlobs(temporaryFolder())
  const lines: string[] = []
  const open = async (): Promise<Awaited<ReturnType<typeof openHost>>> => {
    const runtime = await openHost({
      store,
      blobs,
      limits: { snapshotIntervalTurns: 1 },
      log: ({ message }) => lines.push(message),
    })
    const component = await parse(SWAPPING)
    await runtime.registerActorType('Swapping', { type: 'wasm', component })
    return runtime
  }
  const first = await open()
  const actor = await first.getActor('s1', 'Swapping')
  expect(await actor.call('which')).toBe(1)
  await actor.call('swap')
  expect(await actor.call('which')).toBe(2)
  await first.close()
  expect(lines).toContainEqual(expect.stringContaining('changes a table (table.set)'))
  const second = await open()
  expect(await (await second.getActor('s1', 'Swapping')).call('which')).toBe(2)
  const inspector = await openInspector({ store, blobs })
  const report = await inspector.replay({ type: 'Swapping', id: 's1' })
  expect(report).toMatchObject({ turns: 4, snapshotsCompared: 0 })
})

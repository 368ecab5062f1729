// Aim: what an actor keeps in a table is never lost: it is part of its snapshots, and where no image can hold it,
// the actor is rebuilt from its journal alone. Method: components that swap the functions of their table, with a
// snapshot due at each turn.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { expect, test } from 'vitest'
import { fsBlobs, memory, openInspector } from '../../../host/index.ts'
import { openHost, temporaryFolder } from '../../support/host.ts'

/** `drops`: the segment of which it takes the function is dropped as well, which no image holds. */
function swapping(drops: boolean): string {
  return `(component
  (core module $m (table 1 funcref) (elem (i32.const 0) func $one) (elem $e func $two)
    (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
    (func (export "swap") (table.init $e (i32.const 0) (i32.const 0) (i32.const 1)) ${drops ? '(elem.drop $e)' : ''})
    (func (export "which") (result i32) (call_indirect (result i32) (i32.const 0))))
  (core instance $i (instantiate $m))
  (func $swap (canon lift (core func $i "swap"))) (export "swap" (func $swap))
  (func $which (result u32) (canon lift (core func $i "which"))) (export "which" (func $which)))`
}

test.each([
  ['holds its tables in its snapshots', false],
  ['says so where it cannot, is never snapshotted', true],
])('an actor that changes a table %s, and comes back as it was', async (_, drops) => {
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
    const component = await parse(swapping(drops))
    await runtime.registerActorType('Swapping', { type: 'wasm', component })
    return runtime
  }
  const first = await open()
  const actor = await first.getActor('s1', 'Swapping')
  expect(await actor.call('which')).toBe(1)
  await actor.call('swap')
  expect(await actor.call('which')).toBe(2)
  const { stateHash } = await first.describeActor('s1', 'Swapping')
  await first.close()
  const refusals = lines.filter((line) => line.includes('drops an element segment (elem.drop)'))
  expect(refusals.length > 0).toBe(drops)
  const second = await open()
  expect(await second.describeActor('s1', 'Swapping')).toMatchObject({ stateHash })
  expect(await (await second.getActor('s1', 'Swapping')).call('which')).toBe(2)
  const inspector = await openInspector({ store, blobs })
  const report = await inspector.replay({ type: 'Swapping', id: 's1' })
  expect(report.turns).toBe(4)
  expect(report.snapshotsCompared > 0).toBe(!drops)
})

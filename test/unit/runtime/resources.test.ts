// Aim: an actor may hold handles over turns, of its own components' resources and of the embedder's; they come
// back after crashes and in replays. Method: a component written by hand, on the memory store.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { expect, test } from 'vitest'
import {
  fsBlobs,
  memory,
  openInspector,
  type Runtime,
  type RuntimeOptions,
} from '../../../host/index.ts'
import { errorOf, openHost, temporaryFolder } from '../../support/host.ts'
import { resourceComponent } from '../../support/resource-component.ts'

const component = await parse(
  resourceComponent(
    '',
    `(export $thing2 "thing" (type $thing))
     (func (export "lend") (param "t" (borrow $thing)) (result u32) (canon lift (core func $user "host-peek")))`,
  ),
)

async function openResources(notes: string[], options: Partial<RuntimeOptions>): Promise<Runtime> {
  const runtime = await openHost(options)
  const note = (what: string) => (rep: number) => {
    notes.push(`${what} ${rep}`)
    return rep
  }
  runtime.provide('test:res/host', {
    '[constructor]thing': note('make'),
    '[method]thing.peek': note('peek'),
    '[static]thing.take': note('take'),
    '[resource-drop]thing': note('drop'),
    note: (rep: number) => {
      notes.push(`item ${rep}`)
    },
  })
  await runtime.registerActorType('Res', { type: 'wasm', component })
  return runtime
}

test('handles outlive turns, snapshots, crashes and replays', async () => {
  const store = memory()
  const blobs = fsBlobs(temporaryFolder())
  const notes: string[] = []
  const options = { store, blobs, limits: { snapshotIntervalTurns: 3 } }
  const first = await openResources(notes, options)
  const actor = await first.getActor('r', 'Res')
  for (const rep of [10, 11, 12]) expect(await actor.call('make', rep)).toBe(rep - 9)
  expect(await actor.call('host-make', 77)).toBe(4)
  await actor.call('drop', 2)
  const { stateHash } = await first.describeActor('r', 'Res')
  expect(notes).toEqual(['make 77', 'item 11'])
  store.crash()
  const second = await openResources(notes, options)
  expect((await second.describeActor('r', 'Res')).stateHash).toBe(stateHash)
  const again = await second.getActor('r', 'Res')
  expect(await again.call('peek', 3)).toBe(12)
  expect(await again.call('host-peek', 4)).toBe(77)
  expect(await again.call('make', 20)).toBe(2)
  await again.call('host-drop', 4)
  expect(notes).toEqual(['make 77', 'item 11', 'peek 77', 'drop 77'])
  const inspector = await openInspector({ store, blobs })
  const report = await inspector.replay({ type: 'Res', id: 'r' })
  expect(report).toMatchObject({ turns: 9, failed: 0 })
  expect(report.stateHash).toBe((await second.describeActor('r', 'Res')).stateHash)
  expect(report.snapshotsCompared).toBeGreaterThan(0)
  expect(notes).toHaveLength(4)
})

test('a turn that breaks a rule of handles has not happened', async () => {
  const runtime = await openResources([], {})
  const actor = await runtime.getActor('r', 'Res')
  await actor.call('make', 1)
  expect(await errorOf(actor.call('drop', 9))).toMatchObject({
    code: 'ERR_TRAP',
    message: expect.stringContaining('handle 9 of a item is none'),
  })
  expect(await actor.call('peek', 1)).toBe(1)
})

test('a method that takes or returns a handle is refused to callers, before anything runs', async () => {
  const runtime = await openResources([], {})
  const actor = await runtime.getActor('r', 'Res')
  const refused = {
    code: 'ERR_COMPONENT_FEATURE',
    message:
      'lend: func(t: borrow<thing>) -> u32 passes a resource handle, which callers from outside cannot hold',
  }
  expect(await errorOf(actor.call('lend', 1))).toMatchObject(refused)
  expect(await errorOf(actor.executeJson({ method: 'lend', args: [1] }))).toMatchObject(refused)
})

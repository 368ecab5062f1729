// Aim: reminders end with the life of their actor, and go with it into another store. Method: a virtual clock.
import { expect, test } from 'vitest'
import { fsBlobs, openInspector, VirtualClock } from '../../../host/index.ts'
import { type MemoryDriver, memory } from '../../../host/store/memory/memory.ts'
import { openHost, temporaryFolder } from '../../support/host.ts'
import { Ticking } from '../../support/ticking-actor.ts'

const key = { type: 'Ticking', id: 'a' }

async function open(store: MemoryDriver, clock: VirtualClock) {
  const runtime = await openHost({ store, clock })
  await runtime.registerActorType('Ticking', { type: 'typescript', actorClass: Ticking })
  return { runtime, actor: await runtime.getActor('a', 'Ticking') }
}

async function pass(clock: VirtualClock, ms: number): Promise<void> {
  for (const step of [ms, 0]) {
    clock.advance(step)
    for (let turn = 0; turn < 60; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
}

test('a reminder of a deleted actor never fires, also in the next life', async () => {
  const clock = new VirtualClock()
  const { runtime, actor } = await open(memory(), clock)
  await actor.call('remind', 'old', { due: '1m', period: '1m' })
  await runtime.deleteActor('a', 'Ticking')
  await actor.call('remind', 'new', { due: '3m' })
  await pass(clock, 120_000)
  expect(await actor.call('ticks')).toEqual([])
  await pass(clock, 120_000)
  expect(await actor.call('ticks')).toEqual(['new'])
})

test('a reminder of an imported actor fires where it was imported', async () => {
  const clock = new VirtualClock()
  const from = memory()
  const { runtime, actor } = await open(from, clock)
  await actor.call('remind', 'r', { due: '1m' })
  const inspector = await openInspector({ store: from, blobs: fsBlobs(temporaryFolder()) })
  const pieces: Uint8Array[] = []
  for await (const piece of inspector.export(key)) pieces.push(piece)
  await runtime.close()
  const other = await openHost({ store: memory(), clock })
  await other.registerActorType('Ticking', { type: 'typescript', actorClass: Ticking })
  await other.importActor(Buffer.concat(pieces))
  await pass(clock, 61_000)
  expect(await (await other.getActor('a', 'Ticking')).call('ticks')).toEqual(['r'])
})

test.each(['deactivate', 'deleteActor'] as const)(
  'who sets or lists reminders in any step of %s finds the actor, or its next life',
  async (leave) => {
    for (let gap = 0; gap < 20; gap++)
      for (const isFirst of [true, false]) {
        const { runtime, actor } = await open(memory(), new VirtualClock())
        await actor.call('ticks')
        const uses = [
          () => runtime[leave]('a', 'Ticking'),
          () => actor.reminders.set('r', { due: '1h' }),
          () => runtime.reminders('a', 'Ticking'),
        ]
        const asked: Promise<unknown>[] = []
        for (const use of isFirst ? uses : uses.reverse()) {
          asked.push(use())
          for (let step = 0; step < gap; step++) await null
        }
        await Promise.all(asked)
        await runtime.close()
      }
  },
)

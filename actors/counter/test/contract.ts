// What every counter does, in whatever language it is written: the tests of actors/counter* call this.
import { describe, expect, test } from 'vitest'
import { createRuntime, fsBlobs, memory, openInspector } from '../../../host/index.ts'
import { componentBytes } from '../../../test/support/components.ts'
import { temporaryFolder } from '../../../test/support/host.ts'

export function describeCounter(name: string): void {
  const component = componentBytes(name)

  describe(name, () => {
    test('starts at zero and adds', async () => {
      const runtime = await createRuntime({ store: memory(), blobs: fsBlobs(temporaryFolder()) })
      await runtime.registerActorType('Counter', { type: 'wasm', component })
      const counter = await runtime.getActor('c1', 'Counter')
      expect(await counter.call('value')).toBe(0n)
      expect(await counter.call('increment', 5)).toBe(5n)
      expect(await counter.call('increment', 2 ** 32 - 1)).toBe(2n ** 32n + 4n)
      expect(await (await runtime.getActor('c2', 'Counter')).call('value')).toBe(0n)
      await runtime.close()
    })

    test('counts a retried call once', async () => {
      const runtime = await createRuntime({ store: memory(), blobs: fsBlobs(temporaryFolder()) })
      await runtime.registerActorType('Counter', { type: 'wasm', component })
      const counter = await runtime.getActor('c1', 'Counter')
      const order = { method: 'increment', args: [5], idempotencyKey: 'order-17' }
      expect(await counter.execute(order)).toBe(5n)
      expect(await counter.execute(order)).toBe(5n)
      expect(await counter.call('value')).toBe(5n)
      await runtime.close()
    })

    test('goes on after a crash, and its journal gives the same memory', async () => {
      const store = memory()
      const blobs = fsBlobs(temporaryFolder())
      const first = await createRuntime({ store, blobs })
      await first.registerActorType('Counter', { type: 'wasm', component })
      const before = await first.getActor('c1', 'Counter')
      for (let turn = 0; turn < 20; turn++) await before.call('increment', turn)
      store.crash()

      const second = await createRuntime({ store, blobs })
      await second.registerActorType('Counter', { type: 'wasm', component })
      const after = await second.getActor('c1', 'Counter')
      expect(await after.call('increment', 1)).toBe(191n)
      const { stateHash } = await second.describeActor('c1', 'Counter')
      const inspector = await openInspector({ store, blobs })
      const report = await inspector.replay({ type: 'Counter', id: 'c1' })
      expect(report).toMatchObject({ turns: 21, failed: 0, stateHash })
      await second.close()
    })
  })
}

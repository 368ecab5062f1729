// What every account does, in whatever language it is written: the tests of actors/bank* call this.
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  type ActorHandle,
  createRuntime,
  fsBlobs,
  memory,
  openInspector,
  type Runtime,
  VirtualClock,
} from '../../../host/index.ts'
import { componentBytes } from '../../../test/support/components.ts'
import { temporaryFolder } from '../../../test/support/host.ts'

const START_MS = 1_700_000_000_000
const done = { tag: 'ok' }
const refused = (tag: string, val?: unknown): unknown => ({
  tag: 'err',
  val: val === undefined ? { tag } : { tag, val },
})

export function describeBank(name: string): void {
  async function open(store = memory(), blobs = fsBlobs(temporaryFolder())): Promise<Runtime> {
    const runtime = await createRuntime({ store, blobs, clock: new VirtualClock(START_MS) })
    onTestFinished(() => runtime.close().catch(() => {}))
    await runtime.registerActorType('Bank', { type: 'wasm', component: componentBytes(name) })
    return runtime
  }

  async function account(runtime: Runtime, owner: string, amount: bigint): Promise<ActorHandle> {
    const found = await runtime.getActor(owner, 'Bank')
    expect(await found.call('open', owner)).toEqual(done)
    if (amount > 0n) expect(await found.call('deposit', amount)).toEqual(done)
    return found
  }

  describe(name, () => {
    test('is opened once, and refuses what it cannot do', async () => {
      const runtime = await open()
      const closed = await runtime.getActor('eve', 'Bank')
      expect(await closed.call('balance')).toEqual(refused('not-open'))
      const ann = await account(runtime, 'ann', 100n)
      expect(await ann.call('open', 'bob')).toEqual(refused('already-open', 'ann'))
      expect(await ann.call('deposit', 0n)).toEqual(refused('bad-amount'))
      expect(await ann.call('withdraw', 130n)).toEqual(refused('insufficient', 30n))
      expect(await ann.call('withdraw', 30n)).toEqual(done)
      expect(await ann.call('statement')).toEqual({
        tag: 'ok',
        val: [
          { at: BigInt(START_MS), amount: 100n, balance: 100n },
          { at: BigInt(START_MS), amount: -30n, balance: 70n },
        ],
      })
    })

    test('transfers to another account: both change, or neither', async () => {
      const runtime = await open()
      const ann = await account(runtime, 'ann', 100n)
      const bob = await account(runtime, 'bob', 0n)
      expect(await ann.call('transfer', 'Bank', 'bob', 30n)).toEqual(done)
      expect(await ann.call('transfer', 'Bank', 'nobody', 30n)).toEqual(refused('no-receiver'))
      expect(await ann.call('balance')).toEqual({ tag: 'ok', val: 70n })
      expect(await bob.call('balance')).toEqual({ tag: 'ok', val: 30n })
    })

    test('keeps all money over a crash, and its journals give the same memories', async () => {
      const store = memory()
      const blobs = fsBlobs(temporaryFolder())
      const first = await open(store, blobs)
      const ann = await account(first, 'ann', 100n)
      await account(first, 'bob', 0n)
      for (let turn = 0; turn < 5; turn++) await ann.call('transfer', 'Bank', 'bob', 7n)
      store.crash()

      const second = await open(store, blobs)
      const inspector = await openInspector({ store, blobs })
      for (const [id, balance] of [
        ['ann', 65n],
        ['bob', 35n],
      ] as const) {
        const again = await second.getActor(id, 'Bank')
        expect(await again.call('balance')).toEqual({ tag: 'ok', val: balance })
        const { stateHash } = await second.describeActor(id, 'Bank')
        expect(await inspector.replay({ type: 'Bank', id })).toMatchObject({ failed: 0, stateHash })
      }
    })
  })
}

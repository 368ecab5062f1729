// Aim: the faults that earlier frameworks of this kind had are none of ours. Method: each one's shortest scenario.
//
// Shown elsewhere:
//   a host that lost its claim writes on     store-takeover.test.ts, unit/runtime/residency.test.ts (a host that was displaced)
//   a host is refused after a crash          store-takeover.test.ts (claims at once after the owner died)
//   journaled, but lost by kill -9           host-kill.test.ts, store-kill.test.ts
//   state and journal are two writes         contract/store-effects-contract.ts (S8), sim/effects.test.ts
//   a host call's answer is taken for another's   unit/hostcalls/recorder.test.ts, replay/golden-journals.test.ts
//   eviction in the middle of a turn         unit/runtime/residency.test.ts (an actor in the middle of a turn)
//   trimming loses what is written meanwhile unit/store/sweeper.test.ts, contract/store-lives-contract.ts
//   messages of different actors share an id unit/runtime/effects.test.ts, sim/effects.test.ts
//   a message is lost between two steps      sim/effects.test.ts
//   memory limits and endless loops          unit/runtime/guest-limits.test.ts
//   a damaged binary                         unit/component/hostile-binaries.test.ts
//   strings and JSON cut short               unit/component/json.test.ts, differential/conformance.test.ts
// Not here yet, so neither are their faults: queues, pipelines, compensation.
import { describe, expect, test } from 'vitest'
import { Actor, fsBlobs, memory, openInspector } from '../../host/index.ts'
import { openComponentHost } from '../support/components.ts'
import { errorOf, openHost, temporaryFolder } from '../support/host.ts'
import { Ledger } from '../support/ledger-actor.ts'

const types = { Ledger: { type: 'typescript', actorClass: Ledger } } as const

/** Asks the world twice, and changes its state before, between and after. */
class Asker extends Actor<{ steps: readonly string[] }> {
  static readonly initialState = { steps: [] }

  async ask(what: string): Promise<readonly string[]> {
    const step = (text: string): void =>
      this.updateState(({ steps }) => ({ steps: [...steps, `${what} ${text}`] }))
    step('begins')
    step(`${await this.context.call({ type: 'Ledger', id: 'asked' }, 'add', 1)}`)
    step(`${await this.context.call({ type: 'Ledger', id: 'asked' }, 'add', 1)}`)
    step(`${this.context.random()}`)
    return this.state.steps
  }
}

describe('a fault of earlier frameworks that is none of ours:', () => {
  test('concurrent first calls make two actors', async () => {
    const runtime = await openHost()
    const handles = await Promise.all([1, 2, 3].map(() => runtime.getActor('a', 'Ledger')))
    expect(new Set(handles).size).toBe(1)
    const sums = await Promise.all(handles.map((handle) => handle.call('add', 1)))
    expect(sums).toEqual([1, 2, 3])
  })

  test("calls that wait lose each other's updates", async () => {
    const runtime = await openHost()
    const ledger = await runtime.getActor('a', 'Ledger')
    const calls = Promise.all(Array.from({ length: 20 }, () => ledger.call('addSlowly', 1)))
    let isDone = false
    const done = calls.then(() => {
      isDone = true
    })
    while (!isDone) {
      for (const release of Ledger.waits.splice(0)) release()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await done
    expect(await ledger.call('total')).toBe(20)
  })

  test('a clean restart goes back to an older snapshot', async () => {
    const store = memory()
    const options = { store, limits: { snapshotIntervalTurns: 100 } }
    const first = await openHost(options)
    for (let turn = 0; turn < 150; turn++)
      await (await first.getActor('a', 'Ledger')).call('add', 1)
    await first.close()
    const second = await openHost(options)
    expect(await (await second.getActor('a', 'Ledger')).call('total')).toBe(150)
  })

  test('replay applies what it finds twice, or the second answer of the world is refused', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const definition = { type: 'typescript', actorClass: Asker } as const
    const steps: unknown[] = []
    for (const what of ['one', 'two']) {
      const runtime = await openHost({ store, blobs })
      await runtime.registerActorType('Asker', definition)
      const asker = await runtime.getActor('a', 'Asker')
      steps.push(await asker.call('ask', what))
      const { stateHash } = await runtime.describeActor('a', 'Asker')
      const inspector = await openInspector({
        store,
        blobs,
        types: { ...types, Asker: definition },
      })
      const report = await inspector.replay({ type: 'Asker', id: 'a' })
      expect(report.stateHash).toBe(stateHash)
      expect(await (await runtime.getActor('asked', 'Ledger')).call('total')).toBe(steps.length * 2)
      store.crash()
    }
    expect(steps[1]).toHaveLength(8)
    expect((steps[1] as string[]).slice(0, 4)).toEqual(steps[0])
  })

  test('a store that does not write is not noticed, and good state is overwritten', async () => {
    const store = memory()
    const runtime = await openHost({ store })
    const ledger = await runtime.getActor('a', 'Ledger')
    await ledger.call('add', 1)
    store.failNextAppend()
    expect(await errorOf(ledger.call('add', 10))).toMatchObject({ code: 'ERR_COMMIT' })
    expect(await ledger.call('add', 100)).toBe(101)
  })

  test('one key is run for each delivery', async () => {
    const runtime = await openHost()
    const message = {
      actorId: 'a',
      actorType: 'Ledger',
      payload: { method: 'add', args: [5] },
      idempotencyKey: 'order-17',
    }
    expect(await runtime.routeMessage(message)).toBe(5)
    const two = [runtime.routeMessage(message), runtime.routeMessage(message)]
    expect(await Promise.all(two)).toEqual([5, 5])
    expect(await (await runtime.getActor('a', 'Ledger')).call('total')).toBe(5)
  })

  test('the journal grows with the state: every entry holds all of it', async () => {
    const store = memory()
    const runtime = await openHost({ store })
    const ledger = await runtime.getActor('a', 'Ledger')
    for (let turn = 0; turn < 200; turn++) await ledger.call('stamp')
    const reader = await store.open({ readOnly: true, wallMs: () => 0 })
    const log = await reader.openLog({ type: 'Ledger', id: 'a' })
    const rows = await log.read(1, 200)
    const [first, last] = [rows[0]?.bytes.length ?? 0, rows.at(-1)?.bytes.length ?? 0]
    expect(last).toBeLessThan(first * 1.5)
  })

  test('linear memory is no state: another host begins again', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const first = await openComponentHost({ store, blobs })
    for (let turn = 1; turn <= 7; turn++)
      await (await first.getActor('c', 'Counter')).call('increment', 1)
    await first.close()
    const second = await openComponentHost({ store, blobs })
    expect(await (await second.getActor('c', 'Counter')).call('increment', 1)).toBe(8n)
  })

  test('a trap leaves a half-changed memory behind', async () => {
    const runtime = await openComponentHost()
    const faulty = await runtime.getActor('f', 'Faulty')
    await faulty.call('add', 1)
    const before = await faulty.call('state')
    const error = await errorOf(faulty.call('add-then-unreachable', 5))
    expect(error).toMatchObject({ code: 'ERR_TRAP' })
    expect(await faulty.call('state')).toEqual(before)
  })
})

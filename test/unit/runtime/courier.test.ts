// Aim: components reach keyed state and other actors as TypeScript actors do, and what they did survives.
// Method: a hand-written component on the memory store, crashed after its calls; its journal is replayed.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createRuntime, fsBlobs, memory, openInspector, type Runtime } from '../../../host/index.ts'
import { COURIER_WASM } from '../../support/courier.ts'
import { errorOf, temporaryFolder } from '../../support/host.ts'

async function open(
  store: ReturnType<typeof memory>,
  blobs: ReturnType<typeof fsBlobs>,
  awaiting: 'auto' | 'unwind',
): Promise<Runtime> {
  const runtime = await createRuntime({ store, blobs, awaiting })
  const component = readFileSync(COURIER_WASM)
  await runtime.registerActorType('Courier', { type: 'wasm', component })
  return runtime
}

async function eventually(question: () => Promise<unknown>, expected: unknown): Promise<void> {
  for (let turn = 0; turn < 500; turn++) {
    if (Object.is(await question(), expected)) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(await question()).toBe(expected)
}

test.each(['auto', 'unwind'] as const)(
  'a component keeps values, calls and tells others (waiting: %s)',
  async (awaiting) => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const first = await open(store, blobs, awaiting)
    const courier = await first.getActor('a', 'Courier')
    expect(await courier.call('keep', 'k', 'one')).toBe('')
    expect(await courier.call('keep', 'k', 'two')).toBe('one')
    // The other actor is not there yet: the turn has to wait. Then it is, and the turn need not.
    for (const count of [0, 1, 2])
      expect(await courier.call('ask', 'Courier', 'b', 'keep', `["k","${count}"]`)).toBe(
        `"${count === 0 ? '' : count - 1}"`,
      )
    expect(await courier.call('ask', 'Courier', 'b', 'ask', '["Courier","a","calls","[]"]')).toBe(
      '"ERR_DEADLOCK"',
    )
    expect(await courier.call('ask', 'Courier', 'b', 'nothing', '[]')).toBe('ERR_METHOD_UNKNOWN')
    expect(await courier.call('ask', 'Courier', 'b', 'keep', 'no json')).toBe('ERR_ARGUMENT_TYPE')
    await courier.call('tell', 'Courier', 'c', 'keep', '["told","once"]')
    expect(
      await errorOf(courier.call('tell-and-trap', 'Courier', 'c', 'lose', '["told"]')),
    ).toMatchObject({ code: 'ERR_TRAP' })
    store.crash()
    const second = await open(store, blobs, awaiting)
    const told = await second.getActor('c', 'Courier')
    await eventually(() => told.call('calls'), 1)
    expect(await told.call('keep', 'told', 'read')).toBe('once')
    const again = await second.getActor('a', 'Courier')
    expect(await again.call('keep', 'k', 'three')).toBe('two')
    await second.close()
    const inspector = await openInspector({ store, blobs })
    for (const id of ['a', 'b', 'c']) await inspector.replay({ type: 'Courier', id })
    await inspector.close()
  },
)

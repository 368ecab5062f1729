// Aim: a store that is slow at the worst moment keeps no shutdown waiting for ever, and lets nothing happen on top of
// what failed. Method: a memory store some of whose answers the test holds back.
import { expect, test } from 'vitest'
import { deferred } from '../../../host/base/promises.ts'
import { VirtualClock } from '../../../host/index.ts'
import { memory } from '../../../host/store/memory/memory.ts'
import { alteredDriver } from '../../support/altered-driver.ts'
import { errorOf, isPending, macrotasks, openHost } from '../../support/host.ts'

test('an activation whose recovery never ends does not hold up the shutdown', async () => {
  const store = memory()
  const first = await openHost({ store })
  await (await first.getActor('a', 'Ledger')).call('add', 1)
  store.crash()
  const clock = new VirtualClock()
  const never = alteredDriver(store, { log: () => ({ read: () => new Promise(() => {}) }) })
  const second = await openHost({ store: never, clock })
  const asked = errorOf(second.getActor('a', 'Ledger'))
  const twice = errorOf(second.getActor('a', 'Ledger'))
  expect(await isPending(asked)).toBe(true)
  const closed = second.close({ timeoutMs: 3_000 })
  clock.advance(2_999)
  expect(await isPending(closed, 50)).toBe(true)
  clock.advance(1)
  await closed
  expect(await asked).toMatchObject({ code: 'ERR_CLOSING' })
  expect(await twice).toMatchObject({ code: 'ERR_CLOSING' })
  const third = await openHost({ store })
  expect(await (await third.getActor('a', 'Ledger')).call('total')).toBe(1)
})

test('a shutdown waits for the snapshots that are being written, and they are good', async () => {
  const store = memory()
  const clock = new VirtualClock()
  const gate = deferred<void>()
  let writes = 0
  const slow = alteredDriver(store, {
    log: (inner) => ({
      async writeSnapshot(snapshot) {
        writes++
        if (inner.key.id === 'a') await gate.promise
        await inner.writeSnapshot(snapshot)
      },
    }),
  })
  const limits = { idleTimeoutMs: 1_000, coolTimeoutMs: 500 }
  const first = await openHost({ store: slow, clock, limits })
  for (const id of ['a', 'b']) await (await first.getActor(id, 'Ledger')).call('add', 5)
  // `a` grows cold by itself, `b` is used until the end.
  while (writes === 0) {
    clock.advance(100)
    await (await first.getActor('b', 'Ledger')).call('add', 1)
  }
  const refused = errorOf(first.getActor('c', 'Ledger').then(() => first.getActor('a', 'Ledger')))
  const closed = first.close()
  expect(await isPending(closed, 50)).toBe(true)
  expect(writes).toBe(2)
  gate.resolve()
  await closed
  expect(await refused).toMatchObject({ code: 'ERR_CLOSING' })
  const reader = await store.open({ readOnly: true, wallMs: () => 0 })
  for (const id of ['a', 'b']) {
    const log = await reader.openLog({ type: 'Ledger', id })
    expect([id, (await log.readSnapshot(Infinity))?.seq]).toEqual([id, log.seqNext])
  }
  // Replay would begin at the first entry: the snapshot alone has to be enough.
  const blind = alteredDriver(store, {
    log: (inner) => ({ read: async (from, count) => (from === 0 ? inner.read(0, count) : []) }),
  })
  const second = await openHost({ store: blind })
  expect(await (await second.getActor('a', 'Ledger')).call('total')).toBe(5)
})

test('a call whose key is looked up while its activation breaks is not run', async () => {
  const store = memory()
  let answer: ((seq: null) => void) | null = null
  const slow = alteredDriver(store, {
    log: (inner) => ({
      findIdempotent: (key) =>
        key === 'slow'
          ? new Promise<null>((resolve) => {
              answer = resolve
            })
          : inner.findIdempotent(key),
    }),
  })
  const runtime = await openHost({ store: slow })
  const ledger = await runtime.getActor('a', 'Ledger')
  await ledger.call('add', 1)
  store.failNextAppend()
  const release = store.holdCommits()
  const failing = errorOf(ledger.call('add', 10))
  const keyed = { method: 'add', args: [100], idempotencyKey: 'slow' }
  const behind = errorOf(ledger.execute(keyed))
  expect(await isPending(behind)).toBe(true)
  release()
  expect(await failing).toMatchObject({ code: 'ERR_COMMIT' })
  ;(answer as ((seq: null) => void) | null)?.(null)
  expect(await behind).toMatchObject({ code: 'ERR_COMMIT' })
  await macrotasks(5)
  expect(await ledger.call('total')).toBe(1)
  // Its retry runs it, once.
  const again = ledger.execute(keyed)
  await macrotasks(5)
  ;(answer as ((seq: null) => void) | null)?.(null)
  expect(await again).toBe(101)
})

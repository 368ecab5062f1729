// Aim: the guarantee of host/runtime/lives.ts. Method: a memory store whose rows are looked at directly, calls that
// wait for the test, a crash before and after the last commit of a life.
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../host/base/clock.ts'
import { durationMs } from '../../../host/base/duration.ts'
import { LoomError } from '../../../host/base/errors.ts'
import type { Runtime } from '../../../host/index.ts'
import { memory } from '../../../host/store/memory/memory.ts'
import type { StoreDriver } from '../../../host/store/store.ts'
import { alteredDriver } from '../../support/altered-driver.ts'
import { Peer } from '../../support/bank-actor.ts'
import { damagingDriver } from '../../support/damaging-driver.ts'
import { errorOf, isPending, openHost } from '../../support/host.ts'
import { Ledger } from '../../support/ledger-actor.ts'

const key = { type: 'Ledger', id: 'a' }

async function left(driver: StoreDriver) {
  const store = await driver.open({ readOnly: true, wallMs: () => 0 })
  const log = await store.openLog(key)
  const found = {
    record: log.record,
    snapshot: await log.readSnapshot(Infinity),
    key: await log.findIdempotent('k'),
  }
  await store.close()
  return found
}

test('a deleted actor is gone, and a later call begins another life', async () => {
  const store = memory()
  const runtime = await openHost({ store, limits: { snapshotIntervalTurns: 2 } })
  const actor = await runtime.getActor('a', 'Ledger')
  await actor.execute({ method: 'add', args: [5], idempotencyKey: 'k' })
  await actor.call('add', 1)
  const before = await runtime.describeActor('a', 'Ledger')
  await runtime.deleteActor('a', 'Ledger')
  expect(await left(store)).toEqual({ record: null, snapshot: null, key: null })
  expect((await errorOf(runtime.describeActor('a', 'Ledger'))).code).toBe('ERR_ACTOR_UNKNOWN')
  expect((await errorOf(runtime.deleteActor('a', 'Ledger'))).code).toBe('ERR_ACTOR_UNKNOWN')
  // The key belonged to the old life: the call is run.
  expect(await actor.execute({ method: 'add', args: [7], idempotencyKey: 'k' })).toBe(7)
  const after = await runtime.describeActor('a', 'Ledger')
  expect(after.incarnation).not.toBe(before.incarnation)
  expect(after.seqNext).toBe(2)
})

test('calls that were queued before a deletion run in the old life, later ones in the next', async () => {
  const runtime = await openHost()
  const actor = await runtime.getActor('a', 'Ledger')
  await actor.call('add', 100)
  const running = actor.call('addSlowly', 1)
  const queued = actor.call('add', 10)
  const deleted = runtime.deleteActor('a', 'Ledger')
  const later = actor.call('add', 3)
  expect(await isPending(deleted)).toBe(true)
  expect(await isPending(later)).toBe(true)
  Ledger.waits.shift()?.()
  expect(await Promise.all([running, queued, later])).toEqual([101, 111, 3])
  await deleted
  expect(await actor.call('total')).toBe(3)
})

test('a crash before the last commit of a life leaves the life, one after it does not', async () => {
  const store = memory()
  const runtime = await openHost({ store })
  await (await runtime.getActor('a', 'Ledger')).call('add', 5)
  const release = store.holdCommits()
  const lost = runtime.deleteActor('a', 'Ledger')
  expect(await isPending(lost)).toBe(true)
  store.crash()
  release()
  const second = await openHost({ store })
  expect(await (await second.getActor('a', 'Ledger')).call('total')).toBe(5)
  await second.deleteActor('a', 'Ledger')
  store.crash()
  const third = await openHost({ store })
  expect(await (await third.getActor('a', 'Ledger')).call('total')).toBe(0)
})

test('messages that a deleted actor had sent are delivered', async () => {
  const store = memory()
  const runtime = await openHost({ store })
  await runtime.registerActorType('Peer', { type: 'typescript', actorClass: Peer })
  const sender = await runtime.getActor('sender', 'Peer')
  await sender.call('deposit', 10)
  await sender.call('pay', 'receiver', 4)
  await runtime.deleteActor('sender', 'Peer')
  const receiver = await runtime.getActor('receiver', 'Peer')
  await expect.poll(() => receiver.call('balance')).toBe(4)
})

test.each([
  ['the host that delivered it', 1],
  ['the next host, which has not delivered it yet', 2],
])('a message that a life has had is not given to the next one: deleted by %s', async (_, by) => {
  const store = memory()
  let fails = true
  let failures = 0
  const unsettled = alteredDriver(store, {
    store: (opened) => ({
      settleOutbox: (rows) => {
        if (!fails) return opened.settleOutbox(rows)
        failures++
        return Promise.reject(new LoomError('ERR_STORE', 'EIO'))
      },
    }),
  })
  const open = async () => {
    // The first try to settle fails, and the clock does not go on to the next one.
    const runtime = await openHost({ store: unsettled, clock: new VirtualClock() })
    await runtime.registerActorType('Peer', { type: 'typescript', actorClass: Peer })
    return runtime
  }
  const first = await open()
  const call = async (runtime: Runtime, id: string, method: string, ...args: unknown[]) =>
    await (await runtime.getActor(id, 'Peer')).call(method, ...args)
  await call(first, 'sender', 'deposit', 10)
  await call(first, 'sender', 'pay', 'receiver', 4)
  await expect.poll(() => call(first, 'receiver', 'balance')).toBe(4)
  await expect.poll(() => failures).toBe(1)
  if (by === 1) {
    fails = false
    await first.deleteActor('receiver', 'Peer')
  }
  store.crash()
  const second = await open()
  fails = false
  if (by === 2) await second.deleteActor('receiver', 'Peer')
  // What is sent now comes behind what would be delivered again.
  await call(second, 'sender', 'pay', 'receiver', 1)
  await expect.poll(() => call(second, 'receiver', 'balance')).toBeGreaterThan(0)
  expect(await call(second, 'receiver', 'balance')).toBe(1)
})

test('a quarantined actor can be deleted, and its name used again', async () => {
  const driver = memory()
  const first = await openHost({ store: driver })
  for (const amount of [1, 2]) await (await first.getActor('a', 'Ledger')).call('add', amount)
  driver.crash()
  const runtime = await openHost({ store: damagingDriver(driver, 'a', { entries: new Set([2]) }) })
  expect((await errorOf(runtime.getActor('a', 'Ledger'))).code).toBe('ERR_QUARANTINED')
  await runtime.deleteActor('a', 'Ledger')
  expect(await (await runtime.getActor('a', 'Ledger')).call('add', 9)).toBe(9)
})

test('deactivate evicts when the queued calls have ended, and leaves a snapshot', async () => {
  const store = memory()
  const runtime = await openHost({ store })
  const actor = await runtime.getActor('a', 'Ledger')
  await actor.call('add', 5)
  const slow = actor.call('addSlowly', 1)
  const evicted = runtime.deactivate('a', 'Ledger')
  expect(await isPending(evicted)).toBe(true)
  Ledger.waits.shift()?.()
  expect(await Promise.all([slow, evicted])).toEqual([6, true])
  expect((await left(store)).snapshot?.seq).toBe(3)
  expect(await runtime.deactivate('a', 'Ledger')).toBe(false)
  expect(await actor.call('fieldRuns')).toBe(0)
})

test('a close that waits for a deletion gives up the turn that it waits for', async () => {
  const runtime = await openHost()
  const actor = await runtime.getActor('a', 'Ledger')
  const slow = errorOf(actor.call('addSlowly', 1))
  await new Promise((resolve) => setImmediate(resolve))
  const deleted = errorOf(runtime.deleteActor('a', 'Ledger'))
  await runtime.close({ timeoutMs: 20 })
  expect((await slow).code).toBe('ERR_CLOSING')
  await deleted
  Ledger.waits.shift()?.()
})

test.each([
  ['60m', 3_600_000],
  ['1h30m', 5_400_000],
  ['500ms', 500],
  ['1.5s', 1_500],
  ['2h45m30s', 9_930_000],
])('%s is a duration', (text, ms) => {
  expect(durationMs(text, 'time')).toBe(ms)
})

test.each(['', '60', 'm', '1h 30m', '-1s', '1d', '1h!', '9e99h'])('%j is no duration', (text) => {
  expect(() => durationMs(text, 'time')).toThrow(/^time: expected a duration/)
})

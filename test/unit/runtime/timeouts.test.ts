// Aim: a call that timed out says the truth; mailboxes are bounded; keys are forgotten, and not before their time.
// Method: a virtual clock, calls that wait for the test, a memory store.
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../host/index.ts'
import { memory } from '../../../host/store/memory/memory.ts'
import { errorOf, isPending, openHost } from '../../support/host.ts'
import { Ledger } from '../../support/ledger-actor.ts'

const HOUR_MS = 3_600_000

test('a call that timed out may still happen, and is answered under the key that the error carries', async () => {
  const clock = new VirtualClock()
  const runtime = await openHost({ clock })
  const actor = await runtime.getActor('a', 'Ledger')
  const late = errorOf(actor.execute({ method: 'addSlowly', args: [5], timeoutMs: 1_000 }))
  await new Promise((resolve) => setImmediate(resolve))
  clock.advance(999)
  expect(await isPending(late)).toBe(true)
  clock.advance(1)
  const error = (await late) as Error & { code: string; data: { idempotencyKey: string } }
  expect(error).toMatchObject({ code: 'ERR_TIMEOUT', data: { timeoutMs: 1_000 } })
  const { idempotencyKey } = error.data
  expect(error.message).toContain(idempotencyKey)
  const again = actor.execute({ method: 'addSlowly', args: [5], idempotencyKey })
  Ledger.waits.shift()?.()
  expect(await again).toBe(5)
  expect(await actor.execute({ method: 'addSlowly', args: [5], idempotencyKey })).toBe(5)
  expect(await actor.call('total')).toBe(5)
})

test('a call with a key keeps it when it times out, as JSON too', async () => {
  const clock = new VirtualClock()
  const runtime = await openHost({ clock })
  const actor = await runtime.getActor('a', 'Ledger')
  const request = { method: 'addSlowly', args: [5], idempotencyKey: 'mine', timeoutMs: 50 }
  const late = errorOf(actor.executeJson(request))
  await new Promise((resolve) => setImmediate(resolve))
  clock.advance(50)
  expect(await late).toMatchObject({ code: 'ERR_TIMEOUT', data: { idempotencyKey: 'mine' } })
  Ledger.waits.shift()?.()
  expect(await actor.call('total')).toBe(5)
})

test('a call of an actor that takes long to leave times out as any other', async () => {
  const clock = new VirtualClock()
  const runtime = await openHost({ clock })
  const running = (await runtime.getActor('a', 'Ledger')).call('addSlowly', 1)
  const deleted = runtime.deleteActor('a', 'Ledger')
  const request = { method: 'add', args: [5], timeoutMs: 1_000 }
  const late = errorOf(runtime.executeJson('a', 'Ledger', request))
  expect(await isPending(late)).toBe(true)
  clock.advance(1_000)
  const error = (await late) as Error & { code: string; data: { idempotencyKey: string } }
  expect(error).toMatchObject({ code: 'ERR_TIMEOUT', data: { timeoutMs: 1_000 } })
  const { idempotencyKey } = error.data
  const again = runtime.executeJson('a', 'Ledger', { ...request, idempotencyKey, timeoutMs: 9_000 })
  Ledger.waits.shift()?.()
  expect([await running, await again]).toEqual([1, 5])
  await deleted
})

test('a call that ends in time is not disturbed, and a timeout must be a positive integer', async () => {
  const clock = new VirtualClock()
  const runtime = await openHost({ clock })
  const actor = await runtime.getActor('a', 'Ledger')
  expect(await actor.execute({ method: 'add', args: [5], timeoutMs: 10 })).toBe(5)
  clock.advance(1_000)
  for (const timeoutMs of [0, -1, 1.5, Number.NaN])
    expect((await errorOf(actor.execute({ method: 'total', timeoutMs }))).code).toBe('ERR_OPTION')
})

test('a mailbox is bounded in bytes: what does not fit is refused with a hint when to come back', async () => {
  const runtime = await openHost({ limits: { mailboxBytesMax: 10_000 } })
  await runtime.registerActorType('Large', { type: 'typescript', actorClass: Ledger })
  const actor = await runtime.getActor('a', 'Ledger')
  const running = actor.call('addSlowly', 1)
  const large = 'x'.repeat(3_000)
  // Larger than the whole mailbox, but alone in it.
  const first = actor.call('total', large + large)
  const refused = await errorOf(actor.call('total', large))
  expect(refused).toMatchObject({ code: 'ERR_BUSY', data: { retryAfterMs: 1_000 } })
  Ledger.waits.shift()?.()
  expect(await Promise.all([running, first])).toEqual([1, 1])
  expect(await actor.call('total', large)).toBe(1)
})

test('an idempotency key answers for the retention time, and is then forgotten', async () => {
  const clock = new VirtualClock()
  const store = memory()
  const runtime = await openHost({ clock, store, limits: { idempotencyRetentionMs: 24 * HOUR_MS } })
  const actor = await runtime.getActor('a', 'Ledger')
  const add = () => actor.execute({ method: 'add', args: [5], idempotencyKey: 'k' })
  const sweeps = async (hours: number) => {
    for (let hour = 0; hour < hours; hour++) {
      clock.advance(HOUR_MS)
      // The sweep is a write, and its next timer is set behind it.
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  expect(await add()).toBe(5)
  await sweeps(24)
  expect(await add()).toBe(5)
  await sweeps(2)
  expect(await add()).toBe(10)
})

test.each([
  ['ahead', [72, 0]],
  ['back', [-72, 0]],
  ['ahead and back', [72, -72]],
  ['back and ahead', [-72, 72]],
] as const)('a wall clock that jumps %s forgets no key before its time', async (_, jumps) => {
  const clock = new VirtualClock()
  const runtime = await openHost({ clock, limits: { idempotencyRetentionMs: 24 * HOUR_MS } })
  const actor = await runtime.getActor('a', 'Ledger')
  const add = (key: string) => actor.execute({ method: 'add', args: [5], idempotencyKey: key })
  let total = 0
  for (const hours of jumps) {
    const key = `before ${hours}`
    total += 5
    expect(await add(key)).toBe(total)
    clock.jump(hours * HOUR_MS)
    for (let hour = 0; hour < 22; hour++) {
      clock.advance(HOUR_MS)
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await add(key)).toBe(total)
  }
})

// Aim: actors that fall hot -> warm -> cold and rise again are the same actors, whatever state they were left in, and a
// host whose actors are all busy says so. Method: a virtual clock, small limits, the memory store.
import { describe, expect, test } from 'vitest'
import { fsBlobs, memory, openInspector, type Runtime, VirtualClock } from '../../../host/index.ts'
import { openComponentHost } from '../../support/components.ts'
import { errorOf, openHost, temporaryFolder } from '../../support/host.ts'
import { Ledger } from '../../support/ledger-actor.ts'

const COOL_MS = 1_000
const IDLE_MS = 10_000

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}

async function increment(runtime: Runtime, id: string): Promise<unknown> {
  return (await runtime.getActor(id, 'Counter')).call('increment', 1)
}

async function tierOf(runtime: Runtime, id: string): Promise<string> {
  return (await runtime.describeActor(id, 'Counter')).tier
}

describe('an idle actor', () => {
  test('is warm after a while, then cold, and a call lifts it from wherever it is', async () => {
    const clock = new VirtualClock()
    const runtime = await openComponentHost({
      clock,
      limits: { coolTimeoutMs: COOL_MS, idleTimeoutMs: IDLE_MS },
    })
    const ids = ['a', 'b', 'c']
    for (const id of ids) await increment(runtime, id)
    expect(runtime.stats()).toMatchObject({ hot: 3, warm: 0, spareInstances: 0 })
    clock.advance(2 * COOL_MS)
    const { warmSizeBytes, ...counts } = runtime.stats()
    expect(counts).toMatchObject({ hot: 0, warm: 3 })
    expect(warmSizeBytes).toBeGreaterThan(0)
    expect(await tierOf(runtime, 'a')).toBe('warm')
    expect(await tierOf(runtime, 'a')).toBe('hot')
    expect(await increment(runtime, 'b')).toBe(2n)
    expect(runtime.stats()).toMatchObject({ hot: 2, warm: 1 })
    clock.advance(2 * IDLE_MS)
    await settle()
    const none = { hot: 0, warm: 0, warmSizeBytes: 0, spareInstances: 0, blobsCollected: 0 }
    expect(runtime.stats()).toEqual(none)
    expect(await tierOf(runtime, 'c')).toBe('cold')
    expect(await Promise.all(ids.map((id) => increment(runtime, id)))).toEqual([2n, 3n, 2n])
  })

  test('hands its instance to another actor, which sees nothing of it', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const runtime = await openComponentHost({ store, blobs, limits: { residentCountMax: 1 } })
    const ids = Array.from({ length: 20 }, (_, index) => `a${index}`)
    for (const round of [1n, 2n, 3n])
      for (const id of ids) expect([id, await increment(runtime, id)]).toEqual([id, round])
    const { stateHash } = await runtime.describeActor('a7', 'Counter')
    const inspector = await openInspector({ store, blobs })
    const report = await inspector.replay({ type: 'Counter', id: 'a7' })
    expect(report).toMatchObject({ stateHash, turns: 3 })
  })

  test('keeps the results of its idempotency keys, also of calls that failed', async () => {
    const runtime = await openComponentHost({ limits: { residentCountMax: 1 } })
    const faulty = await runtime.getActor('f', 'Faulty')
    const add = { method: 'add', args: [5], idempotencyKey: 'k1' }
    const fail = { method: 'add-then-unreachable', args: [5], idempotencyKey: 'k2' }
    expect(await faulty.execute(add)).toBe(5n)
    expect((await errorOf(faulty.execute(fail))).code).toBe('ERR_TRAP')
    await settle()
    await increment(runtime, 'other')
    expect(runtime.stats()).toMatchObject({ hot: 1, warm: 1 })
    expect(await faulty.execute(add)).toBe(5n)
    expect((await errorOf(faulty.execute(fail))).code).toBe('ERR_TRAP')
    expect((await errorOf(faulty.execute({ ...add, args: [6] }))).code).toBe(
      'ERR_IDEMPOTENCY_MISMATCH',
    )
    expect(await faulty.call('add', 1)).toBe(6n)
  })

  test('does not fall while its commit is in flight', async () => {
    const store = memory()
    const clock = new VirtualClock()
    const limits = { coolTimeoutMs: COOL_MS, idleTimeoutMs: IDLE_MS }
    const runtime = await openComponentHost({ store, clock, limits })
    const release = store.holdCommits()
    const call = increment(runtime, 'a')
    await settle()
    clock.advance(2 * IDLE_MS)
    await settle()
    expect(runtime.stats()).toMatchObject({ hot: 1, warm: 0 })
    release()
    expect(await call).toBe(1n)
  })
})

describe('the warm tier', () => {
  test('holds as many as its limits say, and those that leave it come back as they were', async () => {
    const runtime = await openComponentHost({ limits: { residentCountMax: 1, warmCountMax: 3 } })
    const ids = Array.from({ length: 12 }, (_, index) => `a${index}`)
    for (const round of [1n, 2n])
      for (const id of ids) {
        expect(await increment(runtime, id)).toBe(round)
        expect(runtime.stats().warm).toBeLessThanOrEqual(3)
      }
    expect(runtime.stats()).toMatchObject({ hot: 1, warm: 3 })
  })

  test('is snapshotted at shutdown', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const first = await openComponentHost({ store, blobs, limits: { residentCountMax: 1 } })
    for (const id of ['a', 'b', 'c'])
      for (let turn = 0; turn < 5; turn++) await increment(first, id)
    expect(first.stats()).toMatchObject({ hot: 1, warm: 2 })
    await first.close()
    const second = await openComponentHost({ store, blobs })
    for (const id of ['a', 'b', 'c']) expect(await increment(second, id)).toBe(6n)
    const inspector = await openInspector({ store, blobs })
    for (const id of ['a', 'b', 'c'])
      expect(await inspector.replay({ type: 'Counter', id })).toMatchObject({
        snapshotsCompared: 1,
      })
  })
})

describe('a host whose actors are all busy', () => {
  test('refuses others with ERR_BUSY, says when to ask again, and takes them later', async () => {
    const runtime = await openHost({ limits: { residentCountMax: 2 } })
    Ledger.waits = []
    const slow = ['a', 'b', 'c', 'd'].map(async (id) =>
      (await runtime.getActor(id, 'Ledger')).call('addSlowly', 1),
    )
    await settle()
    const handle = runtime.getActor('e', 'Ledger')
    const error = await errorOf(handle)
    expect(error).toMatchObject({ code: 'ERR_BUSY', data: { retryAfterMs: expect.any(Number) } })
    for (const resume of Ledger.waits.splice(0)) resume()
    expect(await Promise.all(slow)).toEqual([1, 1, 1, 1])
    await settle()
    expect(await (await runtime.getActor('e', 'Ledger')).call('add', 1)).toBe(1)
  })
})

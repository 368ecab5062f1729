// Aim: activation, eviction and shutdown lose nothing and never make two of one actor. Method: a virtual
// clock, a small pool, the memory store.
import { describe, expect, test } from 'vitest'
import { memory, VirtualClock } from '../../../host/index.ts'
import { errorOf, openHost } from '../../support/host.ts'
import { Ledger } from '../../support/ledger-actor.ts'

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('residency', () => {
  test('one handle per actor while it is resident', async () => {
    const runtime = await openHost()
    const [first, second] = await Promise.all([
      runtime.getActor('a', 'Ledger'),
      runtime.getActor('a', 'Ledger'),
    ])
    expect(second).toBe(first)
    expect(await runtime.getActor('a', 'Ledger')).toBe(first)
    expect(await runtime.getActor('b', 'Ledger')).not.toBe(first)
  })

  test('concurrent first calls make one activation', async () => {
    const runtime = await openHost()
    const calls = Array.from({ length: 50 }, async () =>
      (await runtime.getActor('a', 'Ledger')).call('add', 1),
    )
    await Promise.all(calls)
    expect(await (await runtime.getActor('a', 'Ledger')).call('total')).toBe(50)
    expect((await runtime.describeActor('a', 'Ledger')).seqNext).toBe(52)
  })

  test('an idle actor is evicted after its time, and comes back as it was', async () => {
    const clock = new VirtualClock()
    const runtime = await openHost({ clock, limits: { idleTimeoutMs: 1_000 } })
    const ledger = await runtime.getActor('a', 'Ledger')
    await ledger.call('add', 3)
    expect((await runtime.describeActor('a', 'Ledger')).resident).toBe(true)
    clock.advance(2_000)
    await settle()
    const described = await runtime.describeActor('a', 'Ledger')
    expect(described.resident).toBe(false)
    expect(await ledger.call('total')).toBe(3)
  })

  test('an actor in the middle of a turn is not evicted', async () => {
    const clock = new VirtualClock()
    const runtime = await openHost({ clock, limits: { idleTimeoutMs: 1_000 } })
    const ledger = await runtime.getActor('a', 'Ledger')
    Ledger.waits = []
    const call = ledger.call('addSlowly', 1)
    clock.advance(5_000)
    await settle()
    expect((await runtime.getActor('a', 'Ledger')) === ledger).toBe(true)
    Ledger.waits.shift()?.()
    expect(await call).toBe(1)
  })

  test('many more actors than the pool holds all keep their state', async () => {
    const runtime = await openHost({ limits: { residentCountMax: 10 } })
    const ids = Array.from({ length: 100 }, (_, index) => `a${index}`)
    for (const round of [1, 2])
      for (const id of ids) {
        const total = await (await runtime.getActor(id, 'Ledger')).call('add', 1)
        expect(total).toBe(round)
      }
  })

  test('making room for one actor does not empty the pool', async () => {
    const runtime = await openHost({ limits: { residentCountMax: 40 } })
    const first = Array.from({ length: 40 }, (_, index) => `first-${index}`)
    for (const id of first) await (await runtime.getActor(id, 'Ledger')).call('add', 1)
    const late = Array.from({ length: 6 }, (_, index) =>
      runtime.getActor(`late-${index}`, 'Ledger'),
    )
    await Promise.all(late)
    let residentCount = 0
    // Those that are not resident displace others when they are looked at, the oldest first: from the end.
    for (const id of [...first].reverse())
      if ((await runtime.describeActor(id, 'Ledger')).resident) residentCount++
    expect(residentCount).toBe(34)
  })

  test('close finishes what waits, refuses what comes, and the state is there afterwards', async () => {
    const store = memory()
    const runtime = await openHost({ store })
    const ledger = await runtime.getActor('a', 'Ledger')
    const release = store.holdCommits()
    const calls = [ledger.call('add', 1), ledger.call('add', 1)]
    const closed = runtime.close()
    expect((await errorOf(ledger.call('add', 1))).code).toBe('ERR_CLOSING')
    expect((await errorOf(runtime.getActor('b', 'Ledger'))).code).toBe('ERR_CLOSING')
    release()
    expect(await Promise.all(calls)).toEqual([1, 2])
    await closed
    const again = await openHost({ store })
    expect(await (await again.getActor('a', 'Ledger')).call('total')).toBe(2)
  })

  test('a host that was displaced is told, and can write nothing', async () => {
    const store = memory()
    const first = await openHost({ store })
    const ledger = await first.getActor('a', 'Ledger')
    await ledger.call('add', 1)
    const second = await openHost({ store, takeOver: true })
    expect(second.epoch).toBeGreaterThan(first.epoch)
    expect((await errorOf(ledger.call('add', 1))).code).toBe('ERR_FENCED')
    expect((await first.lost).code).toBe('ERR_FENCED')
    expect(await (await second.getActor('a', 'Ledger')).call('total')).toBe(1)
  })

  test('a host that was displaced is told also when nobody calls it', async () => {
    const store = memory()
    const clock = new VirtualClock()
    const first = await openHost({ store, clock })
    await openHost({ store, takeOver: true })
    clock.advance(5_000)
    expect(await first.lost).toMatchObject({
      code: 'ERR_FENCED',
      message: expect.stringContaining('has taken over'),
    })
  })
})

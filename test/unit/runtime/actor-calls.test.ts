// Aim: an actor calls another as if it were a function: once, also over crashes; nothing that a call led to is
// durable before the call is; rings are refused instead of waiting for ever.
// Method: TypeScript actors on the memory store, crashed at every commit in turn; the seed of a failure is the
// number of the commit, which the assertion names.
import { describe, expect, test } from 'vitest'
import { fsBlobs, memory, openInspector, VirtualClock } from '../../../host/index.ts'
import { callPeer as call, openPeers, Peer } from '../../support/bank-actor.ts'
import { errorOf, isPending, temporaryFolder } from '../../support/host.ts'

describe('a call of another actor', () => {
  test('gives its result, also where the callee was never called or waits', async () => {
    const runtime = await openPeers()
    await call(runtime, 'a', 'deposit', 10)
    expect(await call(runtime, 'a', 'transfer', 'b', 4)).toBe('6 4')
    expect(await call(runtime, 'a', 'transfer', 'b', 1)).toBe('5 5')
    const waiting = call(runtime, 'a', 'waitFor', 'b')
    while (Peer.waits.length === 0) await new Promise((resolve) => setImmediate(resolve))
    const behind = call(runtime, 'a', 'balance')
    expect(await isPending(behind)).toBe(true)
    Peer.waits.pop()?.()
    expect(await waiting).toBe('waited')
    expect(await behind).toBe(5)
  })

  test('gives the error of a callee that failed, and its state is as before', async () => {
    const runtime = await openPeers()
    await call(runtime, 'a', 'deposit', 1)
    expect(await call(runtime, 'a', 'callThrough', ['b', 'c'])).toBe('end')
    const actor = await runtime.getActor('a', 'Peer')
    expect(await errorOf(actor.call('transfer', 'b', 2))).toMatchObject({
      code: 'ERR_ACTOR_FAILED',
      message: expect.stringContaining('only 1 left'),
    })
    expect(await call(runtime, 'b', 'balance')).toBe(0)
  })

  test('that comes back to an actor which waits is refused at once', async () => {
    const runtime = await openPeers()
    expect(await call(runtime, 'a', 'callThrough', ['a'])).toBe('ERR_DEADLOCK')
    expect(await call(runtime, 'a', 'callThrough', ['b', 'a'])).toBe('ERR_DEADLOCK')
    expect(await call(runtime, 'a', 'callThrough', ['b', 'c', 'd', 'b'])).toBe('ERR_DEADLOCK')
    const both = [
      call(runtime, 'a', 'callThrough', ['b', 'c']),
      call(runtime, 'b', 'callThrough', ['a', 'c']),
    ]
    const answers = await Promise.all(both)
    expect(answers.every((answer) => answer === 'end' || answer === 'ERR_DEADLOCK')).toBe(true)
  })

  test('of a chain deeper than turns are nested goes through', async () => {
    const runtime = await openPeers()
    const ids = Array.from({ length: 40 }, (_, index) => `n${index}`)
    expect(await call(runtime, 'a', 'callThrough', ids)).toBe('end')
  })

  test('waits for room, for a while; then its turn has failed for good', async () => {
    const clock = new VirtualClock()
    const runtime = await openPeers({ clock, limits: { residentCountMax: 1 } })
    const turn = async (pauseMs: number): Promise<void> => {
      clock.advance(pauseMs)
      await new Promise((resolve) => setImmediate(resolve))
    }
    // It has all the room there is, twice what is allowed, together with the one that calls.
    const busy = call(runtime, 'busy', 'wait')
    while (Peer.waits.length === 0) await turn(0)
    await call(runtime, 'a', 'deposit', 10)
    const patient = call(runtime, 'a', 'transfer', 'b', 4)
    for (let pause = 0; pause < 10; pause++) await turn(500)
    expect(await isPending(patient)).toBe(true)
    Peer.waits.pop()?.()
    expect(await busy).toBe('waited')
    for (let pause = 0; pause < 3; pause++) await turn(500)
    expect(await patient).toBe('6 4')

    const again = call(runtime, 'busy', 'wait')
    while (Peer.waits.length === 0) await turn(0)
    const actor = await runtime.getActor('a', 'Peer')
    const ask = async (): Promise<unknown> =>
      await errorOf(actor.execute({ method: 'waitFor', args: ['c'], idempotencyKey: 'k' }))
    const refused = ask()
    for (let pause = 0; pause < 40; pause++) await turn(500)
    // The key has its answer now: nobody is told to ask again with it.
    const final = { code: 'ERR_HOST_CALL', message: expect.stringContaining('there is no room') }
    expect(await refused).toMatchObject(final)
    Peer.waits.pop()?.()
    await again
    expect(await ask()).toMatchObject(final)
    expect(await call(runtime, 'a', 'balance')).toBe(6)
  })

  test('leaves nothing durable of the callee before the caller: money is conserved over a crash at any commit', async () => {
    for (let crashAt = 1; crashAt < 12; crashAt++) {
      const store = memory()
      const first = await openPeers({ store })
      await call(first, 'a', 'deposit', 100)
      await call(first, 'b', 'deposit', 100)
      store.crashAfter(crashAt)
      const actor = await first.getActor('a', 'Peer')
      const calls = [1, 2, 3].map((n) =>
        actor.execute({ method: 'transfer', args: ['b', n], idempotencyKey: `t${n}` }),
      )
      for (const one of calls) one.catch(() => {})
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
      store.crash()
      const second = await openPeers({ store })
      const again = await second.getActor('a', 'Peer')
      for (const n of [1, 2, 3])
        await again.execute({ method: 'transfer', args: ['b', n], idempotencyKey: `t${n}` })
      const money = [await call(second, 'a', 'balance'), await call(second, 'b', 'balance')]
      expect(money, `crashed at commit ${crashAt}`).toEqual([94, 106])
      await second.close()
      const types = { Peer: { type: 'typescript', actorClass: Peer } } as const
      const inspector = await openInspector({ store, blobs: fsBlobs(temporaryFolder()), types })
      for (const id of ['a', 'b']) await inspector.replay({ type: 'Peer', id })
      await inspector.close()
    }
  })
})

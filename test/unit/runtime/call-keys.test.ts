// Aim: the key of a call between actors is looked up when an earlier run may have used it, and kept as long as a later
// run may ask for it; else neither, because both cost more than the call.
// Method: TypeScript actors on a memory store that notes what is asked of its logs; crashes at every commit in turn.
import { expect, test } from 'vitest'
import { ignoreOutcome } from '../../../host/base/promises.ts'
import { memory } from '../../../host/index.ts'
import type { ActorLog, Store, StoreDriver } from '../../../host/store/store.ts'
import { callPeer as call, openPeers } from '../../support/bank-actor.ts'

const isOfCall = (key: string): boolean => key.startsWith('@loom/call/')

/** `inner`, and what is done with keys of calls and with ends of turns, in order. */
class NotingDriver implements StoreDriver {
  readonly name = 'noting'
  readonly inner = memory()
  notes: string[] = []

  async open(options: Parameters<StoreDriver['open']>[0]): Promise<Store> {
    const store = await this.inner.open(options)
    return new Proxy(store, {
      get: (target, property) => {
        if (property === 'openLog')
          return async (key: ActorLog['key']) => this.#noting(await target.openLog(key))
        const value = Reflect.get(target, property) as unknown
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  #noting(log: ActorLog): ActorLog {
    const { id } = log.key
    const noted: Partial<ActorLog> = {
      append: (commit) => {
        const durable = log.append(commit)
        for (const { key } of commit.idempotency ?? [])
          if (isOfCall(key)) this.notes.push(`${id}: call`)
        const note = (): unknown => this.notes.push(`${id}: end durable`)
        if (commit.open === false) ignoreOutcome(durable.then(note))
        return durable
      },
      findIdempotent: (key) => {
        if (isOfCall(key)) this.notes.push(`${id}: look`)
        return log.findIdempotent(key)
      },
      forgetKey: (key) => {
        this.notes.push(`${id}: ${isOfCall(key) ? 'forget' : 'forget another'}`)
        log.forgetKey(key)
      },
    }
    return new Proxy(log, {
      get: (target, property) => {
        const value = Reflect.get(noted, property) ?? (Reflect.get(target, property) as unknown)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
}

test('a first call looks nothing up, and its key is forgotten when the end of its turn is durable', async () => {
  const store = new NotingDriver()
  const runtime = await openPeers({ store })
  await call(runtime, 'a', 'deposit', 10)
  await call(runtime, 'b', 'deposit', 10)
  const release = store.inner.holdCommits()
  const transfer = call(runtime, 'a', 'transfer', 'b', 4)
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(store.notes).toEqual(['b: call'])
  release()
  expect(await transfer).toBe('6 14')
  expect(store.notes).toEqual(['b: call', 'a: end durable', 'b: forget'])
  await runtime.close()
})

test('a call of a turn with a key is looked up: the turn may be one that was asked for before', async () => {
  const store = new NotingDriver()
  const runtime = await openPeers({ store })
  await call(runtime, 'a', 'deposit', 10)
  const actor = await runtime.getActor('a', 'Peer')
  await actor.execute({ method: 'transfer', args: ['b', 4], idempotencyKey: 'k' })
  expect(store.notes).toEqual(['b: look', 'b: call', 'a: end durable', 'b: forget'])
  await runtime.close()
})

test('a key is kept when the end of its turn is lost, and looked up when the turn goes on', async () => {
  let lookedUp = 0
  for (let crashAt = 1; crashAt < 12; crashAt++) {
    const store = new NotingDriver()
    const first = await openPeers({ store })
    await call(first, 'a', 'deposit', 100)
    await call(first, 'b', 'deposit', 100)
    store.inner.crashAfter(crashAt)
    for (const n of [1, 2, 3]) call(first, 'a', 'transfer', 'b', n).catch(() => {})
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
    store.inner.crash()
    store.notes = []
    const second = await openPeers({ store })
    const money = [await call(second, 'a', 'balance'), await call(second, 'b', 'balance')]
    const [left = 0, moved = 0] = money as number[]
    expect(left + moved, `crashed at commit ${crashAt}: ${money}`).toBe(200)
    const whole = [100, 101, 103, 106]
    expect(whole, `crashed at commit ${crashAt}`).toContain(moved)
    if (store.notes.includes('b: look')) lookedUp++
    await second.close()
  }
  expect(lookedUp).toBeGreaterThan(0)
})

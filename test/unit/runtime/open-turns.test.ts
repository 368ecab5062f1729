// Aim: a turn that a crash cut off goes on when the next host starts, without a call of its actor. Method: a memory
// store, an embedder function that the test answers, actors whose turn is open at a crash.
import { expect, test } from 'vitest'
import { LoomError, VirtualClock } from '../../../host/index.ts'
import { memory } from '../../../host/store/memory/memory.ts'
import { alteredDriver } from '../../support/altered-driver.ts'
import { Peer } from '../../support/bank-actor.ts'
import { openComponentHost } from '../../support/components.ts'
import { errorOf, macrotasks, openHost } from '../../support/host.ts'

function market() {
  const asked: string[] = []
  const answers: ((price: number) => void)[] = []
  const latest = async (symbol: string): Promise<number> => {
    asked.push(symbol)
    return new Promise((resolve) => answers.push(resolve))
  }
  return { asked, answers, quotes: { latest } }
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2_000 && !condition(); turn++)
    await new Promise((resolve) => setImmediate(resolve))
  expect(condition()).toBe(true)
}

const offer = { method: 'offer', args: ['LOOM', 2], idempotencyKey: 'k1' }

async function openTurnsOf(store: ReturnType<typeof memory>): Promise<unknown[]> {
  const reader = await store.open({ readOnly: true, wallMs: () => 0 })
  const open: unknown[] = []
  for await (const key of reader.openTurns()) open.push(key)
  return open
}

async function crashInTheMiddle(store: ReturnType<typeof memory>): Promise<void> {
  const first = market()
  const runtime = await openComponentHost({ store }, first.quotes)
  for (const id of ['anna', 'bob'])
    (await runtime.getActor(id, 'Quoter')).execute(offer).catch(() => {})
  await until(() => first.asked.length === 2)
  store.crash()
}

test('open turns go on when a host starts, and their callers find the answers', async () => {
  const store = memory()
  await crashInTheMiddle(store)
  const clock = new VirtualClock()
  const second = market()
  const runtime = await openComponentHost({ store, clock }, second.quotes)
  await until(() => {
    clock.advance(60_000)
    return second.asked.length === 2
  })
  for (const answer of second.answers) answer(21)
  for (const id of ['anna', 'bob']) {
    const retry = (await runtime.getActor(id, 'Quoter')).execute(offer)
    expect(await retry).toMatchObject({ tag: 'ok', val: { total: 42 } })
  }
  expect(second.asked).toHaveLength(2)
  await runtime.close()
  expect(await openTurnsOf(store)).toEqual([])
})

test('an open turn that calls an actor waits until its type is registered', async () => {
  const store = memory()
  const early = { type: 'typescript', actorClass: Peer } as const
  const first = await openHost({ store })
  for (const name of ['Early', 'Peer']) await first.registerActorType(name, early)
  const ask = { method: 'waitFor', args: ['b'], idempotencyKey: 'k1' }
  Peer.waits.length = 0
  ;(await first.getActor('a', 'Early')).execute(ask).catch(() => {})
  await until(() => Peer.waits.length === 1)
  while ((await openTurnsOf(store)).length === 0) await macrotasks(1)
  store.crash()

  const clock = new VirtualClock()
  const second = await openHost({ store, clock })
  await second.registerActorType('Early', early)
  const actor = await second.getActor('a', 'Early')
  // Each look for the type reads the disk, so virtual time goes on for as long as that takes.
  const whilePending = async <T>(promise: Promise<T>): Promise<T> => {
    const time = setInterval(() => clock.advance(20))
    return await promise.finally(() => clearInterval(time))
  }
  const error = await whilePending(errorOf(actor.execute(ask)))
  // Nobody is told that the call was not run: before the crash it may have been.
  expect(error).toMatchObject({ code: 'ERR_COMMIT' })
  await second.registerActorType('Peer', early)
  const retry = whilePending(actor.execute(ask))
  while (Peer.waits.length < 2) await macrotasks(1)
  Peer.waits[1]?.()
  expect(await retry).toBe('waited')
})

test('a host that was told not to resume leaves them to the next call', async () => {
  const store = memory()
  await crashInTheMiddle(store)
  const second = market()
  const runtime = await openComponentHost({ store, resume: false }, second.quotes)
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(second.asked).toEqual([])
  const retry = (await runtime.getActor('anna', 'Quoter')).execute(offer)
  await until(() => second.asked.length === 1)
  second.answers[0]?.(21)
  expect(await retry).toMatchObject({ tag: 'ok', val: { total: 42 } })
})

test('calls between actors leave no mark', async () => {
  const store = memory()
  const runtime = await openHost({ store })
  await runtime.registerActorType('Peer', { type: 'typescript', actorClass: Peer })
  const anna = await runtime.getActor('anna', 'Peer')
  await anna.call('deposit', 10)
  expect(await anna.call('transfer', 'bob', 4)).toBe('6 4')
  await runtime.close()
  expect(await openTurnsOf(store)).toEqual([])
})

test('an open turn whose activation broke goes on by itself, and pauses longer while its commits fail', async () => {
  const store = memory()
  const clock = new VirtualClock()
  const prices = market()
  const runtime = await openComponentHost({ store, clock }, prices.quotes)
  const asked = (await runtime.getActor('anna', 'Quoter')).execute(offer)
  asked.catch(() => {})
  await until(() => prices.asked.length === 1)
  for (let failure = 1; failure < 5; failure++) {
    store.failNextAppend()
    prices.answers[failure - 1]?.(21)
    // Nobody asks again; the first pauses are 50, 100, 200, ... milliseconds.
    await macrotasks(20)
    clock.advance(50 * 2 ** (failure - 1) - 1)
    await macrotasks(20)
    expect(prices.asked).toHaveLength(failure)
    clock.advance(1)
    await until(() => prices.asked.length === failure + 1)
  }
  prices.answers[4]?.(21)
  await macrotasks(20)
  const reader = await store.open({ readOnly: true, wallMs: () => 0 })
  const open: unknown[] = []
  for await (const key of reader.openTurns()) open.push(key)
  expect(open).toEqual([])
  const retry = (await runtime.getActor('anna', 'Quoter')).execute(offer)
  expect(await retry).toMatchObject({ tag: 'ok', val: { total: 42 } })
  expect(prices.asked).toHaveLength(5)
})

test('open turns go on also when the store could not be read at first', async () => {
  const store = memory()
  await crashInTheMiddle(store)
  const clock = new VirtualClock()
  const second = market()
  let failures = 2
  const failing = alteredDriver(store, {
    store: (opened) => ({
      async *openTurns() {
        for await (const key of opened.openTurns()) {
          yield key
          if (failures-- > 0) throw new LoomError('ERR_STORE', 'EIO')
        }
      },
    }),
  })
  await openComponentHost({ store: failing, clock }, second.quotes)
  await until(() => {
    clock.advance(100)
    return second.asked.length === 2
  })
  expect(failures).toBeLessThan(1)
})

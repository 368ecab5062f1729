// Aim: a host function may take its time: the turn waits, the next one waits behind it, a crash in the
// middle loses nothing and asks again only for what was not answered. Method: an embedder interface whose
// promises the test resolves by hand, on the memory store, crashed at each step.
import { describe, expect, test } from 'vitest'
import { fsBlobs, memory, openInspector } from '../../../host/index.ts'
import { openComponentHost } from '../../support/components.ts'
import { errorOf, isPending, temporaryFolder } from '../../support/host.ts'

interface Market {
  readonly asked: string[]
  readonly answers: ((price: number) => void)[]
  readonly refusals: ((error: Error) => void)[]
  readonly quotes: { latest: (symbol: string) => Promise<number> }
}

/** Its function is `async`: it may start only when its turn's open entry is durable. */
function openMarket(): Market {
  const market: Market = {
    asked: [],
    answers: [],
    refusals: [],
    quotes: {
      latest: async (symbol) => {
        market.asked.push(symbol)
        return new Promise<number>((resolve, reject) => {
          market.answers.push(resolve)
          market.refusals.push(reject)
        })
      },
    },
  }
  return market
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000 && !condition(); turn++)
    await new Promise((resolve) => setImmediate(resolve))
  expect(condition()).toBe(true)
}

const offer = { method: 'offer', args: ['LOOM', 2], idempotencyKey: 'k1' }

describe('a turn that waits for the host', () => {
  test('goes on when the answer is there, and later calls wait behind it', async () => {
    const market = openMarket()
    const runtime = await openComponentHost({}, market.quotes)
    const quoter = await runtime.getActor('anna', 'Quoter')
    const first = quoter.call('offer', 'LOOM', 2)
    const offers = quoter.call('offers')
    await until(() => market.asked.length === 1)
    expect(await isPending(first)).toBe(true)
    expect(await isPending(offers)).toBe(true)
    market.answers[0]?.(21)
    expect(await first).toMatchObject({ tag: 'ok', val: { total: 42 } })
    expect(await offers).toHaveLength(1)
    expect(market.asked).toEqual(['LOOM'])
  })

  test('asks only when its open entry is durable', async () => {
    const store = memory()
    const market = openMarket()
    const runtime = await openComponentHost({ store }, market.quotes)
    const quoter = await runtime.getActor('anna', 'Quoter')
    const release = store.holdCommits()
    const call = quoter.call('offer', 'LOOM', 2)
    expect(await isPending(call)).toBe(true)
    expect(market.asked).toEqual([])
    release()
    await until(() => market.asked.length === 1)
    market.answers[0]?.(1)
    await call
  })

  test('may be given a promise by a plain function as well', async () => {
    const runtime = await openComponentHost({}, { latest: () => Promise.resolve(5) })
    const quoter = await runtime.getActor('anna', 'Quoter')
    expect(await quoter.call('offer', 'A', 2)).toMatchObject({ tag: 'ok', val: { total: 10 } })
  })

  test('has not happened when the awaited call fails', async () => {
    const market = openMarket()
    const runtime = await openComponentHost({}, market.quotes)
    const quoter = await runtime.getActor('anna', 'Quoter')
    const call = quoter.call('offer', 'LOOM', 2)
    await until(() => market.asked.length === 1)
    market.refusals[0]?.(new Error('market closed'))
    expect(await errorOf(call)).toMatchObject({
      code: 'ERR_HOST_CALL',
      message: expect.stringContaining('market closed'),
    })
    expect(await quoter.call('offers')).toEqual([])
  })

  test('is run again after a crash in the middle, and its caller may ask again with the key', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const before = openMarket()
    const first = await openComponentHost({ store, blobs }, before.quotes)
    const lost = (await first.getActor('anna', 'Quoter')).execute(offer)
    lost.catch(() => {})
    await until(() => before.asked.length === 1)
    store.crash()
    const after = openMarket()
    const second = await openComponentHost({ store, blobs }, after.quotes)
    const quoter = await second.getActor('anna', 'Quoter')
    const again = quoter.execute(offer)
    await until(() => after.asked.length === 1)
    after.answers[0]?.(7)
    expect(await again).toMatchObject({ tag: 'ok', val: { total: 14 } })
    expect(await quoter.execute(offer)).toEqual(await again)
    expect(await quoter.call('offers')).toHaveLength(1)
    expect(after.asked).toHaveLength(1)
  })

  test('leaves a journal that replays to the same memory, past a crash', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const limits = { snapshotIntervalTurns: 3 }
    const market = { latest: (symbol: string) => Promise.resolve(symbol.length) }
    const first = await openComponentHost({ store, blobs, limits }, market)
    const quoter = await first.getActor('anna', 'Quoter')
    for (let turn = 1; turn <= 10; turn++) await quoter.call('offer', 'X'.repeat(turn), 1)
    const { stateHash, seqNext } = await first.describeActor('anna', 'Quoter')
    expect(seqNext).toBe(21)
    store.crash()
    const second = await openComponentHost({ store, blobs }, market)
    expect((await second.describeActor('anna', 'Quoter')).stateHash).toBe(stateHash)
    const inspector = await openInspector({ store, blobs })
    const report = await inspector.replay({ type: 'Quoter', id: 'anna' })
    expect(report).toMatchObject({ turns: 10, stateHash })
    expect(report.snapshotsCompared).toBeGreaterThan(0)
  })
})

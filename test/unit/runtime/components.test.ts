// Aim: a component is an actor: its memory is its state, its failures leave no trace, and replay from the
// first entry gives the same memory. Method: the committed AssemblyScript components on the memory store.
import { describe, expect, test } from 'vitest'
import { fsBlobs, memory, openInspector, seededRandom, VirtualClock } from '../../../host/index.ts'
import { componentBytes, openComponentHost } from '../../support/components.ts'
import { errorOf, openHost, temporaryFolder } from '../../support/host.ts'

describe('a component', () => {
  test('keeps its memory as state, over turns and over a crash', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const first = await openComponentHost({ store, blobs, limits: { snapshotIntervalTurns: 7 } })
    const counter = await first.getActor('c1', 'Counter')
    for (let turn = 1; turn <= 25; turn++)
      expect(await counter.call('increment', 2)).toBe(2n * BigInt(turn))
    expect(await counter.executeJson({ method: 'value' })).toBe(50)
    const { stateHash, seqNext } = await first.describeActor('c1', 'Counter')
    store.crash()
    const second = await openComponentHost({ store, blobs })
    expect(await second.describeActor('c1', 'Counter')).toMatchObject({ stateHash, seqNext })
    expect(await (await second.getActor('c1', 'Counter')).call('increment', 1)).toBe(51n)
  })

  test('replays from its first entry to the same memory, past the snapshots', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const runtime = await openComponentHost({ store, blobs, limits: { snapshotIntervalTurns: 10 } })
    const quoter = await runtime.getActor('anna', 'Quoter')
    for (let turn = 0; turn < 30; turn++) {
      const offered = (await quoter.call('offer', 'LOOM', 3)) as { val: { id: bigint } }
      if (turn % 3 === 0) await quoter.call('accept', offered.val.id)
    }
    const { stateHash } = await runtime.describeActor('anna', 'Quoter')
    const inspector = await openInspector({ store, blobs })
    const report = await inspector.replay({ type: 'Quoter', id: 'anna' })
    expect(report).toMatchObject({ turns: 40, failed: 0, stateHash, seqNext: 41 })
    expect(report.snapshotsCompared).toBeGreaterThanOrEqual(3)
  })

  test('is told the same by the host in replay, and nothing else is asked', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const clock = new VirtualClock(1_000)
    const asked: string[] = []
    const quotes = {
      latest: (symbol: string) => {
        asked.push(symbol)
        return asked.length
      },
    }
    const first = await openComponentHost({ store, blobs, clock, random: seededRandom(7) }, quotes)
    const quoter = await first.getActor('anna', 'Quoter')
    await quoter.call('offer', 'A', 1)
    const offers = await quoter.call('offers')
    expect(offers).toMatchObject([{ symbol: 'A', total: 1, expiresAt: 11_000n }])
    store.crash()
    const later = { store, blobs, clock: new VirtualClock(9_000_000), random: seededRandom(8) }
    const second = await openComponentHost(later, quotes)
    expect(await (await second.getActor('anna', 'Quoter')).call('offers')).toEqual(offers)
    expect(asked).toEqual(['A'])
  })

  test('that traps has not happened, says where, and goes on from before', async () => {
    const runtime = await openComponentHost()
    const faulty = await runtime.getActor('f1', 'Faulty')
    await faulty.call('add', 5)
    const kept = await faulty.call('state')
    const { stateHash } = await runtime.describeActor('f1', 'Faulty')
    const error = await errorOf(faulty.call('addThenAbort', 6, 'no more'))
    expect(error).toMatchObject({ code: 'ERR_TRAP' })
    expect(error.message).toMatch(/no more \(.*faulty\.ts:\d+:\d+\)/)
    for (const method of ['addThenIndex', 'addThenUnreachable', 'addThenOutOfBounds'])
      expect(await errorOf(faulty.call(method, 7))).toMatchObject({ code: 'ERR_TRAP' })
    expect((await errorOf(faulty.call('overflow', 0))).code).toBe('ERR_TRAP')
    expect((await errorOf(faulty.call('divide', 0))).code).toBe('ERR_TRAP')
    expect((await runtime.describeActor('f1', 'Faulty')).stateHash).toBe(stateHash)
    expect(await faulty.call('state')).toEqual(kept)
    expect(await faulty.call('add', 1)).toBe(6n)
  })

  test('whose host function failed has not happened', async () => {
    let broken = true
    const quotes = {
      latest: () => {
        if (broken) throw new Error('market closed')
        return 3
      },
    }
    const runtime = await openComponentHost({}, quotes)
    const quoter = await runtime.getActor('anna', 'Quoter')
    expect(await errorOf(quoter.call('offer', 'A', 1))).toMatchObject({
      code: 'ERR_HOST_CALL',
      message: expect.stringContaining('market closed'),
    })
    broken = false
    await quoter.call('offer', 'A', 1)
    expect(await quoter.call('offers')).toHaveLength(1)
  })

  test('is given only what its types allow, by the embedder too', async () => {
    const runtime = await openComponentHost({}, { latest: () => 'ten' })
    const quoter = await runtime.getActor('anna', 'Quoter')
    const error = await errorOf(quoter.call('offer', 'A', 1))
    expect(error).toMatchObject({ code: 'ERR_HOST_CALL' })
    expect(error.message).toMatch(/expected f64, got/)
  })

  test('that imports what is not served is refused when it is registered, and nothing is stored', async () => {
    const folder = temporaryFolder()
    const runtime = await openHost({ blobs: fsBlobs(folder) })
    const component = componentBytes('quoter')
    const refused = await errorOf(runtime.registerActorType('Quoter', { type: 'wasm', component }))
    expect(refused).toMatchObject({
      code: 'ERR_COMPONENT_IMPORT',
      message: expect.stringContaining('acme:pricing/quotes@0.1.0#latest'),
    })
    expect((await errorOf(runtime.getActor('q', 'Quoter'))).code).toBe('ERR_TYPE_UNKNOWN')
    expect(await fsBlobs(folder).names()).toEqual([])
  })

  test('with another digest does not touch actors that are pinned to the first', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const first = await openComponentHost({ store, blobs })
    await (await first.getActor('c1', 'Counter')).call('increment', 5)
    await first.close()
    const second = await openHost({ store, blobs })
    const component = componentBytes('faulty')
    await second.registerActorType('Counter', { type: 'wasm', component })
    expect(await (await second.getActor('c1', 'Counter')).call('increment', 1)).toBe(6n)
    expect(
      (await errorOf((await second.getActor('c2', 'Counter')).call('increment', 1))).code,
    ).toBe('ERR_METHOD_UNKNOWN')
  })

  test('that is missing or damaged in the blob store stops its actors only', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const first = await openComponentHost({ store, blobs })
    await (await first.getActor('c1', 'Counter')).call('increment', 5)
    await first.close()
    const second = await openHost({ store, blobs: fsBlobs(temporaryFolder()) })
    const error = await errorOf(second.getActor('c1', 'Counter'))
    expect(error).toMatchObject({
      code: 'ERR_BLOB_UNKNOWN',
      message: expect.stringContaining('sha256:'),
    })
    expect(await (await second.getActor('a', 'Ledger')).call('add', 1)).toBe(1)
  })
})

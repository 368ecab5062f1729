// Aim: a quote is what the embedder's price was when it was asked, also after a crash and in a replay, when nobody is
// asked again; it is taken once, and expires.
import { expect, onTestFinished, test } from 'vitest'
import {
  createRuntime,
  fsBlobs,
  memory,
  openInspector,
  type Runtime,
  seededRandom,
  VirtualClock,
} from '../../../host/index.ts'
import { componentBytes } from '../../../test/support/components.ts'
import { temporaryFolder } from '../../../test/support/host.ts'

type Quote = {
  readonly tag: 'ok'
  readonly val: { readonly id: bigint; readonly total: number; readonly expiresAt: bigint }
}

class Shop {
  readonly store = memory()
  readonly blobs = fsBlobs(temporaryFolder())
  readonly clock = new VirtualClock(1_000_000)
  readonly prices = new Map([['LOOM', 12.5]])
  readonly asked: string[] = []

  async open(): Promise<Runtime> {
    const { store, blobs, clock } = this
    const runtime = await createRuntime({ store, blobs, clock, random: seededRandom(7) })
    onTestFinished(() => runtime.close().catch(() => {}))
    runtime.provide('acme:pricing/quotes', {
      latest: (symbol: string) => {
        this.asked.push(symbol)
        return this.prices.get(symbol) ?? Number.NaN
      },
    })
    await runtime.registerActorType('Quoter', { type: 'wasm', component: componentBytes('quoter') })
    return runtime
  }
}

const gone = { tag: 'err', val: 'no such offer, or it has expired' }

test('an offer holds for ten seconds and can be taken once', async () => {
  const shop = new Shop()
  const quoter = await (await shop.open()).getActor('ada', 'Quoter')
  const first = (await quoter.call('offer', 'LOOM', 4)) as Quote
  expect(first.val).toMatchObject({ symbol: 'LOOM', quantity: 4, total: 50, expiresAt: 1_010_000n })
  const second = (await quoter.call('offer', 'LOOM', 1)) as Quote
  expect(await quoter.call('offer', 'YARN', 1)).toEqual({ tag: 'err', val: 'no price for YARN' })
  expect(await quoter.call('accept', first.val.id)).toEqual(first)
  expect(await quoter.call('accept', first.val.id)).toEqual(gone)
  shop.clock.advance(10_000)
  expect(await quoter.call('accept', second.val.id)).toEqual(gone)
  expect(await quoter.call('offers')).toEqual([])
})

test('after a crash an offer has the price and the id that it had, and nobody is asked', async () => {
  const shop = new Shop()
  const before = await (await shop.open()).getActor('ada', 'Quoter')
  const offered = (await before.call('offer', 'LOOM', 2)) as Quote
  shop.prices.set('LOOM', 99)
  shop.store.crash()

  const runtime = await shop.open()
  const after = await runtime.getActor('ada', 'Quoter')
  expect(await after.call('offers')).toEqual([offered.val])
  const { stateHash } = await runtime.describeActor('ada', 'Quoter')
  const inspector = await openInspector({ store: shop.store, blobs: shop.blobs })
  const report = await inspector.replay({ type: 'Quoter', id: 'ada' })
  expect(report).toMatchObject({ turns: 2, failed: 0, stateHash })
  expect(shop.asked).toEqual(['LOOM'])
})

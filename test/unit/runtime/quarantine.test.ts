// Aim: quarantine outlives the host that found the damage, costs no reading of the journal, and ends by a release.
// Method: a memory store read through a driver that flips a bit of entry 2, and that counts what is read.
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../host/index.ts'
import { type MemoryDriver, memory } from '../../../host/store/memory/memory.ts'
import type { Store, StoreDriver } from '../../../host/store/store.ts'
import { alteredDriver } from '../../support/altered-driver.ts'
import { damagingDriver } from '../../support/damaging-driver.ts'
import { errorOf, openHost } from '../../support/host.ts'

async function store(): Promise<MemoryDriver> {
  const driver = memory()
  const runtime = await openHost({ store: driver })
  for (const id of ['hurt', 'whole'])
    for (const amount of [1, 2, 3]) await (await runtime.getActor(id, 'Ledger')).call('add', amount)
  driver.crash()
  return driver
}

/** Counts the logs that are opened. */
function counting(inner: StoreDriver): StoreDriver & { opened: string[] } {
  const opened: string[] = []
  const open: StoreDriver['open'] = async (options) =>
    new Proxy(await inner.open(options), {
      get(target, property) {
        if (property === 'openLog')
          return (key: Parameters<Store['openLog']>[0]) => {
            opened.push(key.id)
            return target.openLog(key)
          }
        const value = Reflect.get(target, property) as unknown
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  return { name: inner.name, opened, open }
}

const damaged = { entries: new Set([2]) }

async function list<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const row of rows) all.push(row)
  return all
}

test('an actor found damaged is refused by later hosts without its journal being opened', async () => {
  const driver = await store()
  const first = await openHost({ store: damagingDriver(driver, 'hurt', damaged) })
  const found = await errorOf(first.getActor('hurt', 'Ledger'))
  expect(found).toMatchObject({ code: 'ERR_QUARANTINED', data: { reason: 'ERR_JOURNAL_CORRUPT' } })
  await first.close()
  const counter = counting(driver)
  const second = await openHost({ store: counter })
  const again = await errorOf(second.getActor('hurt', 'Ledger'))
  expect(again).toMatchObject({ code: 'ERR_QUARANTINED', data: { reason: 'ERR_JOURNAL_CORRUPT' } })
  expect(again.message).toContain('journal entry 2 is damaged')
  expect(counter.opened).toEqual([])
  expect(await (await second.getActor('whole', 'Ledger')).call('total')).toBe(6)
  expect(await list(second.quarantined())).toMatchObject([
    { key: { type: 'Ledger', id: 'hurt' }, code: 'ERR_JOURNAL_CORRUPT' },
  ])
})

test('an actor that is refused again is not marked again, and every caller is told the same', async () => {
  const driver = await store()
  const lines: string[] = []
  const runtime = await openHost({
    store: damagingDriver(driver, 'hurt', damaged),
    log: ({ message }) => lines.push(message),
  })
  await errorOf(runtime.getActor('hurt', 'Ledger'))
  const [marked] = await list(runtime.quarantined())
  const told = new Set<string>()
  for (let call = 0; call < 4; call++)
    told.add((await errorOf(runtime.getActor('hurt', 'Ledger'))).message)
  expect(told.size).toBe(1)
  expect(await list(runtime.quarantined())).toEqual([marked])
  expect(lines.filter((line) => line.startsWith('quarantined'))).toHaveLength(1)
})

test('a quarantined actor can be described, and after a release its next call tries again', async () => {
  const driver = await store()
  const first = await openHost({ store: damagingDriver(driver, 'hurt', damaged) })
  await errorOf(first.getActor('hurt', 'Ledger'))
  expect(await first.describeActor('hurt', 'Ledger')).toMatchObject({
    seqNext: 4,
    resident: false,
    stateHash: '',
    quarantine: { code: 'ERR_JOURNAL_CORRUPT' },
  })
  expect(await first.release('hurt', 'Ledger')).toBe(true)
  expect(await first.release('hurt', 'Ledger')).toBe(false)
  // Still damaged: found again, and marked again.
  expect((await errorOf(first.getActor('hurt', 'Ledger'))).code).toBe('ERR_QUARANTINED')
  await first.close()
  const mended = await openHost({ store: driver })
  expect(await mended.release('hurt', 'Ledger')).toBe(true)
  expect(await (await mended.getActor('hurt', 'Ledger')).call('total')).toBe(6)
  expect(await list(mended.quarantined())).toEqual([])
  expect((await mended.describeActor('hurt', 'Ledger')).quarantine).toBeNull()
})

test('who is refused leaves the mark as it is: with the time and the reason of the first, and no write', async () => {
  const driver = await store()
  const clock = new VirtualClock()
  let writes = 0
  const marking = alteredDriver(damagingDriver(driver, 'hurt', damaged), {
    store: (opened) => ({
      quarantine: (row) => {
        writes++
        return opened.quarantine(row)
      },
    }),
  })
  const runtime = await openHost({ store: marking, clock })
  const first = await errorOf(runtime.getActor('hurt', 'Ledger'))
  const [row] = await list(runtime.quarantined())
  for (let call = 0; call < 3; call++) {
    clock.advance(1_000)
    const again = await errorOf(runtime.getActor('hurt', 'Ledger'))
    expect(again.message).toBe(first.message)
  }
  expect(await list(runtime.quarantined())).toEqual([row])
  expect(writes).toBe(1)
})

test('a mark without a journal, as a crash leaves it, is removed by a deletion', async () => {
  const driver = memory()
  const writer = await driver.open({ wallMs: () => 0 })
  const key = { type: 'Ledger', id: 'hurt' }
  await writer.quarantine({ key, atMs: 0, code: 'ERR_CLOSING', message: 'an import was cut off' })
  driver.crash()
  const runtime = await openHost({ store: driver })
  expect(await errorOf(runtime.getActor('hurt', 'Ledger'))).toMatchObject({
    code: 'ERR_QUARANTINED',
  })
  await runtime.deleteActor('hurt', 'Ledger')
  expect(await (await runtime.getActor('hurt', 'Ledger')).call('add', 1)).toBe(1)
  expect(await errorOf(runtime.deleteActor('none', 'Ledger'))).toMatchObject({
    code: 'ERR_ACTOR_UNKNOWN',
  })
})

// Aim: a value of keyed state is found without looking at others. Method: reads of the environment are
// counted, for an actor with few keys and one with many (bench/durable-state.ts has the times).
import { rmSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeEach, expect, it, vi } from 'vitest'
import { Environment } from '../../../host/store/lmdb/environment.ts'
import { lmdb } from '../../../host/store/lmdb/index.ts'
import type { ActorLog, Store } from '../../../host/store/store.ts'
import { commitOf, options, scratchFolder, text } from '../../support/store-fixtures.ts'

const root = scratchFolder('state')
let store: Store

beforeEach(async () => {
  store = await lmdb(path.join(root, 'data')).open(options)
  return async () => {
    vi.restoreAllMocks()
    await store.close()
  }
})
afterAll(() => rmSync(root, { recursive: true }))

const keyAt = (index: number): string => `key-${String(index).padStart(6, '0')}`

async function actorWith(count: number): Promise<ActorLog> {
  const id = `with-${count}`
  const log = await store.openLog({ type: 'Counter', id })
  const state = Array.from({ length: count }, (_, index) => ({
    key: keyAt(index),
    value: text(`${index}`),
  }))
  await log.append({ ...commitOf(id, 0, 'x'), state })
  return log
}

it('reads one of many keys as it reads one of few: with one look', async () => {
  for (const count of [10, 20_000]) {
    const log = await actorWith(count)
    const get = vi.spyOn(Environment.prototype, 'get')
    const ranges = [
      vi.spyOn(Environment.prototype, 'range'),
      vi.spyOn(Environment.prototype, 'rangeDown'),
    ]
    expect(await log.readState(keyAt(9))).toEqual(text('9'))
    expect(await log.readState('none')).toBeNull()
    expect(get).toHaveBeenCalledTimes(2)
    for (const range of ranges) expect(range).not.toHaveBeenCalled()
    expect((await log.listState('key-', keyAt(count - 4), 2)).map(({ key }) => key)).toEqual([
      keyAt(count - 3),
      keyAt(count - 2),
    ])
    expect(get).toHaveBeenCalledTimes(2)
    expect(ranges[0]).toHaveBeenCalledTimes(1)
    expect(ranges[0]?.mock.calls[0]?.[2]).toBe(2)
    expect(ranges[0]?.mock.results[0]?.value).toHaveLength(2)
    vi.restoreAllMocks()
  }
})

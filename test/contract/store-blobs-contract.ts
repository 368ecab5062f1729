/**
 * More of the Store contract as tests: S10, blobs that no entry names; run against every driver.
 *
 * Owns: notes and who is told of them. Does not own: the blobs (test/fault/loose-blobs.test.ts).
 */
import { describe, expect, it } from 'vitest'
import { type Digest, digestOf } from '../../host/base/digest.ts'
import { deferred } from '../../host/base/promises.ts'
import type { ActorLog, Store, StoreDriver } from '../../host/store/store.ts'
import { openEach } from '../support/store-each.ts'
import { commitOf, options, rejects, text } from '../support/store-fixtures.ts'

export function describeStoreBlobs(name: string, make: () => StoreDriver): void {
  describe(`the ${name} store, S10: a blob is named by an entry, or noted as loose`, () => {
    const key = { type: 'Counter', id: 'a' }
    let driver: StoreDriver
    let store: Store
    let log: ActorLog
    const reopen = openEach(make, key, {
      given: () => store,
      take: (opened) => {
        ;({ driver, store, log } = opened)
      },
    })

    const blobs = Array.from({ length: 9 }, (_, index) => digestOf(text(`${index}`))).sort()
    const [a, b, c] = blobs as [Digest, Digest, Digest]
    const loose = () => store.looseBlobs(null, 100)

    it('a note is for the hosts that follow, until it is taken back', async () => {
      await store.noteLoose([b, a])
      await store.noteLoose([a])
      await store.noteLoose([])
      expect(await loose()).toEqual([])
      for (let round = 0; round < 2; round++) {
        await reopen()
        expect(await loose()).toEqual([a, b])
      }
      await store.forgetLoose([a, c])
      expect(await loose()).toEqual([b])
      await reopen()
      expect(await loose()).toEqual([b])
    })

    it('pages of notes go on behind the last one', async () => {
      await store.noteLoose(blobs)
      await reopen()
      const pages: Digest[] = []
      for (let after: Digest | null = null; ; ) {
        const page: readonly Digest[] = await store.looseBlobs(after, 2)
        pages.push(...page)
        after = page.at(-1) ?? null
        if (page.length < 2) break
      }
      expect(pages).toEqual(blobs)
    })

    it('the commit that names a blob takes its note back, and a commit that fails does not', async () => {
      await store.noteLoose([a, b])
      await log.append({ ...commitOf('a', 0, 'names it'), names: [a] })
      await rejects(log.append({ ...commitOf('a', 7, 'gap'), names: [b] }), 'ERR_INVARIANT')
      await reopen()
      expect(await loose()).toEqual([b])
    })

    it('what gives entries up notes their blobs: trimming, and the end of a life', async () => {
      await log.append(commitOf('a', 0, 'zero'))
      for (let seq = 1; seq < 4; seq++) await log.append(commitOf('a', seq, `${seq}`))
      await log.writeSnapshot({ seq: 4, bytes: text('at 4') })
      await log.trim(3, [a])
      const other = await store.openLog({ type: 'Counter', id: 'b' })
      await other.append(commitOf('b', 0, 'zero'))
      await other.append({ ...commitOf('b', 1, 'end'), end: true, frees: [b, c] })
      expect(await loose()).toEqual([])
      await reopen()
      expect(await loose()).toEqual([a, b, c])
    })

    it('a note waits for no commit: a commit may wait for it', async () => {
      const { promise: after, resolve } = deferred<void>()
      const order: string[] = []
      const commits = [
        log.append({ ...commitOf('a', 0, 'one'), after, names: [a] }).then(() => order.push('a0')),
      ]
      for (let round = 0; round < 3; round++) {
        for (let turn = 0; turn < 5; turn++) await new Promise((wait) => setImmediate(wait))
        commits.push(log.append(commitOf('a', round + 1, 'x')).then(() => order.push('behind')))
        await Promise.all([store.noteLoose([a]), store.noteLoose([b])])
        order.push('noted')
      }
      resolve()
      await Promise.all(commits)
      expect(order.slice(0, 4)).toEqual(['noted', 'noted', 'noted', 'a0'])
      await reopen()
      expect(await loose()).toEqual([b])
      expect(log.seqNext).toBe(4)
    })

    it('a host that was displaced notes nothing, and is told of nothing that its successor noted', async () => {
      await store.noteLoose([a])
      const successor = await driver.open({ ...options, takeOver: true })
      expect(await successor.looseBlobs(null, 9)).toEqual([a])
      await successor.noteLoose([b])
      expect(await loose()).toEqual([])
      await rejects(store.noteLoose([c]), 'ERR_FENCED')
      await successor.close()
      await store.close()
      store = await driver.open(options)
      expect(await loose()).toEqual([a, b])
    })

    it('a reader is told of nothing, and notes nothing', async () => {
      await store.noteLoose([a])
      await reopen()
      const reader = await driver.open({ ...options, readOnly: true })
      expect(await reader.looseBlobs(null, 9)).toEqual([])
      await rejects(reader.noteLoose([a]), 'ERR_READ_ONLY')
      await rejects(reader.forgetLoose([a]), 'ERR_READ_ONLY')
      await reader.close()
    })
  })
}

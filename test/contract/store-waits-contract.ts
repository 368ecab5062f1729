/**
 * More of the Store contract as tests: S9, commits that wait for what has to be durable before them; keys that nobody
 * will ask for; pages of reminders that are due.
 */
import { describe, expect, it } from 'vitest'
import { deferred } from '../../host/base/promises.ts'
import type { ActorLog, DueReminder, Store, StoreDriver } from '../../host/store/store.ts'
import { openEach } from '../support/store-each.ts'
import { commitOf, rejects, text, texts } from '../support/store-fixtures.ts'

export function describeStoreWaits(name: string, make: () => StoreDriver): void {
  describe(`the ${name} store, S9: a commit waits for what has to be durable before it`, () => {
    const key = { type: 'Counter', id: 'a' }
    let store: Store
    let log: ActorLog

    const reopen = openEach(make, key, {
      given: () => store,
      take: (opened) => {
        ;({ store, log } = opened)
      },
    })

    it('and so does what is appended behind it, of other actors too', async () => {
      const other = await store.openLog({ type: 'Counter', id: 'b' })
      const { promise: after, resolve } = deferred<void>()
      const order: string[] = []
      const done = [
        log.append({ ...commitOf('a', 0, 'one'), after }).then(() => order.push('a0')),
        other.append(commitOf('b', 0, 'two')).then(() => order.push('b0')),
      ]
      for (let turn = 0; turn < 20; turn++) await new Promise((wait) => setImmediate(wait))
      done.push(log.append(commitOf('a', 1, 'three')).then(() => order.push('a1')))
      expect(order).toEqual([])
      expect(await log.read(0, 10)).toEqual([])
      resolve()
      await Promise.all(done)
      expect(order).toEqual(['a0', 'b0', 'a1'])
      await reopen()
      expect(texts(await log.read(0, 10))).toEqual(['one', 'three'])
    })

    it('and fails with it: nothing of it is written, and a log that is opened again goes on', async () => {
      await log.append(commitOf('a', 0, 'one'))
      const other = await store.openLog({ type: 'Counter', id: 'b' })
      await other.append(commitOf('b', 0, 'before'))
      const { promise: after, reject } = deferred<void>()
      const failing = log.append({ ...commitOf('a', 1, 'two'), after })
      const behind = log.append(commitOf('a', 2, 'three'))
      reject(new Error('no space for it'))
      expect((await rejects(failing, 'ERR_STORE')).message).toContain('no space for it')
      await rejects(behind, 'ERR_STORE')
      log = await store.openLog(key)
      expect(log.seqNext).toBe(1)
      await log.append(commitOf('a', 1, 'again'))
      await reopen()
      expect(texts(await log.read(0, 10))).toEqual(['one', 'again'])
    })

    it('and marks a turn that it opens, also when the turn is closed behind it', async () => {
      const marked = async (): Promise<string[]> => {
        const ids: string[] = []
        for await (const { id } of store.openTurns()) ids.push(id)
        return ids
      }
      const { promise: after, resolve } = deferred<void>()
      const opened = log.append({ ...commitOf('a', 0, 'opened'), after, open: true })
      // The next one is in a group of its own, which fails.
      for (let turn = 0; turn < 20; turn++) await new Promise((wait) => setImmediate(wait))
      const { promise: never, reject } = deferred<void>()
      const closed = log.append({ ...commitOf('a', 1, 'closed'), after: never, open: false })
      resolve()
      await opened
      reject(new Error('no space for it'))
      await rejects(closed, 'ERR_STORE')
      expect(await marked()).toEqual(['a'])
      await reopen()
      expect(await marked()).toEqual(['a'])
    })

    it('also when it fails while nobody looks', async () => {
      const after = Promise.reject(new Error('at once'))
      await rejects(log.append({ ...commitOf('a', 0, 'one'), after }), 'ERR_STORE')
      log = await store.openLog(key)
      await log.append(commitOf('a', 0, 'again'))
      await reopen()
      expect(texts(await log.read(0, 10))).toEqual(['again'])
    })

    describe('a key that nobody will ask for again', () => {
      const used = (id: string, seq: number, key: string) => ({
        ...commitOf(id, seq, key),
        idempotency: [{ key, seq, atMs: 1_000 }],
      })

      it('may be forgotten: its entry stays, and so do other keys', async () => {
        await log.append(used('a', 0, 'k0'))
        await log.append(used('a', 1, 'k1'))
        log.forgetKey('k0')
        log.forgetKey('never used')
        await log.append(used('a', 2, 'k2'))
        for (let round = 0; round < 2; round++) {
          expect([0, null]).toContain(await log.findIdempotent('k0'))
          expect(await log.findIdempotent('k1')).toBe(1)
          expect(await log.findIdempotent('k2')).toBe(2)
          expect(texts(await log.read(0, 10))).toEqual(['k0', 'k1', 'k2'])
          await reopen()
        }
      })

      it('may be used again, and is found then', async () => {
        await log.append(used('a', 0, 'k'))
        log.forgetKey('k')
        await log.append(used('a', 1, 'k'))
        expect(await log.findIdempotent('k')).toBe(1)
        await reopen()
        expect(await log.findIdempotent('k')).toBe(1)
      })
    })

    it('reminders that are due are read page by page, also when one in between is gone', async () => {
      const due = (name: string, dueAtMs: number) => ({ name, dueAtMs, bytes: text(name) })
      const other = await store.openLog({ type: 'Counter', id: 'b' })
      await log.append({ ...commitOf('a', 0, '0'), reminders: [due('x', 100), due('y', 100)] })
      await other.append({ ...commitOf('b', 0, '0'), reminders: [due('x', 100), due('z', 200)] })
      const page = (after: DueReminder | null) => store.dueReminders(1_000, 2, after)
      const first = await page(null)
      const second = await page(first[1] ?? null)
      const names = [...first, ...second].map((row) => `${row.key.id} ${row.name}`)
      expect(names).toEqual(['a x', 'a y', 'b x', 'b z'])
      expect(await page(second[1] ?? null)).toEqual([])
      expect(await store.readReminder(key, 'y')).toEqual(due('y', 100))
      const reminders = [{ name: 'y', dueAtMs: null }]
      await log.append({ ...commitOf('a', 1, '1'), reminders })
      expect((await page(first[1] ?? null)).map(({ name }) => name)).toEqual(['x', 'z'])
      expect(await store.readReminder(key, 'y')).toBeNull()
      expect(await store.readReminder({ type: 'Counter', id: 'none' }, 'x')).toBeNull()
      await log.append({ ...commitOf('a', 2, '2'), end: true })
      expect(await store.readReminder(key, 'x')).toBeNull()
    })
  })
}

/**
 * The Store contract as tests: run against every driver.
 *
 * Owns: S1 (as far as one process can see it), S2 to S6, and the rules of opening, claiming, closing.
 * Does not own: death of processes and power (test/fault/), which need a real disk.
 */
import { beforeEach, describe, expect, it } from 'vitest'
import { seededRandom } from '../../host/base/random.ts'
import type { ActorLog, ActorSummary, Store, StoreDriver } from '../../host/store/store.ts'
import { openEach } from '../support/store-each.ts'
import { commitOf, options, recordOf, rejects, text, texts } from '../support/store-fixtures.ts'

async function list(store: Store, type?: string): Promise<ActorSummary[]> {
  const found: ActorSummary[] = []
  for await (const actor of store.actors(type)) found.push(actor)
  return found
}

/**
 * @param make  A driver over an empty place; opening the same driver again sees the same data.
 */
export function describeStoreContract(name: string, make: () => StoreDriver): void {
  describe(`the ${name} store`, () => {
    let driver: StoreDriver
    let store: Store
    let log: ActorLog
    const key = { type: 'Counter', id: 'a' }

    const reopen = openEach(make, key, {
      given: () => store,
      take: (opened) => {
        ;({ driver, store, log } = opened)
      },
    })

    describe('S1: a commit is atomic and durable', () => {
      it('is there after the store was closed and opened again', async () => {
        await log.append(commitOf('a', 0, 'one', 'two'))
        await reopen()
        expect(log.seqNext).toBe(2)
        expect(log.record).toEqual(recordOf('a'))
        expect(texts(await log.read(0, 10))).toEqual(['one', 'two'])
      })

      it('shows nothing of a commit before it resolves', async () => {
        const pending = log.append(commitOf('a', 0, 'one'))
        expect(await log.read(0, 10)).toEqual([])
        expect(await list(store)).toEqual([])
        await pending
        expect(texts(await log.read(0, 10))).toEqual(['one'])
      })

      it('closing waits for commits under way', async () => {
        const pending = log.append(commitOf('a', 0, 'one'))
        await store.close()
        await pending
        store = await driver.open(options)
        expect((await store.openLog(key)).seqNext).toBe(1)
      })

      it('keeps idempotency keys with the entries they point to', async () => {
        await log.append({
          ...commitOf('a', 0, 'one'),
          idempotency: [{ key: 'k1', seq: 0, atMs: 1_000 }],
        })
        await log.append({
          ...commitOf('a', 1, 'two', 'three'),
          idempotency: [
            { key: 'k2', seq: 2, atMs: 1_000 },
            { key: 'ключ', seq: 1, atMs: 1_000 },
          ],
        })
        for (let round = 0; round < 2; round++) {
          expect(await log.findIdempotent('k1')).toBe(0)
          expect(await log.findIdempotent('k2')).toBe(2)
          expect(await log.findIdempotent('ключ')).toBe(1)
          expect(await log.findIdempotent('other')).toBeNull()
          await reopen()
        }
      })
    })

    describe('S2: a journal has no gap', () => {
      it.each([1, 2, -1, 0.5, Number.NaN])('refuses seq %s for an empty journal', async (seq) => {
        await rejects(log.append({ seq, entries: [text('x')] }), 'ERR_INVARIANT')
        await reopen()
        expect(log.seqNext).toBe(0)
        expect(log.record).toBeNull()
      })

      it.each([0, 1, 3])('refuses seq %i for a journal of two entries', async (seq) => {
        await log.append(commitOf('a', 0, 'one', 'two'))
        await rejects(log.append({ seq, entries: [text('x')] }), 'ERR_INVARIANT')
        expect(texts(await log.read(0, 10))).toEqual(['one', 'two'])
      })

      it('refuses a commit without entries', async () => {
        await rejects(log.append({ seq: 0, entries: [], create: recordOf('a') }), 'ERR_INVARIANT')
      })

      it('refuses a first commit that does not create the actor, and a later one that does', async () => {
        await rejects(log.append({ seq: 0, entries: [text('x')] }), 'ERR_INVARIANT')
        await reopen()
        await log.append(commitOf('a', 0, 'one'))
        const again = { seq: 1, entries: [text('x')], create: recordOf('a') }
        await rejects(log.append(again), 'ERR_INVARIANT')
      })

      it('refuses a record of another actor, and a key outside the commit', async () => {
        const stranger = { seq: 0, entries: [text('x')], create: recordOf('b') }
        await rejects(log.append(stranger), 'ERR_INVARIANT')
        await reopen()
        const outside = {
          ...commitOf('a', 0, 'x'),
          idempotency: [{ key: 'k', seq: 1, atMs: 1_000 }],
        }
        await rejects(log.append(outside), 'ERR_INVARIANT')
      })

      it('goes on where a failed log left the journal', async () => {
        await log.append(commitOf('a', 0, 'one'))
        await rejects(log.append({ seq: 7, entries: [text('x')] }), 'ERR_INVARIANT')
        log = await store.openLog(key)
        expect(log.seqNext).toBe(1)
        await log.append(commitOf('a', 1, 'two'))
        expect(texts(await log.read(0, 9))).toEqual(['one', 'two'])
      })

      it('lets only the newest log of an actor append', async () => {
        await log.append(commitOf('a', 0, 'one'))
        const newer = await store.openLog(key)
        await rejects(log.append(commitOf('a', 1, 'old')), 'ERR_INVARIANT')
        await newer.append(commitOf('a', 1, 'new'))
        expect(texts(await newer.read(0, 9))).toEqual(['one', 'new'])
      })

      it('opens a log at the end of commits that were under way', async () => {
        const pending = [log.append(commitOf('a', 0, 'one')), log.append(commitOf('a', 1, 'two'))]
        const newer = await store.openLog(key)
        expect(newer.seqNext).toBe(2)
        expect(newer.record).toEqual(recordOf('a'))
        await Promise.all(pending)
      })
    })

    describe('S3: one host writes', () => {
      it('refuses a second host while the first lives, naming it', async () => {
        const error = await rejects(driver.open(options), 'ERR_DATA_OWNED')
        expect(error.message).toContain(String(process.pid))
        expect(error).toMatchObject({ data: { pid: process.pid, address: null } })
      })

      it('names the address that the owner announced', async () => {
        await store.announce('http://127.0.0.1:3500')
        const error = await rejects(driver.open(options), 'ERR_DATA_OWNED')
        expect(error).toMatchObject({ data: { address: 'http://127.0.0.1:3500' } })
        expect(await store.readHost()).toMatchObject({
          pid: process.pid,
          epoch: store.epoch,
          claimedAtMs: options.wallMs(),
          address: 'http://127.0.0.1:3500',
        })
      })

      it('fences a host that was displaced: nothing of it is written any more', async () => {
        await log.append(commitOf('a', 0, 'one'))
        const other = await driver.open({ ...options, takeOver: true })
        expect(other.epoch).toBe(store.epoch + 1)
        await rejects(log.append(commitOf('a', 1, 'stale')), 'ERR_FENCED')
        await rejects(log.append(commitOf('a', 1, 'stale')), 'ERR_FENCED')
        await rejects(log.writeSnapshot({ seq: 1, bytes: text('stale') }), 'ERR_FENCED')
        await rejects(store.announce('http://stale'), 'ERR_FENCED')
        const newer = await other.openLog(key)
        expect(texts(await newer.read(0, 9))).toEqual(['one'])
        expect(await newer.readSnapshot(9)).toBeNull()
        await newer.append(commitOf('a', 1, 'two'))
        expect((await other.readHost())?.address).toBeNull()
        // Closing the fenced host must not give up the other's claim.
        await store.close()
        await rejects(driver.open(options), 'ERR_DATA_OWNED')
        await other.close()
      })

      it('grows the epoch with every claim, and forgets the host but not the epoch on close', async () => {
        const first = store.epoch
        expect(first).toBeGreaterThan(0)
        await reopen()
        expect(store.epoch).toBe(first + 1)
        await store.close()
        const reader = await driver.open({ ...options, readOnly: true })
        expect(await reader.readHost()).toBeNull()
        await reader.close()
        store = await driver.open(options)
        expect(store.epoch).toBe(first + 2)
      })
    })

    describe('S4: after a failed commit every later one fails', () => {
      it('also those that were appended without waiting', async () => {
        const good = log.append(commitOf('a', 0, 'one'))
        const bad = log.append({ seq: 5, entries: [text('x')] })
        const later = log.append(commitOf('a', 1, 'two'))
        await good
        await rejects(bad, 'ERR_INVARIANT')
        await rejects(later, 'ERR_INVARIANT')
        expect(texts(await log.read(0, 9))).toEqual(['one'])
      })

      it('but other logs are not affected', async () => {
        const other = await store.openLog({ type: 'Counter', id: 'b' })
        const bad = log.append({ seq: 5, entries: [text('x')] })
        await other.append(commitOf('b', 0, 'one'))
        await rejects(bad, 'ERR_INVARIANT')
        await other.append(commitOf('b', 1, 'two'))
      })
    })

    describe('S5: order', () => {
      it('applies pipelined commits in the order of the calls', async () => {
        const order: number[] = []
        const waits = Array.from({ length: 50 }, (_, seq) =>
          log.append(commitOf('a', seq, `entry ${seq}`)).then(() => order.push(seq)),
        )
        await Promise.all(waits)
        expect(order).toEqual(Array.from({ length: 50 }, (_, seq) => seq))
        const rows = await log.read(0, 100)
        expect(rows.map((row) => row.seq)).toEqual(order)
        expect(texts(rows)).toEqual(order.map((seq) => `entry ${seq}`))
      })
    })

    describe('S6: bytes come back as they were given', () => {
      it('whatever they are, and however many', async () => {
        const random = seededRandom(7)
        const sizes = [0, 1, 200, 4_095, 16_384, 100_000, 3_000_000]
        const entries = sizes.map((size) => random.bytes(size))
        await log.append({ seq: 0, entries, create: recordOf('a') })
        for (let round = 0; round < 2; round++) {
          const rows = await log.read(0, 100)
          expect(rows.length).toBe(sizes.length)
          for (const [index, { bytes }] of rows.entries())
            expect(Buffer.compare(bytes, entries[index] ?? text('?'))).toBe(0)
          await reopen()
        }
      })

      it('not as the caller changed them afterwards', async () => {
        const bytes = text('before')
        const snapshot = text('before')
        const pending = [
          log.append({ seq: 0, entries: [bytes], create: recordOf('a') }),
          log.writeSnapshot({ seq: 1, bytes: snapshot }),
        ]
        bytes.fill(0)
        snapshot.fill(0)
        await Promise.all(pending)
        expect(texts(await log.read(0, 1))).toEqual(['before'])
        expect(await log.readSnapshot(1)).toEqual({ seq: 1, bytes: text('before') })
      })

      it('and the reader may keep and change them', async () => {
        await log.append(commitOf('a', 0, 'one', 'two'))
        const [row] = await log.read(0, 1)
        row?.bytes.fill(0)
        expect(texts(await log.read(0, 2))).toEqual(['one', 'two'])
      })
    })

    it('reads any part of a journal', async () => {
      for (let seq = 0; seq < 40; seq += 4)
        await log.append(commitOf('a', seq, `${seq}`, `${seq + 1}`, `${seq + 2}`, `${seq + 3}`))
      const all = Array.from({ length: 40 }, (_, seq) => `${seq}`)
      for (let round = 0; round < 2; round++) {
        for (const [from, count] of [
          [0, 1],
          [0, 40],
          [7, 9],
          [39, 5],
        ] as const)
          expect(texts(await log.read(from, count))).toEqual(all.slice(from, from + count))
        expect(await log.read(40, 5)).toEqual([])
        expect(await log.read(99, 5)).toEqual([])
        expect(await log.read(0, 0)).toEqual([])
        await reopen()
      }
    })

    describe('snapshots', () => {
      beforeEach(async () => {
        await log.append(commitOf('a', 0, '0', '1', '2', '3', '4', '5'))
        for (const seq of [2, 4, 6]) await log.writeSnapshot({ seq, bytes: text(`at ${seq}`) })
      })

      it('gives the newest that is not past the seq asked for', async () => {
        for (let round = 0; round < 2; round++) {
          expect(await log.readSnapshot(99)).toEqual({ seq: 6, bytes: text('at 6') })
          expect(await log.readSnapshot(6)).toEqual({ seq: 6, bytes: text('at 6') })
          expect(await log.readSnapshot(5)).toEqual({ seq: 4, bytes: text('at 4') })
          expect(await log.readSnapshot(1)).toBeNull()
          await reopen()
        }
      })

      it('never gives a rejected one', async () => {
        await log.rejectSnapshot(6)
        await log.rejectSnapshot(2)
        await log.rejectSnapshot(3)
        expect(await log.readSnapshot(99)).toEqual({ seq: 4, bytes: text('at 4') })
        await reopen()
        await log.rejectSnapshot(4)
        expect(await log.readSnapshot(99)).toBeNull()
      })

      it('refuses one past the journal, or before its first entry', async () => {
        for (const seq of [0, 7, 1.5, -1])
          await rejects(log.writeSnapshot({ seq, bytes: text('x') }), 'ERR_INVARIANT')
      })

      it('keeps those of other actors apart', async () => {
        const other = await store.openLog({ type: 'Counter', id: 'b' })
        expect(await other.readSnapshot(99)).toBeNull()
        await other.append(commitOf('b', 0, '0'))
        expect(await other.readSnapshot(99)).toBeNull()
      })
    })

    describe('actors', () => {
      const keys = [
        ['A', 'z'],
        ['A', 'é'],
        ['A', '\u{ffee}'],
        ['A', '\u{1f600}'],
        ['A.B', 'a'],
        ['AB', 'a'],
        ['B', 'a'],
        ['B', 'a/b'],
        ['B', 'ab'],
      ] as const

      it('come in order of type, then id, with the length of their journals', async () => {
        const waits = keys.toReversed().map(async ([type, id], index) => {
          const opened = await store.openLog({ type, id })
          const entries = Array.from({ length: index + 1 }, () => text('x'))
          await opened.append({ seq: 0, entries, create: recordOf(id, type) })
        })
        await Promise.all(waits)
        const expected = keys.map(([type, id], index) => ({
          ...recordOf(id, type),
          seqNext: keys.length - index,
          seqFirst: 1,
        }))
        for (let round = 0; round < 2; round++) {
          expect(await list(store)).toEqual(expected)
          expect(await list(store, 'A')).toEqual(expected.slice(0, 4))
          expect(await list(store, 'B')).toEqual(expected.slice(6))
          expect(await list(store, 'None')).toEqual([])
          await reopen()
        }
        const late = await store.openLog({ type: 'A', id: 'zz' })
        await late.append({ seq: 0, entries: [text('x')], create: recordOf('zz', 'A') })
        const ids = (await list(store, 'A')).map((actor) => actor.id)
        expect(ids).toEqual(['z', 'zz', 'é', '\u{ffee}', '\u{1f600}'])
      })

      it('can be many', async () => {
        const ids = Array.from({ length: 700 }, (_, index) => `actor-${1000 + index}`)
        const create = async (id: string) => {
          const opened = await store.openLog({ type: 'Counter', id })
          await opened.append(commitOf(id, 0, 'x'))
        }
        await Promise.all(ids.filter((_, index) => index % 2 === 0).map(create))
        await reopen()
        await Promise.all(ids.filter((_, index) => index % 2 === 1).map(create))
        expect((await list(store)).map((actor) => actor.id)).toEqual(ids)
      })
    })

    describe('opened for reading', () => {
      it('reads beside a live host what is committed, and sees it grow', async () => {
        const reader = await driver.open({ ...options, readOnly: true })
        expect(reader.epoch).toBe(0)
        const view = await reader.openLog(key)
        expect(await view.read(0, 9)).toEqual([])
        await log.append({
          ...commitOf('a', 0, 'one'),
          idempotency: [{ key: 'k', seq: 0, atMs: 1_000 }],
        })
        await log.append(commitOf('a', 1, 'two'))
        await log.writeSnapshot({ seq: 1, bytes: text('snap') })
        expect(texts(await view.read(0, 9))).toEqual(['one', 'two'])
        expect(await view.findIdempotent('k')).toBe(0)
        expect(await view.readSnapshot(9)).toEqual({ seq: 1, bytes: text('snap') })
        expect(await list(reader)).toEqual([{ ...recordOf('a'), seqNext: 2, seqFirst: 1 }])
        expect((await reader.readHost())?.pid).toBe(process.pid)
        expect((await reader.openLog(key)).seqNext).toBe(2)
        await reader.close()
        await log.append(commitOf('a', 2, 'three'))
      })

      it('refuses every write', async () => {
        await log.append(commitOf('a', 0, 'one'))
        const reader = await driver.open({ ...options, readOnly: true })
        const view = await reader.openLog(key)
        await rejects(view.append(commitOf('a', 1, 'x')), 'ERR_READ_ONLY')
        await rejects(view.writeSnapshot({ seq: 1, bytes: text('x') }), 'ERR_READ_ONLY')
        await rejects(view.rejectSnapshot(1), 'ERR_READ_ONLY')
        await rejects(reader.announce('http://x'), 'ERR_READ_ONLY')
        await reader.close()
      })
    })

    it('refuses names and keys that are none', async () => {
      await rejects(store.openLog({ type: '', id: 'a' }), 'ERR_NAME')
      await rejects(store.openLog({ type: 'A', id: 'x'.repeat(5_000) }), 'ERR_NAME')
      for (const bad of ['', 'x'.repeat(5_000)]) {
        const commit = {
          ...commitOf('a', 0, 'x'),
          idempotency: [{ key: bad, seq: 0, atMs: 1_000 }],
        }
        await rejects(log.append(commit), 'ERR_INVARIANT')
        log = await store.openLog(key)
      }
      await log.append(commitOf('a', 0, 'one'))
    })

    it('refuses everything once closed, and may be closed again', async () => {
      await log.append(commitOf('a', 0, 'one'))
      await store.close()
      await store.close()
      await rejects(log.append(commitOf('a', 1, 'x')), 'ERR_CLOSING')
      await rejects(log.read(0, 1), 'ERR_CLOSING')
      await rejects(store.openLog(key), 'ERR_CLOSING')
      await rejects(store.readHost(), 'ERR_CLOSING')
    })

    it('keeps two drivers apart', async () => {
      const second = await make().open(options)
      expect(await list(second)).toEqual([])
      const other = await second.openLog(key)
      await Promise.all([
        log.append(commitOf('a', 0, 'first')),
        other.append(commitOf('a', 0, 'second')),
      ])
      expect(texts(await log.read(0, 9))).toEqual(['first'])
      expect(texts(await other.read(0, 9))).toEqual(['second'])
      await second.close()
    })
  })
}

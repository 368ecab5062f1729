/**
 * The Store contract on what ends, as tests: entries, keys and lives that are given up, actors in
 * quarantine; run against every driver.
 *
 * Owns: `trim`, `end`, `forgetKeys`, quarantine, and S7. Does not own: that their room is used again, which
 * each driver proves for itself.
 */
import { describe, expect, it } from 'vitest'
import type {
  ActorLog,
  ActorSummary,
  Commit,
  QuarantineRow,
  Store,
  StoreDriver,
} from '../../host/store/store.ts'
import { openEach } from '../support/store-each.ts'
import { commitOf, options, recordOf, rejects, text, texts } from '../support/store-fixtures.ts'

async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const row of rows) found.push(row)
  return found
}

export function describeStoreLives(name: string, make: () => StoreDriver): void {
  describe(`lives in the ${name} store`, () => {
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

    const list = (): Promise<ActorSummary[]> => collect(store.actors())

    /** Entries "0" up to `count`, one commit each, with a key each; every tenth with a snapshot. */
    async function fill(count: number, from = 0): Promise<void> {
      const waits: Promise<void>[] = []
      for (let seq = from; seq < from + count; seq++) {
        const idempotency = [{ key: `k${seq}`, seq, atMs: 1_000 + seq }]
        waits.push(log.append({ ...commitOf('a', seq, `${seq}`), idempotency }))
        if (seq % 10 === 9)
          waits.push(log.writeSnapshot({ seq: seq + 1, bytes: text(`at ${seq + 1}`) }))
      }
      await Promise.all(waits)
    }

    describe('trim', () => {
      async function expectTrimmed(before: number, seqNext: number): Promise<void> {
        expect(log.seqNext).toBe(seqNext)
        expect(log.seqFirst).toBe(before)
        const kept = Array.from({ length: seqNext - before }, (_, at) => `${before + at}`)
        expect(texts(await log.read(0, 1_000))).toEqual(['0'])
        expect(await log.read(1, 1_000)).toEqual([])
        expect(await log.read(before - 1, 1_000)).toEqual([])
        expect(texts(await log.read(before, 1_000))).toEqual(kept)
        expect(await log.readSnapshot(before - 1)).toBeNull()
        expect((await log.readSnapshot(1_000))?.seq).toBe(seqNext - (seqNext % 10))
        expect(await log.findIdempotent('k0')).toBe(0)
        expect(await log.findIdempotent('k1')).toBeNull()
        expect(await log.findIdempotent(`k${before - 1}`)).toBeNull()
        expect(await log.findIdempotent(`k${before}`)).toBe(before)
        expect(await list()).toEqual([{ ...recordOf('a'), seqNext, seqFirst: before }])
      }

      it('gives up entries, snapshots and keys before a seq, but for entry 0', async () => {
        await fill(55)
        await log.trim(37)
        log = await store.openLog(key)
        await expectTrimmed(37, 55)
        await reopen()
        await expectTrimmed(37, 55)
        await log.append(commitOf('a', 55, '55'))
        await log.trim(50)
        await reopen()
        expect(texts(await log.read(50, 100))).toEqual(['50', '51', '52', '53', '54', '55'])
        expect(await log.read(49, 100)).toEqual([])
        await reopen()
        expect(texts(await log.read(50, 100))).toEqual(['50', '51', '52', '53', '54', '55'])
      })

      it('again and again, while turns go on', async () => {
        await fill(10)
        for (let seq = 10; seq < 400; seq += 10) {
          const more = fill(10, seq)
          const trimmed = log.trim(seq - 3)
          await Promise.all([more, trimmed])
          if (seq % 130 === 0) await reopen()
        }
        log = await store.openLog(key)
        expect(log.seqFirst).toBe(387)
        expect(texts(await log.read(387, 100))).toEqual(
          Array.from({ length: 13 }, (_, at) => `${387 + at}`),
        )
        expect(texts(await log.read(0, 100))).toEqual(['0'])
        await reopen()
        expect(texts(await log.read(395, 100))).toEqual(['395', '396', '397', '398', '399'])
      })

      it('never takes back what another trim gives up at the same time', async () => {
        await fill(40)
        await Promise.all([log.trim(30), log.trim(20), log.trim(33), log.trim(31)])
        await expect(store.openLog(key)).resolves.toMatchObject({ seqFirst: 33 })
        await reopen()
        expect(log.seqFirst).toBe(33)
        expect(texts(await log.read(33, 100))).toHaveLength(7)
      })

      it('needs a snapshot to go on from, and a seq', async () => {
        await fill(25)
        await rejects(log.trim(21), 'ERR_INVARIANT')
        for (const bad of [0, -1, 1.5, Number.NaN]) await rejects(log.trim(bad), 'ERR_INVARIANT')
        await log.rejectSnapshot(20)
        await rejects(log.trim(11), 'ERR_INVARIANT')
        await log.trim(1)
        await log.trim(10)
        await log.trim(5)
        log = await store.openLog(key)
        expect(log.seqFirst).toBe(10)
        await log.append(commitOf('a', 25, 'goes on'))
        const none = await store.openLog({ type: 'Counter', id: 'none' })
        await rejects(none.trim(3), 'ERR_INVARIANT')
      })

      it('is seen by a reader beside the host, which cannot do it', async () => {
        await fill(20)
        const reader = await driver.open({ ...options, readOnly: true })
        const view = await reader.openLog(key)
        expect((await view.read(0, 100)).length).toBe(20)
        await log.trim(15)
        expect(texts(await view.read(0, 100))).toEqual(['0'])
        expect(texts(await view.read(15, 100))).toEqual(['15', '16', '17', '18', '19'])
        await rejects(view.trim(16), 'ERR_READ_ONLY')
        await reader.close()
      })
    })

    describe('end', () => {
      const last = (seq: number): Commit => ({ seq, entries: [text('deleted')], end: true })
      const effects: Pick<Commit, 'state' | 'reminders' | 'outbox'> = {
        state: [{ key: 'k', value: text('v') }],
        reminders: [{ name: 'r', dueAtMs: 5, bytes: text('b') }],
        outbox: [{ seq: 0, index: 0, bytes: text('m') }],
      }
      const again = { ...recordOf('a'), incarnation: 'second-life' }

      async function expectNothing(): Promise<void> {
        expect(log.record).toBeNull()
        expect([log.seqNext, log.seqFirst]).toEqual([0, 1])
        expect(await log.read(0, 10)).toEqual([])
        expect(await log.readSnapshot(1_000)).toBeNull()
        expect(await log.findIdempotent('k0')).toBeNull()
        expect(await log.readState('k')).toBeNull()
        expect(await log.listState('', null, 9)).toEqual([])
        expect(await log.listReminders()).toEqual([])
        expect(await store.dueReminders(1_000, 9)).toEqual([])
        expect(await store.nextReminderAtMs()).toBeNull()
        expect(await list()).toEqual([])
      }

      it('leaves nothing of a life but its messages', async () => {
        await log.append({ ...commitOf('a', 0, '0'), ...effects })
        log = await store.openLog(key)
        await fill(30, 1)
        await log.append(last(31))
        await expect(log.read(0, 10)).resolves.toEqual([])
        expect(await log.readState('k')).toBeNull()
        log = await store.openLog(key)
        await expectNothing()
        await reopen()
        await expectNothing()
        expect(texts(await store.outbox(null, 9))).toEqual(['m'])
        await store.settleOutbox(await store.outbox(null, 9))
        expect(await store.outbox(null, 9)).toEqual([])
      })

      it('lets another life begin, which shares nothing with it', async () => {
        for (let round = 0; round < 3; round++) {
          await log.append({ ...commitOf('a', 0, 'first'), ...effects })
          log = await store.openLog(key)
          await fill(10, 1)
          const ended = log.append(last(11))
          const former = log
          log = await store.openLog(key)
          await ended
          await rejects(former.append(commitOf('a', 12, 'late')), 'ERR_INVARIANT')
          await expectNothing()
          await log.append({ ...commitOf('a', 0, 'second'), create: again })
          expect(await former.read(0, 10)).toEqual([])
          expect(texts(await log.read(0, 10))).toEqual(['second'])
          expect(await log.readState('k')).toBeNull()
          expect(await log.findIdempotent('k0')).toBeNull()
          expect(await store.nextReminderAtMs()).toBeNull()
          if (round === 1) await reopen()
          log = await store.openLog(key)
          expect(log.record).toEqual(again)
          expect(await list()).toEqual([{ ...again, seqNext: 1, seqFirst: 1 }])
          await log.append(last(1))
          log = await store.openLog(key)
        }
        expect((await store.outbox(null, 9)).length).toBe(1)
      })

      it('lets another life begin while other actors never pause', async () => {
        const other = await store.openLog({ type: 'Counter', id: 'b' })
        let seq = 0
        let isDone = false
        const busy = async (): Promise<void> => {
          while (!isDone) {
            await new Promise(setImmediate)
            void other.append(commitOf('b', seq++, 'x'))
          }
        }
        const running = busy()
        for (let round = 0; round < 3; round++) {
          await log.append(commitOf('a', 0, `${round}`))
          void log.append(last(1))
          log = await store.openLog(key)
          expect(log.seqNext).toBe(0)
        }
        isDone = true
        await running
      })

      it('may be the end of the commit that began it', async () => {
        await log.append({ ...commitOf('a', 0, 'x', 'y'), ...effects, end: true })
        log = await store.openLog(key)
        await expectNothing()
        await reopen()
        await expectNothing()
        await log.append(commitOf('a', 0, 'again'))
        await reopen()
        expect(texts(await log.read(0, 9))).toEqual(['again'])
      })

      it('does not happen when its commit is refused', async () => {
        await log.append({ ...commitOf('a', 0, '0'), ...effects })
        await rejects(log.append(last(7)), 'ERR_INVARIANT')
        log = await store.openLog(key)
        expect(log.record).toEqual(recordOf('a'))
        await log.append(commitOf('a', 1, '1'))
        expect(await log.readState('k')).toEqual(text('v'))
      })

      it('is seen by a reader beside the host', async () => {
        await log.append({ ...commitOf('a', 0, '0'), ...effects })
        const reader = await driver.open({ ...options, readOnly: true })
        const view = await reader.openLog(key)
        expect(texts(await view.read(0, 9))).toEqual(['0'])
        await log.append(last(1))
        expect(await view.read(0, 9)).toEqual([])
        expect(await view.readState('k')).toBeNull()
        expect(await reader.nextReminderAtMs()).toBeNull()
        expect(await collect(reader.actors())).toEqual([])
        log = await store.openLog(key)
        await log.append({ ...commitOf('a', 0, 'second'), create: again })
        expect(texts(await view.read(0, 9))).toEqual(['second'])
        expect((await reader.openLog(key)).record).toEqual(again)
        await reader.close()
      })
    })

    describe('forgetKeys', () => {
      it('forgets keys used before a time, and only those', async () => {
        const other = await store.openLog({ type: 'Counter', id: 'b' })
        await fill(40)
        const idempotency = [{ key: 'k1', seq: 0, atMs: 1_030 }]
        await other.append({ ...commitOf('b', 0, 'x'), idempotency })
        expect(await store.forgetKeys(1_000)).toBe(0)
        expect(await store.forgetKeys(1_030)).toBe(30)
        for (let round = 0; round < 2; round++) {
          expect(await log.findIdempotent('k0')).toBeNull()
          expect(await log.findIdempotent('k29')).toBeNull()
          expect(await log.findIdempotent('k30')).toBe(30)
          await reopen()
        }
        const again = [{ key: 'k29', seq: 40, atMs: 2_000 }]
        await log.append({ ...commitOf('a', 40, 'x'), idempotency: again })
        expect(await log.findIdempotent('k29')).toBe(40)
        expect(await store.forgetKeys(1_500)).toBe(11)
        expect(await log.findIdempotent('k29')).toBe(40)
        expect(await log.read(0, 100)).toHaveLength(41)
      })

      it('can be many, while turns go on', async () => {
        const entries = Array.from({ length: 2_000 }, (_, seq) => text(`${seq}`))
        const idempotency = entries.map((_, seq) => ({ key: `k${seq}`, seq, atMs: seq }))
        await log.append({ seq: 0, entries, create: recordOf('a'), idempotency })
        const forgotten = store.forgetKeys(1_900)
        for (let seq = 2_000; seq < 2_050; seq++)
          await log.append({
            ...commitOf('a', seq, 'x'),
            idempotency: [{ key: `k${seq}`, seq, atMs: seq }],
          })
        expect(await forgotten).toBe(1_900)
        for (const seq of [0, 999, 1_899]) expect(await log.findIdempotent(`k${seq}`)).toBeNull()
        for (const seq of [1_900, 1_999, 2_049])
          expect(await log.findIdempotent(`k${seq}`)).toBe(seq)
      })
    })

    describe('open turns', () => {
      it('marks actors from the commit that says so to the one that says otherwise', async () => {
        await log.append({ ...commitOf(key.id, 0, 'a'), open: true })
        const other = await store.openLog({ type: 'Counter', id: 'b' })
        await other.append({ ...commitOf(other.key.id, 0, 'b'), open: true })
        await log.append(commitOf(key.id, 1, 'more'))
        for (let round = 0; round < 2; round++) {
          expect(await collect(store.openTurns())).toEqual([key, other.key])
          await reopen()
        }
        // In one group.
        const closing = log.append({ ...commitOf(key.id, 2, 'end'), open: false })
        await Promise.all([closing, log.append({ ...commitOf(key.id, 3, 'x'), open: true })])
        await log.append({ ...commitOf(key.id, 4, 'y'), open: false })
        expect(await collect(store.openTurns())).toEqual([other.key])
        expect(await store.hasOpenTurn(other.key)).toBe(true)
        expect(await store.hasOpenTurn(key)).toBe(false)
      })

      it('marks no actor whose turn is opened and closed at once, whatever was marked before', async () => {
        const turn = (seq: number): Promise<unknown> =>
          Promise.all([
            log.append({ ...commitOf(key.id, seq, 'opened'), open: true }),
            log.append({ ...commitOf(key.id, seq + 1, 'closed'), open: false }),
          ])
        await turn(0)
        expect(await collect(store.openTurns())).toEqual([])
        await log.append({ ...commitOf(key.id, 2, 'opened'), open: true })
        await Promise.all([log.append({ ...commitOf(key.id, 3, 'closed'), open: false }), turn(4)])
        expect(await collect(store.openTurns())).toEqual([])
        await log.append({ ...commitOf(key.id, 6, 'opened'), open: true })
        await reopen()
        await log.append({ ...commitOf(key.id, 7, 'closed'), open: false })
        expect(await collect(store.openTurns())).toEqual([])
      })

      it('keeps the mark of a turn whose end failed', async () => {
        await log.append({ ...commitOf(key.id, 0, 'opened'), open: true })
        const lost = log.append({
          ...commitOf(key.id, 1, 'closed'),
          open: false,
          after: Promise.reject(new Error('no space')),
        })
        await rejects(lost, 'ERR_STORE')
        log = await store.openLog(key)
        expect(await collect(store.openTurns())).toEqual([key])
        await log.append({ ...commitOf(key.id, 1, 'closed'), open: false })
        expect(await collect(store.openTurns())).toEqual([])
        await reopen()
        expect(await collect(store.openTurns())).toEqual([])
      })

      it('forgets the mark with the life', async () => {
        await log.append({ ...commitOf(key.id, 0, 'a'), open: true })
        await log.append({ ...commitOf(key.id, 1, 'deleted'), end: true })
        expect(await collect(store.openTurns())).toEqual([])
      })
    })

    describe('quarantine', () => {
      const row = (id: string, code = 'ERR_DIVERGENCE', type = 'Counter'): QuarantineRow => ({
        key: { type, id },
        atMs: 77,
        code,
        message: `${id} differs`,
      })

      it('marks actors until they are released', async () => {
        expect(await store.readQuarantine(key)).toBeNull()
        await store.quarantine(row('b'))
        await store.quarantine(row('a', 'ERR_JOURNAL_CORRUPT'))
        await store.quarantine(row('a'))
        await store.quarantine(row('z', 'ERR_DIVERGENCE', 'Account'))
        for (let round = 0; round < 2; round++) {
          expect(await store.readQuarantine(key)).toEqual(row('a'))
          expect(await collect(store.quarantined())).toEqual([
            row('z', 'ERR_DIVERGENCE', 'Account'),
            row('a'),
            row('b'),
          ])
          await reopen()
        }
        await store.release(key)
        await store.release(key)
        expect(await store.readQuarantine(key)).toBeNull()
        expect((await collect(store.quarantined())).map((found) => found.key.id)).toEqual([
          'z',
          'b',
        ])
      })

      it('can be many, in order', async () => {
        const rows = Array.from({ length: 150 }, (_, index) => row(`actor-${1_000 + index}`))
        await Promise.all(rows.toReversed().map((one) => store.quarantine(one)))
        expect(await collect(store.quarantined())).toEqual(rows)
      })

      it('is read beside the host, and written by the host alone', async () => {
        const reader = await driver.open({ ...options, readOnly: true })
        await store.quarantine(row('a'))
        expect(await reader.readQuarantine(key)).toEqual(row('a'))
        await rejects(reader.quarantine(row('b')), 'ERR_READ_ONLY')
        await rejects(reader.release(key), 'ERR_READ_ONLY')
        await rejects(reader.forgetKeys(1), 'ERR_READ_ONLY')
        await reader.close()
        const other = await driver.open({ ...options, takeOver: true })
        await rejects(store.release(key), 'ERR_FENCED')
        expect(await other.readQuarantine(key)).toEqual(row('a'))
        await other.close()
      })
    })

    it('S7: commits of all logs become durable in the order of the calls', async () => {
      const logs = await Promise.all(
        ['a', 'b', 'c', 'd'].map((id) => store.openLog({ type: 'Counter', id })),
      )
      const order: number[] = []
      const seqs = logs.map(() => 0)
      const waits: Promise<unknown>[] = []
      for (let call = 0; call < 200; call++) {
        const at = (call * 7 + (call >> 3)) % logs.length
        const to = logs[at]
        const seq = seqs[at] ?? 0
        seqs[at] = seq + 1
        const entry = { seq, entries: [text(`${call}`)] }
        const create = seq === 0 ? { create: recordOf(['a', 'b', 'c', 'd'][at] ?? '') } : {}
        if (to !== undefined)
          waits.push(to.append({ ...entry, ...create }).then(() => order.push(call)))
        if (call % 17 === 0) await new Promise(setImmediate)
      }
      await Promise.all(waits)
      expect(order).toEqual(Array.from({ length: 200 }, (_, call) => call))
    })
  })
}

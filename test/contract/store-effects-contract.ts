/**
 * The Store contract's effects as tests: keyed state, reminders, the outbox; run against every driver.
 *
 * Owns: S8, the order of what is listed, the rules on names. Does not own: death of processes (test/fault/).
 */
import { describe, expect, it } from 'vitest'
import { isLoomError } from '../../host/base/errors.ts'
import { REMINDER_NAME_SIZE_MAX_BYTES, STATE_KEY_SIZE_MAX_BYTES } from '../../host/base/limits.ts'
import type { ActorLog, Commit, OutboxRow, Store, StoreDriver } from '../../host/store/store.ts'
import { openEach } from '../support/store-each.ts'
import { commitOf, options, rejects, text, texts } from '../support/store-fixtures.ts'

type Effects = Pick<Commit, 'state' | 'reminders' | 'outbox'>

const value = async (log: ActorLog, key: string): Promise<string | null> => {
  const bytes = await log.readState(key)
  return bytes === null ? null : new TextDecoder().decode(bytes)
}

const keysOf = async (log: ActorLog, prefix = '', after: string | null = null, countMax = 1_000) =>
  (await log.listState(prefix, after, countMax)).map(({ key }) => key)

const put = (key: string, of = `value of ${key}`) => ({ key, value: text(of) })
const due = (name: string, dueAtMs: number, of = name) => ({ name, dueAtMs, bytes: text(of) })
const cancel = (name: string) => ({ name, dueAtMs: null })

/** What a test compares of messages. */
const brief = (rows: readonly OutboxRow[]): string[] =>
  rows.map(
    ({ sender, incarnation, seq, index, bytes }) =>
      `${sender.type}/${sender.id} ${incarnation} ${seq}.${index} ${new TextDecoder().decode(bytes)}`,
  )

export function describeStoreEffects(name: string, make: () => StoreDriver): void {
  describe(`the effects of the ${name} store`, () => {
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

    /** One commit of one entry with `effects`, at the end of the journal of `id`. */
    async function commit(seq: number, effects: Effects, id = 'a'): Promise<void> {
      const to = id === 'a' ? log : await store.openLog({ type: 'Counter', id })
      await to.append({ ...commitOf(id, seq, `entry ${seq}`), ...effects })
    }

    describe('keyed state', () => {
      it('is what the last commit of each key said, and survives', async () => {
        await commit(0, { state: [put('a', '1'), put('b', '1')] })
        await commit(1, { state: [put('b', '2'), put('c', '2')] })
        await commit(2, {
          state: [
            { key: 'a', value: null },
            { key: 'none', value: null },
          ],
        })
        for (let round = 0; round < 2; round++) {
          expect(await value(log, 'a')).toBeNull()
          expect(await value(log, 'b')).toBe('2')
          expect(await value(log, 'c')).toBe('2')
          expect(await value(log, 'none')).toBeNull()
          expect(await keysOf(log)).toEqual(['b', 'c'])
          await reopen()
        }
        await commit(3, { state: [put('a', '4')] })
        expect(await value(log, 'a')).toBe('4')
      })

      it('shows nothing of a commit before it is durable, and all of it afterwards', async () => {
        const first = log.append({ ...commitOf('a', 0, 'x'), state: [put('a', '1')] })
        expect(await value(log, 'a')).toBeNull()
        expect(await keysOf(log)).toEqual([])
        await first
        expect(await value(log, 'a')).toBe('1')
        const waits = Array.from({ length: 20 }, (_, index) =>
          log.append({ ...commitOf('a', index + 1, 'x'), state: [put('a', `${index + 2}`)] }),
        )
        await Promise.all(waits)
        expect(await value(log, 'a')).toBe('21')
      })

      it('belongs to one actor', async () => {
        await commit(0, { state: [put('k', 'of a')] })
        await commit(0, { state: [put('k', 'of b')] }, 'b')
        const other = await store.openLog({ type: 'Counter', id: 'b' })
        expect(await value(log, 'k')).toBe('of a')
        expect(await value(other, 'k')).toBe('of b')
        const none = await store.openLog({ type: 'Counter', id: 'none' })
        expect(await value(none, 'k')).toBeNull()
        expect(await keysOf(none)).toEqual([])
      })

      it('is listed in the order of UTF-8 bytes, by prefix and in pages', async () => {
        const keys = [
          'a',
          'a\0',
          'a/1',
          'a/2',
          'ab',
          'b',
          'é',
          '\u{ffee}',
          '\u{1f600}',
          '\u{1f600}x',
        ]
        await commit(0, { state: keys.toReversed().map((name) => put(name)) })
        for (let round = 0; round < 2; round++) {
          expect(await keysOf(log)).toEqual(keys)
          expect(await keysOf(log, 'a')).toEqual(keys.slice(0, 5))
          expect(await keysOf(log, 'a/')).toEqual(['a/1', 'a/2'])
          expect(await keysOf(log, '\u{1f600}')).toEqual(['\u{1f600}', '\u{1f600}x'])
          expect(await keysOf(log, 'zz')).toEqual([])
          expect(await keysOf(log, '', 'b')).toEqual(keys.slice(6))
          expect(await keysOf(log, '', 'aa')).toEqual(keys.slice(4))
          expect(await keysOf(log, 'b', 'a')).toEqual(['b'])
          expect(await keysOf(log, 'a', 'b')).toEqual([])
          const paged: string[] = []
          for (let page = await keysOf(log, '', null, 3); page.length > 0; ) {
            paged.push(...page)
            page = await keysOf(log, '', page.at(-1) ?? '', 3)
          }
          expect(paged).toEqual(keys)
          expect((await log.listState('é', null, 1))[0]?.value).toEqual(text('value of é'))
          expect(await keysOf(log, '', null, 0)).toEqual([])
          await reopen()
        }
      })

      it('takes keys and values up to their limits, and refuses what is none', async () => {
        const long = 'ж'.repeat(STATE_KEY_SIZE_MAX_BYTES / 2)
        const large = Buffer.alloc(3_000_000, 7)
        await commit(0, { state: [put(long), { key: 'large', value: large }, put('empty', '')] })
        await reopen()
        expect(await value(log, long)).toBe(`value of ${long}`)
        expect(Buffer.compare((await log.readState('large')) ?? text(''), large)).toBe(0)
        expect(await value(log, 'empty')).toBe('')
        const twice = [put('a'), { key: 'a', value: null }]
        for (const state of [[put(`${long}x`)], [put('')], [put('\ud800')], twice]) {
          await rejects(log.append({ ...commitOf('a', 1, 'x'), state }), 'ERR_INVARIANT')
          log = await store.openLog(key)
        }
        await commit(1, {})
        expect(await keysOf(log)).toEqual(['empty', 'large', long])
      })

      it('is not what the caller changed afterwards, and a reader may keep and change it', async () => {
        const bytes = text('before')
        const pending = log.append({
          ...commitOf('a', 0, 'x'),
          state: [{ key: 'k', value: bytes }],
        })
        bytes.fill(0)
        await pending
        const read = await log.readState('k')
        expect(read).toEqual(text('before'))
        read?.fill(0)
        const [row] = await log.listState('', null, 9)
        row?.value.fill(0)
        expect(await value(log, 'k')).toBe('before')
      })
    })

    describe('reminders', () => {
      const dueNames = async (atMs: number, countMax = 100) =>
        (await store.dueReminders(atMs, countMax)).map((row) => `${row.key.id} ${row.name}`)

      it('come due soonest first, of all actors', async () => {
        expect(await store.nextReminderAtMs()).toBeNull()
        await commit(0, { reminders: [due('late', 300), due('soon', 100)] })
        await commit(0, { reminders: [due('soon', 200, 'bytes')] }, 'b')
        for (let round = 0; round < 2; round++) {
          expect(await store.nextReminderAtMs()).toBe(100)
          expect(await dueNames(99)).toEqual([])
          expect(await dueNames(100)).toEqual(['a soon'])
          expect(await dueNames(1_000)).toEqual(['a soon', 'b soon', 'a late'])
          expect(await dueNames(1_000, 2)).toEqual(['a soon', 'b soon'])
          expect((await store.dueReminders(200, 9))[1]).toEqual({
            key: { type: 'Counter', id: 'b' },
            ...due('soon', 200, 'bytes'),
          })
          expect(await log.listReminders()).toEqual([due('late', 300), due('soon', 100)])
          await reopen()
        }
      })

      it('are set anew and cancelled, within one group of commits too', async () => {
        await commit(0, { reminders: [due('x', 100)] })
        await Promise.all([
          log.append({ ...commitOf('a', 1, '1'), reminders: [due('x', 200), due('y', 50)] }),
          log.append({ ...commitOf('a', 2, '2'), reminders: [cancel('y'), due('z', 10)] }),
          log.append({ ...commitOf('a', 3, '3'), reminders: [due('z', 400), cancel('none')] }),
          log.append({ ...commitOf('a', 4, '4'), reminders: [due('y', 60), cancel('x')] }),
          log.append({ ...commitOf('a', 5, '5'), reminders: [due('x', 200, 'again')] }),
        ])
        for (let round = 0; round < 2; round++) {
          expect(await dueNames(1_000)).toEqual(['a y', 'a x', 'a z'])
          expect(await store.nextReminderAtMs()).toBe(60)
          expect(await log.listReminders()).toEqual([
            due('x', 200, 'again'),
            due('y', 60),
            due('z', 400),
          ])
          await reopen()
        }
        await commit(6, { reminders: [cancel('x'), cancel('y'), cancel('z')] })
        expect(await store.nextReminderAtMs()).toBeNull()
        expect(await dueNames(1_000)).toEqual([])
        expect(await log.listReminders()).toEqual([])
      })

      it('change while earlier commits are still on their way', async () => {
        const waits: Promise<void>[] = []
        for (let seq = 0; seq < 60; seq++) {
          waits.push(
            log.append({ ...commitOf('a', seq, 'x'), reminders: [due('one', 1_000 + seq)] }),
          )
          if (seq % 7 === 0) await new Promise(setImmediate)
          if (seq % 20 === 0) await waits.at(-1)
        }
        await Promise.all(waits)
        expect(await dueNames(5_000)).toEqual(['a one'])
        expect(await store.nextReminderAtMs()).toBe(1_059)
      })

      it('can be many at one time, and are seen in pages', async () => {
        const reminders = Array.from({ length: 200 }, (_, index) => due(`r${1000 + index}`, 77))
        await commit(0, { reminders })
        expect((await dueNames(77)).length).toBe(100)
        expect((await dueNames(77, 1_000)).length).toBe(200)
        expect((await log.listReminders()).map(({ name }) => name)).toEqual(
          reminders.map(({ name }) => name),
        )
      })

      it('take names and times up to their limits, and refuse what is none', async () => {
        const long = 'é'.repeat(REMINDER_NAME_SIZE_MAX_BYTES / 2)
        const last = 2 ** 48 - 1
        await commit(0, { reminders: [due(long, last), due('first', 0)] })
        expect(await dueNames(0)).toEqual(['a first'])
        expect(await dueNames(last)).toEqual(['a first', `a ${long}`])
        expect(await dueNames(Number.MAX_SAFE_INTEGER)).toEqual(['a first', `a ${long}`])
        for (const bad of [
          [due(`${long}x`, 1)],
          [due('', 1)],
          [due('x', -1)],
          [due('x', 1.5)],
          [due('x', last + 1)],
          [due('x', Number.NaN)],
          [due('x', 1), cancel('x')],
        ]) {
          await rejects(log.append({ ...commitOf('a', 1, 'x'), reminders: bad }), 'ERR_INVARIANT')
          log = await store.openLog(key)
        }
        await commit(1, {})
      })
    })

    describe('the outbox', () => {
      const message = (seq: number, index: number, of: string) => ({ seq, index, bytes: text(of) })

      it('keeps messages in order of sender and seq until they are settled', async () => {
        await commit(0, { outbox: [message(0, 1, 'second'), message(0, 0, 'first')] })
        await commit(0, { outbox: [message(0, 0, 'of b')] }, 'b')
        await log.append({
          ...commitOf('a', 1, 'x', 'y'),
          outbox: [message(2, 0, 'fourth'), message(1, 0, 'third')],
        })
        const all = [
          'Counter/a life-of-a 0.0 first',
          'Counter/a life-of-a 0.1 second',
          'Counter/a life-of-a 1.0 third',
          'Counter/a life-of-a 2.0 fourth',
          'Counter/b life-of-b 0.0 of b',
        ]
        for (let round = 0; round < 2; round++) {
          expect(brief(await store.outbox(null, 100))).toEqual(all)
          const [one, two] = await store.outbox(null, 2)
          expect(brief(await store.outbox(two ?? null, 2))).toEqual(all.slice(2, 4))
          expect(brief(await store.outbox(one ?? null, 1))).toEqual([all[1]])
          await reopen()
        }
        const rows = await store.outbox(null, 100)
        await store.settleOutbox([rows[1], rows[4]].filter((row) => row !== undefined))
        await store.settleOutbox([])
        // Once more is no error: the host may have died in between.
        await store.settleOutbox(rows.slice(1, 2))
        for (let round = 0; round < 2; round++) {
          const left = all.filter((_, index) => index !== 1 && index !== 4)
          expect(brief(await store.outbox(null, 100))).toEqual(left)
          expect(brief(await store.outbox(rows[1] ?? null, 100))).toEqual(left.slice(1))
          await reopen()
        }
      })

      it('shows no message before its commit is durable', async () => {
        const pending = log.append({ ...commitOf('a', 0, 'x'), outbox: [message(0, 0, 'm')] })
        expect(await store.outbox(null, 9)).toEqual([])
        await pending
        expect(texts(await store.outbox(null, 9))).toEqual(['m'])
      })

      it('refuses a message outside of its commit, or two at one place', async () => {
        for (const bad of [
          [message(1, 0, 'x')],
          [message(0, -1, 'x')],
          [message(0, 2 ** 32, 'x')],
          [message(0, 0, 'x'), message(0, 0, 'y')],
        ]) {
          await rejects(log.append({ ...commitOf('a', 0, 'x'), outbox: bad }), 'ERR_INVARIANT')
          log = await store.openLog(key)
        }
        expect(await store.outbox(null, 9)).toEqual([])
      })
    })

    describe('S8: all of a commit or nothing', () => {
      const effects = (of: string): Effects => ({
        state: [put('k', of), put(`k ${of}`)],
        reminders: [due('r', 500, of)],
        outbox: [],
      })

      async function expectOnly(of: string, seqNext: number): Promise<void> {
        const view = await store.openLog(key)
        expect(view.seqNext).toBe(seqNext)
        expect(await value(view, 'k')).toBe(of)
        expect(await keysOf(view)).toEqual(['k', `k ${of}`])
        expect(await view.listReminders()).toEqual([due('r', 500, of)])
        expect((await store.dueReminders(10_000, 9)).length).toBe(1)
        expect(await store.outbox(null, 9)).toEqual([])
      }

      it('of one that is refused, and of those behind it', async () => {
        await commit(0, effects('good'))
        const bad = log.append({ ...commitOf('a', 5, 'x'), ...effects('bad') })
        const later = log.append({ ...commitOf('a', 1, 'x'), ...effects('bad') })
        await rejects(bad, 'ERR_INVARIANT')
        await rejects(later, 'ERR_INVARIANT')
        await expectOnly('good', 1)
        await reopen()
        await expectOnly('good', 1)
        log = await store.openLog(key)
        await log.append({ ...commitOf('a', 1, 'x'), reminders: [due('r', 900, 'moved')] })
        expect(await store.nextReminderAtMs()).toBe(900)
      })

      it('of one that is fenced: no put, and no removal either', async () => {
        await commit(0, { ...effects('good'), outbox: [{ seq: 0, index: 0, bytes: text('m') }] })
        const [sent] = await store.outbox(null, 9)
        const other = await driver.open({ ...options, takeOver: true })
        const stale: Commit = {
          ...commitOf('a', 1, 'stale'),
          state: [{ key: 'k', value: null }, { key: 'k good', value: null }, put('k bad')],
          reminders: [cancel('r'), due('bad', 1)],
          outbox: [{ seq: 1, index: 0, bytes: text('bad') }],
          end: true,
        }
        await rejects(log.append(stale), 'ERR_FENCED')
        if (sent !== undefined) await rejects(store.settleOutbox([sent]), 'ERR_FENCED')
        const former = store
        store = other
        expect(brief(await store.outbox(null, 9))).toEqual(brief(sent === undefined ? [] : [sent]))
        expect(sent).toBeDefined()
        await store.settleOutbox(await store.outbox(null, 9))
        await expectOnly('good', 1)
        await former.close()
      })
    })

    describe('opened for reading', () => {
      it('sees state, reminders and messages beside a live host, and sees them change', async () => {
        const reader = await driver.open({ ...options, readOnly: true })
        const view = await reader.openLog(key)
        expect(await value(view, 'k')).toBeNull()
        const outbox = [{ seq: 0, index: 0, bytes: text('m') }]
        await commit(0, { state: [put('k', '1')], reminders: [due('r', 5)], outbox })
        expect(await value(view, 'k')).toBe('1')
        expect(await keysOf(view)).toEqual(['k'])
        expect(await view.listReminders()).toEqual([due('r', 5)])
        expect((await reader.dueReminders(5, 9)).length).toBe(1)
        expect(await reader.nextReminderAtMs()).toBe(5)
        expect(texts(await reader.outbox(null, 9))).toEqual(['m'])
        await commit(1, { state: [put('k', '2')], reminders: [cancel('r')] })
        await store.settleOutbox(await store.outbox(null, 9))
        expect(await value(view, 'k')).toBe('2')
        expect(await reader.nextReminderAtMs()).toBeNull()
        expect(await reader.outbox(null, 9)).toEqual([])
        await rejects(
          reader.settleOutbox([{ sender: key, incarnation: 'x', seq: 0, index: 0 }]),
          'ERR_READ_ONLY',
        )
        await reader.close()
      })
    })

    it('finds the key of a commit that is on its way', async () => {
      const idempotency = [{ key: 'k', seq: 0, atMs: 1 }]
      const pending = log.append({ ...commitOf('a', 0, 'x'), idempotency })
      expect(await log.findIdempotent('k')).toBe(0)
      await pending
      expect(await log.findIdempotent('k')).toBe(0)
      const bad = log.append({
        ...commitOf('a', 3, 'x'),
        idempotency: [{ key: 'b', seq: 3, atMs: 1 }],
      })
      await rejects(bad, 'ERR_INVARIANT')
      expect(await log.findIdempotent('b')).toBeNull()
    })

    it('never throws out of a read that need not wait: it rejects once closed', async () => {
      await store.close()
      for (const read of [
        () => log.readState('k'),
        () => log.listState('', null, 9),
        () => log.findIdempotent('k'),
      ]) {
        const result = Promise.resolve(read())
        const error = await result.catch((reason: unknown) => reason)
        expect(isLoomError(error) && error.code).toBe('ERR_CLOSING')
      }
      await rejects(store.outbox(null, 1), 'ERR_CLOSING')
      await rejects(store.dueReminders(1, 1), 'ERR_CLOSING')
      await rejects(store.nextReminderAtMs(), 'ERR_CLOSING')
      await rejects(log.listReminders(), 'ERR_CLOSING')
      await rejects(
        store.settleOutbox([{ sender: key, incarnation: 'x', seq: 0, index: 0 }]),
        'ERR_CLOSING',
      )
    })
  })
}

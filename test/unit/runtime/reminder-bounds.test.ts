// Aim: however many reminders come due at once, only a few ticks begin in one turn of the event loop, and those that
// wait are not asked for again and again. Method: a store and a pool of the test that count; a virtual clock.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../host/base/clock.ts'
import { LoomError } from '../../../host/base/errors.ts'
import {
  REMINDERS_IN_FLIGHT_MAX,
  REMINDERS_STARTED_AT_ONCE_MAX,
} from '../../../host/base/limits.ts'
import type { ActorKey } from '../../../host/base/names.ts'
import type { Pool } from '../../../host/pool/pool.ts'
import { Reminders } from '../../../host/runtime/reminders.ts'
import type { DueReminder } from '../../../host/store/store.ts'
import { macrotasks } from '../../support/host.ts'

interface Counted {
  readonly begun: () => number
  readonly mostAtOnce: () => number
  readonly mostRows: () => number
  readonly rows: () => number
}

/** Reminders of `count` actors that are due now, and ticks that never end. */
async function runDue(count: number): Promise<Counted & { readonly reminders: Reminders }> {
  const clock = new VirtualClock()
  const dueAtMs = clock.wallMs() - 1
  const all = Array.from({ length: count }, (_, index): DueReminder => {
    const key = { type: 'T', id: String(index).padStart(6, '0') }
    return { key, name: 'r', dueAtMs, bytes: new Uint8Array() }
  })
  let [begun, atOnce, mostAtOnce, rows, mostRows, rowsNow] = [0, 0, 0, 0, 0, 0]
  let isOn = true
  const turn = (): void => {
    mostAtOnce = Math.max(mostAtOnce, atOnce)
    mostRows = Math.max(mostRows, rowsNow)
    ;[atOnce, rowsNow] = [0, 0]
    if (isOn) setImmediate(turn)
  }
  setImmediate(turn)
  const reminders = new Reminders({
    clock,
    store: {
      readReminder: async () => null,
      dueReminders: async (_, countMax, after = null) => {
        const from = after === null ? 0 : Number(after.key.id) + 1
        const page = all.slice(from, from + countMax)
        rows += page.length
        rowsNow += page.length
        return page
      },
    },
    pool: {
      acquire: () => {
        begun++
        atOnce++
        return new Promise(() => {})
      },
    } as unknown as Pool,
    warn: () => {},
  })
  reminders.start()
  await macrotasks(300)
  isOn = false
  return {
    reminders,
    begun: () => begun,
    mostAtOnce: () => mostAtOnce,
    mostRows: () => mostRows,
    rows: () => rows,
  }
}

test('few ticks begin at once, and all of them begin, up to what may be under way', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 * REMINDERS_IN_FLIGHT_MAX }), async (count) => {
      const { reminders, begun, mostAtOnce, mostRows } = await runDue(count)
      expect(begun()).toBe(Math.min(count, REMINDERS_IN_FLIGHT_MAX))
      expect(mostAtOnce()).toBeLessThanOrEqual(REMINDERS_STARTED_AT_ONCE_MAX)
      expect(mostRows()).toBeLessThanOrEqual(REMINDERS_STARTED_AT_ONCE_MAX + 1)
      reminders.close()
    }),
    { numRuns: 10, examples: [[0], [16], [17], [1_024], [1_025]] },
  )
})

test('with as many under way as may be, nobody asks the store until one ends', async () => {
  const { reminders, rows } = await runDue(3 * REMINDERS_IN_FLIGHT_MAX)
  const asked = rows()
  await macrotasks(50)
  expect(rows()).toBe(asked)
  expect(asked).toBeLessThanOrEqual(REMINDERS_IN_FLIGHT_MAX + 2 * REMINDERS_STARTED_AT_ONCE_MAX)
  reminders.close()
})

test('what waits is not asked of the store again when another tick is due', async () => {
  const clock = new VirtualClock()
  const rowOf = (id: string, dueAtMs: number): DueReminder => {
    return { key: { type: 'T', id }, name: 'r', dueAtMs, bytes: new Uint8Array() }
  }
  const blockedCount = 2_000
  const all = Array.from({ length: blockedCount }, (_, index) =>
    rowOf(`a${String(index).padStart(6, '0')}`, clock.wallMs() - 1),
  )
  let operations = 0
  const refused: string[] = []
  const reminders = new Reminders({
    clock,
    store: {
      readReminder: async (key) => {
        operations++
        return all.find((row) => row.key.id === key.id) ?? null
      },
      dueReminders: async (atMs, countMax, after = null) => {
        const page = all
          .filter((row) => row.dueAtMs <= atMs && (after === null || isBehind(row, after)))
          .slice(0, countMax)
        operations += 1 + page.length
        return page
      },
    },
    pool: {
      acquire: async ({ id }: ActorKey) => {
        refused.push(id)
        throw new LoomError('ERR_BUSY', 'there is no room')
      },
    } as unknown as Pool,
    warn: () => {},
  })
  reminders.start()
  while (refused.length < blockedCount) await macrotasks(1)
  await macrotasks(20)
  operations = 0
  for (let tick = 0; tick < 9; tick++) {
    clock.advance(100)
    const row = rowOf(`z${tick}`, clock.wallMs())
    all.push(row)
    reminders.changed(row.key, [row])
    await macrotasks(20)
  }
  expect(refused.slice(blockedCount)).toEqual(Array.from({ length: 9 }, (_, tick) => `z${tick}`))
  // Per tick: its page, and the look ahead, once more at its end.
  expect(operations).toBeLessThan(9 * 10)
  // When their pause is over, each of them is read once, and those that are gone are not tried again.
  all.splice(0, blockedCount / 2)
  operations = 0
  clock.advance(1_000)
  while (refused.length < blockedCount * 1.5 + 9) await macrotasks(1)
  await macrotasks(20)
  expect(operations).toBeLessThan(blockedCount * 1.2)
  reminders.close()
})

function isBehind(row: DueReminder, after: Pick<DueReminder, 'dueAtMs' | 'key'>): boolean {
  return row.dueAtMs > after.dueAtMs || (row.dueAtMs === after.dueAtMs && row.key.id > after.key.id)
}

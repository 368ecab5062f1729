/**
 * Reminders: what is kept of one, and how a tick changes it.
 *
 *     MessagePack array: version, incarnation, due, period, ttl, missed, data, seq that set it,
 *                        first tick (ms), next tick (ms), failed attempts at that tick
 *
 * Owns: these bytes, which tick is to be run now, what is left after it. Does not own: the series of times
 * (schedule.ts), when anybody looks (runtime/reminders.ts).
 *
 * Invariants:
 *   RE1. The next tick only ever moves forward, and does so in the commit of the turn that ran it: a clock that
 *        goes back repeats none.
 *   RE2. A tick whose turn failed is run again `REMINDER_RETRY_COUNT_MAX` times, then given up.
 */
import { createHash } from 'node:crypto'
import { LoomError } from '../../base/errors.ts'
import {
  REMINDER_RETRY_COUNT_MAX,
  REMINDER_RETRY_MS,
  TICK_LATE_MAX_MS,
  TIME_MAX_MS,
} from '../../base/limits.ts'
import { INTERNAL_KEY_PREFIX } from '../../base/names.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import type { ReminderInfo } from '../../hostcalls/host-interface.ts'
import type { Effect, ScheduleText, TurnOutcome } from '../../journal/entry.ts'
import { packValue, unpackValue } from '../../journal/values.ts'
import type { ReminderChange, ReminderRow } from '../../store/store.ts'
import { parseSchedule, type Schedule } from './schedule.ts'

const VERSION = 1

export interface Reminder {
  readonly name: string
  /** Life of the actor that set it. */
  readonly incarnation: string
  readonly schedule: ScheduleText
  readonly data: WitValue
  /** Seq of the entry whose turn set it. */
  readonly setSeq: number
  /** Times of the first tick and of the next one. Units: milliseconds since 1970-01-01T00:00:00Z. */
  readonly firstMs: number
  readonly dueMs: number
  /** How often the next tick has failed. */
  readonly attempts: number
}

export function infoOf({ name, schedule, data, dueMs }: Reminder): ReminderInfo {
  return { name, schedule, data, dueAtMs: dueMs }
}

export type RemindEffect = Effect & { readonly kind: 'remind' | 'timer' }

/** Where in which journal an effect stands. */
export interface EffectPlace {
  readonly incarnation: string
  readonly seq: number
  readonly atMs: number
}

/** What setting a reminder writes: nothing is left of one whose time is over. */
export function setReminder(effect: RemindEffect, place: EffectPlace): ReminderChange {
  const { name, schedule, data } = effect
  const { incarnation, seq: setSeq, atMs } = place
  const firstMs = parseSchedule(schedule).first(atMs)
  if (firstMs === null) return { name, dueAtMs: null }
  const times = { setSeq, firstMs, dueMs: firstMs, attempts: 0 }
  return rowOf({ name, incarnation, schedule, data, ...times }, firstMs)
}

function rowOf(reminder: Reminder, dueAtMs: number): ReminderChange {
  const { name, incarnation, schedule, data, setSeq, firstMs, dueMs, attempts } = reminder
  const { due, period, ttl, missed } = schedule
  const when = [due, period, ttl, missed]
  const bytes = packValue([
    VERSION,
    incarnation,
    ...when,
    data,
    setSeq,
    firstMs,
    dueMs,
    attempts,
  ] as WitValue)
  return { name, dueAtMs: Math.min(Math.max(0, Math.round(dueAtMs)), TIME_MAX_MS), bytes }
}

/** @throws ERR_STORE when the bytes are not what was written. */
export function decodeReminder(name: string, bytes: Uint8Array): Reminder {
  const cells = unpackValue(bytes)
  if (!Array.isArray(cells) || cells[0] !== VERSION)
    throw new LoomError('ERR_STORE', `reminder ${JSON.stringify(name)} cannot be read`)
  const [, incarnation, due, period, ttl, missed, data, setSeq, firstMs, dueMs, attempts] =
    cells as [
      number,
      string,
      string,
      string | null,
      string | null,
      ScheduleText['missed'],
      WitValue,
      number,
      number,
      number,
      number,
    ]
  const schedule = { due, period, ttl, missed }
  return { name, incarnation, schedule, data, setSeq, firstMs, dueMs, attempts }
}

/** The reminder in another life; as it is when it cannot be read. */
export function withIncarnation(row: ReminderRow, incarnation: string): ReminderRow {
  const { name, dueAtMs } = row
  try {
    const reminder = { ...decodeReminder(name, row.bytes), incarnation }
    const changed = rowOf(reminder, dueAtMs)
    return changed.dueAtMs === null ? row : changed
  } catch {
    return row
  }
}

/**
 * run: the tick of `dueMs` is to be run now. wait: nothing is until `untilMs`. over: no tick is left.
 */
export type TickPlan =
  | { readonly kind: 'run'; readonly dueMs: number }
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'over' }

/** What is to be done at `nowMs`, by the policy on ticks that were missed. */
export function planTick(reminder: Reminder, nowMs: number): TickPlan {
  const { dueMs, firstMs, attempts } = reminder
  if (dueMs > nowMs) return { kind: 'wait', untilMs: dueMs }
  if (attempts > 0) return { kind: 'run', dueMs }
  return plan(parseSchedule(reminder.schedule), firstMs, dueMs, nowMs)
}

/** As `planTick`, for a series whose next tick is due. */
export function plan(schedule: Schedule, firstMs: number, dueMs: number, nowMs: number): TickPlan {
  if (schedule.missed === 'all') return { kind: 'run', dueMs }
  const latestMs = Math.max(dueMs, schedule.latest(firstMs, nowMs))
  if (schedule.missed === 'once' || nowMs - latestMs <= TICK_LATE_MAX_MS)
    return { kind: 'run', dueMs: latestMs }
  const nextMs = schedule.next(firstMs, latestMs)
  return nextMs === null ? { kind: 'over' } : { kind: 'wait', untilMs: nextMs }
}

/** What is left of a reminder when the turn of its tick of `dueMs` has ended (RE1, RE2). */
export function afterTick(
  reminder: Reminder,
  dueMs: number,
  outcome: TurnOutcome,
  nowMs: number,
): ReminderChange {
  const { name, firstMs, attempts } = reminder
  if (outcome.kind === 'failed' && attempts < REMINDER_RETRY_COUNT_MAX)
    return rowOf({ ...reminder, dueMs, attempts: attempts + 1 }, nowMs + REMINDER_RETRY_MS)
  const nextMs = parseSchedule(reminder.schedule).next(firstMs, dueMs)
  if (nextMs === null) return { name, dueAtMs: null }
  return rowOf({ ...reminder, dueMs: nextMs, attempts: 0 }, nextMs)
}

/** A tick, as its idempotency key names it. */
export interface TickId {
  readonly setSeq: number
  readonly dueMs: number
  readonly attempts: number
}

/** Idempotency key of a tick: no other turn, of whatever life of whatever actor, has it. */
export function tickKey({ incarnation, name, setSeq, attempts }: Reminder, dueMs: number): string {
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 32)
  return `${TICK_KEY_PREFIX}${incarnation}/${hash}/${setSeq}/${dueMs}/${attempts}`
}

const TICK_KEY_PREFIX = `${INTERNAL_KEY_PREFIX}remind/`
const TICK_KEY_TAIL = /\/(\d+)\/(\d+)\/(\d+)$/

/** The tick that a key names, or null when it is none of a tick. */
export function parseTickKey(key: string | null): TickId | null {
  if (key === null || !key.startsWith(TICK_KEY_PREFIX)) return null
  const [, setSeq, dueMs, attempts] = TICK_KEY_TAIL.exec(key) ?? []
  return { setSeq: Number(setSeq), dueMs: Number(dueMs), attempts: Number(attempts) }
}

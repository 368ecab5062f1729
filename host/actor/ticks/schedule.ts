/**
 * Schedules: when a reminder or timer is due, from the texts of its author.
 *
 *     due      a time (RFC 3339) or a duration; empty: at once
 *     period   a duration, `R5/PT1M` (five ticks in all), `@every 1m`, or cron of 5 or 6 fields with an optional
 *              zone: `CRON_TZ=Europe/Berlin 0 9 * * MON-FRI`, `@hourly`, `@daily`, ...; none: one tick
 *     ttl      a time, or a duration behind the first tick: no tick is due at its end or later
 *     missed   what becomes of ticks that nobody could run: `once` for all of them, `skip`, or `all`
 *
 * Owns: reading these texts, and the series of times that they stand for. Does not own: what runs at those
 * times (reminder.ts, timers.ts), clocks.
 *
 * Invariants:
 *   SC1. A schedule and its first time give the whole series: nothing depends on when a tick has really run, so
 *        a late tick delays none.
 *   SC2. Without a zone, cron is in UTC: the same on every host.
 */
import { parseCron, parseTime } from '../../base/calendar.ts'
import { addDuration, type Duration, longestMs, parseDuration } from '../../base/duration.ts'
import { LoomError } from '../../base/errors.ts'
import { SCHEDULE_TEXT_LENGTH_MAX, TIME_MAX_MS } from '../../base/limits.ts'
import type { ScheduleText } from '../../journal/entry.ts'

/** When ticks are due, given the first. Units: milliseconds since 1970-01-01T00:00:00Z. */
interface Series {
  /** The first tick at `fromMs` or later. */
  first(fromMs: number): number | null
  /** The first one behind `afterMs`. */
  next(firstMs: number, afterMs: number): number | null
  /** The last one that is due at `atMs`; `firstMs` or later. */
  latest(firstMs: number, atMs: number): number
}

/** A time, or how long after another one. */
type Moment = { readonly atMs: number } | { readonly after: Duration }

export interface Schedule {
  readonly missed: ScheduleText['missed']
  /** When the first tick is due, for a schedule that is set at `setAtMs`; null when there is none. */
  first(setAtMs: number): number | null
  /** When the first tick behind `afterMs` is due, or null. */
  next(firstMs: number, afterMs: number): number | null
  /** When the last tick was due at `atMs`. */
  latest(firstMs: number, atMs: number): number
}

/** @throws ERR_OPTION naming the text and what was expected. */
export function parseSchedule({ due, period, ttl, missed }: ScheduleText): Schedule {
  if (!['once', 'skip', 'all'].includes(missed)) throw wrong('missed', missed, 'once, skip or all')
  const start = due === '' ? { after: { months: 0, ms: 0 } } : parseMoment('due', due)
  const series = period === null || period === '' ? ONE_TICK : parsePeriod(period)
  const end = ttl === null || ttl === '' ? null : parseMoment('ttl', ttl)
  const endMs = (firstMs: number): number => (end === null ? TIME_MAX_MS : momentMs(end, firstMs))
  const within = (firstMs: number, ms: number | null): number | null =>
    ms !== null && ms < endMs(firstMs) && ms >= 0 ? ms : null
  return {
    missed,
    first(setAtMs) {
      const firstMs = series.first(momentMs(start, setAtMs))
      if (firstMs === null) return null
      // A ttl that is a time may be over when the schedule is set.
      const isOver = end !== null && 'atMs' in end && end.atMs <= setAtMs
      return isOver ? null : within(firstMs, firstMs)
    },
    next: (firstMs, afterMs) =>
      within(firstMs, afterMs < firstMs ? firstMs : series.next(firstMs, afterMs)),
    latest: (firstMs, atMs) => series.latest(firstMs, Math.min(atMs, endMs(firstMs) - 1)),
  }
}

const ONE_TICK: Series = {
  first: (fromMs) => fromMs,
  next: () => null,
  latest: (firstMs) => firstMs,
}

function parseMoment(what: string, text: string): Moment {
  checkLength(what, text)
  const atMs = parseTime(text)
  if (atMs !== null && atMs >= 0 && atMs <= TIME_MAX_MS) return { atMs }
  const after = parseDuration(text)
  if (after !== null) return { after }
  throw wrong(
    what,
    text,
    'a time such as 2030-01-31T09:00:00Z, or a duration such as 1h30m or PT1H30M',
  )
}

function momentMs(moment: Moment, fromMs: number): number {
  return 'atMs' in moment ? moment.atMs : addDuration(fromMs, moment.after, 1)
}

const PERIODS =
  'a duration such as 1h30m or PT1H30M, R5/PT1M, @every 1m, or cron of 5 or 6 fields such as 0 9 * * MON-FRI'
const EVERY = /^@every\s+(\S+)$/
const REPEATED = /^[Rr](\d*)\/(\S+)$/

function parsePeriod(text: string): Series {
  checkLength('period', text)
  const repeated = REPEATED.exec(text)
  const countMax = repeated === null || repeated[1] === '' ? Infinity : Number(repeated[1])
  const duration = parseDuration(EVERY.exec(text)?.[1] ?? repeated?.[2] ?? text)
  if (duration !== null) {
    if (longestMs(duration) < 1) throw wrong('period', text, 'a duration of 1 ms or more')
    if (countMax < 1) throw wrong('period', text, 'one repetition or more')
    return everyDuration(duration, countMax)
  }
  if (repeated === null && (text.startsWith('@') || /\s/.test(text))) return cronSeries(text)
  throw wrong('period', text, PERIODS)
}

function everyDuration(duration: Duration, countMax: number): Series {
  const at = (firstMs: number, index: number): number => addDuration(firstMs, duration, index)
  /** Index of the last one that is due at `atMs`. */
  const indexAt = (firstMs: number, atMs: number): number => {
    let index = Math.max(0, Math.floor((atMs - firstMs) / longestMs(duration)))
    while (at(firstMs, index + 1) <= atMs) index++
    return Math.min(index, countMax - 1)
  }
  return {
    first: (fromMs) => fromMs,
    next(firstMs, afterMs) {
      const index = indexAt(firstMs, afterMs) + 1
      return index < countMax ? at(firstMs, index) : null
    },
    latest: (firstMs, atMs) => at(firstMs, indexAt(firstMs, atMs)),
  }
}

const ZONE = /^(?:CRON_TZ|TZ)=(\S+)\s+(.*)$/

function cronSeries(text: string): Series {
  const [, zone = 'UTC', pattern = text] = ZONE.exec(text) ?? []
  try {
    const { next, latest } = parseCron(pattern, zone)
    return {
      first: (fromMs) => next(fromMs - 1),
      next: (_, afterMs) => next(afterMs),
      latest: (firstMs, atMs) => Math.max(firstMs, latest(atMs) ?? firstMs),
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw wrong('period', text, PERIODS, reason)
  }
}

function checkLength(what: string, text: unknown): void {
  if (typeof text !== 'string') throw wrong(what, typeof text, 'a text')
  if (text.length > SCHEDULE_TEXT_LENGTH_MAX)
    throw wrong(what, `${text.slice(0, 40)}…`, `at most ${SCHEDULE_TEXT_LENGTH_MAX} characters`)
}

function wrong(what: string, text: string, expected: string, reason?: string): LoomError {
  const why = reason === undefined ? '' : ` (${reason})`
  return new LoomError(
    'ERR_OPTION',
    `${what} ${JSON.stringify(text)}: expected ${expected}${why}`,
    {
      data: { [what]: text, expected },
    },
  )
}

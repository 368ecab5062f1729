/**
 * Calendar: arithmetic on given times. Reads no clock.
 *
 * Owns: times as text, months, cron. Does not own: what the time is (clock.ts).
 *
 * Units: milliseconds since 1970-01-01T00:00:00Z.
 */
import { Cron } from 'croner'

/** RFC 3339: a date, a time and its offset. */
const TIME =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/** Null when `text` is no time of RFC 3339. */
export function parseTime(text: string): number | null {
  if (!TIME.test(text)) return null
  // Of a day that the month does not have, Date.parse makes one of the next month.
  const day = Date.parse(`${text.slice(0, 'YYYY-MM-DD'.length)}T00:00:00Z`)
  if (new Date(day).getUTCDate() !== Number(text.slice('YYYY-MM-'.length, 'YYYY-MM-DD'.length)))
    return null
  const atMs = Date.parse(text.toUpperCase())
  return Number.isNaN(atMs) ? null : atMs
}

/** In UTC; a day that the month does not have is its last. */
export function addMonths(startMs: number, months: number): number {
  const start = new Date(startMs)
  const day = start.getUTCDate()
  const moved = new Date(startMs)
  moved.setUTCDate(1)
  moved.setUTCMonth(moved.getUTCMonth() + months)
  const next = Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)
  moved.setUTCDate(Math.min(day, new Date(next).getUTCDate()))
  return moved.getTime()
}

/** The times of a cron pattern. */
export interface CronTimes {
  /** The first one behind `afterMs`, or null. */
  next(afterMs: number): number | null
  /** The last one at `atMs` or before, or null. */
  latest(atMs: number): number | null
}

/** Five or six fields, or a name such as `@daily`. @throws Error when the pattern or the zone is none. */
export function parseCron(pattern: string, zone: string): CronTimes {
  // Croner reads "?" as the time at which it reads it: not the same at every start of a host.
  if (pattern.includes('?')) throw new Error('"?" is not served')
  const cron = new Cron(pattern, { timezone: zone, mode: '5-or-6-parts', paused: true })
  // A zone is looked at when it is used first.
  cron.nextRun(new Date(0))
  return {
    next: (afterMs) => cron.nextRun(new Date(afterMs))?.getTime() ?? null,
    latest: (atMs) => cron.previousRuns(1, new Date(atMs + 1))[0]?.getTime() ?? null,
  }
}

/**
 * Durations: lengths of time as authors write them.
 *
 *     1h30m   0h0m9s0ms   1.5s   250ms      Go
 *     PT1M30S   P1DT12H   P2W   p1d         ISO 8601, upper or lower case
 *     P1M   P1Y2M                           months, which are not all of one length
 *
 * Owns: these forms. Does not own: what they are for (actor/ticks/schedule.ts).
 *
 * Invariant DU1: months are counted from where a series began, never from its last element, and end at the last
 * day of a shorter month: 31 January and a month is 28 February, and two months 31 March. In UTC.
 */
import { addMonths } from './calendar.ts'
import { LoomError } from './errors.ts'

export interface Duration {
  readonly months: number
  /** What it takes beyond the months. Units: milliseconds. */
  readonly ms: number
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}
const DAY_MS = 24 * 3_600_000
const MONTHS_PER_YEAR = 12

const GO_DURATION = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/
const GO_PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g
const ISO_DURATION =
  /^P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d+)?)S)?)?$/i

/** Null when `text` is no duration. */
export function parseDuration(text: string): Duration | null {
  const duration = GO_DURATION.test(text) ? goDuration(text) : isoDuration(text)
  if (duration === null || !Number.isSafeInteger(duration.months)) return null
  return Number.isSafeInteger(duration.ms) ? duration : null
}

function goDuration(text: string): Duration {
  let ms = 0
  for (const [, count, unit] of text.matchAll(GO_PART))
    ms += Number(count) * (UNIT_MS[unit ?? ''] ?? Number.NaN)
  return { months: 0, ms: Math.round(ms) }
}

function isoDuration(text: string): Duration | null {
  const match = ISO_DURATION.exec(text)
  if (match === null) return null
  const [years, months, weeks, days, hours, minutes, seconds] = match
    .slice(1)
    .map((part) => Number((part ?? '0').replace(',', '.'))) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return {
    months: years * MONTHS_PER_YEAR + months,
    ms: Math.round(
      (weeks * 7 + days) * DAY_MS + hours * 3_600_000 + minutes * 60_000 + seconds * 1_000,
    ),
  }
}

/**
 * A duration of fixed length, as an option takes it. Units: milliseconds.
 * @param name what to call it in the message.
 * @throws ERR_OPTION
 */
export function durationMs(text: string, name: string): number {
  const duration = parseDuration(text)
  if (duration !== null && duration.months === 0) return duration.ms
  throw new LoomError(
    'ERR_OPTION',
    `${name}: expected a duration such as 60m, 1h30m or 500ms, got ${JSON.stringify(text.slice(0, 80))}`,
  )
}

/** `startMs` and `count` times the duration (DU1). Units: milliseconds since 1970-01-01T00:00:00Z. */
export function addDuration(startMs: number, { months, ms }: Duration, count: number): number {
  if (months === 0) return startMs + ms * count
  return addMonths(startMs, months * count) + ms * count
}

/** At least as long as the duration ever is. */
export function longestMs({ months, ms }: Duration): number {
  return months * 31 * DAY_MS + ms
}

// Aim: the texts of schedules mean what their standards say, and anything else is refused by name.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseSchedule } from '../../../host/actor/ticks/schedule.ts'
import { seedOf } from '../../support/seed.ts'

const START = Date.parse('2026-01-31T10:00:00Z')

function parse(texts: { due?: string; period?: string; ttl?: string; missed?: string }) {
  const { due = '', period = null, ttl = null, missed = 'once' } = texts
  return parseSchedule({ due, period, ttl, missed: missed as 'once' })
}

/** The first ticks of a schedule that is set at START, as RFC 3339 texts. */
function ticks(texts: Parameters<typeof parse>[0], countMax = 4): string[] {
  const schedule = parse(texts)
  const first = schedule.first(START)
  const found: string[] = []
  for (let at = first; at !== null && first !== null && found.length < countMax; ) {
    found.push(new Date(at).toISOString().replace('.000Z', 'Z'))
    at = schedule.next(first, at)
  }
  return found
}

describe('a due time', () => {
  test.each([
    ['', '2026-01-31T10:00:00Z'],
    ['1h30m', '2026-01-31T11:30:00Z'],
    ['0h0m9s0ms', '2026-01-31T10:00:09Z'],
    ['1.5s', '2026-01-31T10:00:01.500Z'],
    ['PT1H30M', '2026-01-31T11:30:00Z'],
    ['p1d', '2026-02-01T10:00:00Z'],
    ['P1DT12H', '2026-02-01T22:00:00Z'],
    ['P2W', '2026-02-14T10:00:00Z'],
    ['P1M', '2026-02-28T10:00:00Z'],
    ['PT0.25S', '2026-01-31T10:00:00.250Z'],
    ['2026-02-01T00:00:00+02:00', '2026-01-31T22:00:00Z'],
  ])('%j', (due, expected) => {
    expect(ticks({ due })).toEqual([expected])
  })
})

describe('a period', () => {
  test('counts from the first tick, however late one ran', () => {
    expect(ticks({ due: '1m', period: 'PT1M30S' }, 3)).toEqual([
      '2026-01-31T10:01:00Z',
      '2026-01-31T10:02:30Z',
      '2026-01-31T10:04:00Z',
    ])
    expect(ticks({ period: '@every 1h' }, 2)).toEqual([
      '2026-01-31T10:00:00Z',
      '2026-01-31T11:00:00Z',
    ])
  })

  test('of months keeps its day where there is one', () => {
    expect(ticks({ period: 'P1M' })).toEqual([
      '2026-01-31T10:00:00Z',
      '2026-02-28T10:00:00Z',
      '2026-03-31T10:00:00Z',
      '2026-04-30T10:00:00Z',
    ])
  })

  test('is repeated as often as it says', () => {
    expect(ticks({ period: 'R3/PT1M' }, 9)).toHaveLength(3)
    expect(ticks({ period: 'R1/1m' }, 9)).toHaveLength(1)
    expect(ticks({ period: 'R/PT1M' }, 9)).toHaveLength(9)
  })

  test('ends with its ttl, before a tick that is due then', () => {
    expect(ticks({ period: '1m', ttl: '2m' }, 9)).toHaveLength(2)
    expect(ticks({ due: '1h', period: '1m', ttl: '2m' }, 9)).toHaveLength(2)
    expect(ticks({ period: '1m', ttl: '2026-01-31T10:03:30Z' }, 9)).toHaveLength(4)
    expect(ticks({ due: '1h', ttl: '2026-01-31T10:30:00Z' })).toEqual([])
    expect(ticks({ due: '2026-01-01T00:00:00Z', ttl: '2026-01-31T00:00:00Z' })).toEqual([])
  })

  test('may be cron, in UTC or in a zone that saves daylight', () => {
    expect(ticks({ period: '0 9 * * MON-FRI' }, 2)).toEqual([
      '2026-02-02T09:00:00Z',
      '2026-02-03T09:00:00Z',
    ])
    expect(ticks({ period: '*/20 * * * * *' }, 2)).toEqual([
      '2026-01-31T10:00:00Z',
      '2026-01-31T10:00:20Z',
    ])
    expect(
      ticks({ due: '2026-03-28T00:00:00Z', period: 'CRON_TZ=Europe/Berlin 0 9 * * *' }, 2),
    ).toEqual(['2026-03-28T08:00:00Z', '2026-03-29T07:00:00Z'])
    expect(ticks({ period: '@daily' }, 1)).toEqual(['2026-02-01T00:00:00Z'])
  })
})

test('what is no schedule is refused, and the message names it', () => {
  const wrong = [
    { due: 'tomorrow' },
    { due: '2026-13-01T00:00:00Z' },
    { due: '2026-01-01' },
    { due: '2026-02-30T00:00:00Z' },
    { due: '2026-04-31T00:00:00+02:00' },
    { due: 'P' },
    { due: 'PT' },
    { due: '-5s' },
    { due: 'x'.repeat(300) },
    { period: '0s' },
    { period: 'PT0S' },
    { period: 'R0/PT1M' },
    { period: 'R5/' },
    { period: 'R5/0 9 * * *' },
    { period: '61 * * * *' },
    { period: '? * * * *' },
    { period: '* * * *' },
    { period: '* * * * * * *' },
    { period: '@nope' },
    { period: 'CRON_TZ=Mars/Olympus 0 9 * * *' },
    { ttl: 'soon' },
    { missed: 'maybe' },
  ]
  for (const texts of wrong) {
    const [[name, text]] = Object.entries(texts) as [[string, string]]
    expect(() => parse(texts), text).toThrow(
      expect.objectContaining({ code: 'ERR_OPTION', message: expect.stringContaining(name) }),
    )
  }
})

test('the last tick at a time is the one before the next, for every series', () => {
  const periods = ['7ms', 'PT1M', 'P1M', 'P1Y2M3DT4H', 'R5/PT1M', '*/7 * * * *', '0 0 29 2 *']
  fc.assert(
    fc.property(
      fc.constantFrom(...periods),
      fc.integer({ min: 0, max: 3 * 366 * 24 * 3_600_000 }),
      (period, afterMs) => {
        const schedule = parse({ period })
        const first = schedule.first(START) ?? Number.NaN
        const at = first + afterMs
        const latest = schedule.latest(first, at)
        const next = schedule.next(first, at)
        expect(latest).toBeGreaterThanOrEqual(first)
        expect(latest).toBeLessThanOrEqual(at)
        if (next !== null) expect(next).toBeGreaterThan(at)
        expect(schedule.next(first, latest)).toBe(next)
      },
    ),
    { seed: seedOf('schedules') },
  )
})

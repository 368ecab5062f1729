/**
 * Effect rows: effects as the cells that an entry holds.
 *
 *     0 set      key, value                          4 timer            as 3
 *     1 delete   key                                 5 cancel-reminder  name
 *     2 send     type, id, method, args, delayMs     6 cancel-timer     name
 *     3 remind   name, due, period, ttl, missed, data
 *
 * Owns: these cells; the numbers are never reused. Does not own: the bytes of values (values.ts).
 */
import { LoomError } from '../base/errors.ts'
import type { WitValue } from '../component/wit/wit.ts'
import type { Effect, ScheduleText } from './entry.ts'

const ROW_KINDS = [
  'set',
  'delete',
  'send',
  'remind',
  'timer',
  'cancel-reminder',
  'cancel-timer',
] as const

export type EffectRow = readonly [number, ...unknown[]]

export function effectRow(effect: Effect): EffectRow {
  const number = ROW_KINDS.indexOf(effect.kind)
  switch (effect.kind) {
    case 'set':
      return [number, effect.key, effect.value]
    case 'delete':
      return [number, effect.key]
    case 'send': {
      const { target, method, args, delayMs } = effect
      return [number, target.type, target.id, method, args, delayMs]
    }
    case 'remind':
    case 'timer': {
      const { due, period, ttl, missed } = effect.schedule
      return [number, effect.name, due, period, ttl, missed, effect.data]
    }
    case 'cancel-reminder':
    case 'cancel-timer':
      return [number, effect.name]
  }
}

/** @throws ERR_JOURNAL_CORRUPT when the row is of a later version. */
export function readEffect(row: EffectRow): Effect {
  const kind = ROW_KINDS[row[0]]
  switch (kind) {
    case 'set':
      return { kind, key: row[1] as string, value: row[2] as WitValue }
    case 'delete':
      return { kind, key: row[1] as string }
    case 'send':
      return {
        kind,
        target: { type: row[1] as string, id: row[2] as string },
        method: row[3] as string,
        args: row[4] as readonly WitValue[] | string,
        delayMs: row[5] as number,
      }
    case 'remind':
    case 'timer': {
      const [, name, due, period, ttl, missed, data] = row
      const schedule = { due, period, ttl, missed } as ScheduleText
      return { kind, name: name as string, schedule, data: data as WitValue }
    }
    case 'cancel-reminder':
    case 'cancel-timer':
      return { kind, name: row[1] as string }
    default:
      throw new LoomError('ERR_JOURNAL_CORRUPT', `effect kind ${row[0]} is not known here`)
  }
}

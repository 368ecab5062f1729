/**
 * Reminders and timers of TypeScript actors: context.reminders, context.timers.
 */
import type { WitValue } from '../../component/wit/wit.ts'
import type { ReminderInfo } from '../../hostcalls/host-interface.ts'
import type { ScheduleText } from '../../journal/entry.ts'
import type { ReminderDescription, Reminders, TickOptions, Timers } from './typescript-actor.ts'
import { type Calls, plain } from './typescript-calls.ts'

/** @throws ERR_OPTION later, when the schedule is read: every effect's is. */
export function scheduleOf({ due, period, ttl, missed }: TickOptions): ScheduleText {
  return { due: due ?? '', period: period ?? null, ttl: ttl ?? null, missed: missed ?? 'once' }
}

export function describeReminder(info: ReminderInfo): ReminderDescription {
  const { name, dueAtMs, schedule, data } = info
  const { due, period, ttl, missed } = schedule
  return {
    name,
    dueAtMs,
    due,
    missed,
    ...(period !== null && { period }),
    ...(ttl !== null && { ttl }),
    ...(data !== undefined && { data }),
  }
}

export function reminders(calls: Calls): Reminders {
  const list = (infos: readonly ReminderInfo[]): WitValue =>
    infos.map(describeReminder) as unknown as WitValue
  return {
    set: (name, options = {}) => set(calls, 'remind', name, options),
    cancel: (name) => calls.effect({ kind: 'cancel-reminder', name }),
    list: async () => {
      const listed = await calls.later('recorded', 'reminders.list', [], () => {
        const infos = calls.context.listReminders()
        return 'then' in infos ? infos.then(list) : list(infos)
      })
      return listed as unknown as readonly ReminderDescription[]
    },
  }
}

export function timers(calls: Calls): Timers {
  return {
    set: (name, options = {}) => set(calls, 'timer', name, options),
    cancel: (name) => calls.effect({ kind: 'cancel-timer', name }),
  }
}

function set(calls: Calls, kind: 'remind' | 'timer', name: string, options: TickOptions): void {
  const data = plain(`data of ${name}`, options.data, calls)
  calls.effect({ kind, name, schedule: scheduleOf(options), data })
}

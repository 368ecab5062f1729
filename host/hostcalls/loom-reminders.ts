/**
 * `loom:actor/reminders` and `loom:actor/timers` of 0.2 (wit/).
 */
import { isLoomError } from '../base/errors.ts'
import { isThenable } from '../base/promises.ts'
import type { WitValue } from '../component/wit/wit.ts'
import type { ScheduleText } from '../journal/entry.ts'
import type {
  HostCallContext,
  HostInterfaceSpec,
  HostInterfaces,
  ReminderInfo,
} from './host-interface.ts'

interface WitSchedule {
  readonly due: string
  readonly period: string | undefined
  readonly ttl: string | undefined
  readonly missed: ScheduleText['missed']
}

/** What an author may mend is an answer; a method that the component lacks ends the turn. */
function set(
  context: HostCallContext,
  kind: 'remind' | 'timer',
  [name, given, data]: readonly WitValue[],
): WitValue {
  const { due, period, ttl, missed } = given as unknown as WitSchedule
  const schedule = { due, period: period ?? null, ttl: ttl ?? null, missed }
  try {
    context.effect({ kind, name: String(name), schedule, data })
  } catch (error) {
    if (!isLoomError(error) || !MENDABLE.has(error.code)) throw error
    return { tag: 'err', val: error.message }
  }
  return { tag: 'ok', val: undefined }
}

const MENDABLE: ReadonlySet<string> = new Set(['ERR_OPTION', 'ERR_NAME'])

function cancel(
  context: HostCallContext,
  kind: 'cancel-reminder' | 'cancel-timer',
  name: WitValue,
): undefined {
  context.effect({ kind, name: String(name) })
}

function listed(infos: readonly ReminderInfo[]): WitValue {
  return infos.map(({ name, schedule, data, dueAtMs }) => ({
    name,
    schedule: { ...schedule, period: schedule.period ?? undefined, ttl: schedule.ttl ?? undefined },
    data: data instanceof Uint8Array ? data : new Uint8Array(),
    dueAtMs: BigInt(dueAtMs),
  })) as unknown as WitValue
}

const REMINDERS: HostInterfaceSpec = {
  set: { kind: 'pure', perform: (context, args) => set(context, 'remind', args) },
  cancel: {
    kind: 'pure',
    perform: (context, [name]) => cancel(context, 'cancel-reminder', name),
  },
  'list-all': {
    kind: 'recorded',
    perform: (context) => {
      const infos = context.listReminders()
      return isThenable(infos) ? infos.then((all) => listed(all as ReminderInfo[])) : listed(infos)
    },
  },
}

const TIMERS: HostInterfaceSpec = {
  set: { kind: 'pure', perform: (context, args) => set(context, 'timer', args) },
  cancel: { kind: 'pure', perform: (context, [name]) => cancel(context, 'cancel-timer', name) },
}

export function serveReminders(interfaces: HostInterfaces): void {
  interfaces.add('loom:actor/reminders@0.2.0', REMINDERS)
  interfaces.add('loom:actor/timers@0.2.0', TIMERS)
}

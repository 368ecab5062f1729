/**
 * Reminders and timers from outside: setting one is a turn of the actor as any other, journaled and replayed.
 *
 * Owns: checks before the turn. Does not own: the turn (actor/program/host-methods.ts), ticks.
 */
import type { Activation } from '../actor/activation/activation.ts'
import type { Tick } from '../actor/mailbox/invocation.ts'
import {
  CANCEL_REMINDER,
  CANCEL_TIMER,
  SET_REMINDER,
  SET_TIMER,
} from '../actor/program/host-methods.ts'
import type { ActorMethod } from '../actor/program/program.ts'
import { type TickKind, tickData, tickMethod } from '../actor/program/tick-methods.ts'
import { infoOf } from '../actor/ticks/reminder.ts'
import { parseSchedule } from '../actor/ticks/schedule.ts'
import type { ReminderDescription, TickOptions } from '../actor/typescript/typescript-actor.ts'
import { plain } from '../actor/typescript/typescript-calls.ts'
import { describeReminder, scheduleOf } from '../actor/typescript/typescript-ticks.ts'
import type { Clock } from '../base/clock.ts'
import { LoomError } from '../base/errors.ts'
import { checkIdempotencyKey, checkReminderName, formatActorKey } from '../base/names.ts'
import type { WitValue } from '../component/wit/wit.ts'
import type { ReminderHandle, SetOptions, TimerHandle } from './api.ts'

/** Runs `use` on the actor's activation, once its reminders are read. */
export type UseActivation = <T>(use: (activation: Activation) => Promise<T>) => Promise<T>

export function reminderHandle(clock: Clock, use: UseActivation): ReminderHandle {
  return {
    set: (name, options = {}) =>
      use((activation) => set(clock, activation, 'remind', name, options)),
    cancel: (name) => use((activation) => cancel(activation, CANCEL_REMINDER, name)),
    list: () => use(list),
  }
}

export function timerHandle(clock: Clock, use: UseActivation): TimerHandle {
  return {
    set: (name, options = {}) =>
      use((activation) => set(clock, activation, 'timer', name, options)),
    cancel: (name) => use((activation) => cancel(activation, CANCEL_TIMER, name)),
    list: () => use(async ({ timers }) => timers.list().map(describeReminder)),
  }
}

async function list({ reminders }: Activation): Promise<readonly ReminderDescription[]> {
  return reminders.list().map((reminder) => describeReminder(infoOf(reminder)))
}

async function set(
  clock: Clock,
  activation: Activation,
  kind: TickKind,
  name: string,
  options: TickOptions & SetOptions,
): Promise<void> {
  checkReminderName(name)
  const schedule = scheduleOf(options)
  if (parseSchedule(schedule).first(clock.wallMs()) === null)
    throw new LoomError('ERR_OPTION', `${JSON.stringify(name)}: no tick is due before its ttl`)
  tickMethod(activation.program, kind)
  const data = plain(`data of ${name}`, tickData(activation.program, options.data))
  const args = [name, schedule as unknown as WitValue, data]
  const method = kind === 'remind' ? SET_REMINDER : SET_TIMER
  if (options.overwrite !== false || kind === 'timer')
    await run(activation, method, args, null, options.idempotencyKey)
  else await setNew(activation, name, args, options.idempotencyKey)
}

/** Looks whether there is one when the turn's time has come, not before. */
async function setNew(
  activation: Activation,
  name: string,
  args: readonly WitValue[],
  key: string | undefined,
): Promise<void> {
  const { reminders } = activation
  let exists = false
  const isCurrent = (): boolean => {
    exists = reminders.get(name) !== null
    return !exists
  }
  await run(activation, SET_REMINDER, args, { isCurrent, change: () => null }, key)
  if (!exists) return
  const actor = formatActorKey(activation.key)
  throw new LoomError(
    'ERR_ACTOR_REMINDER_ALREADY_EXISTS',
    `${actor} has a reminder ${JSON.stringify(name)} already`,
  )
}

async function cancel(activation: Activation, method: ActorMethod, name: string): Promise<void> {
  checkReminderName(name)
  await run(activation, method, [name], null, undefined)
}

async function run(
  activation: Activation,
  method: ActorMethod,
  args: readonly WitValue[],
  tick: Tick | null,
  key: string | undefined,
): Promise<void> {
  if (key !== undefined) checkIdempotencyKey(key)
  await activation.call({ method, args, idempotencyKey: key ?? null, caller: null, tick })
}

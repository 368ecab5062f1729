/**
 * Host methods: turns that the host itself runs on an actor, without its code: reminders and timers that are set
 * from outside.
 *
 * Owns: these methods. Does not own: effects, turns.
 *
 * Invariant HM1: a host method asks for effects and does nothing else: it is journaled and replayed as any turn.
 * Callers cannot name one: their methods are looked up in the actor's program.
 */
import type { WitValue } from '../../component/wit/wit.ts'
import type { HostCallContext } from '../../hostcalls/host-interface.ts'
import type { ScheduleText } from '../../journal/entry.ts'
import type { ActorMethod, ActorProgram } from './program.ts'

type Perform = NonNullable<ActorMethod['perform']>

function set(kind: 'remind' | 'timer'): Perform {
  return (context: HostCallContext, [name, schedule, data]) => {
    context.effect({
      kind,
      name: String(name),
      schedule: schedule as unknown as ScheduleText,
      data,
    })
    return undefined
  }
}

function cancel(kind: 'cancel-reminder' | 'cancel-timer'): Perform {
  return (context, [name]) => {
    context.effect({ kind, name: String(name) })
    return undefined
  }
}

function hostMethod(name: string, perform: Perform): ActorMethod {
  const asIs = (args: readonly unknown[]): readonly WitValue[] => args as readonly WitValue[]
  return { name, signature: null, check: asIs, fromJson: asIs, toJson: () => null, perform }
}

export const SET_REMINDER = hostMethod('@loom/set-reminder', set('remind'))
export const CANCEL_REMINDER = hostMethod('@loom/cancel-reminder', cancel('cancel-reminder'))
export const SET_TIMER = hostMethod('@loom/set-timer', set('timer'))
export const CANCEL_TIMER = hostMethod('@loom/cancel-timer', cancel('cancel-timer'))

const ALL = new Map(
  [SET_REMINDER, CANCEL_REMINDER, SET_TIMER, CANCEL_TIMER].map((method) => [method.name, method]),
)

/** The method of a journaled turn: the program's, or the host's own. */
export function methodOfTurn(program: ActorProgram, name: string): ActorMethod | undefined {
  return ALL.get(name) ?? program.findMethod(name)
}

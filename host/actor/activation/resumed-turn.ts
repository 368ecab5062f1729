/**
 * Resumed turn: a turn that a crash cut off while it waited, as an invocation that goes on.
 *
 * Owns: making it of what the journal has of the turn. Does not own: running it (activation.ts).
 */
import type { ActorKey } from '../base/names.ts'
import { deferred, ignoreOutcome } from '../base/promises.ts'
import type { WitValue } from '../component/wit.ts'
import { methodOfTurn } from './host-methods.ts'
import { Invocation, type Journal, type Tick } from './invocation.ts'
import { quarantine } from './outcomes.ts'
import type { ActorProgram } from './program.ts'
import { unknownMethod } from './recovery.ts'
import { parseTickKey } from './reminder.ts'
import type { ReminderBook } from './reminder-book.ts'
import type { OpenTurn } from './turn-reader.ts'

interface Resumed {
  readonly invocation: Invocation
  /** For retries of the call: nobody else waits for it any more. */
  readonly promise: Promise<WitValue>
}

/** @throws ERR_QUARANTINED when the program has no such method. */
export function resumedInvocation(
  { key, program }: { readonly key: ActorKey; readonly program: ActorProgram },
  open: OpenTurn,
  reminders: ReminderBook,
  journal: Journal,
): Resumed {
  const { method: name, args, idempotencyKey, caller } = open.head
  const method = methodOfTurn(program, name)
  if (method === undefined) throw quarantine(key, unknownMethod(key, program, open.seq, name))
  const { promise, resolve, reject } = deferred<WitValue>()
  ignoreOutcome(promise)
  const head = { method, args, idempotencyKey, caller, tick: tickOf(open, reminders) }
  const invocation = new Invocation(head, { resolve, reject }, null, journal, 0)
  invocation.resume(open)
  return { invocation, promise }
}

/** Whether the turn is a tick: then the book of reminders has to be loaded. */
export function isTick(open: OpenTurn): boolean {
  return parseTickKey(open.head.idempotencyKey) !== null
}

function tickOf({ head }: OpenTurn, reminders: ReminderBook): Tick | null {
  const tick = parseTickKey(head.idempotencyKey)
  return tick === null ? null : reminders.resumedTick(String(head.args[0]), tick)
}

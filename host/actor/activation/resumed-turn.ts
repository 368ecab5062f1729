/**
 * Resumed turn: a turn that a crash cut off while it waited, as an invocation that goes on.
 *
 * Owns: making it of what the journal has of the turn. Does not own: running it (activation.ts).
 */
import type { ActorKey } from '../../base/names.ts'
import { deferred, ignoreOutcome } from '../../base/promises.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import { unknownMethod } from '../journal/recovery.ts'
import type { OpenTurn } from '../journal/turn-reader.ts'
import { Invocation, type Journal, type Tick } from '../mailbox/invocation.ts'
import { quarantine } from '../mailbox/outcomes.ts'
import { methodOfTurn } from '../program/host-methods.ts'
import type { ActorProgram } from '../program/program.ts'
import { parseTickKey } from '../ticks/reminder.ts'
import type { ReminderBook } from './reminder-book.ts'

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

/**
 * Reminders in an LMDB store: a record per actor and name, and an index by time.
 *
 *     record          u48 due, u16 k, k bytes of the actor's key ("type", 00, "id"), the reminder's bytes
 *     index by time   key (due, actor, name), no value
 *
 * Owns: what a commit's changes of reminders write, and reading them.
 * Does not own: when they are written (writer.ts).
 *
 * Invariants:
 *   RM1. Each record has one index row, with its time. Both change in one transaction.
 *   RM2. A life that ended has no reminders, even while its records wait to be removed (sweeper.ts).
 */
import { invariant, LoomError } from '../../base/errors.ts'
import type { ActorKey } from '../../base/names.ts'
import type { DueReminder, ReminderChange, ReminderRow } from '../store.ts'
import type { ActorState } from './actor-state.ts'
import type { Change, Environment } from './environment.ts'
import {
  actorOfDueKey,
  dueKey,
  dueOfKey,
  dueRange,
  getU48,
  NUMBER_MAX,
  nameOfDueKey,
  putU48,
  reminderKey,
  reminderNameOf,
  reminderRange,
} from './keys.ts'
import { isEnded } from './lives.ts'
import { actorKeyOf, actorKeyText, bytesOf, seal, unseal } from './records.ts'

const HEAD_SIZE_BYTES = 8
const PAGE_COUNT = 64
const NO_BYTES = Buffer.alloc(0)

/**
 * What changes of reminders write; `state` learns of them until they are durable. Throws, if it must,
 * before it has told `state` anything.
 */
export function reminderChanges(
  environment: Environment,
  key: ActorKey,
  actor: number,
  state: ActorState,
  changes: readonly ReminderChange[],
): Change[] {
  const formers = changes.map(({ name }) => dueNow(environment, actor, state, name))
  return changes.flatMap((change, index) => {
    state.setReminder(change.name, change.dueAtMs)
    return rowsOf(key, actor, change, formers[index] ?? null)
  })
}

/** The rows of one change of a reminder that was due at `former` (RM1). */
function rowsOf(
  key: ActorKey,
  actor: number,
  change: ReminderChange,
  former: number | null,
): Change[] {
  const { name, dueAtMs } = change
  const rows: Change[] = []
  if (former !== null && former !== dueAtMs)
    rows.push({ key: dueKey(former, actor, name), value: null })
  if (dueAtMs !== null) {
    rows.push({ key: reminderKey(actor, name), value: encodeReminder(key, change) })
    if (former !== dueAtMs) rows.push({ key: dueKey(dueAtMs, actor, name), value: NO_BYTES })
  } else if (former !== null) rows.push({ key: reminderKey(actor, name), value: null })
  return rows
}

/** When the reminder is due as of the last commit that was queued, or null. */
function dueNow(
  environment: Environment,
  actor: number,
  state: ActorState,
  name: string,
): number | null {
  const queued = state.reminders?.get(name)
  if (queued !== undefined) return queued
  const record = environment.get(reminderKey(actor, name))
  return record === undefined ? null : getU48(unseal('reminder', record), 0)
}

export function listReminders(environment: Environment, actor: number): ReminderRow[] {
  const { start, end } = reminderRange(actor)
  return environment
    .range(start, end)
    .map((row) => decodeReminder(reminderNameOf(row.key), row.value))
    .map(({ name, dueAtMs, bytes }) => ({ name, dueAtMs, bytes }))
}

export function readReminder(
  environment: Environment,
  actor: number,
  name: string,
): ReminderRow | null {
  const record = environment.get(reminderKey(actor, name))
  if (record === undefined || isEnded(environment, actor)) return null
  const { dueAtMs, bytes } = decodeReminder(name, record)
  return { name, dueAtMs, bytes }
}

/** A reminder among those that are due. */
export type DuePlace = Pick<DueReminder, 'dueAtMs' | 'key' | 'name'>

/** Reminders due at `atMs` or before, soonest first, behind `after`. */
export function dueReminders(
  environment: Environment,
  atMs: number,
  countMax: number,
  after: { readonly dueAtMs: number; readonly actor: number; readonly name: string } | null = null,
): DueReminder[] {
  const found: DueReminder[] = []
  const from = after === null ? null : behind(dueKey(after.dueAtMs, after.actor, after.name))
  for (const { actor, name } of dueRows(environment, atMs, from)) {
    if (found.length >= countMax) break
    const record = environment.get(reminderKey(actor, name))
    if (record === undefined)
      throw new LoomError('ERR_STORE', `the index by time names a reminder that is not there`)
    found.push(decodeReminder(name, record))
  }
  return found
}

export function nextReminderAtMs(environment: Environment): number | null {
  for (const { dueAtMs } of dueRows(environment, NUMBER_MAX)) return dueAtMs
  return null
}

/** Rows of the index up to `atMs`, without those of lives that ended (RM2). */
function* dueRows(environment: Environment, atMs: number, after: Buffer | null = null) {
  const { end, start } = dueRange(atMs)
  let from = after ?? start
  for (;;) {
    const rows = environment.range(from, end, PAGE_COUNT)
    for (const { key } of rows) {
      const actor = actorOfDueKey(key)
      if (isEnded(environment, actor)) continue
      yield { actor, dueAtMs: dueOfKey(key), name: nameOfDueKey(key) }
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE_COUNT) return
    from = behind(last.key)
  }
}

/** The smallest key after `key`. */
function behind(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.from([0])])
}

function encodeReminder(key: ActorKey, { dueAtMs, bytes }: ReminderRow): Buffer {
  const actor = actorKeyText(key)
  const head = Buffer.allocUnsafe(HEAD_SIZE_BYTES)
  putU48(head, 0, dueAtMs)
  head.writeUInt16BE(actor.length, 6)
  return seal(Buffer.concat([head, actor, bytes]))
}

function decodeReminder(name: string, record: Buffer): DueReminder {
  const body = unseal('reminder', record)
  invariant(body.length >= HEAD_SIZE_BYTES, 'a reminder record has a head')
  const actorEnd = HEAD_SIZE_BYTES + body.readUInt16BE(6)
  const key = actorKeyOf(body.subarray(HEAD_SIZE_BYTES, actorEnd))
  return { key, name, dueAtMs: getU48(body, 0), bytes: bytesOf(body.subarray(actorEnd)) }
}

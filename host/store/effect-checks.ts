/**
 * Checks on what a commit changes besides the journal: keyed state, reminders, messages.
 *
 * Owns: the rules that need no storage to decide. Does not own: the rest of a commit (checks.ts).
 */
import { ENTRY_SIZE_MAX_BYTES, REMINDER_NAME_SIZE_MAX_BYTES, TIME_MAX_MS } from '../base/limits.ts'
import { isStateKey } from '../base/names.ts'
import type { Commit, ReminderChange, StateChange } from './store.ts'

const INDEX_MAX = 2 ** 32 - 1

export function isTime(ms: number): boolean {
  return Number.isSafeInteger(ms) && ms >= 0 && ms <= TIME_MAX_MS
}

/** What is wrong with the effects of `commit`, or null. */
export function effectsProblem(commit: Commit): string | null {
  const { state, reminders, outbox } = commit
  return (
    (state === undefined ? null : stateProblem(state)) ??
    (reminders === undefined ? null : reminderProblem(reminders)) ??
    (outbox === undefined ? null : outboxProblem(commit, outbox))
  )
}

function stateProblem(changes: readonly StateChange[]): string | null {
  for (const { key, value } of changes) {
    if (!isStateKey(key)) return `state key of ${Buffer.byteLength(key)} bytes`
    if (value !== null && value.length > ENTRY_SIZE_MAX_BYTES)
      return `state value of ${value.length} bytes`
  }
  return repeats(changes.length, () => changes.map(({ key }) => key))
    ? 'a state key changes twice'
    : null
}

function reminderProblem(changes: readonly ReminderChange[]): string | null {
  for (const change of changes) {
    const size = Buffer.byteLength(change.name)
    if (size === 0 || size > REMINDER_NAME_SIZE_MAX_BYTES || !change.name.isWellFormed())
      return `reminder with a name of ${size} bytes`
    if (change.dueAtMs === null) continue
    if (!isTime(change.dueAtMs)) return `reminder due at ${change.dueAtMs}`
    if (change.bytes.length > ENTRY_SIZE_MAX_BYTES)
      return `reminder of ${change.bytes.length} bytes`
  }
  return repeats(changes.length, () => changes.map(({ name }) => name))
    ? 'a reminder changes twice'
    : null
}

function outboxProblem(
  { seq, entries }: Commit,
  rows: NonNullable<Commit['outbox']>,
): string | null {
  for (const row of rows) {
    if (row.seq < seq || row.seq >= seq + entries.length)
      return `message outside of its commit, at ${row.seq}`
    if (!Number.isSafeInteger(row.index) || row.index < 0 || row.index > INDEX_MAX)
      return `message with index ${row.index}`
    if (row.bytes.length > ENTRY_SIZE_MAX_BYTES) return `message of ${row.bytes.length} bytes`
  }
  return repeats(rows.length, () => rows.map((row) => `${row.seq} ${row.index}`))
    ? 'two messages have one place'
    : null
}

/** Whether two of `count` names are equal; most commits have one at most. */
function repeats(count: number, names: () => string[]): boolean {
  return count > 1 && new Set(names()).size < count
}

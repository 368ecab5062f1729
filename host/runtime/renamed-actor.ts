/**
 * Renamed actors: an exported actor that is imported under another name is another one, with an incarnation of its own.
 *
 * Were it to keep that of the original, their messages, calls and requests would have the same ids, and of two only the
 * first would happen.
 *
 * Owns: what is written anew. Does not own: whether the actor's turns depend on its name or incarnation (actor-import.ts).
 */
import { decodeSnapshot, encodeSnapshot } from '../actor/journal/snapshot.ts'
import { withIncarnation } from '../actor/ticks/reminder.ts'
import type { ActorKey } from '../base/names.ts'
import { decodeEntry, encodeEntry } from '../journal/codec.ts'
import type { ActorRecord, ReminderRow, SnapshotRow } from '../store/store.ts'

/** What of an actor names it, or its incarnation. */
interface NamedRows {
  readonly record: ActorRecord
  readonly entries: ReadonlyMap<number, Uint8Array>
  readonly snapshots: readonly SnapshotRow[]
  readonly reminders: readonly ReminderRow[]
}

/** @throws ERR_JOURNAL_CORRUPT when its first entry is damaged. */
export function renamedActor<T extends NamedRows>(
  actor: T,
  { type, id }: ActorKey,
  incarnation: string,
): T {
  const entries = new Map(actor.entries)
  const first = entries.get(0)
  const created = first === undefined ? null : decodeEntry(0, first)
  if (created?.kind === 'created')
    entries.set(0, encodeEntry(0, { ...created, type, id, incarnation }))
  return {
    ...actor,
    record: { ...actor.record, type, id, incarnation },
    entries,
    snapshots: actor.snapshots.map((row) => ofIncarnation(row, incarnation)),
    reminders: actor.reminders.map((row) => withIncarnation(row, incarnation)),
  }
}

function ofIncarnation(row: SnapshotRow, incarnation: string): SnapshotRow {
  const { seq } = row
  try {
    return { seq, bytes: encodeSnapshot({ ...decodeSnapshot(seq, row.bytes), incarnation }) }
  } catch {
    // Recovery rejects it.
    return row
  }
}

/**
 * Awaited entries: those that another actor may still ask for.
 *
 * A call or a message of an actor is known to its receiver by a key of the host. Until the turn that called has ended, or the
 * message is settled, durably, it may be asked for again: the entry that answers then must be there.
 *
 * Owns: finding the first of them. Does not own: who may still ask (runtime/awaited-keys.ts), what is cut
 * (journal-retention.ts).
 *
 * Invariant AE1: an entry that is not awaited never is again.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { INTERNAL_KEY_PREFIX } from '../../base/names.ts'
import { decodeEntry } from '../../journal/codec.ts'
import { firstKept, readableEntries } from '../../journal/readable-entries.ts'
import type { ActorLog, JournalRow } from '../../store/store.ts'

/** Whether `caller` (`type/id`) may still ask with `key`, which is one of the host's. */
export type IsAwaited = (caller: string, key: string) => boolean | Promise<boolean>

/** Entries read and decoded between two turns of the event loop. */
const PAGE_ENTRIES = 256
const PREFIX_BYTES = Buffer.from(INTERNAL_KEY_PREFIX)

/** Seq of the first awaited entry from `seqFrom` up to `seqBefore`, or `seqBefore`. @throws ERR_STORE */
export async function firstAwaited(
  log: Pick<ActorLog, 'read'>,
  seqFrom: number,
  seqBefore: number,
  isAwaited: IsAwaited,
): Promise<number> {
  for (let seq = seqFrom; seq < seqBefore; await nextTurn()) {
    // What cannot be read answers nobody, and keeps no journal from being cut.
    const rows = await readableEntries(log, seq, Math.min(PAGE_ENTRIES, seqBefore - seq))
    for (const row of rows) {
      const asked = hostKeyOf(row)
      if (asked !== null && (await isAwaited(asked.caller, asked.key))) return row.seq
    }
    // A warm actor's log knows of no cut since it was opened.
    seq = rows.length > 0 ? seq + rows.length : await firstKept(log, seq + 1, seqBefore)
  }
  return seqBefore
}

/** Of the first entry of a turn that another actor asked for; null for any other. */
function hostKeyOf({ seq, bytes }: JournalRow): { caller: string; key: string } | null {
  // Most entries have no such key, and are not decoded.
  if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(PREFIX_BYTES)) return null
  try {
    const entry = decodeEntry(seq, bytes)
    if (entry.kind !== 'turn' && entry.kind !== 'opened') return null
    const { caller, idempotencyKey: key } = entry
    return caller !== null && key?.startsWith(INTERNAL_KEY_PREFIX) ? { caller, key } : null
  } catch {
    return null
  }
}

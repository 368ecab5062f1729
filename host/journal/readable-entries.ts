/**
 * Readable entries: what of a journal can be read, for those that look at all of it and rebuild nothing.
 *
 * Owns: passing over what is damaged, and over what was given up. Does not own: reading (store/).
 */
import { isLoomError } from '../base/errors.ts'
import type { ActorLog, JournalRow } from '../store/store.ts'

type Entries = Pick<ActorLog, 'read'>

/** As `read` of the store; an entry that is damaged is empty. */
export async function readableEntries(
  log: Entries,
  seq: number,
  count: number,
): Promise<readonly JournalRow[]> {
  try {
    return await log.read(seq, count)
  } catch (error) {
    if (!isLoomError(error) || error.code !== 'ERR_JOURNAL_CORRUPT') throw error
    return count > 1 ? await readableEntries(log, seq, 1) : [{ seq, bytes: new Uint8Array(0) }]
  }
}

/** The first entry from `low` up to `high` that is kept, or `high`: what is given up meanwhile lies before. */
export async function firstKept(log: Entries, low: number, high: number): Promise<number> {
  let [from, until] = [low, high]
  while (from < until) {
    const middle = Math.floor((from + until) / 2)
    if ((await readableEntries(log, middle, 1)).length > 0) until = middle
    else from = middle + 1
  }
  return from
}

/**
 * Reading beside a live host: what is missing from a journal because it was given up meanwhile is no damage.
 *
 * Owns: telling the two apart. Does not own: reading (actor/journal/turn-reader.ts).
 */
import { isLoomError, LoomError } from '../base/errors.ts'
import { BUSY_RETRY_AFTER_MS } from '../base/limits.ts'
import { formatActorKey } from '../base/names.ts'
import type { ActorLog, Store } from '../store/store.ts'

/** `error`, or ERR_BUSY when the journal was cut, or its life ended, since `log` was opened. */
export async function unlessGivenUp(
  store: Pick<Store, 'openLog'>,
  { key, record, seqFirst }: Pick<ActorLog, 'key' | 'record' | 'seqFirst'>,
  error: unknown,
): Promise<unknown> {
  if (!isLoomError(error) || error.code !== 'ERR_JOURNAL_CORRUPT') return error
  const now = await store.openLog(key)
  if (now.record?.incarnation === record?.incarnation && now.seqFirst === seqFirst) return error
  const reason = 'its journal was cut, or its life ended, while it was read: try again'
  return new LoomError('ERR_BUSY', `${formatActorKey(key)}: ${reason}`, {
    cause: error,
    data: { retryAfterMs: BUSY_RETRY_AFTER_MS },
  })
}

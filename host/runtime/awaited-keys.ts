/**
 * Awaited keys: which calls and messages between actors may still be asked for again.
 *
 * A call may be until the end of the turn that made it is durable, a message until the store has forgotten it.
 *
 * Owns: joining what the calling actor, the outbox and the store know of that. Does not own: what is kept for it
 * (actor/journal/awaited-entries.ts).
 *
 * Invariant AK1: a callee's entry is durable only when the opened one of its caller is. So where the caller is not here and
 * the store has no open turn of it, that turn has ended, and nobody asks again.
 */
import { messageOfKey } from '../actor/turn/effects.ts'
import { parseActorKey } from '../base/names.ts'
import type { Pool } from '../pool/pool.ts'
import type { Store } from '../store/store.ts'
import type { Outbox } from './outbox.ts'

export interface AwaitedKeysHome {
  readonly pool: Pick<Pool, 'resident'>
  readonly outbox: Pick<Outbox, 'mayHold'>
  readonly store: Pick<Store, 'hasOpenTurn'>
}

/** Of a key whose entry is durable; true where nobody can say yet. */
export async function isKeyAwaited(
  { pool, outbox, store }: AwaitedKeysHome,
  caller: string,
  key: string,
): Promise<boolean> {
  const message = messageOfKey(key)
  if (message !== null) return outbox.mayHold(message)
  const activation = pool.resident(caller)
  if (activation?.open === true) return activation.awaits(key)
  return await store.hasOpenTurn(parseActorKey(caller))
}

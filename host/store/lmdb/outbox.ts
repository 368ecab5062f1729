/**
 * The outbox in an LMDB store: one record per message, until it is settled.
 *
 * Owns: what a commit's messages write, and reading them in order.
 * Does not own: when they are written (writer.ts), delivery.
 *
 * Invariant OB1: a message's key holds all of its sender's name, so that it outlives its sender and is
 * settled without looking anything up.
 */
import type { ActorKey } from '../../base/names.ts'
import type { MessageId, OutboxRow } from '../store.ts'
import type { Change, Environment, Row } from './environment.ts'
import { messageKey, messageOfKey, OUTBOX_RANGE } from './keys.ts'
import { bytesOf, seal, unseal } from './records.ts'

export type SettledMessage = Pick<OutboxRow, 'sender' | 'incarnation' | 'seq' | 'index'>

export function messageChange(
  sender: ActorKey,
  incarnation: string,
  { seq, index, bytes }: MessageId & { readonly bytes: Uint8Array },
): Change {
  return { key: messageKey({ sender, incarnation, seq, index }), value: seal(bytes) }
}

export function settledChange(message: SettledMessage): Change {
  return { key: messageKey(message), value: null }
}

/** Messages in order of their keys: sender, then seq. */
export function readOutbox(
  environment: Environment,
  after: OutboxRow | null,
  countMax: number,
): OutboxRow[] {
  const { start, end } = OUTBOX_RANGE
  // The smallest key after the last one.
  const from = after === null ? start : Buffer.concat([messageKey(after), Buffer.from([0])])
  return environment.range(from, end, countMax).map(decodeMessage)
}

function decodeMessage({ key, value }: Row): OutboxRow {
  return { ...messageOfKey(key), bytes: bytesOf(unseal('message', value)) }
}

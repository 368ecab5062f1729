/**
 * Turn entry: the bytes of the entry that ends a turn.
 */
import { encodeEntry } from '../journal/codec.ts'
import type { OpenedTurn } from './awaiting-turn.ts'
import type { Invocation } from './invocation.ts'
import type { TurnResult } from './turn-step.ts'

/**
 * `turn` for a turn of one entry, `closed` for one that was opened.
 * @throws ERR_OPTION when it is too large.
 */
export function encodeTurn(
  seq: number,
  atMs: number,
  { idempotencyKey, method, args }: Invocation,
  { invocationId, calls, outcome }: TurnResult,
  opened: OpenedTurn | null,
): Uint8Array {
  if (opened === null) {
    // Written out: spreading an object here halved the turns per second.
    return encodeEntry(seq, {
      kind: 'turn',
      atMs,
      idempotencyKey,
      invocationId,
      method: method.name,
      args,
      calls,
      outcome,
    })
  }
  const { openedSeq, callsLeft } = opened
  return encodeEntry(seq, { kind: 'closed', atMs, openedSeq, calls: callsLeft, outcome })
}

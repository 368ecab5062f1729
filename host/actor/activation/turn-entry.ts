/**
 * Turn entry: the bytes of the entry that ends a turn.
 */
import { encodeEntry } from '../../journal/codec.ts'
import type { RecordedCall } from '../../journal/entry.ts'
import type { Invocation } from '../mailbox/invocation.ts'
import type { TurnResult } from '../turn/turn-step.ts'

/**
 * What a running turn has recorded beyond what the journal has of it: `opened`, then `continued`.
 * @throws ERR_OPTION when it is too large.
 */
export function encodePart(
  seq: number,
  atMs: number,
  { idempotencyKey, method, args, caller, openedSeq, journaledCount }: Invocation,
  all: readonly RecordedCall[],
  invocationId: string | null,
): Uint8Array {
  const calls = all.slice(journaledCount)
  if (openedSeq !== null) return encodeEntry(seq, { kind: 'continued', atMs, calls })
  // Written out, as below.
  return encodeEntry(seq, {
    kind: 'opened',
    atMs,
    idempotencyKey,
    invocationId,
    method: method.name,
    args,
    caller,
    calls,
  })
}

/**
 * `turn` for a turn of one entry, `closed` for one that was opened.
 * @throws ERR_OPTION when it is too large.
 */
export function encodeTurn(
  seq: number,
  atMs: number,
  { idempotencyKey, method, args, caller, openedSeq, journaledCount }: Invocation,
  { invocationId, calls, effects, outcome }: TurnResult,
): Uint8Array {
  if (openedSeq === null) {
    // Written out: spreading an object here halved the turns per second.
    return encodeEntry(seq, {
      kind: 'turn',
      atMs,
      idempotencyKey,
      invocationId,
      method: method.name,
      args,
      caller,
      calls,
      effects,
      outcome,
    })
  }
  const callsLeft = calls.slice(journaledCount)
  return encodeEntry(seq, { kind: 'closed', atMs, openedSeq, calls: callsLeft, effects, outcome })
}

/**
 * Retention of idempotency keys: forgetting those that were used before a time.
 *
 * Owns: the walk over all keys, a page at a time, so that turns have their time in between.
 * Does not own: how long keys are kept (the caller names the time).
 *
 * Invariant FK1: a key that the tail holds stays: its record is about to be written anew.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Change, Environment, Row } from './environment.ts'
import { actorOfIdempotencyKey, IDEMPOTENCY_RANGE, idempotencyNameOf, UPGRADE_KEY } from './keys.ts'
import { decodeKeyUse, decodeNumber } from './records.ts'
import type { Tail } from './tail.ts'
import type { Writer } from './writer.ts'

/** Keys looked at in one go: about a millisecond. */
export const PAGE_COUNT = 250

/** Resolves with the number of keys that were forgotten. */
export async function forgetKeys(
  environment: Environment,
  writer: Writer,
  tail: Tail,
  beforeMs: number,
): Promise<number> {
  await writer.index()
  const upgrade = environment.get(UPGRADE_KEY)
  // Keys of format 1 have no time: they count as used when the folder was brought to this format.
  const timelessMs = upgrade === undefined ? 0 : decodeNumber('upgrade', upgrade)
  const { start, end } = IDEMPOTENCY_RANGE
  let from = start
  let count = 0
  for (;;) {
    environment.refresh()
    const rows = environment.range(from, end, PAGE_COUNT)
    const old = rows.filter((row) => isForgotten(row, tail, beforeMs, timelessMs))
    if (old.length > 0) await writer.change(old.map(removed))
    count += old.length
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE_COUNT) return count
    // The smallest key after the last one.
    from = Buffer.concat([last.key, Buffer.from([0])])
    await nextTurn()
  }
}

function isForgotten(row: Row, tail: Tail, beforeMs: number, timelessMs: number): boolean {
  const { atMs } = decodeKeyUse(row.value)
  if ((atMs ?? timelessMs) >= beforeMs) return false
  const state = tail.byNumber.get(actorOfIdempotencyKey(row.key))
  return state?.keys?.has(idempotencyNameOf(row.key)) !== true
}

const removed = ({ key }: Row): Change => ({ key, value: null })

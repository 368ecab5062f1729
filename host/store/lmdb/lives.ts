/**
 * Lives: where an actor's kept journal begins, and whether its life has ended.
 *
 *     seq of the oldest kept entry   u48; there is no record while all are kept
 *     sweep                          u48 seq: everything before it is given up; 0: the life has ended
 *
 * A sweep record says what is gone already, but still takes room; sweeper.ts removes it bit by bit.
 *
 * Owns: these records. Does not own: removing what they give up.
 */
import type { Change, Environment } from './environment.ts'
import { actorOfSweepKey, firstKey, SWEEP_RANGE, sweepKey } from './keys.ts'
import { decodeNumber, encodeNumber } from './records.ts'

const ENDED = 0

/** Seq of the oldest entry that is kept besides entry 0; 1 when all are. */
export function firstSeqOf(environment: Environment, actor: number): number {
  if (actor === 0) return 1
  const record = environment.get(firstKey(actor))
  return record === undefined ? 1 : decodeNumber('first', record)
}

export function trimChanges(actor: number, seqBefore: number): Change[] {
  return [
    { key: firstKey(actor), value: encodeNumber(seqBefore) },
    { key: sweepKey(actor), value: encodeNumber(seqBefore) },
  ]
}

export function endChange(actor: number): Change {
  return { key: sweepKey(actor), value: encodeNumber(ENDED) }
}

export function isEnded(environment: Environment, actor: number): boolean {
  const record = environment.get(sweepKey(actor))
  return record !== undefined && decodeNumber('sweep', record) === ENDED
}

/** What of an actor waits to be removed: all of it, or entries before a seq. */
export interface Sweep {
  readonly actor: number
  readonly seqBefore: number | null
}

/** A record that is damaged is passed over: what it gave up stays, and the folder opens. */
export function readSweeps(environment: Environment): Sweep[] {
  const { start, end } = SWEEP_RANGE
  return environment.range(start, end).flatMap(({ key, value }) => {
    try {
      const seq = decodeNumber('sweep', value)
      return [{ actor: actorOfSweepKey(key), seqBefore: seq === ENDED ? null : seq }]
    } catch {
      return []
    }
  })
}

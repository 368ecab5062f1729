/**
 * The checkpoint: moves the tail into the index, many commits at a time.
 *
 * An append costs one place in a sequential block; what makes its entries findable without reading
 * all blocks is put here later, once per actor instead of once per entry. Until then the tail knows.
 *
 * Owns: which records a checkpoint puts, and forgetting what they cover.
 * Does not own: when a checkpoint is due (writer.ts).
 *
 * Invariant CK1: a checkpoint is in the same transaction as the newest block it covers, so index and
 * tail never overlap and never leave a gap (T1).
 */
import { invariant } from '../../base/errors.ts'
import type { ActorState } from './actor-state.ts'
import type { Row } from './environment.ts'
import { CHECKPOINT_KEY, directoryKey, headKey, idempotencyKey, runKey } from './keys.ts'
import {
  encodeCheckpoint,
  encodeDirectory,
  encodeKeyUse,
  encodeNumber,
  encodeRun,
  PLACE_WIDTH,
} from './records.ts'
import type { Tail } from './tail.ts'

/** Entries of one run: its record stays small enough to lie inside a page. */
export const RUN_COUNT_MAX = 128

export interface CheckpointPlan {
  readonly puts: readonly Row[]
  /** What to forget once the puts are durable: each actor's entries below a seq. */
  readonly covered: readonly { readonly state: ActorState; readonly seq: number }[]
  /** Actors that were quiet since the checkpoint before: their states need not be kept. */
  readonly quiet: readonly ActorState[]
}

/** Everything that is queued now, as index records. */
export function planCheckpoint(tail: Tail): CheckpointPlan {
  const puts: Row[] = []
  const covered: { state: ActorState; seq: number }[] = []
  const quiet: ActorState[] = []
  for (const state of tail.byNumber.values()) {
    if (state.isClean) {
      quiet.push(state)
      continue
    }
    putActor(state, puts)
    covered.push({ state, seq: state.seqQueued })
  }
  const { blockNext, actorNext } = tail
  puts.push({ key: CHECKPOINT_KEY, value: encodeCheckpoint({ blockNext, actorNext }) })
  return { puts, covered, quiet }
}

function putActor(state: ActorState, puts: Row[]): void {
  const { number, seqIndexed, seqQueued, places, create } = state
  invariant(number > 0 && places.length === (seqQueued - seqIndexed) * PLACE_WIDTH, 'AS1')
  for (let seq = seqIndexed; seq < seqQueued; seq += RUN_COUNT_MAX) {
    const count = Math.min(RUN_COUNT_MAX, seqQueued - seq)
    const from = (seq - seqIndexed) * PLACE_WIDTH
    const run = from === 0 ? places : places.slice(from, from + count * PLACE_WIDTH)
    puts.push({ key: runKey(number, seq), value: encodeRun(run, count) })
  }
  puts.push({ key: headKey(number), value: encodeNumber(seqQueued) })
  // Who was created and ended since then was never in the directory, or is removed from it.
  if (create !== null && !state.isEnding)
    puts.push({
      key: directoryKey(create),
      value: encodeDirectory({ actor: number, record: create }),
    })
  if (state.keys !== null)
    for (const [key, use] of state.keys)
      puts.push({ key: idempotencyKey(number, key), value: encodeKeyUse(use) })
}

/** Forgets what a plan covered, after its puts are durable. */
export function finishCheckpoint(tail: Tail, plan: CheckpointPlan): void {
  for (const { state, seq } of plan.covered) {
    tail.forgetCreated(state)
    state.indexed(seq)
  }
  for (const state of plan.quiet) if (state.isClean) tail.byNumber.delete(state.number)
}

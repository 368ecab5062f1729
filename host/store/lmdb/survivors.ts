/**
 * Survivors: the few entries that live in a block most of which was given up.
 *
 * They become rows of their own, their places in the index say so (block 0), and the block is removed:
 * all in one transaction, so that a crash leaves the block or the rows, never neither.
 *
 * Owns: finding them, and what moving them writes. Does not own: which blocks are rewritten (block-room.ts).
 *
 * Invariant SV1: an entry lives if the index has its place; nothing else decides it.
 */
import { isLoomError } from '../../base/errors.ts'
import { type CommitHead, readHeads } from './block.ts'
import type { Change, Environment } from './environment.ts'
import { blockKey, entryKey, roomKey, runKey, seqOfKey } from './keys.ts'
import {
  decodeRun,
  encodeRun,
  type FlatPlaces,
  MOVED_BLOCK,
  PLACE_WIDTH,
  type Place,
} from './records.ts'

interface Run {
  readonly actor: number
  readonly seq: number
  readonly places: Place[]
  isChanged: boolean
}

/** What moving the survivors of blocks writes; nothing for one that is damaged or gone. */
export function moveSurvivors(environment: Environment, blocks: readonly number[]): Change[] {
  const runs = new RunCache(environment)
  const changes = blocks.flatMap((number) => moveOut(environment, number, runs))
  return [...changes, ...runs.changes()]
}

function moveOut(environment: Environment, number: number, runs: RunCache): Change[] {
  const block = environment.get(blockKey(number))
  const heads = block === undefined ? null : headsOf(number, block)
  if (block === undefined || heads === null) return []
  const changes: Change[] = []
  for (const head of heads)
    for (const { seq, offset, size } of entriesOf(head)) {
      const run = runs.at(head.actor, seq)
      const place = run?.places[seq - run.seq]
      if (run === null || place?.block !== number || place.offset !== offset) continue
      const value = Buffer.from(block.subarray(offset, offset + size))
      changes.push({ key: entryKey(head.actor, seq), value })
      run.places[seq - run.seq] = { block: MOVED_BLOCK, offset: 0, size }
      run.isChanged = true
    }
  changes.push({ key: blockKey(number), value: null }, { key: roomKey(number), value: null })
  return changes
}

function headsOf(number: number, block: Buffer): CommitHead[] | null {
  try {
    return readHeads(number, block)
  } catch (error) {
    if (isLoomError(error) && error.code === 'ERR_JOURNAL_CORRUPT') return null
    throw error
  }
}

function* entriesOf({ seq, entryCount, places }: CommitHead) {
  for (let index = 0; index < entryCount; index++) {
    const at = index * PLACE_WIDTH
    yield { seq: seq + index, offset: places[at + 1] ?? 0, size: places[at + 2] ?? 0 }
  }
}

/** Runs that were looked up: an actor's entries in a block lie in few. */
class RunCache {
  readonly #environment: Environment
  readonly #runs = new Map<string, Run>()
  #last: Run | null = null

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** The run that covers an entry, or null when the index has no place for it. */
  at(actor: number, seq: number): Run | null {
    const last = this.#last
    if (last !== null && covers(last, actor, seq)) return last
    const [row] = this.#environment.rangeDown(
      runKey(actor, seq),
      runKey(actor, 0).subarray(0, 7),
      1,
    )
    if (row === undefined) return null
    const first = seqOfKey(row.key)
    const name = `${actor} ${first}`
    const run = this.#runs.get(name) ?? {
      actor,
      seq: first,
      places: decodeRun(row.value),
      isChanged: false,
    }
    this.#runs.set(name, run)
    this.#last = run
    return covers(run, actor, seq) ? run : null
  }

  changes(): Change[] {
    return [...this.#runs.values()]
      .filter(({ isChanged }) => isChanged)
      .map(({ actor, seq, places }) => ({
        key: runKey(actor, seq),
        value: encodeRun(flat(places), places.length),
      }))
  }
}

function covers(run: Run, actor: number, seq: number): boolean {
  return run.actor === actor && seq >= run.seq && seq < run.seq + run.places.length
}

/** Places as `encodeRun` takes them. */
export function flat(places: readonly Place[]): FlatPlaces {
  return places.flatMap(({ block, offset, size }) => [block, offset, size])
}

/**
 * Replay: runs an actor's journal again and compares every host call, every outcome and every snapshot.
 *
 * Owns: where a replay begins, what it reports. Does not own: running one turn again (actor/turn/turn-engine.ts), larger
 * stacks (deep-replay.ts).
 */
import { readCreated, unknownMethod, usesUpStack } from '../actor/journal/recovery.ts'
import { decodeSnapshot } from '../actor/journal/snapshot.ts'
import { damagedJournal, TurnReader } from '../actor/journal/turn-reader.ts'
import { methodOfTurn } from '../actor/program/host-methods.ts'
import type { ActorProgram } from '../actor/program/program.ts'
import type { EngineEnvironment } from '../actor/turn/turn-context.ts'
import { TurnEngine } from '../actor/turn/turn-engine.ts'
import { systemClock } from '../base/clock.ts'
import { LoomError } from '../base/errors.ts'
import { type ActorKey, formatActorKey } from '../base/names.ts'
import { systemRandom } from '../base/random.ts'
import type { TurnEntry } from '../journal/entry.ts'
import type { ActorLog, ActorRecord, Store } from '../store/store.ts'
import type { ReplayReport } from './api.ts'
import type { DeepReplays, OnProgress, ReplayedLog } from './deep-replay.ts'
import { unlessGivenUp } from './read-beside.ts'
import type { TypeRegistry } from './type-registry.ts'

/** @throws ERR_ACTOR_UNKNOWN */
export async function openKnown(
  store: Store,
  key: ActorKey,
): Promise<{ readonly log: ActorLog; readonly record: ActorRecord }> {
  const log = await store.openLog(key)
  if (log.record !== null) return { log, record: log.record }
  throw new LoomError('ERR_ACTOR_UNKNOWN', `${formatActorKey(key)} has no journal`)
}

export interface ReplayHome {
  readonly store: Store
  readonly types: TypeRegistry
  readonly deep: DeepReplays
}

/** @throws ERR_ACTOR_UNKNOWN, ERR_DIVERGENCE, ERR_JOURNAL_CORRUPT; ERR_BUSY when it was cut or ended meanwhile. */
export async function replay(
  home: ReplayHome,
  key: ActorKey,
  onProgress: OnProgress = () => {},
): Promise<ReplayReport> {
  const known = await openKnown(home.store, key)
  try {
    return await replayKnown(home, known, onProgress)
  } catch (error) {
    throw await unlessGivenUp(home.store, known.log, error)
  }
}

async function replayKnown(
  { types, deep }: ReplayHome,
  { log, record }: { readonly log: ActorLog; readonly record: ActorRecord },
  onProgress: OnProgress,
): Promise<ReplayReport> {
  const program = await types.pinned(record)
  try {
    return await replayLog(log, record, program, onProgress)
  } catch (error) {
    if (!usesUpStack(error)) throw error
    return await deep.report(log, record, onProgress)
  }
}

/** What nobody sees but the turns that are replayed. */
export function replayEnvironment({ type, id, incarnation }: ActorRecord): EngineEnvironment {
  return {
    key: { type, id },
    incarnation,
    clock: systemClock,
    random: systemRandom,
    log: () => {},
    parkedTurns: null,
    ports: null,
  }
}

export async function replayLog(
  log: ReplayedLog,
  record: ActorRecord,
  program: ActorProgram,
  onProgress: OnProgress,
): Promise<ReplayReport> {
  const { key } = log
  const environment = replayEnvironment(record)
  const created = await readCreated({ log, record })
  const engine = TurnEngine.startReplay(program, environment, created.calls)
  const { seqNext, seqFirst } = log
  const snapshots = await readSnapshots(log)
  if (seqFirst > 1) engine.restore(imageAtCut(key, seqFirst, snapshots))
  let turns = 0
  let failed = 0
  let snapshotsCompared = 0
  const replayed = (entry: TurnEntry, seqAfter: number): void => {
    if (entry.outcome.kind === 'returned') turns++
    else failed++
    if (snapshots.has(seqAfter)) {
      compareSnapshot(key, seqAfter, engine, snapshots)
      snapshotsCompared++
    }
    onProgress(seqAfter - 1, seqNext - 1)
  }
  await new TurnReader(log, seqFirst, seqNext).each((seq, seqAfter, entry) => {
    const method = methodOfTurn(program, entry.method)
    if (method === undefined) throw unknownMethod(key, program, seq, entry.method)
    const replaying = engine.replay(seq, entry, method)
    if (replaying !== undefined) return replaying.then(() => replayed(entry, seqAfter))
    return replayed(entry, seqAfter)
  })
  const stateHash = engine.stateHash()
  const { digest } = record
  return { key, turns, failed, seqNext, seqFirst, digest, stateHash, snapshotsCompared }
}

/** The state where a journal that was cut begins. @throws ERR_JOURNAL_CORRUPT */
function imageAtCut(
  key: ActorKey,
  seqFirst: number,
  snapshots: ReadonlyMap<number, Uint8Array>,
): Uint8Array {
  const bytes = snapshots.get(seqFirst)
  if (bytes !== undefined) return decodeSnapshot(seqFirst, bytes).image
  const reason = 'entries before it were given up, and the snapshot there cannot be used'
  throw damagedJournal(formatActorKey(key), seqFirst, reason)
}

/** All snapshots by seq. */
async function readSnapshots(log: ReplayedLog): Promise<ReadonlyMap<number, Uint8Array>> {
  const found = new Map<number, Uint8Array>()
  let row = await log.readSnapshot(log.seqNext)
  while (row !== null) {
    found.set(row.seq, row.bytes)
    row = await log.readSnapshot(row.seq - 1)
  }
  return found
}

function compareSnapshot(
  key: ActorKey,
  seq: number,
  engine: TurnEngine,
  snapshots: ReadonlyMap<number, Uint8Array>,
): void {
  const bytes = snapshots.get(seq)
  if (bytes === undefined) return
  const { image } = decodeSnapshot(seq, bytes)
  if (Buffer.compare(engine.capture(), image) === 0) return
  const name = formatActorKey(key)
  throw new LoomError(
    'ERR_DIVERGENCE',
    `${name}: the state after entry ${seq - 1} differs from the snapshot taken live`,
    { data: { seq: seq - 1, expected: 'the state of the snapshot', got: 'another state' } },
  )
}

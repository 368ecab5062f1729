/**
 * Inspector: reads a store beside a live host, or without one; changes nothing.
 *
 * Owns: listing, reading journals, replaying from the first entry. Does not own: taking calls.
 */
import { readCreated } from '../actor/recovery.ts'
import { decodeSnapshot } from '../actor/snapshot.ts'
import type { EngineEnvironment } from '../actor/turn-context.ts'
import { TurnEngine } from '../actor/turn-engine.ts'
import { decodeNamed, TurnReader } from '../actor/turn-reader.ts'
import { systemClock } from '../base/clock.ts'
import { LoomError } from '../base/errors.ts'
import { type ActorKey, formatActorKey } from '../base/names.ts'
import { systemRandom } from '../base/random.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import type { ActorLog, ActorRecord, Store, StoreDriver } from '../store/store.ts'
import type {
  ActorFacts,
  ActorTypeDefinition,
  Inspector,
  JournalLine,
  ReplayReport,
} from './api.ts'
import { standardInterfaces } from './create-runtime.ts'
import { TypeRegistry } from './type-registry.ts'

const PAGE_ENTRIES = 1_024

export interface InspectorOptions {
  readonly store: StoreDriver
  readonly blobs: BlobStore
  /** Classes of TypeScript actors, for replay. */
  readonly types?: Readonly<Record<string, ActorTypeDefinition>>
}

/** @throws ERR_DATA_FOLDER when there is no store to read. */
export async function openInspector(options: InspectorOptions): Promise<Inspector> {
  const store = await options.store.open({ readOnly: true, wallMs: () => systemClock.wallMs() })
  const interfaces = standardInterfaces()
  const types = new TypeRegistry({
    blobs: options.blobs,
    interfaces,
    checkImports: false,
    parks: false,
  })
  for (const [name, definition] of Object.entries(options.types ?? {}))
    await types.register(name, definition)
  return {
    blobs: options.blobs,
    host: () => store.readHost(),
    actors: (type) => store.actors(type),
    quarantined: () => store.quarantined(),
    find: (key) => findActor(store, key),
    actorTypes: () => types.describe(),
    journal: (key) => readJournal(store, key),
    replay: (key, onProgress) => replay(store, types, key, onProgress),
    close: () => store.close(),
  }
}

async function openKnown(
  store: Store,
  key: ActorKey,
): Promise<{ readonly log: ActorLog; readonly record: ActorRecord }> {
  const log = await store.openLog(key)
  if (log.record !== null) return { log, record: log.record }
  throw new LoomError('ERR_ACTOR_UNKNOWN', `${formatActorKey(key)} has no journal`)
}

async function findActor(store: Store, key: ActorKey): Promise<ActorFacts> {
  const { log, record } = await openKnown(store, key)
  const { seqNext, seqFirst } = log
  return { ...record, seqNext, seqFirst, quarantine: await store.readQuarantine(key) }
}

async function* readJournal(store: Store, key: ActorKey): AsyncGenerator<JournalLine> {
  const { log } = await openKnown(store, key)
  const name = formatActorKey(key)
  for (let seq = 0; seq < log.seqNext; seq += PAGE_ENTRIES)
    for (const row of await log.read(seq, Math.min(PAGE_ENTRIES, log.seqNext - seq)))
      yield { seq: row.seq, entry: decodeNamed(name, row) }
}

async function replay(
  store: Store,
  types: TypeRegistry,
  key: ActorKey,
  onProgress: (turns: number, of: number) => void = () => {},
): Promise<ReplayReport> {
  const { log, record } = await openKnown(store, key)
  const program = await types.pinned(record)
  const environment: EngineEnvironment = {
    key,
    incarnation: record.incarnation,
    clock: systemClock,
    random: systemRandom,
    log: () => {},
    parkedTurns: null,
    ports: null,
  }
  const created = await readCreated({ log, record })
  const engine = TurnEngine.startReplay(program, environment, created.calls)
  const { seqNext } = log
  const snapshots = await readSnapshots(log)
  let turns = 0
  let failed = 0
  let snapshotsCompared = 0
  for await (const { seq, seqAfter, entry } of new TurnReader(log, 1, seqNext).read()) {
    const method = program.findMethod(entry.method)
    if (method === undefined)
      throw new LoomError('ERR_DIVERGENCE', `entry ${seq}: the component has no ${entry.method}`, {
        data: { seq, expected: entry.method, got: 'no such method' },
      })
    const replayed = engine.replay(seq, entry, method)
    if (replayed !== undefined) await replayed
    if (entry.outcome.kind === 'returned') turns++
    else failed++
    if (snapshots.has(seqAfter)) {
      compareSnapshot(key, seqAfter, engine, snapshots)
      snapshotsCompared++
    }
    onProgress(seqAfter - 1, seqNext - 1)
  }
  const stateHash = engine.stateHash()
  const { digest } = record
  const { seqFirst } = log
  return { key, turns, failed, seqNext, seqFirst, digest, stateHash, snapshotsCompared }
}

/** All snapshots by seq. */
async function readSnapshots(log: ActorLog): Promise<ReadonlyMap<number, Uint8Array>> {
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

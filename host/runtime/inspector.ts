/**
 * Inspector: reads a store beside a live host, or without one; changes nothing.
 *
 * Owns: listing, reading journals, replaying from the first entry. Does not own: taking calls.
 */
import { methodOfTurn } from '../actor/host-methods.ts'
import { readCreated } from '../actor/recovery.ts'
import { decodeReminder, infoOf } from '../actor/reminder.ts'
import { decodeSnapshot } from '../actor/snapshot.ts'
import type { EngineEnvironment } from '../actor/turn-context.ts'
import { TurnEngine } from '../actor/turn-engine.ts'
import { damagedJournal, decodeNamed, readEntries, TurnReader } from '../actor/turn-reader.ts'
import { describeReminder } from '../actor/typescript-ticks.ts'
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
    reminders: async (key) => {
      const { log } = await openKnown(store, key)
      const rows = await log.listReminders()
      return rows.map(({ name, bytes }) => describeReminder(infoOf(decodeReminder(name, bytes))))
    },
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
  const { log, record } = await openKnown(store, key)
  const name = formatActorKey(key)
  yield { seq: 0, entry: await readCreated({ log, record }) }
  let seq = log.seqFirst
  while (seq < log.seqNext)
    try {
      for await (const rows of readEntries(log, seq, log.seqNext))
        for (const row of rows) {
          yield { seq: row.seq, entry: decodeNamed(name, row) }
          seq = row.seq + 1
        }
    } catch (error) {
      // The host may have cut the journal meanwhile: then go on where it begins now.
      const { seqFirst } = await store.openLog(key)
      if (seqFirst <= seq) throw error
      seq = seqFirst
    }
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
  const { seqNext, seqFirst } = log
  const snapshots = await readSnapshots(log)
  if (seqFirst > 1) engine.restore(imageAtCut(key, seqFirst, snapshots))
  let turns = 0
  let failed = 0
  let snapshotsCompared = 0
  for await (const { seq, seqAfter, entry } of new TurnReader(log, seqFirst, seqNext).read()) {
    const method = methodOfTurn(program, entry.method)
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

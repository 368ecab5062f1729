import { readCreated } from '../actor/journal/recovery.ts'
import { decodeNamed, readEntries } from '../actor/journal/turn-reader.ts'
import { decodeReminder, infoOf } from '../actor/ticks/reminder.ts'
import { describeReminder } from '../actor/typescript/typescript-ticks.ts'
import { systemClock } from '../base/clock.ts'
import { PAYLOAD_INLINE_MAX_BYTES } from '../base/limits.ts'
import { type ActorKey, formatActorKey } from '../base/names.ts'
import { systemRandom } from '../base/random.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import { PayloadStore } from '../journal/payload-store.ts'
import type { Store, StoreDriver } from '../store/store.ts'
import { exportActor } from './actor-export.ts'
import type { ActorFacts, ActorTypeDefinition, Inspector, JournalLine } from './api.ts'
import { DeepReplays } from './deep-replay.ts'
import { unlessGivenUp } from './read-beside.ts'
import { openKnown, replay } from './replay.ts'
import { standardInterfaces } from './standard-interfaces.ts'
import { TypeRegistry } from './type-registry.ts'

export interface InspectorOptions {
  readonly store: StoreDriver
  readonly blobs: BlobStore
  /** Classes of TypeScript actors, for replay. */
  readonly types?: Readonly<Record<string, ActorTypeDefinition>>
}

/** @throws ERR_DATA_FOLDER when there is no store to read. */
export async function openInspector(options: InspectorOptions): Promise<Inspector> {
  const opened = await options.store.open({ readOnly: true, wallMs: () => systemClock.wallMs() })
  const { blobs } = options
  const payloads = { blobs, random: systemRandom, inlineMaxBytes: PAYLOAD_INLINE_MAX_BYTES }
  const store = new PayloadStore(opened, payloads)
  const interfaces = standardInterfaces()
  const deep = new DeepReplays(blobs)
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
    export: (key, given = {}) => exportActor(store, options.blobs, key, given),
    replay: (key, onProgress) => replay({ store, types, deep }, key, onProgress),
    close: () => store.close(),
  }
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
      if (seqFirst <= seq) throw await unlessGivenUp(store, log, error)
      seq = seqFirst
    }
}

/**
 * Export: one actor as a file.
 *
 * Guarantee: what is exported is the actor as of one of its commits, also beside a live host.
 *
 * Owns: which rows go into the file, in which order. Does not own: bytes (journal/export-file.ts), reading them back
 * (actor-import.ts).
 *
 * Invariant EX1: keyed state and reminders are read between two looks at the journal's length that agree: every
 * commit appends an entry, so none came in between.
 */
import { decodeNamed, readEntries } from '../actor/journal/turn-reader.ts'
import { isDigest } from '../base/digest.ts'
import { LoomError } from '../base/errors.ts'
import { type ActorKey, formatActorKey } from '../base/names.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import type { JournalEntry } from '../journal/entry.ts'
import { ExportWriter } from '../journal/export-file.ts'
import type { ActorLog, ActorRecord, ReminderRow, StateRow, Store } from '../store/store.ts'
import type { ExportOptions } from './api.ts'
import { unlessGivenUp } from './read-beside.ts'

/** Looks at an actor that takes turns all the time before it is given up. */
const ATTEMPTS = 100
const PAGE_ROWS = 1_000

interface Cut {
  readonly log: ActorLog
  readonly record: ActorRecord
  readonly state: readonly StateRow[]
  readonly reminders: readonly ReminderRow[]
}

/** The file's bytes, in pieces. @throws ERR_ACTOR_UNKNOWN, ERR_BUSY, ERR_JOURNAL_CORRUPT, ERR_BLOB_UNKNOWN */
export async function* exportActor(
  store: Store,
  blobs: BlobStore,
  key: ActorKey,
  { withComponent = false }: ExportOptions,
): AsyncGenerator<Uint8Array> {
  const found = await cut(store, key)
  try {
    yield* records(found, blobs, withComponent)
  } catch (error) {
    throw await unlessGivenUp(store, found.log, error)
  }
}

async function* records(
  { log, record, state, reminders }: Cut,
  blobs: BlobStore,
  withComponent: boolean,
): AsyncGenerator<Uint8Array> {
  const { type, id, incarnation, digest, createdAtMs } = record
  const file = new ExportWriter()
  yield file.header()
  const { seqNext, seqFirst } = log
  yield file.record('actor', type, id, incarnation, digest, createdAtMs, seqNext, seqFirst)
  if (withComponent && isDigest(digest)) yield file.record('component', await blobs.get(digest))
  const keys = new KeyUses()
  for (const [from, to] of [
    [0, 1],
    [seqFirst, seqNext],
  ] as const)
    for await (const rows of readEntries(log, from, to))
      for (const row of rows) {
        yield file.record('entry', row.seq, row.bytes)
        const entry = decodeNamed(formatActorKey(log.key), row)
        const used = keys.of(entry)
        if (used !== null && (await log.findIdempotent(used)) === row.seq)
          yield file.record('key', used, row.seq, entry.atMs)
      }
  for (const row of state) yield file.record('state', row.key, row.value)
  for (const { name, dueAtMs, bytes } of reminders)
    yield file.record('reminder', name, dueAtMs, bytes)
  for await (const { seq, bytes } of snapshots(log)) yield file.record('snapshot', seq, bytes)
  yield file.record('end')
}

/** EX1. */
async function cut(store: Store, key: ActorKey): Promise<Cut> {
  const name = formatActorKey(key)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const log = await store.openLog(key)
    const { record, seqNext } = log
    if (record === null) throw new LoomError('ERR_ACTOR_UNKNOWN', `${name} has no journal`)
    const state = await allState(log)
    const reminders = await log.listReminders()
    const after = await store.openLog(key)
    const same = after.record?.incarnation === record.incarnation && after.seqNext === seqNext
    if (same) return { log: after, record, state, reminders }
  }
  throw new LoomError('ERR_BUSY', `${name} takes turns all the time: deactivate it, or try again`)
}

async function allState(log: ActorLog): Promise<readonly StateRow[]> {
  const all: StateRow[] = []
  for (let after: string | null = null; ; ) {
    const rows: readonly StateRow[] = await log.listState('', after, PAGE_ROWS)
    all.push(...rows)
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE_ROWS) return all
    after = last.key
  }
}

/** Which entry holds the result of which key. */
class KeyUses {
  #opened: string | null = null

  /** The key whose turn ends with `entry`, or null. */
  of(entry: JournalEntry): string | null {
    if (entry.kind === 'turn') return entry.idempotencyKey
    if (entry.kind === 'opened') this.#opened = entry.idempotencyKey
    return entry.kind === 'closed' ? this.#opened : null
  }
}

/** The newest snapshot, and the one at which a journal that was cut begins. */
async function* snapshots(log: ActorLog): AsyncGenerator<{ seq: number; bytes: Uint8Array }> {
  const { seqFirst } = log
  const newest = await log.readSnapshot(log.seqNext)
  const first = seqFirst > 1 ? await log.readSnapshot(seqFirst) : null
  if (first !== null) yield first
  if (newest !== null && newest.seq !== first?.seq) yield newest
}

/**
 * Import: an actor out of a file.
 *
 * Guarantee: the actor is there whole, or takes no turns: until everything is durable it is quarantined, so that an
 * import that was cut off by a crash is seen, and can be deleted.
 *
 * Owns: checking a file as a whole, writing its rows. Does not own: bytes (journal/export-file.ts).
 *
 * Invariants:
 *   IM1. The whole file is read and checked before anything is written.
 *   IM2. A journal that was cut is written with fillers in place of what was given up, and cut again.
 *   IM3. Entries are whole: none names a payload that may be another actor's.
 *   IM4. Under another name it is another actor (renamed-actor.ts). Under its own it goes on, from an earlier place in its
 *        journal where it was here before: not while messages of that life wait under the places to come.
 */
import { isDigest } from '../base/digest.ts'
import { LoomError } from '../base/errors.ts'
import { BUSY_RETRY_AFTER_MS } from '../base/limits.ts'
import { type ActorKey, checkActorId, checkTypeName, formatActorKey } from '../base/names.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import { decodeEntry } from '../journal/codec.ts'
import { isDetached } from '../journal/detached.ts'
import { damagedFile, readExport } from '../journal/export-file.ts'
import type { ActorRecord, Commit, ReminderRow, SnapshotRow, Store } from '../store/store.ts'
import { renamedActor } from './renamed-actor.ts'

export interface ImportHome {
  readonly store: Store
  readonly blobs: BlobStore
  readonly nowMs: () => number
  readonly newIncarnation: () => string
  /** Replays an actor that got another name. @throws ERR_DIVERGENCE */
  readonly verify: (key: ActorKey) => Promise<void>
}

type KeyRow = NonNullable<Commit['idempotency']>[number]

/** A file as a whole. */
export interface ActorExport {
  readonly record: ActorRecord
  readonly seqNext: number
  readonly seqFirst: number
  readonly component: Uint8Array | null
  readonly entries: ReadonlyMap<number, Uint8Array>
  readonly keys: readonly KeyRow[]
  readonly state: readonly { readonly key: string; readonly value: Uint8Array }[]
  readonly reminders: readonly ReminderRow[]
  readonly snapshots: readonly SnapshotRow[]
}

/** IM1. @throws ERR_IMPORT_CORRUPT (data: offset), ERR_NAME */
export function parseExport(file: Uint8Array): ActorExport {
  const entries = new Map<number, Uint8Array>()
  const keys: KeyRow[] = []
  const state: { key: string; value: Uint8Array }[] = []
  const reminders: ReminderRow[] = []
  const snapshots: SnapshotRow[] = []
  let component: Uint8Array | null = null
  let head: Pick<ActorExport, 'record' | 'seqNext' | 'seqFirst'> | null = null
  for (const { kind, cells, offset } of readExport(file)) {
    if ((kind === 'actor') !== (head === null)) throw damagedFile(offset, 'a record is misplaced')
    if (kind === 'actor') head = headOf(cells)
    else if (kind === 'component') component = cells[0] as Uint8Array
    else if (kind === 'entry') entries.set(cells[0] as number, wholeEntry(cells[1], offset))
    else if (kind === 'snapshot')
      snapshots.push({ seq: cells[0] as number, bytes: cells[1] as Uint8Array })
    else if (kind === 'state')
      state.push({ key: cells[0] as string, value: cells[1] as Uint8Array })
    else if (kind === 'key') {
      const [key, seq, atMs] = cells as [string, number, number]
      keys.push({ key, seq, atMs })
    } else if (kind === 'reminder') {
      const [name, dueAtMs, bytes] = cells as [string, number, Uint8Array]
      reminders.push({ name, dueAtMs, bytes })
    }
  }
  if (head === null) throw damagedFile(file.length, 'it holds no actor')
  const { seqFirst, seqNext } = head
  for (let seq = 0; seq < seqNext; seq = seq === 0 ? seqFirst : seq + 1)
    if (!entries.has(seq)) throw damagedFile(file.length, `entry ${seq} is missing`)
  return { ...head, component, entries, keys, state, reminders, snapshots }
}

/** IM3: what a file says of a blob would be believed when the actor is deleted. */
function wholeEntry(bytes: unknown, offset: number): Uint8Array {
  if (bytes instanceof Uint8Array && !isDetached(bytes)) return bytes
  throw damagedFile(offset, 'an entry is not whole')
}

function headOf(cells: readonly unknown[]): Pick<ActorExport, 'record' | 'seqNext' | 'seqFirst'> {
  const [type, id, incarnation, digest, createdAtMs, seqNext, seqFirst] = cells as [
    string,
    string,
    string,
    string,
    number,
    number,
    number,
  ]
  checkTypeName(type)
  checkActorId(id)
  return { record: { type, id, incarnation, digest, createdAtMs }, seqNext, seqFirst }
}

/**
 * Writes an actor under the name `key`. Nobody else may have it meanwhile.
 * @throws ERR_ACTOR_EXISTS, ERR_BLOB_UNKNOWN (the component), ERR_BUSY (IM4); nothing was written.
 * @throws ERR_DIVERGENCE  the actor's turns depend on its name or incarnation; nothing is left.
 */
export async function importActor(
  home: ImportHome,
  key: ActorKey,
  given: ActorExport,
): Promise<void> {
  const { store } = home
  const name = formatActorKey(key)
  const isRenamed = name !== formatActorKey(given.record)
  const actor = isRenamed ? renamedActor(given, key, home.newIncarnation()) : given
  const log = await store.openLog(key)
  if (log.record !== null)
    throw new LoomError('ERR_ACTOR_EXISTS', `${name} exists already: delete it first`)
  await refuseUndelivered(store, key, actor.record.incarnation)
  await haveComponent(home.blobs, actor)
  const { type, id } = key
  const message = 'an import of it was cut off: delete it, and import it again'
  await store.quarantine({ key: { type, id }, atMs: home.nowMs(), code: 'ERR_CLOSING', message })
  for (const commit of commitsOf(key, actor)) await log.append(commit)
  for (const snapshot of actor.snapshots) await log.writeSnapshot(snapshot)
  if (actor.seqFirst > 1) await log.trim(actor.seqFirst)
  if (isRenamed)
    try {
      await home.verify(key)
    } catch (error) {
      const { seqNext } = actor
      // The replay has opened a log of its own.
      const last = await store.openLog(key)
      await last.append({ seq: seqNext, entries: [FILLER], end: true })
      await store.release(key)
      throw error
    }
  await store.release(key)
}

/** IM4. */
async function refuseUndelivered(store: Store, key: ActorKey, incarnation: string): Promise<void> {
  const before = { sender: key, incarnation, seq: 0, index: 0, bytes: new Uint8Array() }
  const [row] = await store.outbox(before, 1)
  const isOwn = row !== undefined && formatActorKey(row.sender) === formatActorKey(key)
  if (!isOwn || row.incarnation !== incarnation) return
  const reason = 'messages that it sent in this store before are not delivered yet'
  throw new LoomError('ERR_BUSY', `${formatActorKey(key)}: ${reason}`, {
    data: { retryAfterMs: BUSY_RETRY_AFTER_MS },
  })
}

async function haveComponent(
  blobs: BlobStore,
  { record: { digest }, component }: ActorExport,
): Promise<void> {
  if (!isDigest(digest)) return
  if (component !== null) {
    const stored = await blobs.put(component)
    if (stored === digest) return
    throw damagedFile(0, `its component is ${stored}, and not ${digest}`)
  }
  if (await blobs.has(digest)) return
  throw new LoomError(
    'ERR_BLOB_UNKNOWN',
    `component ${digest} is not here: push it, or export the actor with its component`,
    { data: { digest } },
  )
}

const FILLER = Uint8Array.of(0)
const COMMIT_ENTRIES = 1_024
const COMMIT_SIZE_BYTES = 4 * 1024 * 1024

/** The journal in commits of bounded size; the last one brings keyed state and reminders (IM2). */
function* commitsOf({ type, id }: ActorKey, actor: ActorExport): Generator<Commit> {
  const { record, seqNext, entries, keys, state, reminders } = actor
  const keysBySeq = new Map(keys.map((row) => [row.seq, row]))
  for (let seq = 0; seq < seqNext; ) {
    const first = seq
    const batch: Uint8Array[] = []
    const idempotency: KeyRow[] = []
    let sizeBytes = 0
    while (seq < seqNext && batch.length < COMMIT_ENTRIES && sizeBytes < COMMIT_SIZE_BYTES) {
      const bytes = entries.get(seq) ?? FILLER
      const used = keysBySeq.get(seq)
      if (used !== undefined) idempotency.push(used)
      sizeBytes += bytes.length
      batch.push(bytes)
      seq++
    }
    yield {
      seq: first,
      entries: batch,
      idempotency,
      ...(first === 0 && { create: { ...record, type, id } }),
      ...(seq === seqNext && { open: endsOpen(seq - 1, entries) }),
      ...(seq === seqNext && state.length > 0 && { state }),
      ...(seq === seqNext && reminders.length > 0 && { reminders }),
    }
  }
}

function endsOpen(seq: number, entries: ReadonlyMap<number, Uint8Array>): boolean {
  const { kind } = decodeEntry(seq, entries.get(seq) ?? FILLER)
  return kind === 'opened' || kind === 'continued'
}

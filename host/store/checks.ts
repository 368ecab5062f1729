/**
 * Checks that every driver makes before it writes, so that all refuse the same calls with the same words.
 *
 * Owns: the rules on a commit and a snapshot that need no storage to decide.
 * Does not own: the epoch check (S3), which each driver makes inside its transaction.
 */
import { LoomError } from '../base/errors.ts'
import { IDEMPOTENCY_KEY_SIZE_MAX_BYTES } from '../base/limits.ts'
import { type ActorKey, checkActorId, checkTypeName, formatActorKey } from '../base/names.ts'
import { effectsProblem, isTime } from './effect-checks.ts'
import type { Commit, SnapshotRow } from './store.ts'

/** Incarnations are random ids; their size is bounded because they are part of store keys. */
const INCARNATION_LENGTH_MAX = 64

/** A copy of `key`, which the caller may not change later. @throws ERR_NAME */
export function ownKey(key: ActorKey): ActorKey {
  checkTypeName(key.type)
  checkActorId(key.id)
  return { type: key.type, id: key.id }
}

/** Why `commit` cannot follow a journal of `seqNext` entries (S2), or null when it can. */
export function commitError(key: ActorKey, commit: Commit, seqNext: number): LoomError | null {
  const { seq, entries, create, idempotency } = commit
  if (seq !== seqNext)
    return refused(key, `commit names seq ${seq}, its journal ends at ${seqNext}`, seq, seqNext)
  if (entries.length === 0) return refused(key, 'commit has no entries', seq, seqNext)
  if ((create !== undefined) !== (seq === 0))
    return refused(key, 'create belongs to the first commit and to no other', seq, seqNext)
  if (create !== undefined && (create.type !== key.type || create.id !== key.id))
    return refused(key, `create names ${formatActorKey(create)}`, seq, seqNext)
  if (create !== undefined && !isIncarnation(create.incarnation))
    return refused(key, 'create names no incarnation', seq, seqNext)
  for (const row of idempotency ?? []) {
    if (row.seq < seq || row.seq >= seq + entries.length)
      return refused(key, `idempotency key points outside its commit, to ${row.seq}`, seq, seqNext)
    const size = Buffer.byteLength(row.key)
    if (size === 0 || size > IDEMPOTENCY_KEY_SIZE_MAX_BYTES)
      return refused(key, `idempotency key has ${size} bytes`, seq, seqNext)
    if (!isTime(row.atMs)) return refused(key, `idempotency key used at ${row.atMs}`, seq, seqNext)
  }
  const problem = effectsProblem(commit)
  return problem === null ? null : refused(key, problem, seq, seqNext)
}

function isIncarnation(value: string): boolean {
  return value.length > 0 && value.length <= INCARNATION_LENGTH_MAX && !value.includes('\0')
}

/** Why the entries before `seqBefore` cannot be given up, or null when they can. */
export function trimError(
  key: ActorKey,
  seqBefore: number,
  newest: SnapshotRow | null,
): LoomError | null {
  if (newest !== null && newest.seq >= seqBefore) return null
  const seq = newest?.seq ?? 0
  return refused(key, `no snapshot stands at or behind seq ${seqBefore}`, seqBefore, seq)
}

/** Why `seqBefore` is no seq to trim at, or null when it is one. */
export function trimSeqError(key: ActorKey, seqBefore: number): LoomError | null {
  if (Number.isSafeInteger(seqBefore) && seqBefore > 0) return null
  return refused(key, `cannot trim before seq ${seqBefore}`, seqBefore, seqBefore)
}

/** Why `snapshot` cannot belong to a journal of `seqNext` entries, or null when it can. */
export function snapshotError(
  key: ActorKey,
  snapshot: SnapshotRow,
  seqNext: number,
): LoomError | null {
  const good = Number.isSafeInteger(snapshot.seq) && snapshot.seq > 0 && snapshot.seq <= seqNext
  if (good) return null
  return refused(key, `snapshot names seq ${snapshot.seq}`, snapshot.seq, seqNext)
}

function refused(key: ActorKey, what: string, seq: number, seqNext: number): LoomError {
  return new LoomError('ERR_INVARIANT', `${formatActorKey(key)}: ${what}`, {
    data: { seq, seqNext },
  })
}

/** What every write to a store that was opened for reading gets. */
export function readOnlyError(): LoomError {
  return new LoomError('ERR_READ_ONLY', 'the store was opened for reading only')
}

/** What every write gets after another host took over. */
export function fencedError(epoch: number, by: { pid: number; epoch: number } | null): LoomError {
  const who = by === null ? 'another host' : `process ${by.pid} (epoch ${by.epoch})`
  return new LoomError('ERR_FENCED', `epoch ${epoch} is over: ${who} has taken over`, {
    data: { epoch, pid: by?.pid ?? null, epochNow: by?.epoch ?? null },
  })
}

/** What every commit of a log gets after one of its commits failed (S4). */
export function brokenError(key: ActorKey, cause: LoomError): LoomError {
  return new LoomError(
    cause.code,
    `${formatActorKey(key)}: an earlier commit failed: ${cause.message}`,
    { cause, data: cause.data },
  )
}

/** Order of actors: by type, then id, both by Unicode code point, which is the order of their UTF-8. */
export function compareActors(a: ActorKey, b: ActorKey): number {
  return compareText(a.type, b.type) || compareText(a.id, b.id)
}

export function compareText(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** What every append to a log gets after a commit that ended its actor's life. */
export function endedError(key: ActorKey): LoomError {
  return new LoomError('ERR_INVARIANT', `${formatActorKey(key)}: this life of the actor has ended`)
}

/** What every append to a log gets after its actor's log was opened again: one log is open per actor. */
export function retiredError(key: ActorKey): LoomError {
  return new LoomError('ERR_INVARIANT', `${formatActorKey(key)}: the log was opened again`)
}

/**
 * A rejected promise that may be looked at later: callers pipeline, and a failure that nobody has
 * awaited yet must not end the process. Nothing is lost by that, every later commit fails as well (S4).
 */
export function rejected(error: LoomError): Promise<never> {
  const promise = Promise.reject(error)
  promise.catch(() => {})
  return promise
}

/**
 * The journal and snapshots of one actor on a memory driver's disk.
 *
 * Owns: the ActorLog contract. Does not own: when a write reaches the disk (memory-store.ts).
 */
import type { Digest } from '../../base/digest.ts'
import { invariant, type LoomError, toLoomError } from '../../base/errors.ts'
import type { ActorKey } from '../../base/names.ts'
import {
  brokenError,
  commitError,
  compareText,
  endedError,
  readOnlyError,
  rejected,
  retiredError,
  snapshotError,
  trimError,
  trimSeqError,
} from '../checks.ts'
import type {
  ActorLog,
  ActorRecord,
  Commit,
  JournalRow,
  ReminderRow,
  SnapshotRow,
  StateRow,
} from '../store.ts'
import { type Cell, cellKey, type Disk, messageKey, newCell } from './disk.ts'

/** What a log needs of its store. */
export interface LogHome {
  readonly epoch: number
  readonly disk: Disk
  checkOpen(): void
  /** `log`: whose commit it is, if it is one: it breaks with what it waits with. */
  write(apply: () => void, log?: MemoryLog, after?: Promise<unknown>): Promise<void>
  failWaiting(error: unknown): void
}

export class MemoryLog implements ActorLog {
  readonly key: ActorKey
  readonly record: ActorRecord | null
  readonly seqNext: number
  readonly seqFirst: number
  readonly #store: LogHome
  #seqQueued: number
  /** Keys of commits on their way. */
  readonly #keysQueued = new Map<string, number>()
  /** Why later commits are refused (S4): a commit was refused, or failed when it was applied. */
  #broken: LoomError | null = null
  /** Why commits that wait must not be applied: one before them failed. */
  #failed: LoomError | null = null
  #retired = false
  /** A commit that ends the life is on its way, or was made. */
  #ending = false
  /** This life of the actor ended: whatever has its name now is another. */
  #ended = false
  #last: Promise<void> = Promise.resolve()

  constructor(store: LogHome, key: ActorKey) {
    this.#store = store
    this.key = key
    const cell = this.#cell()
    this.record = cell?.record ?? null
    this.seqNext = cell?.entries.length ?? 0
    this.seqFirst = cell?.seqFirst ?? 1
    this.#seqQueued = this.seqNext
  }

  #cell(): Cell | undefined {
    return this.#ended ? undefined : this.#store.disk.cells.get(cellKey(this.key))
  }

  get broken(): LoomError | null {
    return this.#broken
  }

  /** A commit that this log's wait with has failed (S7): they will fail in their turn. */
  break(error: LoomError): void {
    this.#broken ??= error
  }

  append(commit: Commit): Promise<void> {
    if (this.#store.epoch === 0) return rejected(readOnlyError())
    if (this.#broken !== null) return rejected(brokenError(this.key, this.#broken))
    if (this.#retired) return rejected(retiredError(this.key))
    this.#broken = commitError(this.key, commit, this.#seqQueued)
    if (this.#broken !== null) return rejected(this.#broken)
    if (commit.end === true) {
      this.#ending = true
      this.#broken = endedError(this.key)
    }
    this.#seqQueued += commit.entries.length
    const own = ownCommit(commit)
    for (const { key, seq } of own.idempotency ?? []) this.#keysQueued.set(key, seq)
    const done = this.#store.write(
      () => {
        // An earlier commit may have failed after this one was queued (S4).
        if (this.#failed !== null) throw brokenError(this.key, this.#failed)
        this.#failIfTold()
        this.#apply(own)
      },
      this,
      commit.after,
    )
    this.#last = done.catch((error: unknown) => {
      this.#failed ??= toLoomError(error, 'ERR_STORE')
      this.#broken = this.#failed
      this.#keysQueued.clear()
    })
    return done
  }

  #failIfTold(): void {
    const { disk } = this.#store
    const error = disk.failNext
    if (error === null) return
    disk.failNext = null
    this.#store.failWaiting(error)
    throw error
  }

  #apply(commit: Commit): void {
    const { disk } = this.#store
    const cell = this.#cell() ?? this.#create(commit.create)
    cell.entries.push(...commit.entries)
    for (const { key, seq, atMs } of commit.idempotency ?? []) {
      cell.keys.set(key, { seq, atMs })
      if (this.#keysQueued.get(key) === seq) this.#keysQueued.delete(key)
    }
    for (const { key, value } of commit.state ?? [])
      if (value === null) cell.state.delete(key)
      else cell.state.set(key, value)
    for (const change of commit.reminders ?? [])
      if (change.dueAtMs === null) cell.reminders.delete(change.name)
      else cell.reminders.set(change.name, change)
    for (const digest of commit.names ?? []) disk.loose.delete(digest)
    if (cell.reminders.size > 0) disk.reminding.add(cell)
    if (commit.open === true) disk.openTurns.set(cellKey(this.key), this.key)
    else if (commit.open === false) disk.openTurns.delete(cellKey(this.key))
    const { incarnation } = cell.record
    for (const message of commit.outbox ?? []) {
      const row = { ...message, sender: this.key, incarnation }
      disk.outbox.set(messageKey(row), row)
    }
    if (commit.end !== true) return
    this.#free(commit.frees ?? [])
    disk.end(cell)
    this.#ended = true
  }

  #free(digests: readonly Digest[]): void {
    for (const digest of digests) this.#store.disk.loose.set(digest, this.#store.epoch)
  }

  #create(record: ActorRecord | undefined): Cell {
    invariant(record !== undefined, 'the first commit creates the actor')
    const cell = newCell(record)
    this.#store.disk.cells.set(cellKey(this.key), cell)
    return cell
  }

  /** Makes later appends fail and waits for the pending ones: a new log of the actor takes over. */
  async retire(): Promise<void> {
    this.#retired = true
    await this.#last
  }

  async read(seqFrom: number, countMax: number): Promise<readonly JournalRow[]> {
    this.#store.checkOpen()
    const rows: JournalRow[] = []
    const entries = this.#cell()?.entries ?? []
    for (let seq = seqFrom; seq < seqFrom + countMax; seq++) {
      const bytes = entries[seq] ?? null
      if (bytes === null) break
      rows.push({ seq, bytes: Uint8Array.from(bytes) })
    }
    return rows
  }

  findIdempotent(key: string): number | null | Promise<number | null> {
    return this.#reading(() => {
      const queued = this.#ended ? undefined : this.#keysQueued.get(key)
      return queued ?? this.#cell()?.keys.get(key)?.seq ?? null
    })
  }

  /** At once and for good: whoever asks again finds out. */
  forgetKey(key: string): void {
    this.#keysQueued.delete(key)
    this.#cell()?.keys.delete(key)
  }

  readState(key: string): Uint8Array | null | Promise<Uint8Array | null> {
    return this.#reading(() => {
      const value = this.#cell()?.state.get(key)
      return value === undefined ? null : Uint8Array.from(value)
    })
  }

  listState(
    prefix: string,
    after: string | null,
    countMax: number,
  ): readonly StateRow[] | Promise<readonly StateRow[]> {
    return this.#reading(() =>
      [...(this.#cell()?.state ?? [])]
        .filter(
          ([key]) => key.startsWith(prefix) && (after === null || compareText(key, after) > 0),
        )
        .sort(([a], [b]) => compareText(a, b))
        .slice(0, countMax)
        .map(([key, value]) => ({ key, value: Uint8Array.from(value) })),
    )
  }

  async listReminders(): Promise<readonly ReminderRow[]> {
    this.#store.checkOpen()
    return [...(this.#cell()?.reminders.values() ?? [])]
      .sort((a, b) => compareText(a.name, b.name))
      .map((row) => ({ ...row, bytes: Uint8Array.from(row.bytes) }))
  }

  /** The value, or what stands in its way as a promise that rejects: callers have one way to fail. */
  #reading<T>(read: () => T): T | Promise<T> {
    try {
      this.#store.checkOpen()
      return read()
    } catch (error) {
      return rejected(toLoomError(error, 'ERR_STORE'))
    }
  }

  /** Why nothing is added to this life any more, or null. */
  #endedError(): LoomError | null {
    return this.#ending ? endedError(this.key) : null
  }

  async trim(seqBefore: number, frees: readonly Digest[] = []): Promise<void> {
    if (this.#store.epoch === 0) throw readOnlyError()
    const error = this.#endedError() ?? trimSeqError(this.key, seqBefore)
    if (error !== null) throw error
    await this.#store.write(() => {
      const cell = this.#cell()
      if (cell !== undefined && seqBefore <= cell.seqFirst) return
      const refusal = trimError(this.key, seqBefore, this.#newestSnapshot(Infinity))
      if (refusal !== null || cell === undefined) throw refusal
      cell.entries.fill(null, cell.seqFirst, seqBefore)
      cell.seqFirst = seqBefore
      this.#free(frees)
      const isGone = (seq: number): boolean => seq > 0 && seq < seqBefore
      for (const seq of cell.snapshots.keys()) if (isGone(seq)) cell.snapshots.delete(seq)
      for (const [key, { seq }] of cell.keys) if (isGone(seq)) cell.keys.delete(key)
    })
  }

  async writeSnapshot(snapshot: SnapshotRow): Promise<void> {
    if (this.#store.epoch === 0) throw readOnlyError()
    const error = this.#endedError() ?? snapshotError(this.key, snapshot, this.#seqQueued)
    if (error !== null) throw error
    const row = { bytes: Uint8Array.from(snapshot.bytes), rejected: false }
    await this.#store.write(() => {
      // The entries that the snapshot covers may have failed: then there is nothing to attach it to.
      if (this.#failed !== null) throw brokenError(this.key, this.#failed)
      this.#cell()?.snapshots.set(snapshot.seq, row)
    })
  }

  async readSnapshot(seqMax: number): Promise<SnapshotRow | null> {
    this.#store.checkOpen()
    return this.#newestSnapshot(seqMax)
  }

  #newestSnapshot(seqMax: number): SnapshotRow | null {
    const rows = [...(this.#cell()?.snapshots ?? [])]
      .filter(([seq, row]) => seq <= seqMax && !row.rejected)
      .sort(([a], [b]) => b - a)
    const newest = rows[0]
    return newest === undefined ? null : { seq: newest[0], bytes: Uint8Array.from(newest[1].bytes) }
  }

  async rejectSnapshot(seq: number): Promise<void> {
    await this.#store.write(() => {
      const row = this.#cell()?.snapshots.get(seq)
      if (row !== undefined) row.rejected = true
    })
  }
}

/** A copy that the caller cannot change any more. */
function ownCommit(commit: Commit): Commit {
  const { seq, entries, create, idempotency, state, reminders, outbox, open, end } = commit
  const { names, frees } = commit
  return {
    seq,
    entries: entries.map((bytes) => Uint8Array.from(bytes)),
    ...(create === undefined ? {} : { create: { ...create } }),
    ...(open === undefined ? {} : { open }),
    ...(end === undefined ? {} : { end }),
    ...(names === undefined ? {} : { names: [...names] }),
    ...(frees === undefined ? {} : { frees: [...frees] }),
    idempotency: (idempotency ?? []).map((row) => ({ ...row })),
    state: (state ?? []).map(({ key, value }) => ({
      key,
      value: value === null ? null : Uint8Array.from(value),
    })),
    reminders: (reminders ?? []).map((change) =>
      change.dueAtMs === null ? { ...change } : { ...change, bytes: Uint8Array.from(change.bytes) },
    ),
    outbox: (outbox ?? []).map((row) => ({ ...row, bytes: Uint8Array.from(row.bytes) })),
  }
}

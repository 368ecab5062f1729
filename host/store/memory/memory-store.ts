/**
 * A store opened on a memory driver's disk, and its logs.
 *
 * Owns: the contract of store.ts over a Disk. Does not own: the data (Disk) and the faults (MemoryDriver).
 */
import { invariant, LoomError, toLoomError } from '../../base/errors.ts'
import type { ActorKey } from '../../base/names.ts'
import {
  brokenError,
  commitError,
  fencedError,
  ownKey,
  readOnlyError,
  rejected,
  retiredError,
  snapshotError,
} from '../checks.ts'
import type {
  ActorLog,
  ActorRecord,
  ActorSummary,
  Commit,
  HostRecord,
  JournalRow,
  SnapshotRow,
  Store,
} from '../store.ts'
import { type Cell, cellKey, type Disk } from './disk.ts'

export class MemoryStore implements Store {
  readonly epoch: number
  readonly #disk: Disk
  readonly #forget: () => void
  #last: Promise<void> = Promise.resolve()
  #state: 'open' | 'closed' | 'abandoned' = 'open'
  #logs = new Map<string, MemoryLog>()

  constructor(disk: Disk, epoch: number, forget: () => void) {
    this.#disk = disk
    this.epoch = epoch
    this.#forget = forget
  }

  get disk(): Disk {
    return this.#disk
  }

  async openLog(key: ActorKey): Promise<ActorLog> {
    this.checkOpen()
    const own = ownKey(key)
    const former = this.#logs.get(cellKey(own))
    if (former !== undefined) await former.retire()
    const log = new MemoryLog(this, own)
    if (this.epoch > 0) this.#logs.set(cellKey(own), log)
    return log
  }

  async *actors(type?: string): AsyncIterable<ActorSummary> {
    this.checkOpen()
    yield* this.#disk.summaries(type)
  }

  async readHost(): Promise<HostRecord | null> {
    this.checkOpen()
    return this.#disk.host
  }

  async announce(address: string): Promise<void> {
    await this.write(() => {
      invariant(this.#disk.host !== null, 'a writer has a host record')
      this.#disk.host = { ...this.#disk.host, address }
    })
  }

  async close(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    await this.#last
    if (this.#disk.host?.epoch === this.epoch) this.#disk.host = null
    this.#forget()
  }

  /** Stops every pending and later write for good, as the death of the process does. */
  abandon(): void {
    this.#state = 'abandoned'
  }

  checkOpen(): void {
    if (this.#state !== 'open') throw new LoomError('ERR_CLOSING', 'the store is closed')
  }

  /** Runs `apply` after all earlier writes, one macrotask later at the earliest (M1), fenced (S3). */
  write(apply: () => void): Promise<void> {
    if (this.epoch === 0) return rejected(readOnlyError())
    if (this.#state !== 'open') return rejected(new LoomError('ERR_CLOSING', 'the store is closed'))
    const done = this.#last.then(async () => {
      await this.#disk.turn()
      if (this.#state === 'abandoned') await new Promise<never>(() => {})
      if (this.#disk.epoch !== this.epoch) throw fencedError(this.epoch, this.#disk.host)
      apply()
    })
    this.#last = done.catch(() => {})
    return done
  }
}

class MemoryLog implements ActorLog {
  readonly key: ActorKey
  readonly record: ActorRecord | null
  readonly seqNext: number
  readonly #store: MemoryStore
  #seqQueued: number
  /** Why later commits are refused (S4): a commit was refused, or failed when it was applied. */
  #broken: LoomError | null = null
  /** Why commits that wait must not be applied: one before them failed. */
  #failed: LoomError | null = null
  #retired = false
  #last: Promise<void> = Promise.resolve()

  constructor(store: MemoryStore, key: ActorKey) {
    this.#store = store
    this.key = key
    const cell = this.#cell()
    this.record = cell?.record ?? null
    this.seqNext = cell?.entries.length ?? 0
    this.#seqQueued = this.seqNext
  }

  #cell(): Cell | undefined {
    return this.#store.disk.cells.get(cellKey(this.key))
  }

  append(commit: Commit): Promise<void> {
    if (this.#store.epoch === 0) return rejected(readOnlyError())
    if (this.#broken !== null) return rejected(brokenError(this.key, this.#broken))
    if (this.#retired) return rejected(retiredError(this.key))
    this.#broken = commitError(this.key, commit, this.#seqQueued)
    if (this.#broken !== null) return rejected(this.#broken)
    this.#seqQueued += commit.entries.length
    const entries = commit.entries.map((bytes) => Uint8Array.from(bytes))
    const keys = commit.idempotency?.map((row) => ({ ...row })) ?? []
    const create = commit.create === undefined ? undefined : { ...commit.create }
    const done = this.#store.write(() => {
      // An earlier commit may have failed after this one was queued (S4).
      if (this.#failed !== null) throw brokenError(this.key, this.#failed)
      const { disk } = this.#store
      if (disk.failNext !== null) {
        const error = disk.failNext
        disk.failNext = null
        throw error
      }
      this.#apply(create, entries, keys)
    })
    this.#last = done.catch((error: unknown) => {
      this.#failed ??= toLoomError(error, 'ERR_STORE')
      this.#broken ??= this.#failed
    })
    return done
  }

  #apply(
    create: ActorRecord | undefined,
    entries: readonly Uint8Array[],
    keys: readonly { key: string; seq: number }[],
  ): void {
    const cell = this.#cell() ?? this.#create(create)
    cell.entries.push(...entries)
    for (const { key, seq } of keys) cell.keys.set(key, seq)
  }

  #create(record: ActorRecord | undefined): Cell {
    invariant(record !== undefined, 'the first commit creates the actor')
    const cell: Cell = { record, entries: [], keys: new Map(), snapshots: new Map() }
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
    const entries = this.#cell()?.entries ?? []
    return entries
      .slice(seqFrom, seqFrom + countMax)
      .map((bytes, index) => ({ seq: seqFrom + index, bytes: Uint8Array.from(bytes) }))
  }

  async findIdempotent(key: string): Promise<number | null> {
    this.#store.checkOpen()
    return this.#cell()?.keys.get(key) ?? null
  }

  async writeSnapshot(snapshot: SnapshotRow): Promise<void> {
    if (this.#store.epoch === 0) throw readOnlyError()
    const error = snapshotError(this.key, snapshot, this.#seqQueued)
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

/**
 * A store opened on a memory driver's disk.
 *
 * Owns: the Store contract over a Disk, the order of writes.
 * Does not own: the data (Disk), logs (memory-log.ts), faults (MemoryDriver).
 */
import type { Digest } from '../../base/digest.ts'
import { invariant, LoomError, toLoomError } from '../../base/errors.ts'
import type { ActorKey } from '../../base/names.ts'
import { ignoreOutcome } from '../../base/promises.ts'
import { compareActors, fencedError, ownKey, readOnlyError, rejected } from '../checks.ts'
import type {
  ActorLog,
  ActorSummary,
  DueReminder,
  HostRecord,
  OutboxRow,
  QuarantineRow,
  ReminderRow,
  Store,
} from '../store.ts'
import { cellKey, compareDue, compareMessages, type Disk, messageKey } from './disk.ts'
import { MemoryLog } from './memory-log.ts'

interface Batch {
  error: LoomError | null
  /** Those that have commits in it. */
  readonly logs: Set<MemoryLog>
}

/** Why what a commit waits for (S9) has failed, or null. */
function failureOf(after: Promise<unknown>): Promise<LoomError | null> {
  return after.then(
    () => null,
    (error) => toLoomError(error, 'ERR_STORE'),
  )
}

const newBatch = (): Batch => ({ error: null, logs: new Set() })

export class MemoryStore implements Store {
  readonly epoch: number
  readonly #disk: Disk
  readonly #forget: () => void
  #last: Promise<void> = Promise.resolve()
  #state: 'open' | 'closed' | 'abandoned' = 'open'
  #logs = new Map<string, MemoryLog>()
  /** Writes that wait together: when one of them fails, those behind it are not made (S7). */
  #batch = newBatch()

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

  async *openTurns(): AsyncIterable<ActorKey> {
    this.checkOpen()
    yield* [...this.#disk.openTurns.values()].sort(compareActors)
  }

  async hasOpenTurn(key: ActorKey): Promise<boolean> {
    this.checkOpen()
    return this.#disk.openTurns.has(cellKey(key))
  }

  async dueReminders(
    atMs: number,
    countMax: number,
    after: Pick<DueReminder, 'dueAtMs' | 'key' | 'name'> | null = null,
  ): Promise<readonly DueReminder[]> {
    this.checkOpen()
    return this.#disk
      .reminders()
      .filter((row) => row.dueAtMs <= atMs && (after === null || compareDue(row, after) > 0))
      .slice(0, countMax)
      .map((row) => ({ ...row, bytes: Uint8Array.from(row.bytes) }))
  }

  async readReminder(key: ActorKey, name: string): Promise<ReminderRow | null> {
    this.checkOpen()
    const row = this.#disk.cells.get(cellKey(key))?.reminders.get(name)
    return row === undefined ? null : { ...row, bytes: Uint8Array.from(row.bytes) }
  }

  async nextReminderAtMs(): Promise<number | null> {
    this.checkOpen()
    return this.#disk.reminders()[0]?.dueAtMs ?? null
  }

  async outbox(after: OutboxRow | null, countMax: number): Promise<readonly OutboxRow[]> {
    this.checkOpen()
    return [...this.#disk.outbox.values()]
      .filter((row) => after === null || compareMessages(row, after) > 0)
      .sort(compareMessages)
      .slice(0, countMax)
      .map((row) => ({ ...row, bytes: Uint8Array.from(row.bytes) }))
  }

  async settleOutbox(
    rows: readonly Pick<OutboxRow, 'sender' | 'incarnation' | 'seq' | 'index'>[],
  ): Promise<void> {
    const keys = rows.map(messageKey)
    await this.write(() => {
      for (const key of keys) this.#disk.outbox.delete(key)
    })
  }

  async forgetKeys(beforeMs: number): Promise<number> {
    let count = 0
    await this.write(() => {
      for (const { keys } of this.#disk.cells.values())
        for (const [key, { atMs }] of keys) if (atMs < beforeMs && keys.delete(key)) count++
    })
    return count
  }

  /** Not behind other writes: one of them may wait for it. */
  async noteLoose(digests: readonly Digest[]): Promise<void> {
    if (this.epoch === 0) throw readOnlyError()
    this.checkOpen()
    await this.#disk.turn()
    if (this.#state === 'abandoned') await new Promise<never>(() => {})
    this.#checkFence()
    for (const digest of digests) this.#disk.loose.set(digest, this.epoch)
  }

  async looseBlobs(after: Digest | null, countMax: number): Promise<readonly Digest[]> {
    this.checkOpen()
    return [...this.#disk.loose]
      .filter(([digest, epoch]) => epoch < this.epoch && (after === null || digest > after))
      .map(([digest]) => digest)
      .sort()
      .slice(0, countMax)
  }

  async forgetLoose(digests: readonly Digest[]): Promise<void> {
    await this.write(() => {
      for (const digest of digests) this.#disk.loose.delete(digest)
    })
  }

  async quarantine(row: QuarantineRow): Promise<void> {
    const own = { ...row, key: ownKey(row.key) }
    await this.write(() => {
      this.#disk.quarantined.set(cellKey(own.key), own)
    })
  }

  async release(key: ActorKey): Promise<void> {
    const own = ownKey(key)
    await this.write(() => {
      this.#disk.quarantined.delete(cellKey(own))
    })
  }

  async readQuarantine(key: ActorKey): Promise<QuarantineRow | null> {
    this.checkOpen()
    return this.#disk.quarantined.get(cellKey(ownKey(key))) ?? null
  }

  async *quarantined(): AsyncIterable<QuarantineRow> {
    this.checkOpen()
    yield* [...this.#disk.quarantined.values()].sort((a, b) => compareActors(a.key, b.key))
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
  write(apply: () => void, log?: MemoryLog, after?: Promise<unknown>): Promise<void> {
    if (this.epoch === 0) return rejected(readOnlyError())
    if (this.#state !== 'open') return rejected(new LoomError('ERR_CLOSING', 'the store is closed'))
    if (after !== undefined) ignoreOutcome(after)
    const batch = this.#batch
    if (log !== undefined) batch.logs.add(log)
    const done = this.#last.then(async () => {
      const failed = after === undefined ? null : await failureOf(after)
      await this.#disk.turn()
      if (this.#state === 'abandoned') await new Promise<never>(() => {})
      this.#checkFence()
      if (batch.error !== null) throw batch.error
      if (failed !== null) {
        this.failWaiting(failed)
        throw failed
      }
      apply()
    })
    this.#last = done.catch(() => {})
    return done
  }

  /** @throws ERR_FENCED */
  #checkFence(): void {
    if (this.#disk.epoch !== this.epoch) throw fencedError(this.epoch, this.#disk.host)
  }

  /** A write failed as a disk fails: what waits behind it is not written (S7). */
  failWaiting(error: unknown): void {
    const failure = toLoomError(error, 'ERR_STORE')
    this.#batch.error ??= failure
    for (const log of this.#batch.logs) log.break(failure)
    this.#batch = newBatch()
  }
}

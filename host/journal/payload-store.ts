/**
 * A store whose journals may hold large entries: their payloads lie in a blob store (payload-log.ts). Everything else is
 * the store's own.
 */
import type { Digest } from '../base/digest.ts'
import type { ActorKey } from '../base/names.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import type {
  ActorLog,
  ActorSummary,
  DueReminder,
  HostRecord,
  OutboxRow,
  QuarantineRow,
  ReminderRow,
  Store,
} from '../store/store.ts'
import { LooseBlobs } from './loose-blobs.ts'
import { PayloadLog, type PayloadOptions } from './payload-log.ts'

export interface PayloadStoreOptions extends Omit<PayloadOptions, 'blobs' | 'loose'> {
  readonly blobs: Pick<BlobStore, 'put' | 'get' | 'remove'>
}

export class PayloadStore implements Store {
  readonly #store: Store
  readonly #options: PayloadOptions
  readonly #loose: LooseBlobs

  constructor(store: Store, options: PayloadStoreOptions) {
    const { blobs, random, inlineMaxBytes } = options
    this.#store = store
    this.#loose = new LooseBlobs({ store, blobs })
    this.#options = { blobs, random, inlineMaxBytes, loose: this.#loose }
  }

  /** Removes blobs that earlier hosts left behind; resolves with their number. @throws ERR_STORE */
  collect(): Promise<number> {
    return this.#loose.collect()
  }

  get epoch(): number {
    return this.#store.epoch
  }

  async openLog(key: ActorKey): Promise<ActorLog> {
    return new PayloadLog(await this.#store.openLog(key), this.#options)
  }

  actors(type?: string): AsyncIterable<ActorSummary> {
    return this.#store.actors(type)
  }

  readHost(): Promise<HostRecord | null> {
    return this.#store.readHost()
  }

  openTurns(): AsyncIterable<ActorKey> {
    return this.#store.openTurns()
  }

  hasOpenTurn(key: ActorKey): Promise<boolean> {
    return this.#store.hasOpenTurn(key)
  }

  dueReminders(...given: Parameters<Store['dueReminders']>): Promise<readonly DueReminder[]> {
    return this.#store.dueReminders(...given)
  }

  readReminder(key: ActorKey, name: string): Promise<ReminderRow | null> {
    return this.#store.readReminder(key, name)
  }

  nextReminderAtMs(): Promise<number | null> {
    return this.#store.nextReminderAtMs()
  }

  outbox(after: OutboxRow | null, countMax: number): Promise<readonly OutboxRow[]> {
    return this.#store.outbox(after, countMax)
  }

  settleOutbox(rows: Parameters<Store['settleOutbox']>[0]): Promise<void> {
    return this.#store.settleOutbox(rows)
  }

  forgetKeys(beforeMs: number): Promise<number> {
    return this.#store.forgetKeys(beforeMs)
  }

  noteLoose(digests: readonly Digest[]): Promise<void> {
    return this.#store.noteLoose(digests)
  }

  looseBlobs(after: Digest | null, countMax: number): Promise<readonly Digest[]> {
    return this.#store.looseBlobs(after, countMax)
  }

  forgetLoose(digests: readonly Digest[]): Promise<void> {
    return this.#store.forgetLoose(digests)
  }

  quarantine(row: QuarantineRow): Promise<void> {
    return this.#store.quarantine(row)
  }

  release(key: ActorKey): Promise<void> {
    return this.#store.release(key)
  }

  readQuarantine(key: ActorKey): Promise<QuarantineRow | null> {
    return this.#store.readQuarantine(key)
  }

  quarantined(): AsyncIterable<QuarantineRow> {
    return this.#store.quarantined()
  }

  announce(address: string): Promise<void> {
    return this.#store.announce(address)
  }

  async close(): Promise<void> {
    await this.#loose.close()
    await this.#store.close()
  }
}

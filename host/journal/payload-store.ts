/**
 * A store whose journals may hold large entries: their payloads lie in a blob store (payload-log.ts). Everything else is
 * the store's own.
 */
import type { ActorKey } from '../base/names.ts'
import type {
  ActorLog,
  ActorSummary,
  DueReminder,
  HostRecord,
  OutboxRow,
  QuarantineRow,
  Store,
} from '../store/store.ts'
import { PayloadLog, type PayloadOptions } from './payload-log.ts'

export class PayloadStore implements Store {
  readonly #store: Store
  readonly #options: PayloadOptions

  constructor(store: Store, options: PayloadOptions) {
    this.#store = store
    this.#options = options
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

  dueReminders(...given: Parameters<Store['dueReminders']>): Promise<readonly DueReminder[]> {
    return this.#store.dueReminders(...given)
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

  close(): Promise<void> {
    return this.#store.close()
  }
}

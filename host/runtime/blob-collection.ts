/**
 * Blob collection: when a host starts, what its forerunners left in the blob store is removed.
 *
 * Owns: when, and who hears of it. Does not own: which blobs those are, and their removal (journal/loose-blobs.ts).
 */
import type { PayloadStore } from '../journal/payload-store.ts'
import type { LogLine } from './api.ts'

export interface BlobCollectionOptions {
  readonly store: Pick<PayloadStore, 'collect'>
  readonly log: (line: LogLine) => void
}

export class BlobCollection {
  readonly #options: BlobCollectionOptions
  #count = 0
  #closed = false

  constructor(options: BlobCollectionOptions) {
    this.#options = options
  }

  /** Blobs that were removed. */
  get count(): number {
    return this.#count
  }

  /** Never rejects. */
  async start(): Promise<void> {
    const { store, log } = this.#options
    try {
      this.#count = await store.collect()
      const message = `removed ${this.#count} blobs of entries that were cut off or given up`
      if (this.#count > 0) log({ level: 'info', message })
    } catch (error) {
      // What is left takes room, and the next host tries again.
      const message = `blobs that no entry names could not be removed: ${String(error)}`
      if (!this.#closed) log({ level: 'warn', message })
    }
  }

  /** From now on failures are expected. */
  close(): void {
    this.#closed = true
  }
}

/**
 * Loose blobs: payloads that no entry names, not yet or not any more.
 *
 *     put       note it, durably  ->  store the blob  ->  the commit that names it takes the note back
 *     give up   the commit that gives the entry up makes the note  ->  remove the blob  ->  take the note back
 *
 * Guarantee: at every moment a blob of this store is named by an entry or noted in it, so that whatever a crash cuts
 * off, the next host finds what is left without looking at any journal, and removes it.
 *
 * Owns: the order of these steps. Does not own: the notes (store.ts S10), which entries name what (payload-log.ts).
 *
 * Invariants:
 *   LO1. A blob is removed only after a durable commit gave its entry up, or when the host that was about to name it can
 *        write nothing any more. A commit of which nobody knows whether it was written leaves its blob to the next
 *        host, which knows.
 *   LO2. Removing is tried once by each host. What fails costs room, and harms nobody.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Digest } from '../base/digest.ts'
import { isLoomError } from '../base/errors.ts'
import { ignoreOutcome } from '../base/promises.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import type { Store } from '../store/store.ts'
import type { Detached } from './detached.ts'

/** Blobs that are removed side by side: other reads and writes of the disk have their turn in between. */
const PAGE_COUNT = 16

export interface LooseOptions {
  readonly store: Pick<Store, 'noteLoose' | 'looseBlobs' | 'forgetLoose'>
  readonly blobs: Pick<BlobStore, 'put' | 'remove'>
}

export class LooseBlobs {
  readonly #options: LooseOptions
  #closed = false
  #collecting: Promise<unknown> = Promise.resolve()

  constructor(options: LooseOptions) {
    this.#options = options
  }

  /** Stores blobs that a commit is about to name. */
  async put(blobs: readonly Detached[]): Promise<void> {
    const { store, blobs: places } = this.#options
    await store.noteLoose(blobs.map(({ digest }) => digest))
    await Promise.all(blobs.map(({ blob }) => places.put(blob)))
  }

  /**
   * Removes what was put for a commit that was fenced off: it was not written, and never will be, and the host that
   * took over may have looked for the blobs before they were there. Any other failure may be of a commit that was.
   */
  putInVain(blobs: readonly Detached[], put: Promise<unknown>, error: unknown): void {
    if (!isLoomError(error) || error.code !== 'ERR_FENCED') return
    const remove = (): Promise<unknown> => this.#remove(blobs.map(({ digest }) => digest))
    ignoreOutcome(put.then(remove, remove))
  }

  /** Removes blobs whose entries a durable commit gave up and noted. Never rejects. */
  async release(digests: readonly Digest[]): Promise<void> {
    for (let at = 0; at < digests.length && !this.#closed; at += PAGE_COUNT)
      await this.#clear(digests.slice(at, at + PAGE_COUNT)).catch(() => {})
  }

  /** Removes what earlier hosts left behind, a few blobs at a time; resolves with their number. @throws ERR_STORE */
  collect(): Promise<number> {
    const collected = this.#collect()
    this.#collecting = collected.catch(() => {})
    return collected
  }

  async #collect(): Promise<number> {
    const { store } = this.#options
    let count = 0
    for (let after: Digest | null = null; !this.#closed; ) {
      const page: readonly Digest[] = await store.looseBlobs(after, PAGE_COUNT)
      count += await this.#clear(page)
      after = page.at(-1) ?? null
      if (page.length < PAGE_COUNT) break
      await nextTurn()
    }
    return count
  }

  /** Resolves when nothing is removed any more. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#collecting
  }

  /** Removes blobs, then the notes of those that are gone. */
  async #clear(digests: readonly Digest[]): Promise<number> {
    const gone = await this.#remove(digests)
    if (gone.length > 0) await this.#options.store.forgetLoose(gone)
    return gone.length
  }

  /** Those that were removed. */
  async #remove(digests: readonly Digest[]): Promise<Digest[]> {
    const removed = await Promise.allSettled(
      digests.map((digest) => this.#options.blobs.remove(digest)),
    )
    return digests.filter((_, index) => removed[index]?.status === 'fulfilled')
  }
}

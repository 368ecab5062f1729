/**
 * The memory driver: a store for tests that behaves as a disk does.
 *
 * Owns: an in-memory "disk" that outlives the stores opened on it, and the faults a test may inject.
 * Does not own: anything durable. Its promise of S1 is: survives `close` and `crash`, not the process.
 *
 * Invariants:
 *   M1. A commit is applied one macrotask after `append`, never inside the call: callers that forget to
 *       wait for durability fail here as they would on a disk.
 *   M2. Opening the same driver object again sees the data that was committed, and nothing else.
 *   M3. Bytes are copied on the way in and on the way out (S6).
 */
import { invariant, LoomError } from '../../base/errors.ts'
import type { Store, StoreDriver, StoreOpenOptions } from '../store.ts'
import { Disk } from './disk.ts'
import { MemoryStore } from './memory-store.ts'

export interface MemoryDriver extends StoreDriver {
  /** The next commit of any log fails with ERR_STORE and `message`, and nothing of it is written. */
  failNextAppend(message?: string): void
  /** Commits wait until the returned function is called. */
  holdCommits(): () => void
  /** Crashes the driver when so many more writes were made. */
  crashAfter(writeCount: number): void
  /**
   * As kill -9: commits that were not applied are lost, their promises never settle, and the driver
   * may be opened again.
   */
  crash(): void
}

class Memory implements MemoryDriver {
  readonly name = 'memory'
  #disk = new Disk()
  #open = new Set<MemoryStore>()

  async open(options: StoreOpenOptions): Promise<Store> {
    const epoch = options.readOnly === true ? 0 : this.#disk.claim(options)
    const store = new MemoryStore(this.#disk, epoch, () => this.#open.delete(store))
    this.#open.add(store)
    return store
  }

  failNextAppend(message = 'ENOSPC: no space left on device (injected)'): void {
    invariant(this.#disk.failNext === null, 'a failure is waiting already')
    this.#disk.failNext = new LoomError('ERR_STORE', message)
  }

  holdCommits(): () => void {
    invariant(this.#disk.held === null, 'commits are held already')
    const held: (() => void)[] = []
    this.#disk.held = held
    return () => {
      if (this.#disk.held !== held) return
      this.#disk.held = null
      for (const release of held) release()
    }
  }

  crashAfter(writeCount: number): void {
    let left = writeCount
    this.#disk.beforeWrite = () => {
      if (left-- > 0) return
      this.#disk.beforeWrite = null
      this.crash()
    }
  }

  crash(): void {
    for (const store of this.#open) store.abandon()
    this.#open.clear()
    this.#disk.host = null
    this.#disk.held = null
    this.#disk.beforeWrite = null
  }
}

/**
 * A store that keeps its data as long as the returned driver object lives.
 *
 * Durability: none beyond the process. For tests and for trying things out.
 */
export function memory(): MemoryDriver {
  return new Memory()
}

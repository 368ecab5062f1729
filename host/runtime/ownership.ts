/**
 * Ownership: notices that another host has taken the store over.
 *
 * A host that takes no calls makes no commits: without this it would not learn that it was displaced.
 *
 * Owns: looking from time to time. Does not own: what fences a displaced host (store/), who is told.
 */
import type { Clock, Timer } from '../base/clock.ts'
import { LoomError } from '../base/errors.ts'
import type { Store } from '../store/store.ts'

/** How often a host looks whether it still owns its store, besides at every commit. */
const CHECK_MS = 3_000

export interface OwnershipOptions {
  readonly store: Pick<Store, 'epoch' | 'readHost'>
  readonly clock: Clock
  readonly lose: (error: LoomError) => void
}

export class Ownership {
  readonly #options: OwnershipOptions
  #timer: Timer | null = null
  #closed = false

  constructor(options: OwnershipOptions) {
    this.#options = options
  }

  /** Until it is lost, or `close`. */
  watch(): void {
    this.#timer = this.#options.clock.after(CHECK_MS, () => {
      const goOn = (owned: boolean): void => {
        if (owned && !this.#closed) this.watch()
      }
      this.#check().then(goOn, () => goOn(true))
    })
  }

  async #check(): Promise<boolean> {
    const { store, lose } = this.#options
    const host = await store.readHost()
    if (host === null || host.epoch <= store.epoch) return true
    const message = `epoch ${store.epoch} is over: process ${host.pid} (epoch ${host.epoch}) has taken over`
    lose(new LoomError('ERR_FENCED', message, { data: { pid: host.pid } }))
    return false
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }
}

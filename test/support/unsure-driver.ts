// The memory driver with commits that fail, for simulations.
import { LoomError, memory } from '../../host/index.ts'
import type { ActorLog, Store, StoreDriver } from '../../host/store/store.ts'

/** Fails appends when told to: before they reach the store, or after, when nobody can tell. */
export class UnsureDriver implements StoreDriver {
  readonly name = 'unsure'
  readonly inner = memory()
  failNext: 'before' | 'after' | null = null
  /** With what the inner driver was told to fail, if it has not yet. */
  #armed: string | null = null
  #failures = 0
  /** A commit that was written is about to be reported as failed: what comes behind it is not written (S7). */
  #failing: LoomError | null = null

  async open(options: Parameters<StoreDriver['open']>[0]): Promise<Store> {
    this.#failing = null
    const store = await this.inner.open(options)
    return new Proxy(store, {
      get: (target, property) => {
        if (property === 'openLog')
          return async (key: ActorLog['key']) => this.#unsure(await target.openLog(key))
        const value = Reflect.get(target, property) as unknown
        return typeof value === 'function' ? value.bind(target) : value
      },
    }) as Store
  }

  #unsure(log: ActorLog): ActorLog {
    let broken: LoomError | null = null
    const append: ActorLog['append'] = (commit) => {
      broken ??= this.#failing
      if (broken !== null) return Promise.reject(broken)
      const fault = this.failNext
      this.failNext = null
      // Whatever is written next fails, with all that waits behind it (S7).
      if (fault === 'before' && this.#armed === null) {
        this.#armed = `EIO (before the write, ${++this.#failures})`
        this.inner.failNextAppend(this.#armed)
      }
      const written = log.append(commit)
      written.catch((error) => {
        if (this.#armed !== null && String(error).includes(this.#armed)) this.#armed = null
      })
      if (fault !== 'after') return written
      const error = new LoomError('ERR_STORE', 'EIO (after the write)')
      this.#failing = error
      return written.then(() => {
        broken = error
        this.#failing = null
        throw error
      })
    }
    return new Proxy(log, {
      get: (target, property) => {
        if (property === 'append') return append
        if (property === 'broken') return broken ?? this.#failing ?? target.broken
        const value = Reflect.get(target, property) as unknown
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
}

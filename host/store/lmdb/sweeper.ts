/**
 * The sweeper: makes the room of what was given up usable again, beside the turns.
 *
 * Trimming and ending are one small record each, durable at once (lives.ts). What they give up is removed
 * here, step by step; a step is a transaction of its own and takes milliseconds. The records stay until all
 * is removed, so the next host goes on where this one stopped or died.
 *
 * Owns: what waits, and the order. Does not own: what a step removes (sweep-steps.ts).
 *
 * Invariants:
 *   SP1. One step at a time, and each reads what the one before it wrote: nobody else removes index runs.
 *   SP2. Nothing is removed before the record that gives it up is durable, and the index covers it.
 *   SP3. A sweep that fails is left to the next host, or to the next time the actor gives something up. It
 *        harms no turn, and no other sweep.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Change, Environment } from './environment.ts'
import { sweepKey } from './keys.ts'
import { readSweeps, type Sweep } from './lives.ts'
import { findSparse, sweepEntries, sweepRest, sweepSparse } from './sweep-steps.ts'
import type { Tail } from './tail.ts'
import type { Writer } from './writer.ts'

interface Waiting {
  readonly sweep: Sweep
  /** Resolves when the sweep's record is durable. */
  readonly ready: Promise<unknown>
  /** What waited for the same actor before; counts if this one fails. */
  readonly former: Waiting | null
}

export class Sweeper {
  readonly #environment: Environment
  readonly #writer: Writer
  readonly #tail: Tail
  readonly #waiting = new Map<number, Waiting>()
  #running: Promise<void> | null = null
  #isStopped = false
  /** A host before this one left sweeps behind, and maybe blocks that it was about to rewrite. */
  #isHeir = false

  constructor(environment: Environment, writer: Writer, tail: Tail) {
    this.#environment = environment
    this.#writer = writer
    this.#tail = tail
    for (const sweep of readSweeps(environment)) this.add(sweep, Promise.resolve())
    this.#isHeir = this.#waiting.size > 0
  }

  /** What waits or is under way for an actor, or null. */
  newest(actor: number): Pick<Waiting, 'sweep' | 'ready'> | null {
    return this.#waiting.get(actor) ?? null
  }

  add(sweep: Sweep, ready: Promise<unknown>): void {
    // Also noticed where it is awaited; here it must not end the process.
    ready.catch(() => {})
    const former = this.#waiting.get(sweep.actor) ?? null
    this.#waiting.set(sweep.actor, { sweep, ready, former })
    this.#running ??= this.#run()
  }

  /** Resolves when no step is under way, and none will be. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      // Not in the call that gave something up.
      await nextTurn()
      while (this.#waiting.size > 0 && !this.#isStopped) await this.#round()
    } catch {
      // The index could not be written: who appends hears of it, and sweeping begins again when asked.
    } finally {
      this.#running = null
    }
  }

  /** Sweeps everything that waits now, side by side. */
  async #round(): Promise<void> {
    for (const waiting of [...this.#waiting.values()]) await this.#settle(waiting)
    const round = [...this.#waiting.values()]
    await Promise.all(round.map(({ ready }) => ready))
    await this.#writer.index()
    const sparse = new Set<number>()
    const failed = new Set<number>()
    const sweeps = round.map(({ sweep }) => sweep)
    await this.#make(sweepEntries(this.#environment, sweeps, sparse, failed))
    if (this.#isHeir) await this.#make(findSparse(this.#environment, sparse))
    this.#isHeir = false
    await this.#make(sweepSparse(this.#environment, sparse))
    for (const waiting of round) await this.#finish(waiting, failed.has(waiting.sweep.actor))
  }

  /** SP2: waits for the sweep's record; one that failed gives nothing up. */
  async #settle(waiting: Waiting): Promise<void> {
    try {
      await waiting.ready
    } catch {
      if (!this.#isNewest(waiting)) return
      const { sweep, former } = waiting
      if (former === null) this.#waiting.delete(sweep.actor)
      else this.#waiting.set(sweep.actor, former)
    }
  }

  /** What a sweep removes besides entries, and then its record. */
  async #finish(waiting: Waiting, isFailed: boolean): Promise<void> {
    const { sweep } = waiting
    try {
      if (isFailed) throw new Error('its index is damaged')
      await this.#make(sweepRest(this.#environment, this.#tail, sweep))
      // Unless more was given up meanwhile: that has put its own record in the place of this one's.
      if (this.#isStopped || !this.#isNewest(waiting)) return
      await this.#writer.change([{ key: sweepKey(sweep.actor), value: null }])
    } catch {
      // SP3. The record stays in the store.
    }
    if (this.#isNewest(waiting)) this.#waiting.delete(sweep.actor)
  }

  async #make(steps: Iterable<Change[]>): Promise<void> {
    for (const changes of steps) {
      if (this.#isStopped) return
      if (changes.length > 0) await this.#writer.change(changes)
      await nextTurn()
      this.#environment.refresh()
    }
  }

  #isNewest(waiting: Waiting): boolean {
    return this.#waiting.get(waiting.sweep.actor) === waiting
  }
}

/**
 * Pool: which actors are resident.
 *
 * Guarantee: at most one activation per actor exists in this host at any time; an actor that is asked
 * for is activated once, however many ask at once; one that is evicted was snapshotted first.
 *
 * Owns: activation, eviction by capacity and by idle time. Does not own: turns (actor/).
 *
 * Invariants:
 *   P1. A key has one slot, and a slot one activation: the map is changed synchronously, before any await.
 *   P2. Only an idle activation is evicted; a call that arrives meanwhile waits for the eviction and
 *       then activates the actor anew.
 *   P3. An actor that is being evicted takes no room: it holds no memory any more.
 */

import type { Activation } from '../actor/activation.ts'
import type { Clock, Timer } from '../base/clock.ts'
import { LoomError } from '../base/errors.ts'
import { type ActorKey, formatActorKey } from '../base/names.ts'
import { deferred, ignoreOutcome } from '../base/promises.ts'

export interface PoolOptions {
  readonly clock: Clock
  readonly residentCountMax: number
  readonly idleTimeoutMs: number
  /** Opens an activation; `onBroken` must be called when it breaks. */
  readonly activate: (key: ActorKey, onBroken: () => void) => Promise<Activation>
}

/**
 * activating: next state resident, or removed when activation fails.
 * resident: next state evicting, or removed when it breaks.
 * evicting: next state removed.
 */
type Slot =
  | {
      readonly kind: 'activating'
      readonly ready: Promise<Activation>
      readonly giveUp: (error: LoomError) => void
    }
  | ResidentSlot
  | {
      readonly kind: 'evicting'
      readonly done: Promise<void>
      /** Still has calls to finish. */
      readonly activation?: Activation
    }

/** `use` orders slots by their last use; `sweep` dates it, without reading the clock at every call. */
interface ResidentSlot {
  readonly kind: 'resident'
  readonly activation: Activation
  use: number
  sweep: number
}

/** Share of the capacity that one eviction round frees, so that rounds are rare. */
const EVICTED_SHARE = 0.05
const SWEEPS_PER_IDLE_TIMEOUT = 4

export class Pool {
  readonly #options: PoolOptions
  readonly #slots = new Map<string, Slot>()
  #evictingCount = 0
  #sweepTimer: Timer | null = null
  #sweeps = 0
  #uses = 0
  #closed = false
  #overdue = false

  constructor(options: PoolOptions) {
    this.#options = options
  }

  get residentCount(): number {
    return this.#slots.size
  }

  isResident(key: ActorKey): boolean {
    return this.#slots.get(formatActorKey(key))?.kind === 'resident'
  }

  /** The resident activation, or undefined: the fast path of a warm call. */
  peek(name: string): Activation | undefined {
    const slot = this.#slots.get(name)
    if (slot?.kind !== 'resident' || this.#closed) return undefined
    slot.use = ++this.#uses
    slot.sweep = this.#sweeps
    return slot.activation
  }

  /** @throws ERR_CLOSING, and whatever `activate` throws. */
  async acquire(key: ActorKey): Promise<Activation> {
    const name = formatActorKey(key)
    for (;;) {
      const resident = this.peek(name)
      if (resident !== undefined) return resident
      if (this.#closed) throw new LoomError('ERR_CLOSING', `${name}: the host is shutting down`)
      const slot = this.#slots.get(name)
      if (slot?.kind === 'evicting') await slot.done
      else if (slot?.kind === 'activating') return await slot.ready
      else return await this.#activate(name, key)
    }
  }

  #activate(name: string, key: ActorKey): Promise<Activation> {
    if (this.#slots.size - this.#evictingCount >= this.#options.residentCountMax)
      this.#evictOldest()
    const { promise: ready, resolve, reject } = deferred<Activation>()
    const slot: Slot = { kind: 'activating', ready, giveUp: reject }
    this.#options
      .activate(key, () => this.#remove(name, slot))
      .then(
        (activation) => {
          if (this.#slots.get(name) === slot && activation.open) this.#settle(name, activation)
          resolve(activation)
        },
        (error) => {
          this.#remove(name, slot)
          reject(error)
        },
      )
    this.#slots.set(name, slot)
    return ready
  }

  #settle(name: string, activation: Activation): void {
    const use = ++this.#uses
    this.#slots.set(name, { kind: 'resident', activation, use, sweep: this.#sweeps })
    if (this.#sweepTimer === null && !this.#closed) this.#scheduleSweep()
  }

  /** Removes a broken activation's slot, whichever state it is in; another actor's slot is left alone. */
  #remove(name: string, activating: Slot): void {
    const slot = this.#slots.get(name)
    if (slot === activating || (slot?.kind === 'resident' && !slot.activation.open))
      this.#slots.delete(name)
  }

  #scheduleSweep(): void {
    const { clock, idleTimeoutMs } = this.#options
    this.#sweepTimer = clock.after(idleTimeoutMs / SWEEPS_PER_IDLE_TIMEOUT, () => {
      this.#sweepTimer = null
      this.#sweeps++
      this.#evictIdle()
      if (this.#slots.size > 0 && !this.#closed) this.#scheduleSweep()
    })
  }

  #evictIdle(): void {
    const before = this.#sweeps - SWEEPS_PER_IDLE_TIMEOUT
    for (const [name, slot] of this.#slots)
      if (slot.kind === 'resident' && slot.sweep < before && slot.activation.idle)
        ignoreOutcome(this.#evict(name, slot.activation))
  }

  /** Frees some room, least recently used first. Busy actors stay, and may exceed the capacity. */
  #evictOldest(): void {
    const count = Math.max(1, Math.floor(this.#options.residentCountMax * EVICTED_SHARE))
    const idle: { name: string; activation: Activation; use: number }[] = []
    for (const [name, slot] of this.#slots)
      if (slot.kind === 'resident' && slot.activation.idle)
        idle.push({ name, activation: slot.activation, use: slot.use })
    idle.sort((a, b) => a.use - b.use)
    for (const { name, activation } of idle.slice(0, count))
      ignoreOutcome(this.#evict(name, activation))
  }

  #evict(name: string, activation: Activation): Promise<void> {
    this.#evictingCount++
    const done = activation.close().finally(() => {
      this.#evictingCount--
      if (this.#slots.get(name) === slot) this.#slots.delete(name)
    })
    const slot: Slot = { kind: 'evicting', done }
    this.#slots.set(name, slot)
    return done
  }

  /** Evicts an actor that is idle; false when it is busy or not resident. */
  async evict(key: ActorKey): Promise<boolean> {
    const name = formatActorKey(key)
    const slot = this.#slots.get(name)
    if (slot?.kind !== 'resident' || !slot.activation.idle) return false
    await this.#evict(name, slot.activation)
    return true
  }

  /**
   * Takes an actor out of the pool: calls that are queued are finished, ones that arrive meanwhile wait; then
   * `task` has the actor to itself. False when it was not resident. Rejects as `task` does.
   */
  async vacate(key: ActorKey, task: () => Promise<void> = async () => {}): Promise<boolean> {
    const name = formatActorKey(key)
    let slot = this.#slots.get(name)
    while (slot?.kind === 'activating' || slot?.kind === 'evicting') {
      if (slot.kind === 'evicting') await slot.done
      else await slot.ready.catch(() => {})
      slot = this.#slots.get(name)
    }
    if (this.#closed) throw cutOff(name)
    const activation = slot?.activation
    const { promise: done, resolve } = deferred<void>()
    const leaving: Slot = { kind: 'evicting', done, ...(activation && { activation }) }
    this.#evictingCount++
    this.#slots.set(name, leaving)
    try {
      if (activation !== undefined) await finish(activation)
      await task()
    } finally {
      this.#evictingCount--
      if (this.#slots.get(name) === leaving) this.#slots.delete(name)
      resolve()
    }
    return activation !== undefined
  }

  /**
   * Refuses new activations, waits until residents have finished their calls, and evicts them all. Turns
   * that still wait for the host after `timeoutMs` are abandoned: ERR_CLOSING for their callers.
   */
  async close(timeoutMs: number): Promise<void> {
    this.#closed = true
    this.#sweepTimer?.cancel()
    const deadline = this.#options.clock.after(timeoutMs, () => {
      this.#overdue = true
      // A method that waits for the outside does so in its replay as well: recovery may take for ever.
      for (const [name, slot] of this.#slots)
        if (slot.kind === 'activating') slot.giveUp(cutOff(name))
        else if (slot.activation?.open === true && !slot.activation.idle)
          slot.activation.abandon(cutOff(name))
    })
    while (this.#slots.size > 0) {
      const waits = [...this.#slots].map(([name, slot]) => this.#retire(name, slot))
      await Promise.all(waits)
    }
    deadline.cancel()
  }

  async #retire(name: string, slot: Slot): Promise<void> {
    try {
      if (slot.kind === 'activating') await slot.ready
      else if (slot.kind === 'evicting') await slot.done
      else if (!slot.activation.open) this.#slots.delete(name)
      else if (slot.activation.idle) await this.#evict(name, slot.activation)
      else if (this.#overdue) slot.activation.abandon(cutOff(name))
      else await slot.activation.settled()
    } catch {
      // A broken activation has told its callers; here it only has to be gone.
      if (this.#slots.get(name) === slot) this.#slots.delete(name)
    }
  }
}

/** Lets an activation end what is queued, and closes it. */
async function finish(activation: Activation): Promise<void> {
  while (activation.open && !activation.idle) await activation.settled()
  // A broken one has told its callers, and holds nothing any more.
  if (activation.open) await activation.close()
}

function cutOff(name: string): LoomError {
  const advice = 'the host shut down before the turn had ended; ask again with its idempotency key'
  return new LoomError('ERR_CLOSING', `${name}: ${advice}`)
}

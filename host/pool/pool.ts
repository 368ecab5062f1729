/**
 * Pool: which actors are hot, warm and cold.
 *
 *   hot    an activation, with an instance that holds the actor's memory
 *   warm   an image in the memory of the host (warm-tier.ts); a call lifts it into a recycled instance at once
 *   cold   nothing here: a call activates the actor from the store
 *
 * Guarantee: at most one activation per actor exists in this host at any time; an actor that is asked
 * for is activated once, however many ask at once; one that grows cold was snapshotted first.
 *
 * Owns: activation, and the fall hot -> warm -> cold by capacity and by idle time.
 * Does not own: turns (actor/), what a warm actor is (actor/activation/warm-actor.ts), spare instances (actor/program/instance-stock.ts).
 *
 * Invariants:
 *   P1. A key is in one place: a slot, which has one activation, or the warm tier. It changes synchronously,
 *       before any await.
 *   P2. Only an idle activation falls: no turn runs or waits, no commit is in flight. A call that arrives
 *       while its actor grows cold waits for that, and then activates the actor anew.
 *   P3. An actor that grows cold takes no room: it holds no memory any more.
 *   P6. An actor that was asked for is not evicted before whoever asked could use it, in this turn of the event loop;
 *       who finds no room for such actors asks once more in the next one.
 *   P4. Busy actors never fall. They may exceed the capacity up to BUSY_SHARE_MAX times; then those that are
 *       not hot are refused (ERR_BUSY). Nobody waits longer (P6): an actor that holds room may wait for the caller.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Activation } from '../actor/activation/activation.ts'
import { type WarmActor, wantsSnapshot } from '../actor/activation/warm-actor.ts'
import type { Clock, Timer } from '../base/clock.ts'
import { LoomError } from '../base/errors.ts'
import { type ActorKey, formatActorKey, parseActorKey } from '../base/names.ts'
import { deferred, ignoreOutcome } from '../base/promises.ts'
import { type WarmLimits, WarmTier } from './warm-tier.ts'

export interface PoolOptions extends WarmLimits {
  readonly clock: Clock
  readonly residentCountMax: number
  /** Idle time after which an actor is warm, and cold. */
  readonly coolTimeoutMs: number
  readonly idleTimeoutMs: number
  /** Opens an activation; `onBroken` must be called when it breaks. */
  readonly activate: (key: ActorKey, onBroken: () => void) => Promise<Activation>
  /** Makes a warm actor hot. @throws ERR_BUSY, ERR_SNAPSHOT_CORRUPT */
  readonly lift: (actor: WarmActor, onBroken: () => void) => Activation
  /** Writes a warm actor's snapshot. Never rejects. */
  readonly snapshot: (actor: WarmActor) => Promise<void>
  /** Called from time to time. */
  readonly onSweep: () => void
}

/**
 * activating: next state hot, or removed when activation fails.
 * hot: next state falling, or removed when it breaks or is warm.
 * falling: next state removed.
 */
type Slot =
  | {
      readonly kind: 'activating'
      readonly ready: Promise<Activation>
      readonly giveUp: (error: LoomError) => void
    }
  | HotSlot
  | {
      readonly kind: 'falling'
      readonly done: Promise<void>
      /** Still has calls to finish. */
      readonly activation?: Activation
    }

/** `use` orders slots by their last use; `sweep` dates it, without reading the clock at every call. */
interface HotSlot {
  readonly kind: 'hot'
  readonly activation: Activation
  use: number
  sweep: number
}

/** How many actors are where. */
export interface PoolCounts {
  readonly hot: number
  readonly warm: number
  /** Units: bytes, about. */
  readonly warmSizeBytes: number
}

/** Share of the capacity that one eviction round frees, so that rounds are rare. */
const EVICTED_SHARE = 0.05
/** How far busy actors may exceed the capacity (P4): a burst of calls, each waiting for its commit. */
const BUSY_SHARE_MAX = 2
const RETRY_AFTER_MS = 1_000
const SWEEPS_PER_TIMEOUT = 4
/** One sweep makes so many actors warm, a few milliseconds' work; the others' turn comes. */
const COOLED_PER_SWEEP_MAX = 500
/** Snapshots of warm actors on their way to the store at a time. */
const FALLING_COUNT_MAX = 500

export class Pool {
  readonly #options: PoolOptions
  readonly #slots = new Map<string, Slot>()
  readonly #warm: WarmTier
  /** Actors that were asked for in this turn of the event loop. */
  readonly #held = new Set<string>()
  /** An actor is warm, or cold at once, when it has been idle for so long. */
  readonly #coolTimeoutMs: number
  readonly #sweepMs: number
  #fallingCount = 0
  /** Instances in use when `#look` counted them, and activations since; what was given up since is in it still. */
  #holdingCount = 0
  /** When to count again. */
  #lookAtCount: number
  #full = false
  #sweepTimer: Timer | null = null
  #sweeps = 0
  #uses = 0
  #closed = false
  #overdue = false

  constructor(options: PoolOptions) {
    const { coolTimeoutMs, idleTimeoutMs } = options
    this.#options = options
    this.#warm = new WarmTier(options)
    this.#lookAtCount = options.residentCountMax
    this.#coolTimeoutMs = Math.min(coolTimeoutMs, idleTimeoutMs)
    this.#sweepMs = this.#coolTimeoutMs / SWEEPS_PER_TIMEOUT
  }

  get counts(): PoolCounts {
    const hot = this.#slots.size - this.#fallingCount
    return { hot, warm: this.#warm.count, warmSizeBytes: this.#warm.sizeBytes }
  }

  /** Of actors that are hot or warm. */
  countsByType(): Map<string, number> {
    const counts = new Map<string, number>()
    const count = (name: string): void => {
      const { type } = parseActorKey(name)
      counts.set(type, (counts.get(type) ?? 0) + 1)
    }
    for (const [name, slot] of this.#slots) if (slot.kind !== 'falling') count(name)
    for (const name of this.#warm.names()) count(name)
    return counts
  }

  tierOf(key: ActorKey): 'hot' | 'warm' | 'cold' {
    const name = formatActorKey(key)
    if (this.#warm.has(name)) return 'warm'
    return this.#slots.get(name)?.kind === 'hot' ? 'hot' : 'cold'
  }

  /** The activation, also of an actor that is leaving and has turns to end; it counts as no use of it. */
  resident(name: string): Activation | undefined {
    const slot = this.#slots.get(name)
    return slot === undefined || slot.kind === 'activating' ? undefined : slot.activation
  }

  /** The hot activation, lifted if the actor is warm; or undefined. The fast path of a call; never throws. */
  peek(name: string): Activation | undefined {
    const slot = this.#slots.get(name)
    if (slot?.kind !== 'hot' || this.#closed)
      return slot === undefined ? this.#lift(name) : undefined
    slot.use = ++this.#uses
    slot.sweep = this.#sweeps
    return slot.activation
  }

  #lift(name: string): Activation | undefined {
    if (this.#closed || !this.#warm.has(name) || !this.#makeRoom()) return undefined
    const actor = this.#warm.take(name)
    if (actor === undefined) return undefined
    try {
      const activation = this.#options.lift(actor, () => this.#removeBroken(name))
      this.#holdingCount++
      this.#settle(name, activation)
      return activation
    } catch {
      // Nothing is lost (WA1): the actor is cold now, and its activation says what is wrong.
      return undefined
    }
  }

  /** @throws ERR_CLOSING; ERR_BUSY (data: retryAfterMs) when there is no room; and whatever `activate` throws. */
  async acquire(key: ActorKey): Promise<Activation> {
    const name = formatActorKey(key)
    for (let waited = false; ; ) {
      const hot = this.peek(name)
      if (hot !== undefined) return this.#hold(name, hot)
      if (this.#closed) throw new LoomError('ERR_CLOSING', `${name}: the host is shutting down`)
      const slot = this.#slots.get(name)
      if (slot?.kind === 'falling') await slot.done
      else if (slot?.kind === 'activating') return this.#hold(name, await slot.ready)
      else if (this.#makeRoom()) return this.#hold(name, await this.#activate(name, key))
      else if (waited || this.#held.size === 0) throw noRoom(name)
      else {
        waited = true
        await nextTurn()
      }
    }
  }

  /**
   * Runs `task` with the actor's activation, at once when that is there: after any pause it may be evicted.
   * @throws as `acquire` does, and what `task` throws.
   */
  async use<T>(key: ActorKey, task: (activation: Activation) => T | Promise<T>): Promise<T> {
    for (;;) {
      const activation = await this.acquire(key)
      if (!activation.closed) return await task(activation)
    }
  }

  /**
   * Whoever asked gets to use the activation before it may be evicted (P6): the promise that hands it over takes
   * some microtasks, in which others, who ask for their actors, would take its room, and it theirs, for ever.
   */
  #hold(name: string, activation: Activation): Activation {
    if (this.#held.size === 0) setImmediate(() => this.#held.clear())
    this.#held.add(name)
    return activation
  }

  #activate(name: string, key: ActorKey): Promise<Activation> {
    const { promise: ready, resolve, reject } = deferred<Activation>()
    const slot: Slot = { kind: 'activating', ready, giveUp: reject }
    this.#options
      .activate(key, () => this.#removeBroken(name, slot))
      .then(
        (activation) => {
          if (this.#slots.get(name) === slot && activation.open) this.#settle(name, activation)
          resolve(activation)
        },
        (error) => {
          this.#removeBroken(name, slot)
          reject(error)
        },
      )
    this.#holdingCount++
    this.#slots.set(name, slot)
    return ready
  }

  #settle(name: string, activation: Activation): void {
    const use = ++this.#uses
    this.#slots.set(name, { kind: 'hot', activation, use, sweep: this.#sweeps })
    if (this.#sweepTimer === null && !this.#closed) this.#scheduleSweep()
  }

  /** Removes a broken activation's slot, whichever state it is in; another actor's slot is left alone. */
  #removeBroken(name: string, activating?: Slot): void {
    const slot = this.#slots.get(name)
    if (slot === undefined) return
    if (slot === activating || (slot.kind === 'hot' && !slot.activation.open))
      this.#slots.delete(name)
  }

  #scheduleSweep(): void {
    this.#sweepTimer = this.#options.clock.after(this.#sweepMs, () => {
      this.#sweepTimer = null
      this.#sweeps++
      this.#sweepHot()
      this.#fallDue()
      this.#options.onSweep()
      if (this.#slots.size + this.#warm.count > 0 && !this.#closed) this.#scheduleSweep()
    })
  }

  #sweepHot(): void {
    const before = this.#sweeps - SWEEPS_PER_TIMEOUT
    const idleBefore = this.#sweeps - this.#options.idleTimeoutMs / this.#sweepMs
    let left = COOLED_PER_SWEEP_MAX
    for (const [name, slot] of this.#slots) {
      if (slot.kind !== 'hot' || slot.sweep >= before || !slot.activation.idle) continue
      // Timers are gone with the activation, so an actor that has some is left alone for the idle time.
      if (slot.activation.timers.count > 0 && slot.sweep >= idleBefore) continue
      if (left-- === 0) return
      this.#cool(name, slot)
    }
  }

  /** False when there is no room for another instance (P4). */
  #makeRoom(): boolean {
    if (this.#holdingCount < this.#lookAtCount) return true
    if (this.#full) return false
    this.#look()
    if (this.#holdingCount < this.#options.residentCountMax * BUSY_SHARE_MAX) return true
    // Who asks again before anything else has happened is not looked for again.
    this.#full = true
    setImmediate(() => {
      this.#full = false
    })
    return false
  }

  /** Counts instances in use, and frees some when there are too many, least recently used first. */
  #look(): void {
    const { residentCountMax } = this.#options
    const share = Math.max(1, Math.floor(residentCountMax * EVICTED_SHARE))
    let holding = 0
    const idle: { name: string; slot: HotSlot }[] = []
    for (const [name, slot] of this.#slots) {
      if (slot.kind === 'hot' && slot.activation.idle && !this.#held.has(name))
        idle.push({ name, slot })
      if (slot.kind === 'activating' || (slot.kind === 'hot' && slot.activation.holdsInstance))
        holding++
    }
    if (holding >= residentCountMax) {
      idle.sort((a, b) => a.slot.use - b.slot.use)
      const chosen = idle.slice(0, share + holding - residentCountMax)
      for (const { name, slot } of chosen) this.#cool(name, slot)
      holding -= chosen.length
    }
    this.#holdingCount = holding
    const lookAt = Math.max(residentCountMax, holding + share)
    this.#lookAtCount = Math.min(lookAt, residentCountMax * BUSY_SHARE_MAX)
  }

  /** Makes a hot actor warm; one that no image can hold, or that no turn has made yet, cold. */
  #cool(name: string, { activation, sweep }: HotSlot): void {
    let actor: WarmActor | null = null
    try {
      actor = activation.cool()
    } catch {
      // What cannot be captured cannot be snapshotted either, and `close` says so in the log.
    }
    if (actor === null) {
      ignoreOutcome(this.#fall(name, activation.close()))
      return
    }
    this.#slots.delete(name)
    this.#warm.put(name, actor, sweep)
    this.#fallDue()
  }

  /** Makes warm actors cold whose time has come, or that are too many, a number of them at a time. */
  #fallDue(): void {
    const before = this.#sweeps - Math.ceil(this.#options.idleTimeoutMs / this.#sweepMs)
    while (this.#fallingCount < FALLING_COUNT_MAX) {
      const name = this.#warm.overdue(before)
      if (name === undefined) return
      this.#fallWarm(name)
    }
  }

  #fallWarm(name: string): void {
    const actor = this.#warm.take(name)
    if (actor === undefined || !wantsSnapshot(actor)) return
    const fallen = this.#fall(name, this.#options.snapshot(actor))
    ignoreOutcome(fallen.then(() => this.#fallDue()))
  }

  #fall(name: string, leaving: Promise<void>): Promise<void> {
    this.#fallingCount++
    const done = leaving.finally(() => {
      this.#fallingCount--
      if (this.#slots.get(name) === slot) this.#slots.delete(name)
    })
    const slot: Slot = { kind: 'falling', done }
    this.#slots.set(name, slot)
    return done
  }

  /** Makes an actor cold that is idle; false when it is busy or not here. */
  async evict(key: ActorKey): Promise<boolean> {
    const name = formatActorKey(key)
    const slot = this.#slots.get(name)
    if (slot?.kind !== 'hot' || !slot.activation.idle) return false
    await this.#fall(name, slot.activation.close())
    return true
  }

  /**
   * Takes an actor out of the pool: calls that are queued are finished, ones that arrive meanwhile wait; then
   * `task` has the actor to itself. False when it was cold. Rejects as `task` does.
   */
  async vacate(key: ActorKey, task: () => Promise<void> = async () => {}): Promise<boolean> {
    const name = formatActorKey(key)
    let slot = this.#slots.get(name)
    while (slot?.kind === 'activating' || slot?.kind === 'falling') {
      if (slot.kind === 'falling') await slot.done
      else await slot.ready.catch(() => {})
      slot = this.#slots.get(name)
    }
    if (this.#closed) throw cutOff(name)
    const activation = slot?.activation
    const warm = this.#warm.take(name)
    const { promise: done, resolve } = deferred<void>()
    const leaving: Slot = { kind: 'falling', done, ...(activation && { activation }) }
    this.#fallingCount++
    this.#slots.set(name, leaving)
    try {
      if (activation !== undefined) await finish(activation)
      if (warm !== undefined && wantsSnapshot(warm)) await this.#options.snapshot(warm)
      await task()
    } finally {
      this.#fallingCount--
      if (this.#slots.get(name) === leaving) this.#slots.delete(name)
      resolve()
    }
    return activation !== undefined || warm !== undefined
  }

  /**
   * Refuses new activations, waits until actors have finished their calls, and makes all of them cold. Turns
   * that still wait for the host after `timeoutMs` are abandoned: ERR_CLOSING for their callers. Warm
   * actors that have no snapshot by then recover by replay.
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
    while (this.#slots.size + this.#warm.count > 0) {
      this.#fallAll()
      const waits = [...this.#slots].map(([name, slot]) => this.#retire(name, slot))
      await Promise.all(waits)
    }
    deadline.cancel()
  }

  #fallAll(): void {
    while (this.#fallingCount < FALLING_COUNT_MAX || this.#overdue) {
      const name = this.#warm.overdue(Number.POSITIVE_INFINITY)
      if (name === undefined) return
      if (this.#overdue) this.#warm.take(name)
      else this.#fallWarm(name)
    }
  }

  async #retire(name: string, slot: Slot): Promise<void> {
    try {
      if (slot.kind === 'activating') await slot.ready
      else if (slot.kind === 'falling') await slot.done
      else if (!slot.activation.open) this.#slots.delete(name)
      else if (slot.activation.idle) await this.#fall(name, slot.activation.close())
      else if (this.#overdue) slot.activation.abandon(cutOff(name))
      else await settled(slot.activation)
    } catch {
      // A broken activation has told its callers; here it only has to be gone.
      if (this.#slots.get(name) === slot) this.#slots.delete(name)
    }
  }
}

function noRoom(name: string): LoomError {
  const reason = 'there is no room: too many actors are busy'
  return new LoomError('ERR_BUSY', `${name}: ${reason}`, { data: { retryAfterMs: RETRY_AFTER_MS } })
}

/** Resolves when what is queued now has run and is durable, or has failed. */
async function settled(activation: Activation): Promise<void> {
  await activation.observe().catch(() => {})
}

/** Lets an activation end what is queued, and closes it. */
async function finish(activation: Activation): Promise<void> {
  while (activation.open && !activation.idle) await settled(activation)
  // A broken one has told its callers, and holds nothing any more.
  if (activation.open) await activation.close()
}

function cutOff(name: string): LoomError {
  const advice = 'the host shut down before the turn had ended; ask again with its idempotency key'
  return new LoomError('ERR_CLOSING', `${name}: ${advice}`)
}

/**
 * Reminders: gives every tick of every actor's reminders to its actor, at its time.
 *
 * Guarantee: a tick happens once, however often the host dies: the turn that runs it moves the reminder on in
 * the same commit. One whose turn fails is run again (actor/ticks/reminder.ts RE2). What nobody could run at its time
 * is run, or not, as the reminder's policy on missed ticks says.
 *
 * Owns: waiting for the soonest tick, handing ticks over, pauses before those that no turn could take.
 * Does not own: which tick is run and what is left of the reminder (actor/), the rows (store/).
 *
 * Invariants:
 *   RS1. What is due is asked of the wall clock each time: one that jumps is noticed within
 *        `WALL_CLOCK_CHECK_MS`, and one that goes back repeats nothing (RE1).
 *   RS2. Of one reminder, one tick is under way at most.
 *   RS3. A tick is planned from what the actor's activation knows, not from the row that led here: the row may
 *        be of an earlier life or from before the last turn.
 *   RS4. What is due up to `#place` is under way or waits here; it is not asked of the store again and again, however
 *        much of it waits. What is set to a time before that comes from `changed`; what nobody can know of, from
 *        `start`, which looks at everything.
 */
import type { Activation } from '../actor/activation/activation.ts'
import { CANCEL_REMINDER } from '../actor/program/host-methods.ts'
import { tickMethod } from '../actor/program/tick-methods.ts'
import { planTick, type Reminder, tickKey } from '../actor/ticks/reminder.ts'
import type { Clock, Timer } from '../base/clock.ts'
import { DueQueue } from '../base/due-queue.ts'
import { isLoomError, toLoomError } from '../base/errors.ts'
import {
  REMINDERS_IN_FLIGHT_MAX,
  REMINDERS_STARTED_AT_ONCE_MAX,
  TICK_BLOCKED_MAX_MS,
  TICK_BLOCKED_MIN_MS,
  TIME_MAX_MS,
  WALL_CLOCK_CHECK_MS,
} from '../base/limits.ts'
import { type ActorKey, formatActorKey } from '../base/names.ts'
import { ignoreOutcome } from '../base/promises.ts'
import type { Pool } from '../pool/pool.ts'
import type { DueReminder, ReminderChange, ReminderRow, Store } from '../store/store.ts'

export interface RemindersOptions {
  readonly store: Pick<Store, 'dueReminders' | 'readReminder'>
  readonly pool: Pool
  readonly clock: Clock
  readonly warn: (message: string, actor: ActorKey) => void
}

/** A reminder that is not to be looked at before a time. */
interface Waiting {
  readonly key: ActorKey
  readonly name: string
  /** The pause that led here; 0 when nothing failed. */
  readonly pauseMs: number
}

/** A reminder of which a tick is under way. */
interface UnderWay {
  readonly pauseMs: number
  /** It is due again, or was changed meanwhile. */
  isAgain: boolean
}

type Place = Pick<DueReminder, 'dueAtMs' | 'key' | 'name'>

const idOf = (key: ActorKey, name: string): string => `${formatActorKey(key)} ${name}`

export class Reminders {
  readonly #options: RemindersOptions
  readonly #inFlight = new Map<string, UnderWay>()
  readonly #waiting = new DueQueue<Waiting>()
  /** The last reminder that was taken up, in order of the store (RS4). */
  #place: Place | null = null
  #timer: Timer | null = null
  /** When the timer looks next. */
  #lookAtMs = Infinity
  #looking = false
  #lookAgain = false
  #closed = false

  constructor(options: RemindersOptions) {
    this.#options = options
  }

  /** Takes up what is due, now or later: everything is looked at once more. */
  start(): void {
    this.#place = null
    this.#look()
  }

  /** Reminders of an actor that were changed, durably. */
  changed(key: ActorKey, changes: readonly ReminderChange[]): void {
    for (const { name, dueAtMs } of changes) {
      if (dueAtMs === null) continue
      if (this.#place !== null && dueAtMs <= this.#place.dueAtMs) this.#wait(key, name, dueAtMs)
      if (dueAtMs < this.#lookAtMs) this.#lookAt(dueAtMs)
    }
  }

  /** Hands nothing over any more. */
  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  #lookAt(atMs: number): void {
    if (this.#closed) return
    const { clock } = this.#options
    const delayMs = Math.min(Math.max(0, atMs - clock.wallMs()), WALL_CLOCK_CHECK_MS)
    this.#timer?.cancel()
    this.#lookAtMs = atMs
    if (delayMs === 0) this.#look()
    else this.#timer = clock.after(delayMs, () => this.#look())
  }

  #look(): void {
    if (this.#closed) return
    this.#lookAgain = true
    if (this.#looking) return
    this.#looking = true
    ignoreOutcome(this.#lookWhileAsked())
  }

  async #lookWhileAsked(): Promise<void> {
    let nextMs: number | null = null
    while (this.#lookAgain && !this.#closed) {
      // One look for all that asks in this macrotask; and commits have their time between two looks.
      await nextMacrotask()
      this.#lookAgain = false
      this.#timer?.cancel()
      this.#lookAtMs = Infinity
      try {
        nextMs = await this.#handOver()
      } catch {
        // The store says why to everybody who commits; here it is asked again.
        nextMs = this.#options.clock.wallMs() + TICK_BLOCKED_MIN_MS
      }
    }
    this.#looking = false
    if (nextMs !== null && nextMs < this.#lookAtMs) this.#lookAt(nextMs)
  }

  /** Starts every tick that is due; returns when the next one is, or null. */
  async #handOver(): Promise<number | null> {
    const { store, clock } = this.#options
    const nowMs = clock.wallMs()
    await this.#startWaiting(nowMs)
    await this.#startDue(nowMs)
    // The end of a tick under way leads to the next look.
    if (this.#isFull) return null
    const [behind] = await store.dueReminders(TIME_MAX_MS, 1, this.#place)
    const nextMs = Math.min(this.#waiting.soonestMs(), behind?.dueAtMs ?? Infinity)
    return nextMs === Infinity ? null : nextMs
  }

  get #isFull(): boolean {
    return this.#closed || this.#inFlight.size >= REMINDERS_IN_FLIGHT_MAX
  }

  /** Starts what has waited long enough, a few in each macrotask. */
  async #startWaiting(nowMs: number): Promise<void> {
    for (let count = 1; !this.#isFull; count++) {
      const next = this.#waiting.take(nowMs)
      if (next === null) return
      await this.#resume(next.name, next.value, nowMs)
      if (count % REMINDERS_STARTED_AT_ONCE_MAX === 0) await nextMacrotask()
    }
  }

  /** It may have been moved or cancelled while it waited: the store knows (RS3). */
  async #resume(id: string, waiting: Waiting, nowMs: number): Promise<void> {
    const { key, name, pauseMs } = waiting
    let row: ReminderRow | null
    try {
      row = await this.#options.store.readReminder(key, name)
    } catch (error) {
      this.#waiting.set(id, nowMs + TICK_BLOCKED_MIN_MS, waiting)
      throw error
    }
    if (row === null) return
    if (row.dueAtMs <= nowMs) this.#start(key, name, pauseMs)
    else if (this.#place !== null && row.dueAtMs <= this.#place.dueAtMs)
      this.#waiting.set(id, row.dueAtMs, waiting)
  }

  /** Starts what is due behind `#place`, a few in each macrotask. */
  async #startDue(nowMs: number): Promise<void> {
    while (!this.#isFull) {
      const countMax = REMINDERS_STARTED_AT_ONCE_MAX
      const due = await this.#options.store.dueReminders(nowMs, countMax, this.#place)
      for (const row of due) {
        if (this.#isFull) return
        this.#place = row
        if (this.#waiting.get(idOf(row.key, row.name)) === undefined)
          this.#start(row.key, row.name, 0)
      }
      if (due.length < countMax) return
      await nextMacrotask()
    }
  }

  /** Leaves a reminder alone until a time, or longer if it has a pause. */
  #wait(key: ActorKey, name: string, atMs: number): void {
    const id = idOf(key, name)
    const running = this.#inFlight.get(id)
    if (running !== undefined) {
      running.isAgain = true
      return
    }
    const former = this.#waiting.get(id)
    const pauseMs = former?.value.pauseMs ?? 0
    const untilMs = former !== undefined && pauseMs > 0 ? Math.max(atMs, former.atMs) : atMs
    this.#waiting.set(id, untilMs, { key, name, pauseMs })
  }

  #start(key: ActorKey, name: string, pauseMs: number): void {
    const id = idOf(key, name)
    const running = this.#inFlight.get(id)
    if (running !== undefined) {
      running.isAgain = true
      return
    }
    const begun = { pauseMs, isAgain: false }
    this.#inFlight.set(id, begun)
    ignoreOutcome(this.#run(id, key, name, begun))
  }

  async #run(id: string, key: ActorKey, name: string, begun: UnderWay): Promise<void> {
    let untilMs: number | null
    let pauseMs = 0
    try {
      untilMs = await this.#tick(key, name)
    } catch (error) {
      pauseMs = Math.min(Math.max(TICK_BLOCKED_MIN_MS, begun.pauseMs * 2), TICK_BLOCKED_MAX_MS)
      untilMs = this.#options.clock.wallMs() + pauseMs
      if (!this.#closed) this.#warn(key, name, error)
    }
    if (untilMs === null && begun.isAgain) untilMs = this.#options.clock.wallMs()
    this.#inFlight.delete(id)
    if (untilMs !== null) this.#waiting.set(id, untilMs, { key, name, pauseMs })
    this.#look()
  }

  /** Runs what is due of a reminder; returns until when it is to be left alone, or null. */
  #tick(key: ActorKey, name: string): Promise<number | null> {
    return useWithReminders(this.#options.pool, key, (activation) => this.#tickOf(activation, name))
  }

  async #tickOf(activation: Activation, name: string): Promise<number | null> {
    const { clock } = this.#options
    const { key } = activation
    const reminder = activation.reminders.get(name)
    if (reminder === null || reminder.incarnation !== activation.record?.incarnation) {
      // Its end is on its way to the store.
      await activation.observe().catch(() => {})
      return clock.wallMs() + TICK_BLOCKED_MIN_MS
    }
    const plan = planTick(reminder, clock.wallMs())
    if (plan.kind === 'wait') return plan.untilMs
    try {
      if (plan.kind === 'over') await endReminder(activation, reminder)
      else await runTick(activation, reminder, plan.dueMs)
    } catch (error) {
      // A turn that failed has moved the reminder on; anything else has not.
      const ran =
        isLoomError(error) && activation.open && activation.reminders.get(name) !== reminder
      if (!ran) throw error
      this.#warn(key, name, error)
    }
    return null
  }

  #warn(key: ActorKey, name: string, error: unknown): void {
    const { code, message } = toLoomError(error)
    this.#options.warn(`reminder ${JSON.stringify(name)}: ${code}: ${message}`, key)
  }
}

function nextMacrotask(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** Runs `task` with the resident actor, once its reminders are read; without a pause between: it may leave in any. */
export async function useWithReminders<T>(
  pool: Pool,
  key: ActorKey,
  task: (activation: Activation) => T | Promise<T>,
): Promise<T> {
  for (;;) {
    const activation = await pool.acquire(key)
    await activation.reminders.load()
    if (!activation.closed) return await task(activation)
  }
}

async function runTick(activation: Activation, reminder: Reminder, dueMs: number): Promise<void> {
  const method = tickMethod(activation.program, 'remind')
  const idempotencyKey = tickKey(reminder, dueMs)
  const tick = activation.reminders.tickOf(reminder, dueMs)
  const args = [reminder.name, reminder.data]
  await activation.call({ method, args, idempotencyKey, caller: null, tick })
}

/** Nothing is left of a reminder whose last ticks were missed and are skipped. */
async function endReminder(activation: Activation, reminder: Reminder): Promise<void> {
  const { isCurrent } = activation.reminders.tickOf(reminder, reminder.dueMs)
  const tick = { isCurrent, change: () => null }
  const args = [reminder.name]
  const method = CANCEL_REMINDER
  await activation.call({ method, args, idempotencyKey: null, caller: null, tick })
}

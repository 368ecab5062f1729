/**
 * Reminders: gives every tick of every actor's reminders to its actor, at its time.
 *
 * Guarantee: a tick happens once, however often the host dies: the turn that runs it moves the reminder on in
 * the same commit. One whose turn fails is run again (actor/reminder.ts RE2). What nobody could run at its time
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
 */
import type { Activation } from '../actor/activation.ts'
import { CANCEL_REMINDER } from '../actor/host-methods.ts'
import { planTick, type Reminder, tickKey } from '../actor/reminder.ts'
import { tickMethod } from '../actor/tick-methods.ts'
import type { Clock, Timer } from '../base/clock.ts'
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
import type { DueReminder, ReminderChange, Store } from '../store/store.ts'

export interface RemindersOptions {
  readonly store: Pick<Store, 'dueReminders' | 'nextReminderAtMs'>
  readonly pool: Pool
  readonly clock: Clock
  readonly warn: (message: string, actor: ActorKey) => void
}

/** A tick that is not to be handed over before a time. */
interface Blocked {
  readonly untilMs: number
  /** The pause that led here; 0 when nothing failed. */
  readonly pauseMs: number
}

export class Reminders {
  readonly #options: RemindersOptions
  readonly #inFlight = new Set<string>()
  readonly #blocked = new Map<string, Blocked>()
  #timer: Timer | null = null
  /** When the timer looks next. */
  #lookAtMs = Infinity
  #looking = false
  #lookAgain = false
  #closed = false

  constructor(options: RemindersOptions) {
    this.#options = options
  }

  /** Takes up what is due, now or later. */
  start(): void {
    this.#look()
  }

  /** Reminders that were changed, durably. */
  changed(changes: readonly ReminderChange[]): void {
    for (const { dueAtMs } of changes)
      if (dueAtMs !== null && dueAtMs < this.#lookAtMs) this.#lookAt(dueAtMs)
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
    const soonestMs = await store.nextReminderAtMs()
    const nowMs = clock.wallMs()
    this.#forgetBlocked(nowMs)
    if (soonestMs === null || soonestMs > nowMs) return soonestMs
    const last = await this.#startAll(nowMs)
    const [behind] = await store.dueReminders(TIME_MAX_MS, 1, last)
    // A pause that is over belongs to a tick under way: its end leads to the next look.
    const pauses = [...this.#blocked.values()].map(({ untilMs }) => untilMs)
    const times = pauses.filter((untilMs) => untilMs > nowMs)
    // One that is due already waits for a tick under way, whose end leads to the next look.
    if (behind !== undefined && behind.dueAtMs > nowMs) times.push(behind.dueAtMs)
    return times.length === 0 ? null : Math.min(...times)
  }

  /** Starts every tick that is due at `nowMs`, a few in each macrotask; returns the last one that was looked at. */
  async #startAll(nowMs: number): Promise<DueReminder | null> {
    const { store } = this.#options
    let last: DueReminder | null = null
    while (!this.#closed) {
      const due = await store.dueReminders(nowMs, REMINDERS_STARTED_AT_ONCE_MAX, last)
      for (const row of due) this.#start(row)
      last = due.at(-1) ?? last
      const isAll = due.length < REMINDERS_STARTED_AT_ONCE_MAX
      // The end of a tick under way leads to the next look.
      if (isAll || this.#inFlight.size >= REMINDERS_IN_FLIGHT_MAX) break
      await nextMacrotask()
    }
    return last
  }

  /** Those whose pause is over by far belong to reminders that are gone. */
  #forgetBlocked(nowMs: number): void {
    for (const [id, { untilMs }] of this.#blocked)
      if (untilMs + 2 * TICK_BLOCKED_MAX_MS < nowMs) this.#blocked.delete(id)
  }

  #start({ key, name }: DueReminder): void {
    const id = `${formatActorKey(key)} ${name}`
    if (this.#inFlight.has(id) || this.#inFlight.size >= REMINDERS_IN_FLIGHT_MAX) return
    const blocked = this.#blocked.get(id)
    if (blocked !== undefined && blocked.untilMs > this.#options.clock.wallMs()) return
    this.#inFlight.add(id)
    ignoreOutcome(this.#run(id, key, name))
  }

  async #run(id: string, key: ActorKey, name: string): Promise<void> {
    try {
      const untilMs = await this.#tick(key, name)
      if (untilMs === null) this.#blocked.delete(id)
      else this.#blocked.set(id, { untilMs, pauseMs: 0 })
    } catch (error) {
      this.#block(id, key, name, error)
    }
    this.#inFlight.delete(id)
    this.#look()
  }

  /** Runs what is due of a reminder; returns until when it is to be left alone, or null. */
  async #tick(key: ActorKey, name: string): Promise<number | null> {
    const { pool, clock } = this.#options
    const activation = await acquireWithReminders(pool, key)
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

  #block(id: string, key: ActorKey, name: string, error: unknown): void {
    const last = this.#blocked.get(id)?.pauseMs ?? 0
    const pauseMs = Math.min(Math.max(TICK_BLOCKED_MIN_MS, last * 2), TICK_BLOCKED_MAX_MS)
    this.#blocked.set(id, { untilMs: this.#options.clock.wallMs() + pauseMs, pauseMs })
    if (!this.#closed) this.#warn(key, name, error)
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

/** The resident actor, with its reminders read. */
export async function acquireWithReminders(pool: Pool, key: ActorKey): Promise<Activation> {
  for (;;) {
    const activation = await pool.acquire(key)
    await activation.reminders.load()
    if (!activation.closed) return activation
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

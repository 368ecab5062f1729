/**
 * Timers: ticks of one activation. They are not durable: gone with the activation (eviction, restart).
 *
 * Owns: what is set, and waiting for it. Does not own: the turns of ticks (activation.ts), series (schedule.ts).
 *
 * Invariants:
 *   TI1. A timer has one tick under way at most; the next is planned when that has ended, whether it failed or not.
 *   TI2. A tick is dropped when a turn before it has set the timer anew or cancelled it.
 */
import type { Clock, Timer } from '../../base/clock.ts'
import { toLoomError } from '../../base/errors.ts'
import { TIMERS_COUNT_MAX } from '../../base/limits.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import type { ReminderInfo } from '../../hostcalls/host-interface.ts'
import type { ScheduleText } from '../../journal/entry.ts'
import type { CallHead } from '../mailbox/invocation.ts'
import type { ActorProgram } from '../program/program.ts'
import { tickMethod } from '../program/tick-methods.ts'
import { plan } from '../ticks/reminder.ts'
import { parseSchedule, type Schedule } from '../ticks/schedule.ts'
import type { TimerEffect } from '../turn/effects.ts'

export interface ActorTimersOptions {
  readonly clock: Clock
  readonly program: ActorProgram
  readonly call: (head: CallHead) => Promise<WitValue>
  /** The actor is in use. */
  readonly onTick: () => void
  readonly warn: (message: string) => void
}

export type Timers = readonly TimerEffect[]

interface Waiting {
  readonly name: string
  readonly schedule: Schedule
  /** As its author wrote it. */
  readonly text: ScheduleText
  readonly data: WitValue
  readonly firstMs: number
  dueMs: number
  timer: Timer | null
}

/** Node fires a timer with a longer delay at once. */
const WAIT_MAX_MS = 24 * 3_600_000

export class ActorTimers {
  readonly #options: ActorTimersOptions
  readonly #waiting = new Map<string, Waiting>()

  constructor(options: ActorTimersOptions) {
    this.#options = options
  }

  /** What a turn at `atMs` has asked for. */
  apply(effects: Timers, atMs: number): void {
    for (const effect of effects) {
      this.#cancel(effect.name)
      if (!('schedule' in effect)) continue
      const schedule = parseSchedule(effect.schedule)
      const firstMs = schedule.first(atMs)
      if (firstMs === null) continue
      if (this.#waiting.size >= TIMERS_COUNT_MAX) {
        this.#options.warn(`timer ${effect.name} is not set: ${TIMERS_COUNT_MAX} are set already`)
        continue
      }
      const { name, data } = effect
      const text = effect.schedule
      const waiting = { name, schedule, text, data, firstMs, dueMs: firstMs, timer: null }
      this.#waiting.set(name, waiting)
      this.#wait(waiting)
    }
  }

  get count(): number {
    return this.#waiting.size
  }

  /** In order of name. */
  list(): readonly ReminderInfo[] {
    return [...this.#waiting.values()]
      .map(({ name, text: schedule, data, dueMs: dueAtMs }) => ({ name, dueAtMs, schedule, data }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  close(): void {
    for (const name of [...this.#waiting.keys()]) this.#cancel(name)
  }

  #cancel(name: string): void {
    this.#waiting.get(name)?.timer?.cancel()
    this.#waiting.delete(name)
  }

  #wait(waiting: Waiting): void {
    const delayMs = Math.max(0, waiting.dueMs - this.#options.clock.wallMs())
    waiting.timer = this.#options.clock.after(Math.min(delayMs, WAIT_MAX_MS), () => {
      if (delayMs > WAIT_MAX_MS) {
        this.#wait(waiting)
        return
      }
      const next = plan(waiting.schedule, waiting.firstMs, waiting.dueMs, this.#now(waiting))
      if (next.kind === 'over') this.#waiting.delete(waiting.name)
      else if (next.kind === 'run') void this.#tick(waiting, next.dueMs)
      else {
        waiting.dueMs = next.untilMs
        this.#wait(waiting)
      }
    })
  }

  /** A wall clock that goes back while it is waited delays no timer. */
  #now(waiting: Waiting): number {
    return Math.max(this.#options.clock.wallMs(), waiting.dueMs)
  }

  async #tick(waiting: Waiting, dueMs: number): Promise<void> {
    const { name, data, schedule, firstMs } = waiting
    const isCurrent = (): boolean => this.#waiting.get(name) === waiting
    this.#options.onTick()
    try {
      const method = tickMethod(this.#options.program, 'timer')
      const tick = { isCurrent, change: () => null }
      const args = [name, data]
      await this.#options.call({ method, args, idempotencyKey: null, caller: null, tick })
    } catch (error) {
      const { code, message } = toLoomError(error)
      this.#options.warn(`timer ${name}: ${code}: ${message}`)
    }
    if (!isCurrent()) return
    const nextMs = schedule.next(firstMs, dueMs)
    if (nextMs === null) this.#waiting.delete(name)
    else {
      waiting.dueMs = nextMs
      this.#wait(waiting)
    }
  }
}

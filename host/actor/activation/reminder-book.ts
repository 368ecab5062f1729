/**
 * Reminder book: one actor's reminders as its turns have left them, durable or not yet.
 *
 * Owns: the overlay of what this activation has changed over what the store held before. Does not own: the
 * store's rows, when ticks are due (runtime/reminders.ts).
 *
 * Invariants:
 *   RB1. The activation is the only writer, so what was read once is right for as long as changes are applied.
 *   RB2. A tick is run only while the reminder is what the tick was made of: not after a turn before it has
 *        set it anew, cancelled it or run that tick.
 */
import { invariant } from '../../base/errors.ts'
import type { TurnOutcome } from '../../journal/entry.ts'
import type { ActorLog, ReminderChange } from '../../store/store.ts'
import type { Tick } from '../mailbox/invocation.ts'
import { afterTick, decodeReminder, type Reminder, type TickId } from '../ticks/reminder.ts'

export class ReminderBook {
  readonly #log: Pick<ActorLog, 'listReminders'>
  /** Changes since the activation began; null: cancelled. With everything else once it is loaded. */
  readonly #known = new Map<string, Reminder | null>()
  #loading: Promise<void> | null = null
  #loaded = false

  constructor(log: Pick<ActorLog, 'listReminders'>) {
    this.#log = log
  }

  get loaded(): boolean {
    return this.#loaded
  }

  /** Reads what the store holds, once. @throws ERR_STORE */
  load(): Promise<void> {
    this.#loading ??= this.#load().catch((error) => {
      this.#loading = null
      throw error
    })
    return this.#loading
  }

  async #load(): Promise<void> {
    for (const { name, bytes } of await this.#log.listReminders())
      if (!this.#known.has(name)) this.#known.set(name, decodeReminder(name, bytes))
    this.#loaded = true
  }

  /** What a turn's commit changes. */
  apply(changes: readonly ReminderChange[]): void {
    for (const change of changes)
      this.#known.set(
        change.name,
        change.dueAtMs === null ? null : decodeReminder(change.name, change.bytes),
      )
  }

  /** In order of name. Once it is loaded. */
  list(): readonly Reminder[] {
    invariant(this.#loaded, 'reminders are listed before they are read')
    const all = [...this.#known.values()].filter((reminder) => reminder !== null)
    return all.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Once it is loaded. */
  get(name: string): Reminder | null {
    invariant(this.#loaded, 'a reminder is looked up before it is read')
    return this.#known.get(name) ?? null
  }

  /** The tick of `dueMs` of a reminder as it is now (RB2). */
  tickOf(reminder: Reminder, dueMs: number): Tick {
    return {
      isCurrent: () => this.#known.get(reminder.name) === reminder,
      change: (outcome, atMs) => this.#change(reminder.name, reminder, dueMs, outcome, atMs),
    }
  }

  /** The tick of a turn that a crash cut off: it was current when it began, and no turn has come between. */
  resumedTick(name: string, { setSeq, dueMs, attempts }: TickId): Tick {
    return {
      isCurrent: () => true,
      change: (outcome, atMs) => {
        const reminder = this.get(name)
        const same = reminder?.setSeq === setSeq && reminder.attempts === attempts
        return same ? this.#change(name, reminder, dueMs, outcome, atMs) : null
      },
    }
  }

  #change(
    name: string,
    reminder: Reminder,
    dueMs: number,
    outcome: TurnOutcome,
    atMs: number,
  ): ReminderChange | null {
    if (this.#known.get(name) !== reminder) return null
    return afterTick(reminder, dueMs, outcome, atMs)
  }
}

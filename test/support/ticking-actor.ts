// A TypeScript actor that sets reminders and timers and notes their ticks.
import { Actor, type ReminderDescription, type TickOptions } from '../../host/index.ts'

interface TickingState extends Record<string, unknown> {
  readonly ticks: readonly string[]
}

export class Ticking extends Actor<TickingState> {
  static readonly initialState = { ticks: [] }
  /** How many of the next ticks fail; replays do not count, failed turns are passed over. */
  static failures = 0
  /** Ticks wait for these. */
  static waits: (() => void)[] | null = null
  static ran = 0

  remind(name: string, options: TickOptions): void {
    this.context.reminders.set(name, options)
  }

  forget(name: string): void {
    this.context.reminders.cancel(name)
  }

  remindAndFail(name: string): void {
    this.context.reminders.set(name, {})
    throw new Error('after all, no')
  }

  async reminders(): Promise<readonly ReminderDescription[]> {
    return await this.context.reminders.list()
  }

  async receiveReminder(name: string, data: unknown): Promise<void> {
    Ticking.ran++
    if (Ticking.waits !== null) {
      const waits = Ticking.waits
      await new Promise<void>((resolve) => {
        waits.push(resolve)
      })
    }
    if (Ticking.failures > 0) {
      Ticking.failures--
      throw new Error('this tick fails')
    }
    this.#note(name, data)
    if (data === 'again') this.context.reminders.set(name, { due: '1m', data: 'last' })
    if (data === 'stop') this.context.reminders.cancel(name)
    if (data === 'ask') await this.context.call({ type: 'Ticking', id: 'other' }, 'ticks')
  }

  time(name: string, options: TickOptions): void {
    this.context.timers.set(name, options)
  }

  untime(name: string): void {
    this.context.timers.cancel(name)
  }

  receiveTimer(name: string, data: unknown): void {
    if (data === 'fail') throw new Error('this tick fails')
    this.#note(name, data)
  }

  ticks(): readonly string[] {
    return this.state.ticks
  }

  #note(name: string, data: unknown): void {
    const text = data === undefined ? name : `${name}:${String(data)}`
    this.updateState(({ ticks }) => ({ ticks: [...ticks, text] }))
  }
}

/** Has no method that takes ticks. */
export class Deaf extends Actor {
  remind(): string {
    try {
      this.context.reminders.set('r', {})
    } catch {
      return 'caught'
    }
    return 'set'
  }

  time(): void {
    this.context.timers.set('t', {})
  }
}

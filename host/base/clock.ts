/**
 * Clock: the only door through which time enters the host.
 *
 * Owns: reading the time and waiting. Does not own: what a guest sees of it (hostcalls/ records that).
 */

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Wall-clock time. Units: nanoseconds since 1970-01-01T00:00:00Z. May jump. */
  wallNs(): bigint
  /** Wall-clock time. Units: milliseconds since 1970-01-01T00:00:00Z. May jump. */
  wallMs(): number
  /** Never goes back. Units: nanoseconds since an arbitrary start. */
  monotonicNs(): bigint
  /** Never goes back. Units: milliseconds since an arbitrary start. */
  monotonicMs(): number
  /** Runs `task` once after `delayMs`. The process stays alive for it only with `keepAlive`. */
  after(delayMs: number, task: () => void, keepAlive?: boolean): Timer
  /** Keeps the process alive until it is cancelled, also when nothing but promises is waited for. */
  stayAlive(): Timer
}

const NS_PER_MS = 1_000_000n
/** Node fires a timer with a longer delay at once. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  wallNs: () => BigInt(Date.now()) * NS_PER_MS,
  wallMs: () => Date.now(),
  monotonicNs: () => process.hrtime.bigint(),
  monotonicMs: () => performance.now(),
  after(delayMs, task, keepAlive = false) {
    const handle = setTimeout(task, Math.min(delayMs, TIMEOUT_MAX_MS))
    if (!keepAlive) handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
  stayAlive() {
    const handle = setInterval(() => {}, TIMEOUT_MAX_MS)
    return { cancel: () => clearInterval(handle) }
  },
}

/** A clock that moves only when told to, for tests and simulation. */
export class VirtualClock implements Clock {
  #nowMs: number
  #startMs: number
  #timers: { dueMs: number; order: number; task: () => void }[] = []
  #order = 0
  #jumpedMs = 0

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs
    this.#startMs = startMs
  }

  wallNs(): bigint {
    return BigInt(Math.round(this.wallMs())) * NS_PER_MS
  }

  wallMs(): number {
    return this.#nowMs + this.#jumpedMs
  }

  monotonicNs(): bigint {
    return BigInt(Math.round(this.#nowMs - this.#startMs)) * NS_PER_MS
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs
  }

  after(delayMs: number, task: () => void): Timer {
    const timer = { dueMs: this.#nowMs + delayMs, order: this.#order++, task }
    this.#timers.push(timer)
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer)
      },
    }
  }

  stayAlive(): Timer {
    return { cancel: () => {} }
  }

  /** Sets the wall clock by `ms` forward, or back, as an administrator or a time server does: no time passes. */
  jump(ms: number): void {
    this.#jumpedMs += ms
  }

  /** Moves time by `ms`, running due timers in order of due time, then of creation. */
  advance(ms: number): void {
    const targetMs = this.#nowMs + ms
    for (;;) {
      const due = this.#timers
        .filter((timer) => timer.dueMs <= targetMs)
        .sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0]
      if (due === undefined) break
      this.#timers = this.#timers.filter((other) => other !== due)
      this.#nowMs = due.dueMs
      due.task()
    }
    this.#nowMs = targetMs
  }
}

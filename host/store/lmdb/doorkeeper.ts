/**
 * The doorkeeper: answers, for a host, whoever wants to open its folder.
 *
 * Owns: noticing visitors, asking the environment to pause, ending a pause.
 * Does not own: the files and their meaning (door.ts).
 *
 *     state     on                                       next state
 *     open      a visitor it has not answered yet        paused, once the write under way has ended
 *     paused    the visitor left, died or stays too long open
 *     any       close; another claim is published        closed
 *
 * Invariant DK1: a pause ends. A visitor that keeps the door for PAUSE_MAX_MS after it was answered is let
 * stand: it opens in a millisecond, so it has opened long since, or it is frozen.
 */
import { type FSWatcher, rmSync, watch } from 'node:fs'
import { systemClock, type Timer } from '../../base/clock.ts'
import { answerFileOf, doorOf, isPublished, readVisitor, withdrawHost, writeWhole } from './door.ts'
import { lifeOf } from './host-process.ts'
import type { HostClaim } from './records.ts'

/** Also noticed without a watch, where the platform or a limit denies one. */
const POLL_MS = 100
const PAUSE_POLL_MS = 2
const PAUSE_MAX_MS = 2_000

/** Finishes the write under way and begins no other until the returned function is called. */
export type Pause = () => Promise<() => void>

export class Doorkeeper {
  readonly #folder: string
  readonly #claim: HostClaim
  readonly #pause: Pause
  readonly #watcher: FSWatcher | null
  #timer: Timer
  #answered: string | null = null
  #resume: (() => void) | null = null
  #pausedSinceMs = 0
  #isChecking = false
  #isClosed = false

  constructor(folder: string, claim: HostClaim, pause: Pause) {
    this.#folder = folder
    this.#claim = claim
    this.#pause = pause
    this.#watcher = watchFolder(doorOf(folder), () => this.#check())
    this.#timer = systemClock.after(POLL_MS, () => this.#check())
  }

  /** Gives the door back. */
  close(): void {
    this.#stop()
    withdrawHost(this.#folder, this.#claim)
  }

  #stop(): void {
    this.#isClosed = true
    this.#watcher?.close()
    this.#timer.cancel()
    this.#goOn()
  }

  #check(): void {
    if (this.#isClosed || this.#isChecking) return
    this.#isChecking = true
    void this.#step().finally(() => {
      this.#isChecking = false
      if (this.#isClosed) return
      const isPaused = this.#resume !== null
      this.#timer.cancel()
      // Commits that wait for the end of a pause keep no process alive by themselves.
      const delayMs = isPaused ? PAUSE_POLL_MS : POLL_MS
      this.#timer = systemClock.after(delayMs, () => this.#check(), isPaused)
    })
  }

  async #step(): Promise<void> {
    const visitor = readVisitor(this.#folder)
    if (this.#resume !== null) {
      const pausedMs = systemClock.monotonicMs() - this.#pausedSinceMs
      const hasLeft = visitor?.nonce !== this.#answered || lifeOf(visitor) === 'dead'
      if (hasLeft || pausedMs > PAUSE_MAX_MS) this.#goOn()
    }
    if (this.#resume !== null || visitor === null || visitor.nonce === this.#answered) return
    if (!isPublished(this.#folder, this.#claim)) return this.#stop()
    const resume = await this.#pause()
    if (this.#isClosed) return resume()
    this.#resume = resume
    this.#answered = visitor.nonce
    this.#pausedSinceMs = systemClock.monotonicMs()
    this.#answer(visitor.nonce)
  }

  #answer(nonce: string): void {
    try {
      writeWhole(answerFileOf(this.#folder), nonce)
    } catch {
      // A full disk: the visitor gets no answer, and says so.
      this.#goOn()
    }
  }

  #goOn(): void {
    if (this.#resume === null) return
    rmSync(answerFileOf(this.#folder), { force: true })
    this.#resume()
    this.#resume = null
  }
}

function watchFolder(folder: string, onChange: () => void): FSWatcher | null {
  try {
    const watcher = watch(folder, { persistent: false }, onChange)
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return null
  }
}

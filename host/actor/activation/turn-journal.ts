/**
 * Turn journal: what one actor's turns leave in the store.
 *
 * Owns: the entries of running and ended turns, the rows of their effects, what is visible once they are
 * durable. Does not own: replies, what a failed commit means (activation.ts), seqs (journal-tail.ts).
 *
 * Invariants:
 *   TJ1. What a turn's effects ask for is told to others only when its commit is durable (the output gate).
 *   TJ3. The key of a call is needed as long as the turn that made it may be run again: till its end is durable.
 *   TJ2. A turn that is too large to be journaled has not happened: its entry says that it failed.
 */
import type { Clock } from '../../base/clock.ts'
import { type ErrorCode, invariant, isLoomError } from '../../base/errors.ts'
import {
  type Effect,
  NO_EFFECTS,
  type RecordedCall,
  type TurnOutcome,
} from '../../journal/entry.ts'
import type { ActorLog, ActorRecord, OutboxRow, ReminderChange } from '../../store/store.ts'
import { JournalTail, type OnLost } from '../journal/journal-tail.ts'
import { KeyedState } from '../journal/keyed-state.ts'
import type { Invocation } from '../mailbox/invocation.ts'
import { PendingTurn } from '../mailbox/pending-turn.ts'
import {
  type EffectRows,
  effectRows,
  isCallKeyOf,
  NO_ROWS,
  type TimerEffect,
} from '../turn/effects.ts'
import type { TurnResult } from '../turn/turn-step.ts'
import { ReminderBook } from './reminder-book.ts'
import { encodePart, encodeTurn } from './turn-entry.ts'

export interface TurnJournalOptions {
  readonly log: ActorLog
  readonly record: ActorRecord | null
  /** Messages that are durable now, in the order in which they were sent. */
  readonly onSent: (messages: readonly OutboxRow[]) => void
  /** Reminders that were changed, durably. */
  readonly onReminders: (changes: readonly ReminderChange[]) => void
}

/** Timers that a turn which is durable has set or cancelled, at `atMs`. */
type OnTimers = (timers: readonly TimerEffect[], atMs: number) => void

/** A call of another actor of this host, and the key that it was made under. */
interface MadeCall {
  readonly callee: { forgetKey(key: string): void }
  readonly key: string
}

/** A turn whose entry is on its way to the store. */
export interface ClosedTurn {
  readonly outcome: TurnOutcome
  /** False when it ran and must not have happened (TJ2): the engine's state is of no use. */
  readonly kept: boolean
}

export class TurnJournal {
  readonly tail: JournalTail
  readonly state: KeyedState
  readonly reminders: ReminderBook
  /** Null until the actor is created. */
  record: ActorRecord | null
  readonly #options: TurnJournalOptions
  readonly #clock: Clock
  readonly #onTimers: OnTimers
  /** Turns whose end is not durable, and of which something has to go on. */
  #looseCount = 0
  /** Ids of turns that are journaled as open, and whose end is not durable; null until there is one. */
  #unended: Set<string> | null = null
  /** Calls that the running turn has made of other actors; null when none. */
  #made: MadeCall[] | null = null

  /** `seqNext`: what is journaled now. */
  constructor(
    options: TurnJournalOptions,
    clock: Clock,
    seqNext: number,
    { onTimers, onLost }: { readonly onTimers: OnTimers; readonly onLost: OnLost },
  ) {
    this.#options = options
    this.#clock = clock
    this.#onTimers = onTimers
    this.record = options.record
    this.tail = new JournalTail(options.log, seqNext, onLost)
    this.state = new KeyedState(options.log)
    this.reminders = new ReminderBook(options.log)
  }

  /**
   * Whether the store may hold what only goes on when somebody takes it up: an open turn, messages and reminders of
   * a commit that was reported as failed.
   */
  get looseEnds(): boolean {
    return this.#looseCount > 0
  }

  /** A turn goes on that the journal ends in the middle of. */
  resumed(invocationId: string): void {
    this.#opened(invocationId)
  }

  #opened(id: string): void {
    this.#looseCount++
    this.#unended ??= new Set()
    this.#unended.add(id)
  }

  /** Whether a turn that may be run again may have called another actor under `key` (TJ3). */
  awaits(key: string): boolean {
    if (this.#unended === null) return false
    const incarnation = this.record?.incarnation ?? ''
    for (const id of this.#unended) if (isCallKeyOf(key, incarnation, id)) return true
    return false
  }

  /** The running turn calls another actor under `key`, which nobody needs when that turn's end is durable. */
  calls(callee: MadeCall['callee'], key: string): void {
    this.#made ??= []
    this.#made.push({ callee, key })
  }

  /**
   * Makes the journal hold what a running turn has recorded, behind what has to stand before it; resolves when
   * that is durable.
   * @throws ERR_OPTION at once, when it is too large; nothing was appended.
   */
  open(
    invocation: Invocation,
    calls: readonly RecordedCall[],
    invocationId: string | null,
  ): Promise<void> {
    const { before, openedSeq, journaledCount } = invocation
    if (openedSeq !== null && journaledCount === calls.length) return this.tail.last
    const atMs = this.#clock.wallMs()
    const seq = this.tail.seqNext + before.length
    const open = openedSeq === null ? true : null
    const entry = encodePart(seq, atMs, invocation, calls, invocationId)
    if (openedSeq === null) this.#opened(idOf(invocation, invocationId))
    invocation.openedSeq ??= seq
    invocation.journaledCount = calls.length
    const entries = before.length === 0 ? [entry] : [...before, entry]
    invocation.before = []
    const { record } = this
    return this.tail.append({ entries, record, key: null, atMs, rows: NO_ROWS, open })
  }

  /** Appends the end of a turn, without waiting. Of a tick's turn: when the book of reminders is loaded. */
  close(invocation: Invocation, result: TurnResult): ClosedTurn {
    const { before, idempotencyKey: key } = invocation
    const seq = this.tail.seqNext + before.length
    const atMs = this.#clock.wallMs()
    let { outcome, effects } = result
    let kept = true
    let entry: Uint8Array
    try {
      entry = encodeTurn(seq, atMs, invocation, result)
    } catch (error) {
      const code: ErrorCode = isLoomError(error) ? error.code : 'ERR_INVARIANT'
      outcome = { kind: 'failed', code, message: String((error as Error).message) }
      effects = NO_EFFECTS
      kept = false
      const { invocationId } = result
      const failed: TurnResult = { kind: 'finished', calls: [], effects, outcome, invocationId }
      entry = encodeTurn(seq, atMs, invocation, failed)
    }
    const entries = before.length === 0 ? [entry] : [...before, entry]
    const rows = this.#rows(invocation, effects, outcome, { seq, atMs })
    if (rows.state !== undefined) this.state.add(rows.state, seq)
    if (rows.reminders !== undefined) this.reminders.apply(rows.reminders)
    const open = invocation.openedSeq === null ? null : false
    const { record } = this
    const isLoose = open !== null || rows !== NO_ROWS
    const made = this.#made
    this.#made = null
    const endedId = open === null ? null : idOf(invocation, result.invocationId)
    const show = isLoose ? () => this.#show(endedId, made, rows, seq, atMs) : null
    const pending = new PendingTurn(invocation.waiter, outcome, show)
    void this.tail.append({ entries, record, key, atMs, rows, open }, pending)
    if (open === null && isLoose) this.#looseCount++
    return { outcome, kept }
  }

  #rows(
    { tick }: Invocation,
    effects: readonly Effect[],
    outcome: TurnOutcome,
    { seq, atMs }: { readonly seq: number; readonly atMs: number },
  ): EffectRows {
    if (effects.length === 0 && tick === null) return NO_ROWS
    const incarnation = this.record?.incarnation
    invariant(incarnation !== undefined, 'an actor that commits has a record')
    return effectRows(effects, { incarnation, seq, atMs }, tick?.change(outcome, atMs) ?? null)
  }

  /** TJ1. */
  #show(
    endedId: string | null,
    made: readonly MadeCall[] | null,
    rows: EffectRows,
    seq: number,
    atMs: number,
  ): void {
    this.#looseCount--
    if (endedId !== null) this.#unended?.delete(endedId)
    if (made !== null) for (const { callee, key } of made) callee.forgetKey(key)
    if (rows === NO_ROWS) return
    const { log, onSent, onReminders } = this.#options
    const { state, reminders, outbox, timers } = rows
    const incarnation = this.record?.incarnation
    invariant(incarnation !== undefined, 'an actor that has committed has a record')
    if (state !== undefined) this.state.settle(state, seq)
    if (reminders !== undefined) onReminders(reminders)
    if (timers !== undefined) this.#onTimers(timers, atMs)
    if (outbox !== undefined)
      onSent(outbox.map((row) => ({ ...row, sender: log.key, incarnation })))
  }
}

/** What the keys of a turn's calls are made of (turn-context.ts); drawn before it is journaled as open. */
function idOf({ idempotencyKey }: Invocation, invocationId: string | null): string {
  return idempotencyKey ?? invocationId ?? ''
}

/**
 * Activation: one resident actor. Takes calls, runs them one after the other, makes them durable.
 *
 * Guarantee to callers: a call that was answered is durable and happened once; a call that was refused
 * or failed left no trace in the state; calls happen one at a time, in the order of their arrival.
 *
 * Owns: the states, the engine, the order of turns, commits and replies.
 * Does not own: what becomes of a call before its turn (reception.ts), which actors are resident (pool/), how
 * commits reach the disk (store/).
 *
 * Invariants:
 *   A1. Input gate: a turn starts only when the one before has ended.
 *   A2. Output gate: a reply leaves only when its turn, and so every turn before it, is durable.
 *   A3. Pipelining: the next turn may start while commits are in flight; replies wait (A2).
 *   A4. When a commit fails the activation is broken for good: its memory is dropped, and every waiter
 *       and every later caller gets the same error. A new activation reads the truth from the store.
 *   A5. A turn that ran but cannot be committed leaves memory that nobody may see: it is dropped, as in A4.
 */
import { invariant, type LoomError, toLoomError } from '../../base/errors.ts'
import { TURNS_AT_ONCE_MAX } from '../../base/limits.ts'
import { type ActorKey, formatActorKey } from '../../base/names.ts'
import { deferred, ignoreOutcome, isPromise } from '../../base/promises.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import type { RecordedCall, TurnOutcome } from '../../journal/entry.ts'
import type { ActorLog, ActorRecord } from '../../store/store.ts'
import { createActor } from '../journal/creation.ts'
import type { JournalTail } from '../journal/journal-tail.ts'
import { recover } from '../journal/recovery.ts'
import type { SnapshotWriter } from '../journal/snapshot-writer.ts'
import type { OpenTurn } from '../journal/turn-reader.ts'
import {
  answerObservation,
  type CallHead,
  type Invocation,
  type Observed,
} from '../mailbox/invocation.ts'
import { answerAgain } from '../mailbox/known-outcome.ts'
import type { LocalActor, LocalCaller } from '../mailbox/local-call.ts'
import type { Mailbox } from '../mailbox/mailbox.ts'
import { commitError, quarantine, refuseDivergence } from '../mailbox/outcomes.ts'
import type { ActorProgram } from '../program/program.ts'
import type { EngineEnvironment } from '../turn/turn-context.ts'
import type { TurnEngine } from '../turn/turn-engine.ts'
import type { TurnResult, TurnStep } from '../turn/turn-step.ts'
import type { ActivationOptions, ActivationStatus } from './activation-options.ts'
import { joinParts } from './activation-parts.ts'
import { type AwaitingPort, driveAwaitingTurn } from './awaiting-turn.ts'
import type { Queries } from './queries.ts'
import { Reception } from './reception.ts'
import type { ReminderBook } from './reminder-book.ts'
import { isTick, resumedInvocation } from './resumed-turn.ts'
import type { ActorTimers } from './timers.ts'
import type { TurnJournal } from './turn-journal.ts'
import { coolEngine, liftEngine, type WarmActor } from './warm-actor.ts'

export class Activation implements LocalActor {
  readonly name: string
  readonly #options: ActivationOptions
  readonly #log: ActorLog
  readonly #mailbox: Mailbox
  readonly #reception: Reception
  readonly #snapshots: SnapshotWriter
  readonly #journal: TurnJournal
  readonly timers: ActorTimers
  readonly queries: Queries
  readonly reminders: ReminderBook
  readonly #environment: EngineEnvironment
  #status: ActivationStatus = { kind: 'recovering' }
  #engine: TurnEngine | null = null
  #turning = false
  /** The turn that did not end at once. */
  #running: Invocation | null = null
  resumes = false

  private constructor(options: ActivationOptions, seqNext: number) {
    this.#options = options
    this.#log = options.log
    this.name = formatActorKey(options.log.key)
    const parts = joinParts(options, seqNext, this)
    this.#mailbox = parts.mailbox
    this.#journal = parts.journal
    this.timers = parts.timers
    this.#snapshots = parts.snapshots
    this.#environment = parts.environment
    this.queries = parts.queries
    this.reminders = parts.journal.reminders
    this.#reception = new Reception(
      { log: options.log, ...parts },
      {
        ended: () => this.#ended(),
        engine: () => this.#engine,
        open: this.#open,
        arrived: () => this.#pump(),
        answerAgain: (invocation, seq) => this.#answerAgain(invocation, seq),
      },
    )
  }

  /** @throws ERR_QUARANTINED when the journal is damaged or diverges; ERR_STORE. */
  static async open(options: ActivationOptions): Promise<Activation> {
    const activation = new Activation(options, options.log.seqNext)
    await activation.#recover()
    return activation
  }

  /** Goes on where the actor was left (WA2), without the store. @throws ERR_BUSY, ERR_SNAPSHOT_CORRUPT */
  static lift(options: ActivationOptions, warm: WarmActor): Activation {
    const activation = new Activation(options, warm.seqNext)
    activation.#engine = liftEngine(warm, activation.#environment)
    activation.#snapshots.recovered(warm.snapshotSeq, 0)
    activation.#status = { kind: 'ready' }
    return activation
  }

  get key(): ActorKey {
    return this.#log.key
  }

  get program(): ActorProgram {
    return this.#options.program
  }

  get tail(): JournalTail {
    return this.#journal.tail
  }

  /** Null until the first turn. */
  get record(): ActorRecord | null {
    return this.#journal.record
  }

  get open(): boolean {
    return this.#status.kind === 'ready' || this.#status.kind === 'recovering'
  }

  /** True after eviction. */
  get closed(): boolean {
    return this.#status.kind === 'closed'
  }

  /** False while a turn waits for the host without an instance. */
  get holdsInstance(): boolean {
    return this.#engine !== null
  }

  /** True when nothing waits, runs or is being committed. */
  get idle(): boolean {
    const ready = this.#status.kind === 'ready' && !this.#turning
    return ready && this.#mailbox.length === 0 && this.#journal.tail.pendingCount === 0
  }

  /**
   * Queues a call; resolves when its turn is durable.
   * @throws ERR_OPTION  the arguments are too large to be journaled.
   * @throws ERR_BUSY, ERR_IDEMPOTENCY_MISMATCH, ERR_TRAP, ERR_HOST_CALL, ERR_ACTOR_FAILED, ERR_COMMIT, ERR_FENCED
   */
  call(head: CallHead): Promise<WitValue> {
    return this.#reception.call(head)
  }

  /**
   * A call by an actor of this host, whose own commits come behind this one's: the outcome is there when the
   * turn has ended, at once where the actor is free. Rejects only when nobody knows the outcome.
   */
  callLocally(
    head: CallHead,
    caller: LocalCaller,
    isNew: boolean,
  ): TurnOutcome | Promise<TurnOutcome> {
    return this.#reception.callLocally(head, caller, isNew)
  }

  calls(callee: LocalActor, key: string): void {
    this.#journal.calls(callee, key)
  }

  forgetKey(key: string): void {
    this.#log.forgetKey(key)
  }

  /** Whether one of its turns that may be run again may have called another actor under `key`. */
  readonly awaits = (key: string): boolean => this.#journal.awaits(key)

  /** A4: a commit failed. Returns what everybody is told. */
  lost(error: unknown): LoomError {
    return this.#break(commitError(this.key, error))
  }

  /** Answers a call that waits for its turn, which then does not happen (reception.ts). */
  giveUp(idempotencyKey: string, error: LoomError): Promise<boolean> {
    return this.#reception.giveUp(idempotencyKey, error)
  }

  /** Looks at the actor after the turns that are queued now; resolves when those are durable. */
  observe(): Promise<Observed> {
    const ended = this.#ended()
    if (ended !== null) return Promise.reject(ended)
    const { promise, resolve, reject } = deferred<Observed>()
    this.#mailbox.push({ kind: 'observe', resolve, reject })
    this.#pump()
    return promise
  }

  /** Drops an idle actor; resolves when its snapshot is written. From the call on it is closed. */
  async close(): Promise<void> {
    invariant(this.idle, `${formatActorKey(this.key)} is closed while it is busy`)
    ignoreOutcome(this.#snapshots.writeIfUseful(this.#engine, this.#journal.record))
    this.#leave()
    await this.#snapshots.settled()
  }

  /**
   * As `close`, and returns what the actor can go on from; null, and still open, when no image can hold it, or a
   * snapshot is on its way.
   */
  cool(): WarmActor | null {
    invariant(this.idle, `${formatActorKey(this.key)} is cooled while it is busy`)
    const { record, tail } = this.#journal
    const engine = this.#engine
    if (record === null || engine === null || this.program.uncaptured !== null) return null
    if (this.#snapshots.isWriting) return null
    const { seq: snapshotSeq } = this.#snapshots
    const warm = coolEngine(engine, this.#options, { record, seqNext: tail.seqNext, snapshotSeq })
    this.#leave()
    return warm
  }

  #leave(): void {
    this.#status = { kind: 'closed' }
    this.#engine?.release()
    this.timers.close()
    this.#engine = null
  }

  /**
   * Gives up what waits or runs: every caller gets `error`. An open turn stays in the journal, and the
   * next activation runs it to its end.
   */
  abandon(error: LoomError): void {
    this.#break(error)
  }

  #ended(): LoomError | null {
    const status = this.#status
    if (status.kind === 'broken') return status.error
    invariant(status.kind !== 'closed', 'an actor is not called after its end')
    return null
  }

  /** Starts turns until one has to wait (A1), or others of the host should have their time. Never throws. */
  #pump(): void {
    for (let left = TURNS_AT_ONCE_MAX; !this.#turning && this.#status.kind === 'ready'; left--) {
      if (left === 0 && this.#mailbox.length > 0) {
        // The gate stays closed meanwhile, so that a call that arrives does not overtake those that wait.
        this.#turning = true
        setImmediate(() => {
          this.#turning = false
          this.#pump()
        })
        return
      }
      const item = this.#mailbox.shift()
      if (item === undefined) return
      if (item.kind === 'observe')
        answerObservation(item, this.#engine, this.#journal.tail, this.#snapshots.seqFirst)
      else if (item.known === null) this.#turn(item)
      else if (isPromise(item.known)) this.#turnUnlessKnown(item, item.known)
      else this.#answerAgain(item, item.known)
    }
  }

  #turnUnlessKnown(invocation: Invocation, known: Promise<number | null>): void {
    this.#turning = true
    known.then(
      (seq) => {
        this.#turning = false
        // While it was looked up, a commit of an earlier turn may have failed (A4).
        if (this.#status.kind === 'broken') invocation.waiter.reject(this.#status.error)
        else if (seq === null) this.#turn(invocation)
        else this.#answerAgain(invocation, seq)
        this.#pump()
      },
      (error) => {
        // Were the next one run, it would overtake this one, which is asked for again.
        invocation.waiter.reject(this.#break(toLoomError(error, 'ERR_STORE')))
        this.#turning = false
      },
    )
  }

  #answerAgain(invocation: Invocation, seq: number): void {
    const { seqFirst } = this.#snapshots
    ignoreOutcome(answerAgain(this.#log, this.#journal.tail, invocation, seq, seqFirst))
  }

  #turn(invocation: Invocation): void {
    if (invocation.givenUp) return
    if (invocation.tick?.isCurrent() === false) {
      invocation.waiter.resolve(undefined)
      return
    }
    let step: TurnStep | Promise<TurnStep>
    this.#turning = true
    try {
      invocation.begun = true
      const { behind } = invocation.waiter
      if (behind !== undefined) this.#journal.tail.restOn(behind)
      if (this.#engine === null) invocation.before = [...invocation.before, this.#create()]
      invariant(this.#engine !== null, 'a turn has an engine')
      this.queries.turnBegins(this.#engine)
      step = this.#engine.runLive(invocation)
    } catch (error) {
      this.#turning = false
      invocation.waiter.reject(toLoomError(error))
      return
    }
    this.#turning = false
    if (isPromise(step) || step.kind !== 'finished')
      ignoreOutcome(this.#turnSlowly(invocation, step))
    else this.#finishOrBreak(invocation, step)
  }

  /** A5. */
  #finishOrBreak(invocation: Invocation, result: TurnResult): void {
    try {
      this.#finish(invocation, result)
    } catch (error) {
      invocation.waiter.reject(this.#break(toLoomError(error)))
    }
  }

  /** Ends a turn that did not end at once; the mailbox waits (A1). */
  async #turnSlowly(invocation: Invocation, running: TurnStep | Promise<TurnStep>): Promise<void> {
    this.#turning = true
    this.#running = invocation
    try {
      const step = await running
      if (step.kind === 'finished') this.#finish(invocation, step)
      else this.#finish(invocation, await this.#drive(invocation, step))
    } catch (error) {
      invocation.waiter.reject(this.#break(commitError(this.key, error)))
    } finally {
      this.#turning = false
      this.#running = null
      this.resumes = false
    }
    this.#pump()
  }

  #drive(invocation: Invocation, step: TurnStep): Promise<TurnResult> {
    const port: AwaitingPort = {
      journal: (calls, invocationId) => {
        const durable = this.#open(invocation, calls, invocationId)
        // The engine of a turn that was unwound is of no use: its memory is freed for the time of the wait.
        if (this.#engine?.spoiled === true) this.#engine = null
        return durable
      },
      check: () => {
        if (this.#status.kind === 'broken') throw this.#status.error
      },
      rebuild: () => this.#rebuildOpen(),
    }
    return driveAwaitingTurn(port, invocation, step)
  }

  async #rebuildOpen(): Promise<TurnEngine> {
    if (this.#engine === null || this.#engine.spoiled) {
      this.#engine = null
      await this.#journal.tail.last
      await this.#snapshots.settled()
      await this.#recover()
    }
    if (this.#status.kind === 'broken') throw this.#status.error
    invariant(this.#engine !== null, 'an open turn has an engine')
    return this.#engine
  }

  /** What a running turn has recorded; when it cannot be made durable, the activation breaks (A4). */
  readonly #open = (
    invocation: Invocation,
    calls: readonly RecordedCall[],
    invocationId: string | null,
  ): Promise<void> => {
    const durable = this.#journal.open(invocation, calls, invocationId)
    if (this.#log.broken !== null) throw commitError(this.key, this.#log.broken)
    return durable
  }

  /** Runs again a turn that a crash cut off while it waited (recovery.ts). */
  #resume(open: OpenTurn): void {
    invariant(this.#engine !== null, 'an open turn has an engine')
    const { reminders } = this.#journal
    const { invocation, promise } = resumedInvocation(this, open, reminders, this.#open)
    this.#reception.track(invocation, promise)
    const { calls, head } = open
    this.#journal.resumed(head.idempotencyKey ?? head.invocationId ?? '')
    this.queries.turnBegins(this.#engine)
    // The gate is closed before the turn runs: it may call actors that call this one (A1).
    this.#turning = true
    this.resumes = true
    const step = this.#engine.runLive(invocation, { calls, invocationId: head.invocationId })
    ignoreOutcome(this.#turnSlowly(invocation, step))
  }

  /** Instantiates a new actor and returns its created entry. @throws ERR_TRAP */
  #create(): Uint8Array {
    invariant(this.#journal.tail.seqNext === 0, 'only an actor without a journal is created')
    const { engine, record, entry } = createActor(this.program, this.#environment)
    this.#journal.record = record
    this.#engine = engine
    return entry
  }

  /** Sends the turn's entries to the store, without waiting (A3), and replies when durable (A2). */
  #finish(invocation: Invocation, result: TurnResult): void {
    // The activation broke while the turn waited (A4): nothing of it may be committed any more.
    if (this.#status.kind === 'broken') throw this.#status.error
    if (invocation.openedSeq !== null) refuseDivergence(this.key, result)
    const { outcome, kept } = this.#journal.close(invocation, result)
    if (!kept) this.#engine = null
    else if (outcome.kind === 'returned') this.queries.turnReturned()
    if (this.#log.broken === null) invocation.waiter.accept?.(outcome, this.#journal.tail.end)
    if (this.#engine === null || this.#engine.spoiled) ignoreOutcome(this.#rebuild())
    else this.#snapshots.writeIfDue(this.#engine, this.#journal.record)
  }

  /** Rebuilds the engine after a turn that spoiled it; the mailbox waits. */
  async #rebuild(): Promise<void> {
    this.#status = { kind: 'recovering' }
    this.#engine = null
    try {
      await this.#journal.tail.last
      await this.#snapshots.settled()
      await this.#recover()
      // Or an actor whose turns all fail would be rebuilt from an ever longer suffix.
      this.#snapshots.writeIfDue(this.#engine, this.#journal.record)
    } catch (error) {
      this.#break(commitError(this.key, error))
    }
    this.#pump()
  }

  async #recover(): Promise<void> {
    const { program, deepReplay } = this.#options
    const environment = this.#environment
    let open: OpenTurn | null = null
    const { record, tail } = this.#journal
    if (record !== null) {
      const { seqNext } = tail
      const input = { log: this.#log, record, seqNext, program, environment, deepReplay }
      try {
        const recovered = await recover(input)
        this.#engine = recovered.engine
        this.#snapshots.recovered(recovered.snapshotSeq, recovered.rejectedSeq)
        open = recovered.openTurn
        if (open !== null && isTick(open)) await this.reminders.load()
      } catch (error) {
        throw quarantine(this.key, error)
      }
    }
    if (this.#status.kind !== 'recovering') return
    this.#status = { kind: 'ready' }
    if (open !== null) this.#resume(open)
  }

  /** A4. Returns the error that everybody gets. */
  #break(error: LoomError): LoomError {
    if (this.#status.kind === 'broken') return this.#status.error
    this.#status = { kind: 'broken', error }
    this.timers.close()
    this.#engine?.drop()
    this.#engine = null
    this.#running?.waiter.reject(error)
    for (const item of this.#mailbox.drain())
      if (item.kind === 'call') item.waiter.reject(error)
      else item.reject(error)
    this.#options.onBroken(error, this.#journal.looseEnds)
    return error
  }
}

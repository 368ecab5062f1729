/**
 * Activation: one resident actor. Takes calls, runs them one after the other, makes them durable.
 *
 * Guarantee to callers: a call that was answered is durable and happened once; a call that was refused
 * or failed left no trace in the state; calls happen one at a time, in the order of their arrival.
 *
 * Owns: the mailbox, the next seq, the engine, the order of commits and replies.
 * Does not own: which actors are resident (pool/), how commits reach the disk (store/).
 *
 * Invariants:
 *   A1. Input gate: a turn starts only when the one before has ended.
 *   A2. Output gate: a reply leaves only when its turn, and so every turn before it, is durable.
 *   A3. Pipelining: the next turn may start while commits are in flight; replies wait (A2).
 *   A4. When a commit fails the activation is broken for good: its memory is dropped, and every waiter
 *       and every later caller gets the same error. A new activation reads the truth from the store.
 *   A5. A turn that ran but cannot be committed leaves memory that nobody may see: it is dropped, as in A4.
 */
import { invariant, LoomError, toLoomError } from '../base/errors.ts'
import { TURNS_AT_ONCE_MAX } from '../base/limits.ts'
import { type ActorKey, formatActorKey } from '../base/names.ts'
import { deferred, ignoreOutcome, isPromise } from '../base/promises.ts'
import type { WitValue } from '../component/wit.ts'
import type { RecordedCall, TurnOutcome } from '../journal/entry.ts'
import type { ActorLog, ActorRecord } from '../store/store.ts'
import type { ActivationOptions, ActivationStatus } from './activation-options.ts'
import { argumentsError } from './argument-size.ts'
import { type AwaitingPort, driveAwaitingTurn } from './awaiting-turn.ts'
import { createActor } from './created-actor.ts'
import { CallsInFlight } from './in-flight.ts'
import {
  type CallHead,
  type CallWaiter,
  Invocation,
  type Observation,
  type Observed,
  Queue,
} from './invocation.ts'
import { awaitKnownOutcome, type KeyedCall } from './known-outcome.ts'
import { type LocalCaller, LocalWaiter, outcomeOf, returned } from './local-call.ts'
import { callerGone, commitError, quarantine, refuseDivergence, settle } from './outcomes.ts'
import { ActivationPorts } from './ports.ts'
import type { ActorProgram } from './program.ts'
import { recover, unknownMethod } from './recovery.ts'
import { SnapshotWriter } from './snapshot-writer.ts'
import type { EngineEnvironment } from './turn-context.ts'
import type { TurnEngine } from './turn-engine.ts'
import { TurnJournal } from './turn-journal.ts'
import type { OpenTurn } from './turn-reader.ts'
import type { TurnResult, TurnStep } from './turn-step.ts'

export class Activation {
  readonly #options: ActivationOptions
  readonly #log: ActorLog
  readonly #mailbox = new Queue<Invocation | Observation>()
  readonly #inFlight: CallsInFlight
  readonly #snapshots: SnapshotWriter
  readonly #journal: TurnJournal
  readonly #environment: EngineEnvironment
  #status: ActivationStatus = { kind: 'recovering' }
  #engine: TurnEngine | null = null
  #turning = false
  /** The turn that did not end at once. */
  #running: Invocation | null = null

  private constructor(options: ActivationOptions) {
    const { log, epoch, snapshotIntervalTurns: intervalTurns, environment, program } = options
    const { uncaptured } = program
    this.#options = options
    this.#log = log
    const { record, onSent, onReminders, callActor } = options
    this.#journal = new TurnJournal({ log, record, clock: environment.clock, onSent, onReminders })
    const { tail, state } = this.#journal
    this.#inFlight = new CallsInFlight(log.key)
    this.#environment = { ...environment, ports: new ActivationPorts(log.key, state, callActor) }
    const warn = (message: string): void => environment.log('warn', message)
    this.#snapshots = new SnapshotWriter({ log, tail, epoch, uncaptured, intervalTurns, warn })
  }

  /** @throws ERR_QUARANTINED when the journal is damaged or diverges; ERR_STORE. */
  static async open(options: ActivationOptions): Promise<Activation> {
    const activation = new Activation(options)
    await activation.#recover()
    return activation
  }

  get key(): ActorKey {
    return this.#log.key
  }

  get program(): ActorProgram {
    return this.#options.program
  }

  /** Null until the first turn. */
  get record(): ActorRecord | null {
    return this.#journal.record
  }

  /** Seq of the oldest entry that is kept besides entry 0. */
  get seqFirst(): number {
    return this.#log.seqFirst
  }

  get open(): boolean {
    return this.#status.kind === 'ready' || this.#status.kind === 'recovering'
  }

  /** True after eviction. */
  get closed(): boolean {
    return this.#status.kind === 'closed'
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
    const { method, args, idempotencyKey } = head
    const refusal = this.#refusal(head) ?? argumentsError(this.key, method.name, args)
    if (refusal !== null) return Promise.reject(refusal)
    if (idempotencyKey !== null) {
      const first = this.#inFlight.join(idempotencyKey, method, args)
      if (first !== null) return first
    }
    const { promise, resolve, reject } = deferred<WitValue>()
    if (idempotencyKey !== null) this.#inFlight.track(idempotencyKey, { method, args, promise })
    this.#enqueue(head, { resolve, reject })
    return promise
  }

  /**
   * A call by an actor of this host, whose own commits come behind this one's: the outcome is there when the
   * turn has ended, at once where the actor is free. Rejects only when nobody knows the outcome.
   */
  callLocally(head: CallHead, caller: LocalCaller): TurnOutcome | Promise<TurnOutcome> {
    const { method, args, idempotencyKey } = head
    const refusal = this.#refusal(head) ?? argumentsError(this.key, method.name, args)
    if (refusal !== null) return outcomeOf(refusal)
    const first = idempotencyKey === null ? null : this.#inFlight.join(idempotencyKey, method, args)
    if (first !== null) return first.then(returned, outcomeOf)
    const waiter = new LocalWaiter(caller)
    if (idempotencyKey !== null)
      this.#inFlight.track(idempotencyKey, { method, args, promise: waiter.durable })
    this.#enqueue(head, waiter)
    return waiter.outcome ?? waiter.ended
  }

  #enqueue(head: CallHead, waiter: CallWaiter): void {
    const { idempotencyKey } = head
    const known = idempotencyKey === null ? null : this.#log.findIdempotent(idempotencyKey)
    if (isPromise(known)) ignoreOutcome(known)
    this.#mailbox.push(new Invocation(head, waiter, known, this.#open))
    this.#pump()
  }

  /** The outcome of a call that was journaled, or null. */
  async known(call: KeyedCall): Promise<TurnOutcome | null> {
    const seq = await this.#log.findIdempotent(call.idempotencyKey ?? '')
    return seq === null ? null : await this.#outcomeAt(seq, call)
  }

  #outcomeAt(seq: number, call: KeyedCall): Promise<TurnOutcome> {
    return awaitKnownOutcome(this.#log, this.#journal.tail, seq, call)
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

  /** Resolves when what is queued now has run and is durable, or has failed. */
  async settled(): Promise<void> {
    await this.observe().catch(() => {})
  }

  /** Drops an idle actor; resolves when its snapshot is written. From the call on it is closed. */
  async close(): Promise<void> {
    invariant(this.idle, `${formatActorKey(this.key)} is closed while it is busy`)
    const snapshot = this.#snapshots.useful ? this.#snapshot() : null
    this.#status = { kind: 'closed' }
    this.#engine = null
    await snapshot
  }

  /**
   * Gives up what waits or runs: every caller gets `error`. An open turn stays in the journal, and the
   * next activation runs it to its end.
   */
  abandon(error: LoomError): void {
    this.#break(error)
  }

  /** Why a call cannot be queued, or null. */
  #refusal({ caller }: CallHead): LoomError | null {
    const { mailboxCountMax } = this.#options
    // Calls of other actors are few: each of those waits for its own.
    if (this.#mailbox.length < mailboxCountMax || caller !== null) return this.#ended()
    const name = formatActorKey(this.key)
    return new LoomError('ERR_BUSY', `${name}: ${mailboxCountMax} calls are waiting already`)
  }

  #ended(): LoomError | null {
    const status = this.#status
    if (status.kind === 'broken') return status.error
    invariant(status.kind !== 'closed', `${formatActorKey(this.key)} was called after its end`)
    return null
  }

  /** Starts turns until one has to wait (A1), or others of the host should have their time. Never throws. */
  #pump(): void {
    for (let left = TURNS_AT_ONCE_MAX; !this.#turning && this.#status.kind === 'ready'; left--) {
      if (left === 0 && this.#mailbox.length > 0) {
        this.#pumpLater()
        return
      }
      const item = this.#mailbox.shift()
      if (item === undefined) return
      if (item.kind === 'observe') this.#observe(item)
      else if (item.known === null) this.#turn(item)
      else if (isPromise(item.known)) this.#turnUnlessKnown(item, item.known)
      else ignoreOutcome(this.#answerAgain(item, item.known))
    }
  }

  /** The gate stays closed meanwhile, so that a call that arrives does not overtake those that wait. */
  #pumpLater(): void {
    this.#turning = true
    setImmediate(() => {
      this.#turning = false
      this.#pump()
    })
  }

  #turnUnlessKnown(invocation: Invocation, known: Promise<number | null>): void {
    this.#turning = true
    known.then(
      (seq) => {
        this.#turning = false
        // While it was looked up, a commit of an earlier turn may have failed (A4).
        if (this.#status.kind === 'broken') invocation.waiter.reject(this.#status.error)
        else if (seq === null) this.#turn(invocation)
        else ignoreOutcome(this.#answerAgain(invocation, seq))
        this.#pump()
      },
      (error) => {
        this.#turning = false
        invocation.waiter.reject(error)
        this.#pump()
      },
    )
  }

  /** Answers a retry from the entry of the first call. */
  async #answerAgain(invocation: Invocation, seq: number): Promise<void> {
    try {
      settle(invocation.waiter, await this.#outcomeAt(seq, invocation))
    } catch (error) {
      invocation.waiter.reject(commitError(this.key, error))
    }
  }

  #observe(observation: Observation): void {
    const seqNext = this.#journal.tail.seqNext
    try {
      const stateHash = this.#engine?.stateHash() ?? ''
      this.#journal.tail.last.then(
        () => observation.resolve({ seqNext, stateHash }),
        observation.reject,
      )
    } catch (error) {
      observation.reject(error)
    }
  }

  #turn(invocation: Invocation): void {
    let step: TurnStep | Promise<TurnStep>
    this.#turning = true
    try {
      if (invocation.waiter.isGone?.() === true) throw callerGone(this.key)
      if (this.#engine === null) invocation.before.push(this.#create())
      invariant(this.#engine !== null, 'a turn has an engine')
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
    if (invocation.waiter.isGone?.() === true) throw callerGone(this.key)
    const durable = this.#journal.open(invocation, calls, invocationId)
    durable.catch((error) => this.#break(commitError(this.key, error)))
    return durable
  }

  /** Runs again a turn that a crash cut off while it waited (recovery.ts). */
  #resume(open: OpenTurn): void {
    const { method: name, args, idempotencyKey, invocationId, caller } = open.head
    const method = this.program.findMethod(name)
    invariant(this.#engine !== null, 'an open turn has an engine')
    if (method === undefined)
      throw quarantine(this.key, unknownMethod(this.key, this.program, open.seq, name))
    const { promise, resolve, reject } = deferred<WitValue>()
    ignoreOutcome(promise)
    if (idempotencyKey !== null) this.#inFlight.track(idempotencyKey, { method, args, promise })
    const head = { method, args, idempotencyKey, caller }
    const invocation = new Invocation(head, { resolve, reject }, null, this.#open)
    invocation.openedSeq = open.seq
    invocation.journaledCount = open.calls.length
    const step = this.#engine.runLive(invocation, { calls: open.calls, invocationId })
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
    if (invocation.openedSeq !== null) refuseDivergence(this.key, result.outcome)
    const { waiter } = invocation
    if (waiter.isGone?.() === true) throw callerGone(this.key)
    const { outcome, durable, kept } = this.#journal.close(invocation, result)
    if (!kept) this.#engine = null
    waiter.accept?.(outcome)
    durable.then(
      () => settle(waiter, outcome),
      (error) => waiter.reject(this.#break(commitError(this.key, error))),
    )
    if (this.#engine === null || this.#engine.spoiled) this.#rebuild()
    else this.#snapshotIfDue()
  }

  #snapshotIfDue(): void {
    if (this.#snapshots.due) ignoreOutcome(this.#snapshot())
  }

  #snapshot(): Promise<void> {
    return this.#snapshots.write(this.#engine, this.#journal.record)
  }

  /** Rebuilds the engine after a turn that spoiled it; the mailbox waits. */
  #rebuild(): void {
    this.#status = { kind: 'recovering' }
    this.#engine = null
    this.#journal.tail.last
      .then(() => this.#recover())
      .then(
        () => {
          // Or an actor whose turns all fail would be rebuilt from an ever longer suffix.
          this.#snapshotIfDue()
          this.#pump()
        },
        (error) => {
          this.#break(commitError(this.key, error))
        },
      )
  }

  async #recover(): Promise<void> {
    const { program } = this.#options
    const environment = this.#environment
    let open: OpenTurn | null = null
    const { record, tail } = this.#journal
    if (record !== null) {
      const input = { log: this.#log, record, seqNext: tail.seqNext, program, environment }
      try {
        const recovered = await recover(input)
        this.#engine = recovered.engine
        this.#snapshots.seq = recovered.snapshotSeq
        open = recovered.openTurn
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
    this.#engine?.drop()
    this.#engine = null
    this.#running?.waiter.reject(error)
    for (const item of this.#mailbox.drain())
      if (item.kind === 'call') item.waiter.reject(error)
      else item.reject(error)
    this.#options.onBroken(error)
    return error
  }
}

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
import { type ErrorCode, invariant, isLoomError, LoomError, toLoomError } from '../base/errors.ts'
import { TURNS_AT_ONCE_MAX } from '../base/limits.ts'
import { type ActorKey, formatActorKey } from '../base/names.ts'
import { deferred, ignoreOutcome, isPromise } from '../base/promises.ts'
import type { WitValue } from '../component/wit.ts'
import { encodeEntry } from '../journal/codec.ts'
import type { TurnOutcome, TurnPart } from '../journal/entry.ts'
import type { ActorLog, ActorRecord } from '../store/store.ts'
import type { ActivationOptions, ActivationStatus } from './activation-options.ts'
import { argumentsError } from './argument-size.ts'
import {
  type AwaitedTurn,
  type AwaitingPort,
  driveAwaitingTurn,
  type OpenedTurn,
} from './awaiting-turn.ts'
import { CallsInFlight } from './in-flight.ts'
import { type Invocation, type Observation, type Observed, Queue } from './invocation.ts'
import { JournalTail } from './journal-tail.ts'
import { readKnownOutcome } from './known-outcome.ts'
import { commitError, quarantine, refuseDivergence, settle } from './outcomes.ts'
import type { ActorMethod, ActorProgram } from './program.ts'
import { recover, unknownMethod } from './recovery.ts'
import { SnapshotWriter } from './snapshot-writer.ts'
import { TurnEngine } from './turn-engine.ts'
import { encodeTurn } from './turn-entry.ts'
import type { OpenTurn } from './turn-reader.ts'
import type { TurnResult, TurnStep } from './turn-step.ts'

export class Activation {
  readonly #options: ActivationOptions
  readonly #log: ActorLog
  readonly #tail: JournalTail
  readonly #mailbox = new Queue<Invocation | Observation>()
  readonly #inFlight: CallsInFlight
  readonly #snapshots: SnapshotWriter
  #status: ActivationStatus = { kind: 'recovering' }
  #engine: TurnEngine | null = null
  #record: ActorRecord | null
  #turning = false
  /** The turn that did not end at once. */
  #running: Invocation | null = null

  private constructor(options: ActivationOptions) {
    const { log, epoch, snapshotIntervalTurns: intervalTurns, environment, program } = options
    const { uncaptured } = program
    const tail = new JournalTail(log)
    this.#options = options
    this.#log = log
    this.#record = options.record
    this.#tail = tail
    this.#inFlight = new CallsInFlight(log.key)
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
    return this.#record
  }

  get open(): boolean {
    return this.#status.kind === 'ready' || this.#status.kind === 'recovering'
  }

  /** True after eviction: ask the pool again. */
  get closed(): boolean {
    return this.#status.kind === 'closed'
  }

  /** True when nothing waits, runs or is being committed. */
  get idle(): boolean {
    const ready = this.#status.kind === 'ready' && !this.#turning
    return ready && this.#mailbox.length === 0 && this.#tail.pendingCount === 0
  }

  /**
   * Queues a call; resolves when its turn is durable.
   * @throws ERR_OPTION  the arguments are too large to be journaled.
   * @throws ERR_BUSY, ERR_IDEMPOTENCY_MISMATCH, ERR_TRAP, ERR_HOST_CALL, ERR_ACTOR_FAILED, ERR_COMMIT, ERR_FENCED
   */
  call(
    method: ActorMethod,
    args: readonly WitValue[],
    idempotencyKey: string | null,
  ): Promise<WitValue> {
    const refusal = this.#refusal() ?? argumentsError(this.key, method.name, args)
    if (refusal !== null) return Promise.reject(refusal)
    if (idempotencyKey !== null) {
      const first = this.#inFlight.join(idempotencyKey, method, args)
      if (first !== null) return first
    }
    const { promise, resolve, reject } = deferred<WitValue>()
    const known = idempotencyKey === null ? null : this.#log.findIdempotent(idempotencyKey)
    if (known !== null) ignoreOutcome(known)
    this.#mailbox.push({ kind: 'call', method, args, idempotencyKey, known, resolve, reject })
    if (idempotencyKey !== null) this.#inFlight.track(idempotencyKey, { method, args, promise })
    this.#pump()
    return promise
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
  #refusal(): LoomError | null {
    const { mailboxCountMax } = this.#options
    if (this.#mailbox.length < mailboxCountMax) return this.#ended()
    const name = formatActorKey(this.key)
    return new LoomError('ERR_BUSY', `${name}: ${mailboxCountMax} calls are waiting already`)
  }

  #ended(): LoomError | null {
    const status = this.#status
    if (status.kind === 'broken') return status.error
    const name = formatActorKey(this.key)
    invariant(status.kind !== 'closed', `${name} was called after it was evicted`)
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
      else this.#turnUnlessKnown(item, item.known)
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
        if (this.#status.kind === 'broken') invocation.reject(this.#status.error)
        else if (seq === null) this.#turn(invocation)
        else ignoreOutcome(this.#answerAgain(invocation, seq))
        this.#pump()
      },
      (error) => {
        this.#turning = false
        invocation.reject(error)
        this.#pump()
      },
    )
  }

  /** Answers a retry from the entry of the first call. */
  async #answerAgain(invocation: Invocation, seq: number): Promise<void> {
    try {
      settle(invocation, await readKnownOutcome(this.#log, seq, invocation))
    } catch (error) {
      invocation.reject(error)
    }
  }

  #observe(observation: Observation): void {
    const seqNext = this.#tail.seqNext
    try {
      const stateHash = this.#engine?.stateHash() ?? ''
      this.#tail.last.then(() => observation.resolve({ seqNext, stateHash }), observation.reject)
    } catch (error) {
      observation.reject(error)
    }
  }

  #turn(invocation: Invocation): void {
    let step: TurnStep | Promise<TurnStep>
    let entries: Uint8Array[]
    try {
      entries = this.#engine === null ? [this.#create()] : []
      invariant(this.#engine !== null, 'a turn has an engine')
      const { method, args, idempotencyKey } = invocation
      step = this.#engine.runLive(method, args, idempotencyKey)
    } catch (error) {
      invocation.reject(toLoomError(error))
      return
    }
    if (isPromise(step) || step.kind !== 'finished')
      ignoreOutcome(this.#turnSlowly(invocation, entries, step))
    else this.#finishOrBreak(invocation, entries, step)
  }

  /** A5. */
  #finishOrBreak(invocation: Invocation, entries: Uint8Array[], result: TurnResult): void {
    try {
      this.#finish(invocation, entries, result, null)
    } catch (error) {
      invocation.reject(this.#break(toLoomError(error)))
    }
  }

  /** Ends a turn that did not end at once; the mailbox waits (A1). */
  async #turnSlowly(
    invocation: Invocation,
    before: Uint8Array[],
    running: TurnStep | Promise<TurnStep>,
    open: OpenTurn | null = null,
  ): Promise<void> {
    this.#turning = true
    this.#running = invocation
    try {
      const step = await running
      if (step.kind === 'finished' && open === null) this.#finish(invocation, before, step, null)
      else {
        const { result, openedSeq, callsLeft } = await this.#drive(invocation, before, step, open)
        const awaited = openedSeq === null ? null : { openedSeq, callsLeft }
        this.#finish(invocation, before, result, awaited)
      }
    } catch (error) {
      invocation.reject(this.#break(commitError(this.key, error)))
    } finally {
      this.#turning = false
      this.#running = null
    }
    this.#pump()
  }

  #drive(
    invocation: Invocation,
    before: Uint8Array[],
    step: TurnStep,
    open: OpenTurn | null,
  ): Promise<AwaitedTurn> {
    const { method, args, idempotencyKey } = invocation
    const port: AwaitingPort = {
      wallMs: () => this.#options.environment.clock.wallMs(),
      commit: (part) => this.#commitPart(before, part),
      check: () => {
        if (this.#status.kind === 'broken') throw this.#status.error
      },
      rebuild: async () => {
        await this.#recover()
        invariant(this.#engine !== null, 'an open turn has an engine')
        return this.#engine
      },
    }
    const turn = {
      method,
      head: { idempotencyKey, method: method.name, args },
      openedSeq: open?.seq ?? null,
      journaledCount: open?.calls.length ?? 0,
    }
    return driveAwaitingTurn(port, turn, step)
  }

  /**
   * Appends a part of an open turn, behind what is `before` it; resolves with its seq when it is durable.
   * @throws ERR_OPTION at once, when the part is too large; nothing was appended.
   */
  #commitPart(before: Uint8Array[], part: TurnPart): Promise<number> {
    const seq = this.#tail.seqNext + before.length
    const entry = encodeEntry(seq, part)
    // The engine of a turn that was unwound is of no use: its memory is freed for the time of the wait.
    if (this.#engine?.spoiled === true) this.#engine = null
    return this.#tail.append([...before.splice(0), entry], null, this.#record).then(() => seq)
  }

  /** Runs again a turn that a crash cut off while it waited (recovery.ts). */
  #resume(open: OpenTurn): void {
    const { method: name, args, idempotencyKey, invocationId } = open.head
    const method = this.program.findMethod(name)
    invariant(this.#engine !== null, 'an open turn has an engine')
    if (method === undefined)
      throw quarantine(this.key, unknownMethod(this.key, this.program, open.seq, name))
    const { promise, resolve, reject } = deferred<WitValue>()
    ignoreOutcome(promise)
    if (idempotencyKey !== null) this.#inFlight.track(idempotencyKey, { method, args, promise })
    const waiting = { kind: 'call', known: null, resolve, reject } as const
    const invocation: Invocation = { ...waiting, method, args, idempotencyKey }
    const prefix = { calls: open.calls, invocationId }
    const step = this.#engine.runLive(method, args, idempotencyKey, prefix)
    ignoreOutcome(this.#turnSlowly(invocation, [], step, open))
  }

  /** Instantiates a new actor and returns its created entry. @throws ERR_TRAP */
  #create(): Uint8Array {
    const { program, environment } = this.#options
    invariant(this.#tail.seqNext === 0, 'only an actor without a journal is created')
    const { engine, calls } = TurnEngine.startLive(program, environment)
    const { key, incarnation } = environment
    const createdAtMs = environment.clock.wallMs()
    const { digest } = program
    const created = { kind: 'created', atMs: createdAtMs, ...key, incarnation } as const
    const entry = encodeEntry(0, { ...created, digest, calls })
    this.#record = { ...key, incarnation, digest, createdAtMs }
    this.#engine = engine
    return entry
  }

  #finish(
    invocation: Invocation,
    before: Uint8Array[],
    result: TurnResult,
    awaited: OpenedTurn | null,
  ): void {
    // The activation broke while the turn waited (A4): nothing of it may be committed any more.
    if (this.#status.kind === 'broken') throw this.#status.error
    if (awaited !== null) refuseDivergence(this.key, result.outcome)
    const seq = this.#tail.seqNext + before.length
    const atMs = this.#options.environment.clock.wallMs()
    let finished = result
    let entry: Uint8Array
    try {
      entry = encodeTurn(seq, atMs, invocation, result, awaited)
    } catch (error) {
      // The turn ran but is too large to journal: it must not have happened.
      const code: ErrorCode = isLoomError(error) ? error.code : 'ERR_INVARIANT'
      const outcome = { kind: 'failed', code, message: String((error as Error).message) } as const
      finished = { ...result, calls: [], outcome }
      const shorter = awaited === null ? null : { ...awaited, callsLeft: [] }
      entry = encodeTurn(seq, atMs, invocation, finished, shorter)
      this.#engine = null
    }
    before.push(entry)
    this.#commit(invocation, before, finished.outcome)
    if (this.#engine === null || this.#engine.spoiled) this.#rebuild()
    else this.#snapshotIfDue()
  }

  #snapshotIfDue(): void {
    if (this.#snapshots.due) ignoreOutcome(this.#snapshot())
  }

  #snapshot(): Promise<void> {
    return this.#snapshots.write(this.#engine, this.#record)
  }

  /** Sends the turn's entries to the store, without waiting (A3), and replies when durable (A2). */
  #commit(invocation: Invocation, entries: Uint8Array[], outcome: TurnOutcome): void {
    const durable = this.#tail.append(entries, invocation.idempotencyKey, this.#record)
    durable.then(
      () => settle(invocation, outcome),
      (error) => invocation.reject(this.#break(commitError(this.key, error))),
    )
  }

  /** Rebuilds the engine after a turn that spoiled it; the mailbox waits. */
  #rebuild(): void {
    this.#status = { kind: 'recovering' }
    this.#engine = null
    this.#tail.last
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
    const { program, environment } = this.#options
    let open: OpenTurn | null = null
    if (this.#record !== null) {
      const input = { log: this.#log, record: this.#record, seqNext: this.#tail.seqNext }
      try {
        const recovered = await recover({ ...input, program, environment })
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
    this.#running?.reject(error)
    for (const item of this.#mailbox.drain()) item.reject(error)
    this.#options.onBroken(error)
    return error
  }
}

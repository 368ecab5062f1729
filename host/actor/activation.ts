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
 *   A5. A snapshot is written only when all entries that it covers are durable.
 */
import { isDeepStrictEqual } from 'node:util'
import { ERRORS, type ErrorCode, invariant, isLoomError, LoomError } from '../base/errors.ts'
import { type ActorKey, formatActorKey } from '../base/names.ts'
import { deferred, ignoreOutcome, isPromise } from '../base/promises.ts'
import type { WitValue } from '../component/wit.ts'
import { encodeEntry } from '../journal/codec.ts'
import type { TurnOutcome } from '../journal/entry.ts'
import type { ActorLog, ActorRecord, Commit } from '../store/store.ts'
import { type Invocation, type Observation, type Observed, Queue } from './invocation.ts'
import type { ActorMethod, ActorProgram } from './program.ts'
import { decodeNamed, recover } from './recovery.ts'
import { encodeSnapshot } from './snapshot.ts'
import { type EngineEnvironment, TurnEngine, type TurnResult } from './turn-engine.ts'

export interface ActivationOptions {
  readonly log: ActorLog
  readonly program: ActorProgram
  /** Null for an actor without a journal; its first turn creates it. */
  readonly record: ActorRecord | null
  readonly environment: EngineEnvironment
  readonly epoch: number
  readonly mailboxCountMax: number
  readonly snapshotIntervalTurns: number
  /** Called once, when the activation broke or was quarantined. */
  readonly onBroken: (error: LoomError) => void
}

/**
 * recovering: the engine is being rebuilt. Next state: ready or broken.
 * ready: takes turns. Next state: recovering (a turn spoiled the engine), broken or closed.
 * broken: the error every caller gets. Next state: none.
 * closed: was evicted. Next state: none.
 */
type Status =
  | { readonly kind: 'recovering' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'broken'; readonly error: LoomError }
  | { readonly kind: 'closed' }

interface InFlight {
  readonly method: ActorMethod
  readonly args: readonly WitValue[]
  readonly promise: Promise<WitValue>
}

export class Activation {
  readonly #options: ActivationOptions
  readonly #log: ActorLog
  readonly #mailbox = new Queue<Invocation | Observation>()
  /** Calls with a key that are waiting, running or being committed. */
  readonly #inFlight = new Map<string, InFlight>()
  #status: Status = { kind: 'recovering' }
  #engine: TurnEngine | null = null
  #record: ActorRecord | null
  #seqNext: number
  #seqSnapshot = 0
  #turning = false
  #commits = 0
  #lastCommit: Promise<void> = Promise.resolve()

  private constructor(options: ActivationOptions) {
    this.#options = options
    this.#log = options.log
    this.#record = options.record
    this.#seqNext = options.log.seqNext
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
    return ready && this.#mailbox.length === 0 && this.#commits === 0
  }

  /**
   * Queues a call; resolves when its turn is durable.
   * @throws ERR_BUSY, ERR_IDEMPOTENCY_MISMATCH, ERR_TRAP, ERR_HOST_CALL, ERR_ACTOR_FAILED, ERR_COMMIT, ERR_FENCED
   */
  call(
    method: ActorMethod,
    args: readonly WitValue[],
    idempotencyKey: string | null,
  ): Promise<WitValue> {
    const refusal = this.#refusal()
    if (refusal !== null) return Promise.reject(refusal)
    if (idempotencyKey !== null) {
      const first = this.#inFlight.get(idempotencyKey)
      if (first !== undefined) return this.#join(first, method, args, idempotencyKey)
    }
    const { promise, resolve, reject } = deferred<WitValue>()
    const known = idempotencyKey === null ? null : this.#log.findIdempotent(idempotencyKey)
    if (known !== null) ignoreOutcome(known)
    this.#mailbox.push({ kind: 'call', method, args, idempotencyKey, known, resolve, reject })
    if (idempotencyKey !== null) this.#track(idempotencyKey, { method, args, promise })
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

  /** Snapshots and drops an idle actor. */
  async close(): Promise<void> {
    invariant(this.idle, `${formatActorKey(this.key)} is closed while it is busy`)
    if (this.#status.kind === 'ready' && this.#seqNext > Math.max(1, this.#seqSnapshot))
      await this.#snapshot()
    if (this.#status.kind !== 'broken') this.#status = { kind: 'closed' }
    this.#engine = null
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

  #track(key: string, entry: InFlight): void {
    this.#inFlight.set(key, entry)
    const forget = (): void => {
      this.#inFlight.delete(key)
    }
    entry.promise.then(forget, forget)
  }

  #join(
    first: { method: ActorMethod; args: readonly WitValue[]; promise: Promise<WitValue> },
    method: ActorMethod,
    args: readonly WitValue[],
    key: string,
  ): Promise<WitValue> {
    const same = first.method.name === method.name && isDeepStrictEqual(first.args, args)
    return same ? first.promise : Promise.reject(this.#mismatch(key, first.method.name))
  }

  #mismatch(key: string, method: string): LoomError {
    return new LoomError(
      'ERR_IDEMPOTENCY_MISMATCH',
      `${formatActorKey(this.key)}: idempotency key ${JSON.stringify(key)} was used for another call of ${method}`,
    )
  }

  /** Starts turns until one has to wait (A1). */
  #pump(): void {
    while (!this.#turning && this.#status.kind === 'ready') {
      const item = this.#mailbox.shift()
      if (item === undefined) return
      if (item.kind === 'observe') this.#observe(item)
      else if (item.known === null) this.#turn(item)
      else this.#turnUnlessKnown(item, item.known)
    }
  }

  #turnUnlessKnown(invocation: Invocation, known: Promise<number | null>): void {
    this.#turning = true
    known.then(
      (seq) => {
        this.#turning = false
        if (seq === null) this.#turn(invocation)
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
    const key = invocation.idempotencyKey ?? ''
    try {
      const [row] = await this.#log.read(seq, 1)
      const entry = row === undefined ? null : decodeNamed(formatActorKey(this.key), row)
      if (entry?.kind !== 'turn')
        throw new LoomError('ERR_JOURNAL_CORRUPT', `entry ${seq} holds no turn for key ${key}`)
      const same =
        entry.method === invocation.method.name && isDeepStrictEqual(entry.args, invocation.args)
      if (!same) throw this.#mismatch(key, entry.method)
      settle(invocation, entry.outcome)
    } catch (error) {
      invocation.reject(error)
    }
  }

  #observe(observation: Observation): void {
    const seqNext = this.#seqNext
    const stateHash = this.#engine?.stateHash() ?? ''
    this.#lastCommit.then(() => observation.resolve({ seqNext, stateHash }), observation.reject)
  }

  #turn(invocation: Invocation): void {
    let result: TurnResult | Promise<TurnResult>
    let entries: Uint8Array[]
    try {
      entries = this.#engine === null ? [this.#create()] : []
      invariant(this.#engine !== null, 'a turn has an engine')
      result = this.#engine.runLive(invocation.method, invocation.args, invocation.idempotencyKey)
    } catch (error) {
      invocation.reject(error)
      return
    }
    if (!isPromise(result)) {
      this.#finish(invocation, entries, result)
      return
    }
    this.#turning = true
    ignoreOutcome(
      result.then((finished) => {
        this.#turning = false
        this.#finish(invocation, entries, finished)
        this.#pump()
      }),
    )
  }

  /** Instantiates a new actor and returns its created entry. @throws ERR_TRAP */
  #create(): Uint8Array {
    const { program, environment } = this.#options
    invariant(this.#seqNext === 0, 'only an actor without a journal is created')
    const { engine, calls } = TurnEngine.startLive(program, environment)
    const { key, incarnation } = environment
    const createdAtMs = environment.clock.wallMs()
    this.#record = { ...key, incarnation, digest: program.digest, createdAtMs }
    this.#engine = engine
    const created = { kind: 'created', atMs: createdAtMs, ...key, incarnation } as const
    return encodeEntry(0, { ...created, digest: program.digest, calls })
  }

  #finish(invocation: Invocation, before: Uint8Array[], result: TurnResult): void {
    const seq = this.#seqNext + before.length
    let outcome = result.outcome
    let entry: Uint8Array
    try {
      entry = this.#encode(seq, invocation, result)
    } catch (error) {
      // The turn ran but is too large to journal: it must not have happened.
      const code: ErrorCode = isLoomError(error) ? error.code : 'ERR_INVARIANT'
      outcome = { kind: 'failed', code, message: String((error as Error).message) }
      entry = this.#encode(seq, invocation, { ...result, calls: [], outcome })
      this.#engine = null
    }
    this.#commit(invocation, before, entry, outcome)
    if (this.#engine === null || this.#engine.spoiled) this.#rebuild()
    else if (this.#seqNext - this.#seqSnapshot >= this.#options.snapshotIntervalTurns)
      ignoreOutcome(this.#snapshot())
  }

  #encode(seq: number, invocation: Invocation, result: TurnResult): Uint8Array {
    return encodeEntry(seq, {
      kind: 'turn',
      atMs: this.#options.environment.clock.wallMs(),
      idempotencyKey: invocation.idempotencyKey,
      invocationId: result.invocationId,
      method: invocation.method.name,
      args: invocation.args,
      calls: result.calls,
      outcome: result.outcome,
    })
  }

  /** Sends the turn's entry to the store, without waiting (A3), and replies when it is durable (A2). */
  #commit(
    invocation: Invocation,
    before: Uint8Array[],
    entry: Uint8Array,
    outcome: TurnOutcome,
  ): void {
    const seq = this.#seqNext
    before.push(entry)
    this.#seqNext += before.length
    const key = invocation.idempotencyKey
    const commit: Commit = {
      seq,
      entries: before,
      ...(seq === 0 && this.#record !== null ? { create: this.#record } : {}),
      ...(key === null ? {} : { idempotency: [{ key, seq: this.#seqNext - 1 }] }),
    }
    this.#commits++
    const durable = this.#log.append(commit)
    this.#lastCommit = durable
    durable.then(
      () => {
        this.#commits--
        settle(invocation, outcome)
      },
      (error) => {
        this.#commits--
        invocation.reject(this.#break(commitError(this.key, error)))
      },
    )
  }

  /** Writes a snapshot of the state as of now, once everything before it is durable (A5). */
  async #snapshot(): Promise<void> {
    if (this.#engine === null || this.#record === null) return
    const { digest, incarnation } = this.#record
    const seq = this.#seqNext
    const image = this.#engine.capture()
    this.#seqSnapshot = seq
    const bytes = encodeSnapshot({ digest, incarnation, seq, epoch: this.#options.epoch, image })
    try {
      await this.#lastCommit
      await this.#log.writeSnapshot({ seq, bytes })
    } catch (error) {
      // Without the snapshot nothing is lost: recovery replays more. A fenced host learns it here too.
      this.#options.environment.log('warn', `no snapshot at ${seq}: ${String(error)}`)
    }
  }

  /** Rebuilds the engine after a turn that spoiled it; the mailbox waits. */
  #rebuild(): void {
    this.#status = { kind: 'recovering' }
    this.#engine = null
    this.#lastCommit
      .then(() => this.#recover())
      .then(
        () => this.#pump(),
        (error) => {
          this.#break(commitError(this.key, error))
        },
      )
  }

  async #recover(): Promise<void> {
    const { program, environment } = this.#options
    if (this.#record !== null) {
      const input = { log: this.#log, record: this.#record, seqNext: this.#seqNext }
      try {
        const recovered = await recover({ ...input, program, environment })
        this.#engine = recovered.engine
        this.#seqSnapshot = recovered.snapshotSeq
      } catch (error) {
        throw quarantine(this.key, error)
      }
    }
    if (this.#status.kind === 'recovering') this.#status = { kind: 'ready' }
  }

  /** A4. Returns the error that everybody gets. */
  #break(error: LoomError): LoomError {
    if (this.#status.kind === 'broken') return this.#status.error
    this.#status = { kind: 'broken', error }
    this.#engine = null
    for (const item of this.#mailbox.drain()) item.reject(error)
    this.#options.onBroken(error)
    return error
  }
}

function settle(invocation: Invocation, outcome: TurnOutcome): void {
  if (outcome.kind === 'returned') invocation.resolve(outcome.value)
  else invocation.reject(new LoomError(knownCode(outcome.code), outcome.message))
}

/** A code read from a journal; one of a later version is still a guest's failure. */
function knownCode(code: string): ErrorCode {
  return Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'ERR_TRAP'
}

function commitError(key: ActorKey, error: unknown): LoomError {
  if (isLoomError(error) && error.code !== 'ERR_STORE') return error
  const reason = error instanceof Error ? error.message : String(error)
  return new LoomError(
    'ERR_COMMIT',
    `${formatActorKey(key)}: whether the turn is durable is unknown: ${reason}`,
    { cause: error },
  )
}

/** What damages or diverges keeps everything and refuses turns; other errors pass. */
function quarantine(key: ActorKey, error: unknown): unknown {
  const cause = isLoomError(error) ? error : null
  if (cause === null || (cause.kind !== 'corrupt' && cause.kind !== 'divergence')) return error
  return new LoomError(
    'ERR_QUARANTINED',
    `${formatActorKey(key)} is quarantined: ${cause.message}`,
    { cause, data: { ...cause.data, reason: cause.code } },
  )
}

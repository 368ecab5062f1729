/**
 * Outbox: delivers what actors have sent, exactly once.
 *
 * Guarantee: a message is delivered when the turn that sent it is durable, and again after a crash, under the
 * same idempotency key, until the receiver's turn is durable; messages of one actor to another are run in the
 * order in which they were sent. A receiver whose turn fails has had the message.
 *
 * Owns: what waits for delivery, the order per pair, retries. Does not own: the receiver's turn (actor/), what
 * is kept of a message until it is settled (store/).
 *
 * Invariants:
 *   OB1. A message is forgotten by the store only when the receiver's turn is durable, or can never be.
 *   OB2. Of one pair, a message is handed over only when all before it were; when one has to be retried, those
 *        behind it wait.
 *   OB3. What cannot be settled is settled later; until then a host that starts delivers it again, and the receiver
 *        answers from its journal.
 *   OB4. What is taken up from the store may have been run under the key of a former build: the receiver is asked for
 *        that as well, and another message that was run under it does not count.
 *   OB5. Before a receiver's life ends, the store has forgotten what that has run: its next life cannot know of it.
 */
import type { Activation } from '../actor/activation/activation.ts'
import { isTurnFailure } from '../actor/mailbox/outcomes.ts'
import { formerMessageKey, messageKey } from '../actor/turn/effects.ts'
import { decodeMessage, type StoredMessage } from '../actor/turn/message.ts'
import type { Clock } from '../base/clock.ts'
import { type LoomError, toLoomError } from '../base/errors.ts'
import { OUTBOX_IN_FLIGHT_MAX, RETRY_MAX_MS, RETRY_MIN_MS } from '../base/limits.ts'
import { type ActorKey, formatActorKey } from '../base/names.ts'
import { ignoreOutcome } from '../base/promises.ts'
import type { Pool } from '../pool/pool.ts'
import type { ActorLog, OutboxRow, Store } from '../store/store.ts'
import { argumentsOf } from './actor-calls.ts'
import { Delays, longer } from './delays.ts'
import { findMethod } from './handle.ts'

export interface OutboxOptions {
  readonly store: Store
  readonly pool: Pool
  readonly clock: Clock
  readonly warn: (message: string, sender: ActorKey) => void
}

/** Rows read at once when the host starts. */
const PAGE_ROWS = 1_024

interface Waiting {
  readonly row: OutboxRow
  /** An earlier host may have delivered it, perhaps of a build that made another key (OB4). */
  readonly isInherited: boolean
  /** Its receiver has had it (OB5). */
  wasRun: boolean
  readonly message: StoredMessage
}

/** What one actor has sent to another. */
interface Pair {
  readonly name: string
  readonly waiting: Waiting[]
  inFlight: readonly Waiting[]
  retryMs: number
  /** A retry is put off. */
  isPausing: boolean
}

export class Outbox {
  readonly #options: OutboxOptions
  readonly #pairs = new Map<string, Pair>()
  readonly #delays: Delays
  /** Names of messages that wait, are under way, or are not forgotten by the store yet. */
  readonly #known = new Set<string>()
  /** Delivered, and not forgotten by the store yet. */
  #settled: OutboxRow[] = []
  /** Those on their way to be forgotten. */
  #settling: readonly OutboxRow[] = []
  #isSettling = false
  #isStarted = false

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#delays = new Delays(options.clock)
  }

  /** Takes up what an earlier host did not deliver, however long the store cannot be read. */
  start(): Promise<void> {
    return this.#delays.untilRead(async () => {
      await this.#takeUp(null, () => true)
      // Of a host that closes meanwhile nobody knows what it was left.
      this.#isStarted = !this.#delays.closed
    })
  }

  /** False while messages of earlier hosts may not be taken up yet: a sender's own have to be, before it sends more. */
  get isStarted(): boolean {
    return this.#isStarted
  }

  /** False when the store has forgotten the message for good: nobody delivers it again. */
  mayHold(message: Pick<OutboxRow, 'incarnation' | 'seq' | 'index'>): boolean {
    return !this.#isStarted || this.#known.has(nameOf(message))
  }

  /** Takes up what a commit of `sender` has left that was reported as failed. */
  takeUp(sender: ActorKey): Promise<void> {
    const before = { sender, incarnation: '', seq: 0, index: 0, bytes: new Uint8Array() }
    return this.#takeUp(
      before,
      ({ sender: { type, id } }) => type === sender.type && id === sender.id,
    )
  }

  async #takeUp(from: OutboxRow | null, isWanted: (row: OutboxRow) => boolean): Promise<void> {
    for (let after = from; ; ) {
      const rows: readonly OutboxRow[] = await this.#options.store.outbox(after, PAGE_ROWS)
      const wanted = rows.filter(isWanted)
      if (this.#delays.closed) return
      this.#add(wanted, true)
      if (rows.length === 0 || wanted.length < rows.length) return
      after = rows[rows.length - 1] ?? null
    }
  }

  /** Messages of one actor, in the order in which they were sent, whose turn is durable. */
  add(rows: readonly OutboxRow[]): void {
    this.#add(rows, false)
  }

  #add(rows: readonly OutboxRow[], isInherited: boolean): void {
    for (const row of rows) {
      const name = nameOf(row)
      if (this.#known.has(name)) continue
      this.#known.add(name)
      const message = this.#read(row)
      if (message === null) continue
      const delayMs = message.notBeforeMs - this.#options.clock.wallMs()
      const waiting = { row, message, isInherited, wasRun: false }
      if (delayMs <= 0) this.#queue(waiting)
      else this.#delays.after(delayMs, () => this.#queue(waiting))
    }
  }

  /** Null, said once, and left where it is: damage keeps no other message from its receiver. */
  #read(row: OutboxRow): StoredMessage | null {
    try {
      return decodeMessage(row.bytes)
    } catch (error) {
      this.#options.warn(toLoomError(error, 'ERR_STORE').message, row.sender)
      return null
    }
  }

  /** Stops handing over; what is not settled stays in the store. */
  close(): void {
    this.#delays.close()
  }

  #queue(waiting: Waiting): void {
    const { row, message } = waiting
    const name = `${formatActorKey(row.sender)} ${formatActorKey(message.target)}`
    let pair = this.#pairs.get(name)
    if (pair === undefined) {
      pair = { name, waiting: [], inFlight: [], retryMs: RETRY_MIN_MS, isPausing: false }
      this.#pairs.set(name, pair)
    }
    pair.waiting.push(waiting)
    this.#pump(pair)
  }

  /** OB2: the receiver is activated first, so that a pair's messages enter its mailbox in one go. */
  #pump(pair: Pair): void {
    if (this.#delays.closed || pair.isPausing || pair.inFlight.length > 0) return
    const batch = pair.waiting.splice(0, OUTBOX_IN_FLIGHT_MAX)
    const [first] = batch
    if (first === undefined) {
      this.#pairs.delete(pair.name)
      return
    }
    pair.inFlight = batch
    ignoreOutcome(this.#deliver(pair, batch, first.message))
  }

  async #deliver(pair: Pair, batch: readonly Waiting[], { target }: StoredMessage): Promise<void> {
    let refusals: readonly (LoomError | null)[]
    try {
      refusals = await this.#options.pool.use(target, (activation) =>
        Promise.all(batch.map((waiting) => this.#hand(activation, waiting))),
      )
    } catch (error) {
      refusals = batch.map(({ row }) => this.#refused(row, error))
    }
    const failed = batch.filter((_, index) => refusals[index] !== null)
    pair.inFlight = []
    pair.waiting.unshift(...failed)
    const refusal = refusals.find((error) => error !== null)
    if (refusal === undefined) {
      pair.retryMs = RETRY_MIN_MS
      this.#pump(pair)
    } else this.#retryLater(pair, batch[0]?.row.sender, target, refusal)
  }

  #retryLater(
    pair: Pair,
    sender: ActorKey | undefined,
    target: ActorKey,
    { code, message }: LoomError,
  ): void {
    pair.isPausing = true
    if (pair.retryMs >= RETRY_MAX_MS && sender !== undefined)
      this.#options.warn(`messages to ${formatActorKey(target)} wait: ${code}: ${message}`, sender)
    this.#delays.after(pair.retryMs, () => {
      pair.isPausing = false
      this.#pump(pair)
    })
    pair.retryMs = longer(pair.retryMs)
  }

  /** Null when the message needs no further delivery, else why it was not taken. */
  async #hand(activation: Activation, waiting: Waiting): Promise<LoomError | null> {
    const { row, message, isInherited, wasRun } = waiting
    if (wasRun) return null
    try {
      const method = findMethod(activation, message.method)
      const args = argumentsOf(method, message)
      const idempotencyKey = messageKey(row.incarnation, row)
      const caller = formatActorKey(row.sender)
      const formerKey = isInherited ? formerMessageKey(row.incarnation, row) : null
      await activation.call({ method, args, idempotencyKey, formerKey, caller })
    } catch (error) {
      return this.#refused(row, error)
    }
    this.#settle(row)
    return null
  }

  /** What failed for good is settled, and said; the rest is tried again (OB1). */
  #refused(row: OutboxRow, failure: unknown): LoomError | null {
    const error = toLoomError(failure)
    const forGood = isTurnFailure(failure) || error.kind === 'guest' || NEVER.has(error.code)
    if (!forGood) return error
    this.#options.warn(`a message was not taken: ${error.code}: ${error.message}`, row.sender)
    this.#settle(row)
    return null
  }

  /** OB5: of the life whose journal is `log`, and which runs nothing any more. @throws ERR_STORE, ERR_FENCED */
  async endLife(log: Pick<ActorLog, 'key' | 'findIdempotent'>): Promise<void> {
    if (!this.#isStarted) await this.#takeUp(null, () => true)
    const target = formatActorKey(log.key)
    for (const { name, inFlight, waiting } of this.#pairs.values()) {
      if (!name.endsWith(` ${target}`)) continue
      for (const one of [...inFlight, ...waiting]) {
        const { row, wasRun } = one
        if (wasRun || (await log.findIdempotent(messageKey(row.incarnation, row))) === null)
          continue
        one.wasRun = true
        this.#settle(row)
      }
    }
    // Others may be on their way already: twice is as once.
    const rows = [...this.#settling, ...this.#settled]
    if (rows.length > 0) await this.#options.store.settleOutbox(rows)
  }

  #settle(row: OutboxRow): void {
    this.#settled.push(row)
    if (this.#isSettling) return
    this.#isSettling = true
    setImmediate(() => ignoreOutcome(this.#settleAll()))
  }

  /** Several at once, because each is a write. Those that are never settled are answered from the journal (OB3). */
  async #settleAll(): Promise<void> {
    for (let pauseMs = RETRY_MIN_MS; this.#settled.length > 0; ) {
      const rows = this.#settled
      this.#settling = rows
      this.#settled = []
      try {
        await this.#options.store.settleOutbox(rows)
        for (const row of rows) this.#known.delete(nameOf(row))
        pauseMs = RETRY_MIN_MS
      } catch (error) {
        this.#settled = rows.concat(this.#settled)
        this.#settling = []
        if (toLoomError(error).kind === 'lost') return
        await this.#delays.pause(pauseMs)
        pauseMs = longer(pauseMs)
      }
    }
    this.#settling = []
    this.#isSettling = false
  }
}

/** An incarnation is one actor's. */
function nameOf({
  incarnation,
  seq,
  index,
}: Pick<OutboxRow, 'incarnation' | 'seq' | 'index'>): string {
  return `${incarnation}/${seq}/${index}`
}

/** The receiver will never take it, whoever tries again. */
const NEVER: ReadonlySet<string> = new Set([
  'ERR_METHOD_UNKNOWN',
  'ERR_ARGUMENT_COUNT',
  'ERR_ARGUMENT_TYPE',
  'ERR_OPTION',
  'ERR_NAME',
  'ERR_IDEMPOTENCY_MISMATCH',
])

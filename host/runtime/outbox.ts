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
 */
import type { Activation } from '../actor/activation.ts'
import { messageKey } from '../actor/effects.ts'
import { decodeMessage, type StoredMessage } from '../actor/message.ts'
import type { Clock, Timer } from '../base/clock.ts'
import { isLoomError, type LoomError, toLoomError } from '../base/errors.ts'
import { OUTBOX_IN_FLIGHT_MAX, OUTBOX_RETRY_MAX_MS, OUTBOX_RETRY_MIN_MS } from '../base/limits.ts'
import { formatActorKey } from '../base/names.ts'
import { ignoreOutcome } from '../base/promises.ts'
import type { Pool } from '../pool/pool.ts'
import type { OutboxRow, Store } from '../store/store.ts'
import { argumentsOf } from './actor-calls.ts'
import { findMethod } from './handle.ts'

export interface OutboxOptions {
  readonly store: Store
  readonly pool: Pool
  readonly clock: Clock
  readonly warn: (message: string, row: OutboxRow) => void
}

/** Rows read at once when the host starts. */
const PAGE_ROWS = 1_024

interface Waiting {
  readonly row: OutboxRow
  readonly message: StoredMessage
}

/** What one actor has sent to another. */
interface Pair {
  readonly name: string
  readonly waiting: Waiting[]
  inFlight: number
  retryMs: number
  timer: Timer | null
}

export class Outbox {
  readonly #options: OutboxOptions
  readonly #pairs = new Map<string, Pair>()
  #settled: OutboxRow[] = []
  #timers = new Set<Timer>()
  #closed = false

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Takes up what an earlier host did not deliver. */
  async start(): Promise<void> {
    let after: OutboxRow | null = null
    for (;;) {
      const rows: readonly OutboxRow[] = await this.#options.store.outbox(after, PAGE_ROWS)
      if (this.#closed || rows.length === 0) return
      this.add(rows)
      after = rows[rows.length - 1] ?? null
    }
  }

  /** Messages of one actor, in the order in which they were sent, whose turn is durable. */
  add(rows: readonly OutboxRow[]): void {
    for (const row of rows) {
      const message = decodeMessage(row.bytes)
      const delayMs = message.notBeforeMs - this.#options.clock.wallMs()
      if (delayMs <= 0) this.#queue(row, message)
      else this.#later(delayMs, () => this.#queue(row, message))
    }
  }

  /** Stops handing over; what is not settled stays in the store. */
  close(): void {
    this.#closed = true
    for (const timer of this.#timers) timer.cancel()
    for (const { timer } of this.#pairs.values()) timer?.cancel()
  }

  #later(delayMs: number, task: () => void): void {
    const timer = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(timer)
      task()
    })
    this.#timers.add(timer)
  }

  #queue(row: OutboxRow, message: StoredMessage): void {
    const name = `${formatActorKey(row.sender)} ${formatActorKey(message.target)}`
    let pair = this.#pairs.get(name)
    if (pair === undefined) {
      pair = { name, waiting: [], inFlight: 0, retryMs: OUTBOX_RETRY_MIN_MS, timer: null }
      this.#pairs.set(name, pair)
    }
    pair.waiting.push({ row, message })
    this.#pump(pair)
  }

  /** OB2: the receiver is activated first, so that a pair's messages enter its mailbox in one go. */
  #pump(pair: Pair): void {
    if (this.#closed || pair.timer !== null || pair.inFlight > 0) return
    const batch = pair.waiting.splice(0, OUTBOX_IN_FLIGHT_MAX)
    const [first] = batch
    if (first === undefined) {
      this.#pairs.delete(pair.name)
      return
    }
    pair.inFlight = batch.length
    ignoreOutcome(this.#deliver(pair, batch, first.message))
  }

  async #deliver(pair: Pair, batch: readonly Waiting[], { target }: StoredMessage): Promise<void> {
    let failed: Waiting[] = []
    try {
      const delivered = await this.#options.pool.use(target, (activation) =>
        Promise.all(batch.map((waiting) => this.#hand(activation, waiting))),
      )
      failed = batch.filter((_, index) => delivered[index] !== true)
    } catch (error) {
      failed = batch.filter(({ row }) => this.#refused(row, toLoomError(error)) !== true)
    }
    pair.inFlight = 0
    pair.waiting.unshift(...failed)
    if (failed.length > 0) this.#retryLater(pair)
    else {
      pair.retryMs = OUTBOX_RETRY_MIN_MS
      this.#pump(pair)
    }
  }

  #retryLater(pair: Pair): void {
    if (this.#closed) return
    pair.timer = this.#options.clock.after(pair.retryMs, () => {
      pair.timer = null
      this.#pump(pair)
    })
    pair.retryMs = Math.min(pair.retryMs * 2, OUTBOX_RETRY_MAX_MS)
  }

  /** True when the message needs no further delivery. */
  async #hand(activation: Activation, { row, message }: Waiting): Promise<boolean> {
    try {
      const method = findMethod(activation, message.method)
      const args = argumentsOf(method, message)
      const idempotencyKey = messageKey(row.incarnation, row.seq, row.index)
      const caller = formatActorKey(row.sender)
      await activation.call({ method, args, idempotencyKey, caller })
    } catch (error) {
      return this.#refused(row, toLoomError(error))
    }
    this.#settle(row)
    return true
  }

  /** What failed for good is settled, and said; the rest is tried again (OB1). */
  #refused(row: OutboxRow, error: LoomError): boolean {
    const forGood = isLoomError(error) && (error.kind === 'guest' || NEVER.has(error.code))
    if (!forGood) return false
    this.#options.warn(`a message was not taken: ${error.code}: ${error.message}`, row)
    this.#settle(row)
    return true
  }

  /** Several at once, because each is a write. */
  #settle(row: OutboxRow): void {
    this.#settled.push(row)
    if (this.#settled.length > 1) return
    setImmediate(() => {
      const rows = this.#settled
      this.#settled = []
      // What cannot be settled is delivered again after the next start, and answered from the journal.
      ignoreOutcome(this.#options.store.settleOutbox(rows))
    })
  }
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

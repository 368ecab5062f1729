/**
 * Mailbox: what waits for one actor, in the order of its arrival.
 *
 * Owns: the order, how much may wait. Does not own: when the next turn starts (activation.ts).
 *
 * Invariant MB1: a call into an empty mailbox is never refused, however large it is.
 */
import { LoomError } from '../../base/errors.ts'
import { BUSY_RETRY_AFTER_MS } from '../../base/limits.ts'
import { type ActorKey, formatActorKey } from '../../base/names.ts'
import { type Invocation, type Observation, Queue } from './invocation.ts'

export interface MailboxLimits {
  readonly mailboxCountMax: number
  readonly mailboxBytesMax: number
}

export class Mailbox {
  readonly #key: ActorKey
  readonly #limits: MailboxLimits
  readonly #queue = new Queue<Invocation | Observation>()
  #sizeBytes = 0

  constructor(key: ActorKey, limits: MailboxLimits) {
    this.#key = key
    this.#limits = limits
  }

  get length(): number {
    return this.#queue.length
  }

  /** Why a call with arguments of `sizeBytes` does not fit, or null. */
  refusal(sizeBytes: number): LoomError | null {
    const { mailboxCountMax, mailboxBytesMax } = this.#limits
    const count = this.#queue.length
    const fits = count < mailboxCountMax && this.#sizeBytes + sizeBytes <= mailboxBytesMax
    if (fits || count === 0) return null
    return new LoomError(
      'ERR_BUSY',
      `${formatActorKey(this.#key)}: ${count} calls with ${this.#sizeBytes} bytes are waiting already`,
      { data: { retryAfterMs: BUSY_RETRY_AFTER_MS } },
    )
  }

  push(item: Invocation | Observation): void {
    if (item.kind === 'call') this.#sizeBytes += item.sizeBytes
    this.#queue.push(item)
  }

  shift(): Invocation | Observation | undefined {
    const item = this.#queue.shift()
    if (item?.kind === 'call') this.#sizeBytes -= item.sizeBytes
    return item
  }

  drain(): (Invocation | Observation)[] {
    this.#sizeBytes = 0
    return this.#queue.drain()
  }
}

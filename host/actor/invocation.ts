/**
 * Invocations: what waits in a mailbox.
 */
import type { WitValue } from '../component/wit.ts'
import type { ActorMethod } from './program.ts'

/** A call of a method. */
export interface Invocation {
  readonly kind: 'call'
  readonly method: ActorMethod
  readonly args: readonly WitValue[]
  readonly idempotencyKey: string | null
  /** With a key: the seq of the entry that holds the result already, or null; asked when it was queued. */
  readonly known: Promise<number | null> | null
  readonly resolve: (value: WitValue) => void
  readonly reject: (error: unknown) => void
}

/** A look at the actor between two turns; not journaled. */
export interface Observation {
  readonly kind: 'observe'
  readonly resolve: (observed: Observed) => void
  readonly reject: (error: unknown) => void
}

export interface Observed {
  readonly seqNext: number
  readonly stateHash: string
}

/** First in, first out, without the cost of Array.shift. */
export class Queue<T> {
  #items: T[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    this.#head++
    if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    if (this.#head === this.#items.length) {
      this.#items.length = 0
      this.#head = 0
    }
    return item
  }

  drain(): T[] {
    const rest = this.#items.slice(this.#head)
    this.#items = []
    this.#head = 0
    return rest
  }
}

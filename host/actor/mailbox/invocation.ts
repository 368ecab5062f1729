/**
 * Invocations: what waits in a mailbox.
 */
import type { WitValue } from '../../component/wit/wit.ts'
import type { RecordedCall, TurnOutcome } from '../../journal/entry.ts'
import type { ReminderChange } from '../../store/store.ts'
import type { JournalTail } from '../journal/journal-tail.ts'
import type { Place } from '../journal/shared-fate.ts'
import type { ActorMethod } from '../program/program.ts'
import type { LiveTurn } from '../turn/turn-step.ts'

/** What somebody asks an actor for. */
export interface CallHead {
  readonly method: ActorMethod
  readonly args: readonly WitValue[]
  readonly idempotencyKey: string | null
  /** The same call may have been run under this key; another call that was is none of its affair. */
  readonly formerKey?: string | null
  /** The actor that calls, as `type/id`; null for callers from outside. */
  readonly caller: string | null
  /** What asks for the turn, when it is no caller. */
  readonly tick?: Tick | null
}

/** A tick of a reminder or timer. */
export interface Tick {
  /** False when it was changed, cancelled or run meanwhile: there is no turn. */
  isCurrent(): boolean
  /** What the commit of the turn's end changes of the reminder; null for nothing. */
  change(outcome: TurnOutcome, atMs: number): ReminderChange | null
}

/** Who waits for a call. */
export interface CallWaiter {
  /** The turn is durable. */
  resolve(value: WitValue): void
  /** The turn failed, or nobody knows. */
  reject(error: unknown): void
  /**
   * The turn has ended and stands in the order of commits, before `place`, though it may not be durable yet: for
   * callers whose own commits come behind it.
   */
  accept?(outcome: TurnOutcome, place: Place): void
  /** Where an actor that waits has journaled that it calls: the turn shares its fate. */
  readonly behind?: Place
}

/** Appends what a running turn has recorded. */
export type Journal = (
  invocation: Invocation,
  calls: readonly RecordedCall[],
  invocationId: string | null,
) => void

const NO_ENTRIES: readonly Uint8Array[] = Object.freeze([])

/** A call of a method, from the mailbox to its reply; one object, because there is one per turn. */
export class Invocation implements LiveTurn, CallHead {
  readonly kind = 'call'
  readonly method: ActorMethod
  readonly args: readonly WitValue[]
  readonly idempotencyKey: string | null
  readonly caller: string | null
  readonly tick: Tick | null
  readonly waiter: CallWaiter
  /** What its arguments take in the mailbox. */
  readonly sizeBytes: number
  /** With a key: the seq of the entry that holds the result already, or null. */
  readonly known: number | null | Promise<number | null>
  /** Seq of its opened entry; null while nothing of it is journaled. */
  openedSeq: number | null = null
  /** How many of its recorded calls the journal has. */
  journaledCount = 0
  /** Its turn has begun. */
  begun = false
  /** Its turn must not begin: who waits for it was answered. */
  givenUp = false
  /** Entries that have to be appended ahead of its first one. */
  before: readonly Uint8Array[] = NO_ENTRIES
  readonly #journal: Journal

  constructor(
    head: CallHead,
    waiter: CallWaiter,
    known: number | null | Promise<number | null>,
    journal: Journal,
    sizeBytes: number,
  ) {
    this.method = head.method
    this.args = head.args
    this.idempotencyKey = head.idempotencyKey
    this.caller = head.caller
    this.tick = head.tick ?? null
    this.waiter = waiter
    this.known = known
    this.#journal = journal
    this.sizeBytes = sizeBytes
  }

  /** A crash cut it off behind what `open` holds of it. */
  resume(open: { readonly seq: number; readonly calls: readonly RecordedCall[] }): void {
    this.begun = true
    this.openedSeq = open.seq
    this.journaledCount = open.calls.length
  }

  open(calls: readonly RecordedCall[], invocationId: string | null): void {
    this.#journal(this, calls, invocationId)
  }
}

/** A look at the actor between two turns; not journaled. */
export interface Observation {
  readonly kind: 'observe'
  readonly resolve: (observed: Observed) => void
  readonly reject: (error: unknown) => void
}

export interface Observed {
  readonly seqNext: number
  /** Seq of the oldest entry that is kept besides entry 0. */
  readonly seqFirst: number
  readonly stateHash: string
}

/** Tells what is there, when it is durable. */
export function answerObservation(
  { resolve, reject }: Observation,
  engine: { stateHash(): string } | null,
  { seqNext, last }: JournalTail,
  seqFirst: number,
): void {
  try {
    const stateHash = engine?.stateHash() ?? ''
    last.then(() => resolve({ seqNext, seqFirst, stateHash }), reject)
  } catch (error) {
    reject(error)
  }
}

/** An array that was longer gives its memory back when it is empty. */
const KEPT_LENGTH_MAX = 1_024

/**
 * First in, first out, without the cost of Array.shift. What is taken leaves a hole, so that a queue that is empty
 * again, as a mailbox is after nearly every turn, goes on with the array that it has.
 */
export class Queue<T> {
  #items: (T | undefined)[] = []
  #head = 0
  #tail = 0

  get length(): number {
    return this.#tail - this.#head
  }

  push(item: T): void {
    this.#items[this.#tail++] = item
  }

  shift(): T | undefined {
    if (this.#head === this.#tail) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    if (this.#head === this.#tail) {
      if (this.#items.length > KEPT_LENGTH_MAX) this.#items = []
      this.#head = 0
      this.#tail = 0
    } else if (this.#head > KEPT_LENGTH_MAX && this.#head * 2 > this.#tail) {
      this.#items = this.#items.slice(this.#head, this.#tail)
      this.#tail -= this.#head
      this.#head = 0
    }
    return item
  }

  drain(): T[] {
    const rest = this.#items.slice(this.#head, this.#tail) as T[]
    this.#items = []
    this.#head = 0
    this.#tail = 0
    return rest
  }
}

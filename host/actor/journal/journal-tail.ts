/**
 * Journal tail: the end of one actor's journal, where its turns are appended.
 *
 * Owns: the next seq, which is taken synchronously (J1), what is on its way to the disk, and telling those that wait for
 * it, in order.
 * Does not own: entries, replies (pending-turn.ts), what a failed commit means (activation.ts).
 */
import { type LoomError, toLoomError } from '../../base/errors.ts'
import type { ActorKey } from '../../base/names.ts'
import type { ActorLog, ActorRecord, Commit } from '../../store/store.ts'
import { type EffectRows, NO_ROWS } from '../turn/effects.ts'
import { type Follower, follow } from './followers.ts'
import { type Place, SharedFate } from './shared-fate.ts'

/** Who waits for a commit (pending-turn.ts); told once, durable or lost. */
export interface Pending {
  durable(): void
  lost(error: LoomError): void
}

/** Commits with one promise. */
class Batch implements Follower {
  count = 0
  seqAfter = 0
  readonly #tail: JournalTail
  /** Of most actors there is one turn in a group of commits: no array for that. */
  #first: Pending | null = null
  #others: Pending[] | null = null

  constructor(tail: JournalTail) {
    this.#tail = tail
  }

  add(turn: Pending): void {
    if (this.#first === null) this.#first = turn
    else {
      this.#others ??= []
      this.#others.push(turn)
    }
  }

  /** In their order. */
  tell(how: (turn: Pending) => void): void {
    if (this.#first !== null) how(this.#first)
    if (this.#others !== null) for (const turn of this.#others) how(turn)
  }

  durable(): void {
    this.#tail.succeed(this)
  }

  lost(error: unknown): void {
    this.#tail.fail(this, error)
  }
}

/** What is appended is lost; returns what everybody is told. */
export type OnLost = (error: unknown) => LoomError

export class JournalTail {
  readonly #log: ActorLog
  /** Null until the journal rests on another: most never do. */
  #fate: SharedFate | null = null
  readonly #onLost: OnLost
  #seqNext: number
  #seqDurable: number
  #pending = 0
  #last: Promise<void> = Promise.resolve()
  /** What `#last` settles; null when it has. */
  #batch: Batch | null = null
  #sizeBytes = 0
  #atMs = 0
  #failed: LoomError | null = null

  /** `seqNext`: what is journaled now, which may be more than when the log was opened. */
  constructor(log: ActorLog, seqNext: number, onLost: OnLost) {
    this.#log = log
    this.#onLost = onLost
    this.#seqNext = seqNext
    this.#seqDurable = seqNext
  }

  get key(): ActorKey {
    return this.#log.key
  }

  get seqNext(): number {
    return this.#seqNext
  }

  /** Entries below are durable. */
  get seqDurable(): number {
    return this.#seqDurable
  }

  /** Bytes appended since this object was made. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** When the last entry was appended; 0 before the first. */
  get atMs(): number {
    return this.#atMs
  }

  /** Commits that are not durable yet. */
  get pendingCount(): number {
    return this.#pending
  }

  /** Everything that is appended now. */
  get end(): Place {
    return { tail: this, seq: this.#seqNext }
  }

  /** Why entries that are not durable yet are lost, and later ones fail; null while there is no reason. */
  get broken(): LoomError | null {
    return this.#failed ?? this.#log.broken
  }

  /** What is appended next must not outlive `place`. @throws ERR_COMMIT when that is lost already. */
  restOn(place: Place): void {
    this.#fate ??= new SharedFate(this.key)
    this.#fate.restOn(place)
  }

  /** The last commit: when it is durable, so is everything before it. */
  get last(): Promise<void> {
    return this.#last
  }

  /**
   * Appends what a turn leaves; resolves when it is durable. `turn` is told first, should that be its end.
   * @throws ERR_COMMIT at once, when what it rests on is lost (SF1); nothing was appended.
   */
  append(part: TailPart, turn: Pending | null = null): Promise<void> {
    this.#fate?.commit()
    const seq = this.#seqNext
    this.#seqNext += part.entries.length
    this.#pending++
    this.#atMs = part.atMs
    for (const entry of part.entries) this.#sizeBytes += entry.length
    const durable = this.#log.append(commitOf(seq, part))
    if (durable !== this.#last || this.#batch === null) this.#batch = this.#follow(durable)
    this.#last = durable
    this.#batch.count++
    this.#batch.seqAfter = this.#seqNext
    if (turn !== null) this.#batch.add(turn)
    return durable
  }

  #follow(durable: Promise<void>): Batch {
    const batch = new Batch(this)
    follow(durable, batch)
    return batch
  }

  /** Of `batch`: it is durable. */
  succeed(batch: Batch): void {
    this.#settle(batch)
    this.#seqDurable = batch.seqAfter
    batch.tell((turn) => {
      try {
        turn.durable()
      } catch (error) {
        turn.lost(this.#onLost(error))
      }
    })
  }

  /** Of `batch`: it is lost. */
  fail(batch: Batch, error: unknown): void {
    this.#settle(batch)
    // The log itself may forget it, when the actor is opened again.
    this.#failed ??= toLoomError(error, 'ERR_STORE')
    const told = this.#onLost(error)
    batch.tell((turn) => {
      turn.lost(told)
    })
  }

  #settle(batch: Batch): void {
    this.#pending -= batch.count
    if (this.#batch === batch) this.#batch = null
  }
}

/** What is appended at once. */
export interface TailPart {
  readonly entries: readonly Uint8Array[]
  /** The actor's, written with its first commit. */
  readonly record: ActorRecord | null
  /** The key whose result lies in the last entry. */
  readonly key: string | null
  readonly atMs: number
  /** What the turn's effects change. */
  readonly rows: EffectRows
  /** True with a turn's first entry of several, false with its last; null with others. */
  readonly open: boolean | null
}

// Written out: this runs once per turn.
function commitOf(seq: number, { entries, record, key, atMs, rows, open }: TailPart): Commit {
  const commit: { -readonly [Name in keyof Commit]: Commit[Name] } = { seq, entries }
  if (seq === 0 && record !== null) commit.create = record
  if (key !== null) commit.idempotency = [{ key, seq: seq + entries.length - 1, atMs }]
  if (open !== null) commit.open = open
  if (rows !== NO_ROWS) {
    if (rows.state !== undefined) commit.state = rows.state
    if (rows.reminders !== undefined) commit.reminders = rows.reminders
    if (rows.outbox !== undefined) commit.outbox = rows.outbox
  }
  return commit
}

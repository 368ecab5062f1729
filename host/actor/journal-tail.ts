/**
 * Journal tail: the end of one actor's journal, where its turns are appended.
 *
 * Owns: the next seq, which is taken synchronously (J1), and what is on its way to the disk.
 * Does not own: entries, replies, what a failed commit means (activation.ts).
 */
import type { ActorLog, ActorRecord, Commit } from '../store/store.ts'

export class JournalTail {
  readonly #log: ActorLog
  #seqNext: number
  #pending = 0
  #last: Promise<void> = Promise.resolve()

  constructor(log: ActorLog) {
    this.#log = log
    this.#seqNext = log.seqNext
  }

  get seqNext(): number {
    return this.#seqNext
  }

  /** Commits that are not durable yet. */
  get pendingCount(): number {
    return this.#pending
  }

  /** The last commit: when it is durable, so is everything before it. */
  get last(): Promise<void> {
    return this.#last
  }

  /**
   * Appends entries; resolves when they are durable. `key`'s result lies in the last one, and `atMs` is
   * the time of its turn; `record` is the actor's, written with its first commit.
   */
  append(
    entries: readonly Uint8Array[],
    key: string | null,
    atMs: number,
    record: ActorRecord | null,
  ): Promise<void> {
    const seq = this.#seqNext
    this.#seqNext += entries.length
    const commit = commitOf(seq, entries, key, atMs, record)
    this.#pending++
    const durable = this.#log.append(commit)
    this.#last = durable
    const ended = (): void => {
      this.#pending--
    }
    durable.then(ended, ended)
    return durable
  }
}

function commitOf(
  seq: number,
  entries: readonly Uint8Array[],
  key: string | null,
  atMs: number,
  record: ActorRecord | null,
): Commit {
  const create = seq === 0 ? record : null
  const idempotency = key === null ? null : [{ key, seq: seq + entries.length - 1, atMs }]
  if (create === null)
    return idempotency === null ? { seq, entries } : { seq, entries, idempotency }
  return idempotency === null ? { seq, entries, create } : { seq, entries, create, idempotency }
}

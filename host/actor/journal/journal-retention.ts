/**
 * Journal retention: which part of one actor's journal is kept.
 *
 * Guarantee: the journal is only cut at a snapshot that can be read and is of this life of the actor; that snapshot
 * and everything behind it stay, so that recovery and replay have where to start.
 *
 * Owns: choosing the cut. Does not own: removing entries (store/), when snapshots are taken (snapshot-writer.ts).
 *
 * Invariants:
 *   JR1. It runs behind the write of a snapshot, never between a call and its reply.
 *   JR2. No entry is given up that another actor may still ask for (awaited-entries.ts): what actors do with each other
 *        happens once, whatever is kept.
 */
import { LoomError } from '../../base/errors.ts'
import type { ActorLog, ActorRecord, SnapshotRow } from '../../store/store.ts'
import { firstAwaited, type IsAwaited } from './awaited-entries.ts'
import { decodeSnapshot } from './snapshot.ts'

/**
 * `all`: everything. `snapshots`: what lies behind the newest n snapshots. `bytes`: at least the newest n bytes of
 * entries. Idempotency keys of entries that are given up are forgotten with them; those of calls and messages of other
 * actors keep their entries until nobody asks with them any more.
 */
export interface JournalPolicy {
  readonly keep: 'all' | { readonly snapshots: number } | { readonly bytes: number }
}

export const KEEP_ALL: JournalPolicy = Object.freeze({ keep: 'all' })

/** @throws ERR_OPTION */
export function checkJournalPolicy(policy: JournalPolicy): void {
  const { keep } = policy
  if (keep === 'all') return
  const entries = typeof keep === 'object' && keep !== null ? Object.entries(keep) : []
  const [[name, count] = ['', 0], ...others] = entries
  const known = name === 'snapshots' || name === 'bytes'
  if (known && others.length === 0 && Number.isSafeInteger(count) && count > 0) return
  throw new LoomError(
    'ERR_OPTION',
    'journal.keep: expected "all", { snapshots: n } or { bytes: n }, with n from 1 on',
  )
}

type RetainedLog = Pick<ActorLog, 'read' | 'readSnapshot' | 'trim' | 'seqFirst' | 'seqNext'>

/** Entries read at once while they are measured. */
const PAGE_ENTRIES = 256

export class JournalRetention {
  readonly #log: RetainedLog
  readonly #policy: JournalPolicy
  readonly #isAwaited: IsAwaited
  /** Sizes of the entries from each snapshot to the next, by the seq of the first. */
  readonly #sizes = new Map<number, number>()
  #seqFirst: number
  /** No entry before this one is awaited (AE1). */
  #seqAwaited: number

  constructor(log: RetainedLog, policy: JournalPolicy, isAwaited: IsAwaited) {
    this.#log = log
    this.#policy = policy
    this.#isAwaited = isAwaited
    this.#seqFirst = log.seqFirst
    this.#seqAwaited = log.seqFirst
  }

  /** Seq of the oldest entry that is kept besides entry 0. */
  get seqFirst(): number {
    return this.#seqFirst
  }

  /** Cuts the journal as the policy says; `seqNext` is behind the newest snapshot. @throws ERR_STORE */
  async apply(record: ActorRecord, seqNext: number): Promise<void> {
    const { keep } = this.#policy
    if (keep === 'all') return
    let snapshots = 0
    let sizeBytes = 0
    let seqAfter = seqNext
    for (let row = await this.#log.readSnapshot(seqNext); row !== null; ) {
      const { seq } = row
      if (seq <= this.#seqFirst) return
      if (isUsable(row, record)) {
        snapshots++
        if ('bytes' in keep) sizeBytes += await this.#sizeOf(seq, seqAfter)
        seqAfter = seq
        const enough = 'bytes' in keep ? sizeBytes >= keep.bytes : snapshots >= keep.snapshots
        if (enough) {
          await this.#cutUpTo(seq, record)
          return
        }
      }
      row = await this.#log.readSnapshot(seq - 1)
    }
  }

  /** JR2: or as far as the newest snapshot that gives up nothing awaited. */
  async #cutUpTo(seq: number, record: ActorRecord): Promise<void> {
    const from = Math.max(this.#seqAwaited, this.#seqFirst)
    this.#seqAwaited = await firstAwaited(this.#log, from, seq, this.#isAwaited)
    let cut: number | null = seq
    while (cut !== null && cut > this.#seqAwaited) cut = await this.#usableBefore(cut, record)
    if (cut !== null && cut > this.#seqFirst) await this.#cut(cut)
  }

  /** Seq of the newest usable snapshot before `seq`, or null. */
  async #usableBefore(seq: number, record: ActorRecord): Promise<number | null> {
    let row = await this.#log.readSnapshot(seq - 1)
    while (row !== null && !isUsable(row, record)) row = await this.#log.readSnapshot(row.seq - 1)
    return row?.seq ?? null
  }

  async #cut(seq: number): Promise<void> {
    await this.#log.trim(seq)
    this.#seqFirst = seq
    for (const known of this.#sizes.keys()) if (known < seq) this.#sizes.delete(known)
  }

  async #sizeOf(seqFrom: number, seqAfter: number): Promise<number> {
    const known = this.#sizes.get(seqFrom)
    if (known !== undefined) return known
    let size = 0
    for (let seq = seqFrom; seq < seqAfter; ) {
      const rows = await this.#log.read(seq, Math.min(PAGE_ENTRIES, seqAfter - seq))
      if (rows.length === 0) break
      for (const { bytes } of rows) size += bytes.length
      seq += rows.length
    }
    if (seqFrom < seqAfter) this.#sizes.set(seqFrom, size)
    return size
  }
}

function isUsable(row: SnapshotRow, { digest, incarnation }: ActorRecord): boolean {
  try {
    const snapshot = decodeSnapshot(row.seq, row.bytes)
    return snapshot.digest === digest && snapshot.incarnation === incarnation
  } catch {
    return false
  }
}

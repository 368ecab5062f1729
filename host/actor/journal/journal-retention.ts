/**
 * Journal retention: which part of one actor's journal is kept.
 *
 * Guarantee: the journal is only cut at a snapshot that can be read and is of this life of the actor; that snapshot
 * and everything behind it stay, so that recovery and replay have where to start.
 *
 * Owns: choosing the cut. Does not own: removing entries (store/), when snapshots are taken (snapshot-writer.ts).
 *
 * Invariant JR1: it runs behind the write of a snapshot, never between a call and its reply.
 */
import { LoomError } from '../../base/errors.ts'
import type { ActorLog, ActorRecord, SnapshotRow } from '../../store/store.ts'
import { decodeSnapshot } from './snapshot.ts'

/**
 * `all`: everything. `snapshots`: what lies behind the newest n snapshots. `bytes`: at least the newest n bytes of
 * entries. Idempotency keys of entries that are given up are forgotten with them.
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
  /** Sizes of the entries from each snapshot to the next, by the seq of the first. */
  readonly #sizes = new Map<number, number>()
  #seqFirst: number

  constructor(log: RetainedLog, policy: JournalPolicy) {
    this.#log = log
    this.#policy = policy
    this.#seqFirst = log.seqFirst
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
          await this.#cut(seq)
          return
        }
      }
      row = await this.#log.readSnapshot(seq - 1)
    }
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

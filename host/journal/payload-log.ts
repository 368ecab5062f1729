/**
 * Payload logs: large entries of one actor's journal, their payloads in blobs (J7).
 *
 * Guarantee: what is appended is read back as it was. An entry that names a blob is durable only after the blob is.
 *
 * Owns: which entries are detached, which blobs go with entries that are given up. Does not own: bytes (detached.ts),
 * the order of blob and note (loose-blobs.ts), blobs (blob/), entries (store/).
 *
 * Invariants:
 *   PL1. A commit that names blobs waits for them in the order of commits (store.ts S9), so that what is appended behind
 *        it is not durable before it, and seqs are still given out at once (J1).
 *   PL2. A blob belongs to one entry, and is removed when the store has given that up for good. What a crash leaves
 *        is noted in the store, and removed by the next host (loose-blobs.ts).
 *   PL3. Small entries pass through: one comparison each.
 *   PL4. A page that is read holds no more than a bounded number of bytes, and at least one entry.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Digest } from '../base/digest.ts'
import { isLoomError, LoomError } from '../base/errors.ts'
import { ENTRY_SIZE_MAX_BYTES } from '../base/limits.ts'
import { type ActorKey, formatActorKey } from '../base/names.ts'
import { ignoreOutcome } from '../base/promises.ts'
import type { Random } from '../base/random.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import type {
  ActorLog,
  ActorRecord,
  Commit,
  JournalRow,
  ReminderRow,
  SnapshotRow,
  StateRow,
} from '../store/store.ts'
import { attach, blobOf, type Detached, detach, isDetached, NONCE_SIZE_BYTES } from './detached.ts'
import type { LooseBlobs } from './loose-blobs.ts'
import { firstKept, readableEntries } from './readable-entries.ts'

export interface PayloadOptions {
  readonly blobs: Pick<BlobStore, 'get'>
  readonly loose: LooseBlobs
  readonly random: Random
  /** Entries that are larger are detached. Units: bytes. */
  readonly inlineMaxBytes: number
}

/** Entries looked at in one go, for blobs that they name: about a millisecond. */
const SCAN_PAGE_ENTRIES = 256

export class PayloadLog implements ActorLog {
  readonly #log: ActorLog
  readonly #options: PayloadOptions
  /** Where the journal begins now, besides entry 0. */
  #seqFrom: number

  constructor(log: ActorLog, options: PayloadOptions) {
    this.#seqFrom = log.seqFirst
    this.#log = log
    this.#options = options
  }

  get key(): ActorKey {
    return this.#log.key
  }

  get record(): ActorRecord | null {
    return this.#log.record
  }

  get seqNext(): number {
    return this.#log.seqNext
  }

  /** Also behind cuts by this log: one of a warm actor is not opened again. */
  get seqFirst(): number {
    return this.#seqFrom
  }

  get broken(): LoomError | null {
    return this.#log.broken
  }

  append(commit: Commit): Promise<void> {
    if (commit.end === true) return this.#appendEnd(commit)
    for (const entry of commit.entries)
      if (entry.length > this.#options.inlineMaxBytes) return this.#appendLarge(commit)
    return this.#log.append(commit)
  }

  #appendLarge(commit: Commit): Promise<void> {
    const { loose, random, inlineMaxBytes } = this.#options
    const blobs: Detached[] = []
    const entries = commit.entries.map((bytes, index) => {
      if (bytes.length <= inlineMaxBytes) return bytes
      const detached = detach(commit.seq + index, bytes, random.bytes(NONCE_SIZE_BYTES))
      blobs.push(detached)
      return detached.entry
    })
    const after = loose.put(blobs).catch((error: unknown) => {
      if (isLoomError(error) && error.code === 'ERR_FENCED') throw error
      throw new LoomError('ERR_STORE', `a payload could not be stored: ${String(error)}`, {
        cause: error,
      })
    })
    ignoreOutcome(after)
    const names = blobs.map(({ digest }) => digest)
    const durable = this.#log.append({ ...commit, entries, names, after })
    durable.catch((error: unknown) => loose.putInVain(blobs, after, error))
    return durable
  }

  /** Nobody else has the actor while its life ends: its commit may come a little later. */
  async #appendEnd(commit: Commit): Promise<void> {
    const digests = [
      ...(await this.#named(0, 1)),
      ...(await this.#named(this.#seqFrom, commit.seq)),
    ]
    await this.#log.append({ ...commit, frees: digests })
    await this.#options.loose.release(digests)
  }

  async read(seqFrom: number, countMax: number): Promise<readonly JournalRow[]> {
    const rows = await this.#log.read(seqFrom, countMax)
    return rows.some(({ bytes }) => isDetached(bytes)) ? await this.#attached(rows) : rows
  }

  /** PL4. */
  async #attached(rows: readonly JournalRow[]): Promise<readonly JournalRow[]> {
    const whole: JournalRow[] = []
    let sizeBytes = 0
    for (const row of rows) {
      if (sizeBytes > ENTRY_SIZE_MAX_BYTES) break
      const given = isDetached(row.bytes) ? await this.#attach(row) : row
      sizeBytes += given.bytes.length
      whole.push(given)
    }
    return whole
  }

  /** @throws ERR_JOURNAL_CORRUPT naming the seq (data: seq, digest) */
  async #attach({ seq, bytes }: JournalRow): Promise<JournalRow> {
    const digest = blobOf(seq, bytes)
    let blob: Uint8Array
    try {
      blob = await this.#options.blobs.get(digest)
    } catch (error) {
      throw this.#missing(seq, digest, error)
    }
    return { seq, bytes: attach(seq, bytes, blob) }
  }

  #missing(seq: number, digest: Digest, error: unknown): unknown {
    const code = isLoomError(error) ? error.code : null
    if (code !== 'ERR_BLOB_UNKNOWN' && code !== 'ERR_BLOB_CORRUPT') return error
    const what = code === 'ERR_BLOB_UNKNOWN' ? 'missing' : 'damaged'
    const name = formatActorKey(this.key)
    const message = `${name}: journal entry ${seq}: its payload, blob ${digest}, is ${what}`
    return new LoomError('ERR_JOURNAL_CORRUPT', message, {
      cause: error,
      data: { actor: name, seq, digest, blob: code },
    })
  }

  async trim(seqBefore: number): Promise<void> {
    const digests = await this.#named(this.#seqFrom, seqBefore)
    await this.#log.trim(seqBefore, digests)
    this.#seqFrom = Math.max(this.#seqFrom, seqBefore)
    await this.#options.loose.release(digests)
  }

  /** Blobs that entries name. What cannot be read names none. */
  async #named(seqFrom: number, seqBefore: number): Promise<Digest[]> {
    const digests: Digest[] = []
    for (let seq = seqFrom; seq < seqBefore; ) {
      const rows = await readableEntries(
        this.#log,
        seq,
        Math.min(SCAN_PAGE_ENTRIES, seqBefore - seq),
      )
      for (const row of rows) {
        const digest = digestIn(row)
        if (digest !== null) digests.push(digest)
      }
      seq = rows.length > 0 ? seq + rows.length : await firstKept(this.#log, seq + 1, seqBefore)
      await nextTurn()
    }
    return digests
  }

  findIdempotent(key: string): number | null | Promise<number | null> {
    return this.#log.findIdempotent(key)
  }

  forgetKey(key: string): void {
    this.#log.forgetKey(key)
  }

  readState(key: string): Uint8Array | null | Promise<Uint8Array | null> {
    return this.#log.readState(key)
  }

  listState(
    prefix: string,
    after: string | null,
    countMax: number,
  ): readonly StateRow[] | Promise<readonly StateRow[]> {
    return this.#log.listState(prefix, after, countMax)
  }

  listReminders(): Promise<readonly ReminderRow[]> {
    return this.#log.listReminders()
  }

  writeSnapshot(snapshot: SnapshotRow): Promise<void> {
    return this.#log.writeSnapshot(snapshot)
  }

  readSnapshot(seqMax: number): Promise<SnapshotRow | null> {
    return this.#log.readSnapshot(seqMax)
  }

  rejectSnapshot(seq: number): Promise<void> {
    return this.#log.rejectSnapshot(seq)
  }
}

function digestIn({ seq, bytes }: JournalRow): Digest | null {
  if (!isDetached(bytes)) return null
  try {
    return blobOf(seq, bytes)
  } catch {
    return null
  }
}

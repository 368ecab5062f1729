/**
 * The Store contract: where journals, snapshots and idempotency results of all actors live.
 *
 * Owns: the contract that every driver keeps (test/contract/store-contract.ts runs against each).
 * Does not own: what entry and snapshot bytes mean (journal/, image/).
 *
 * Invariants:
 *   S1. A commit is atomic and, once its promise resolves, durable: it survives process kill and power loss.
 *   S2. An actor's journal has no gap: a commit names the seq of its first entry, and is refused unless
 *       that is the journal's length (J3).
 *   S3. A commit is checked against the host's epoch in the same transaction; a host that was displaced
 *       can write nothing (ERR_FENCED).
 *   S4. After one failed commit of a log, every later commit of that log fails: callers may pipeline
 *       without waiting, and never leave a gap behind.
 *   S5. Commits of one log are applied in the order of the calls to `append`.
 *   S6. Stored bytes are returned as they were given; the reader may keep them.
 *   S7. Commits of all logs of one store become durable in the order of the calls to `append`: when one is
 *       durable, so is every commit of this store that was appended before it; when one fails, no later
 *       one that waits with it is written.
 *   S9. A commit with `after` is not written before that resolves. When it rejects, the commit fails as by a failing
 *       disk, and so does what waits with it (S7).
 *   S8. Keyed state, reminders and the outbox change with the commit that names them, or not at all.
 *   S10. A blob that is noted as loose is named by no durable entry: the commit that names it takes the note back, and
 *       what gives its entry up makes the note, each in its own transaction.
 */
import type { Digest } from '../base/digest.ts'
import type { LoomError } from '../base/errors.ts'
import type { ActorKey } from '../base/names.ts'

/** Identity of a host process, so that another can tell whether it still lives. */
export interface HostRecord {
  readonly pid: number
  /** Distinguishes two processes that had the same pid; null where the platform cannot tell. */
  readonly processStart: string | null
  /** Fencing token: grows by one at each take-over. */
  readonly epoch: number
  readonly claimedAtMs: number
  /** Where the host takes calls, once it does: `http://127.0.0.1:3500`. */
  readonly address: string | null
}

/** What is known of an actor without reading its journal. */
export interface ActorRecord extends ActorKey {
  /** Random id of this life of the actor; a deleted and recreated actor has another. */
  readonly incarnation: string
  /** Digest of the component its journal is pinned to; `typescript` for a TypeScript actor. */
  readonly digest: string
  readonly createdAtMs: number
}

export interface ActorSummary extends ActorRecord {
  /** Seq behind the last journal entry. */
  readonly seqNext: number
  /** Seq of the oldest entry that is kept besides entry 0; 1 when all are. */
  readonly seqFirst: number
}

/** One value of an actor's keyed state. */
export interface StateRow {
  readonly key: string
  readonly value: Uint8Array
}

/** A change of keyed state; null deletes. */
export interface StateChange {
  readonly key: string
  readonly value: Uint8Array | null
}

export interface ReminderRow {
  readonly name: string
  /** When it is due next. Units: milliseconds since 1970-01-01T00:00:00Z. */
  readonly dueAtMs: number
  readonly bytes: Uint8Array
}

/** Sets a reminder, over one of the same name, or cancels it. */
export type ReminderChange = ReminderRow | { readonly name: string; readonly dueAtMs: null }

/** A reminder and whose it is. */
export interface DueReminder extends ReminderRow {
  readonly key: ActorKey
}

/** Where a message stands in the journal of its sender. */
export interface MessageId {
  readonly seq: number
  /** Position among the messages of that entry, from 0. */
  readonly index: number
}

/** A message that is not delivered yet. */
export interface OutboxRow extends MessageId {
  readonly sender: ActorKey
  /** Incarnation of the sender. */
  readonly incarnation: string
  readonly bytes: Uint8Array
}

/** An actor that takes no turns until it is released. */
export interface QuarantineRow {
  readonly key: ActorKey
  readonly atMs: number
  readonly code: string
  readonly message: string
}

export interface JournalRow {
  readonly seq: number
  readonly bytes: Uint8Array
}

export interface SnapshotRow {
  /** The snapshot is the state after entry `seq - 1`: replay continues at `seq`. */
  readonly seq: number
  readonly bytes: Uint8Array
}

/** One atomic write to one actor's journal. */
export interface Commit {
  /** Seq of the first entry; must equal the journal's length (S2). */
  readonly seq: number
  readonly entries: readonly Uint8Array[]
  /** Present in the first commit of an actor only. */
  readonly create?: ActorRecord
  /** Keys whose results lie in entries of this commit, and when they were used. */
  readonly idempotency?: readonly {
    readonly key: string
    readonly seq: number
    readonly atMs: number
  }[]
  /** What has to be durable before this commit is (S9). */
  readonly after?: Promise<unknown>
  /** Blobs that entries of this commit name, and no others do: loose no more (S10). */
  readonly names?: readonly Digest[]
  /** Blobs that no entry names any more once the life has ended; with `end` (S10). */
  readonly frees?: readonly Digest[]
  /** At most one change per key. */
  readonly state?: readonly StateChange[]
  /** At most one change per name. */
  readonly reminders?: readonly ReminderChange[]
  /** Messages to other actors: kept until `settleOutbox`. */
  readonly outbox?: readonly (MessageId & { readonly bytes: Uint8Array })[]
  /** Whether the journal ends in the middle of a turn from this commit on; absent: as before. */
  readonly open?: boolean
  /**
   * The life of the actor ends with this commit: it is created anew by a later commit of another log. Its
   * entries, snapshots, keyed state, reminders and keys are gone; messages in the outbox stay. Every later
   * commit of this log fails.
   */
  readonly end?: true
}

/** The journal and snapshots of one actor. At most one is open per actor and host. */
export interface ActorLog {
  readonly key: ActorKey
  /** Null until the first commit. As of opening; not updated by `append`. */
  readonly record: ActorRecord | null
  /** Number of journal entries as of opening. */
  readonly seqNext: number

  /**
   * Why every later commit of this log fails (S4); null while there is no reason. Known as soon as a commit that it
   * waits with has failed, before the promises of the commits behind that one are settled.
   */
  readonly broken: LoomError | null

  /**
   * Appends entries; resolves when they are durable (S1).
   * @throws ERR_FENCED     another host has taken over; nothing was written.
   * @throws ERR_INVARIANT  `seq` is not the journal's length; nothing was written.
   * @throws ERR_STORE      the write failed; whether it was made durable is unknown.
   */
  append(commit: Commit): Promise<void>

  /** Seq of the oldest entry that is kept besides entry 0, as of opening; 1 when all are. */
  readonly seqFirst: number

  /**
   * Entries `seqFrom`, `seqFrom + 1`, ... in order, at most `countMax`; fewer at the end, before `seqFirst`, and where
   * they are large, but then at least one.
   */
  read(seqFrom: number, countMax: number): Promise<readonly JournalRow[]>

  /**
   * Seq of the entry that holds the result of `key`, or null; durable ones, and those of commits that are
   * on their way. A value where the driver need not wait.
   */
  findIdempotent(key: string): number | null | Promise<number | null>

  /**
   * Nobody will ask for `key` again: from now on it may not be found any more. A hint, of which nothing has to become
   * durable.
   */
  forgetKey(key: string): void

  /** A value of the keyed state as of the last durable commit, or null. A value where the driver need not wait. */
  readState(key: string): Uint8Array | null | Promise<Uint8Array | null>

  /**
   * Values whose key begins with `prefix` and lies behind `after`, in the order of the keys' UTF-8 bytes, at
   * most `countMax`, as of the last durable commit. A value where the driver need not wait.
   */
  listState(
    prefix: string,
    after: string | null,
    countMax: number,
  ): readonly StateRow[] | Promise<readonly StateRow[]>

  /** In order of name, as of the last durable commit. */
  listReminders(): Promise<readonly ReminderRow[]>

  /**
   * Gives up entries 1 to `seqBefore - 1` and the snapshots and idempotency keys that lie there; entry 0 stays.
   * Reading one of them returns nothing. Resolves when that is durable; their room is used again. `frees`: blobs that
   * none but these entries name (S10).
   * @throws ERR_INVARIANT unless a snapshot that is not rejected stands at or behind `seqBefore`.
   */
  trim(seqBefore: number, frees?: readonly Digest[]): Promise<void>

  /** Stores a snapshot; resolves when it is durable. Fenced as `append` is. */
  writeSnapshot(snapshot: SnapshotRow): Promise<void>

  /** The newest snapshot with `seq <= seqMax` that is not rejected, or null. */
  readSnapshot(seqMax: number): Promise<SnapshotRow | null>

  /** Marks the snapshot at `seq` so that `readSnapshot` never returns it again. */
  rejectSnapshot(seq: number): Promise<void>
}

export interface Store {
  /** This host's fencing token; 0 when opened for reading only. */
  readonly epoch: number

  openLog(key: ActorKey): Promise<ActorLog>

  /** Actors in order of type, then id; of one type when `type` is given. */
  actors(type?: string): AsyncIterable<ActorSummary>

  /** The host that owns the store, or null when none ever did or the last one closed in order. */
  readHost(): Promise<HostRecord | null>

  /** Actors whose journal ends in the middle of a turn, in order of type, then id. */
  openTurns(): AsyncIterable<ActorKey>
  /** Whether the journal of `key` ends in the middle of a turn, as of the last durable commit. */
  hasOpenTurn(key: ActorKey): Promise<boolean>

  /** Reminders due at `atMs` or before, of all actors, soonest first, behind `after`, at most `countMax`. */
  dueReminders(
    atMs: number,
    countMax: number,
    after?: Pick<DueReminder, 'dueAtMs' | 'key' | 'name'> | null,
  ): Promise<readonly DueReminder[]>

  /** A reminder as of the last durable commit, or null. */
  readReminder(key: ActorKey, name: string): Promise<ReminderRow | null>

  /** When the next reminder of any actor is due, or null. */
  nextReminderAtMs(): Promise<number | null>

  /** Messages that are durable and not settled, by sender and seq, at most `countMax`, behind `after`. */
  outbox(after: OutboxRow | null, countMax: number): Promise<readonly OutboxRow[]>

  /** Forgets messages: each was delivered, or nobody will ever take it. Resolves when that is durable. */
  settleOutbox(
    rows: readonly Pick<OutboxRow, 'sender' | 'incarnation' | 'seq' | 'index'>[],
  ): Promise<void>

  /** Forgets idempotency keys used before `beforeMs`, a few at a time; resolves with their number. */
  forgetKeys(beforeMs: number): Promise<number>

  /**
   * Notes blobs that no entry names, or not yet (S10). Resolves when that is durable, and waits for no commit: a commit
   * may wait for it (S9). Fenced as `append` is.
   */
  noteLoose(digests: readonly Digest[]): Promise<void>
  /**
   * Loose blobs that earlier hosts of this store have left, in order, at most `countMax`, behind `after`. None of these
   * hosts can name them any more (S3). Of a copy of a store: none that the original has noted.
   */
  looseBlobs(after: Digest | null, countMax: number): Promise<readonly Digest[]>
  /** Takes notes back: the blobs are gone. Resolves when that is durable. */
  forgetLoose(digests: readonly Digest[]): Promise<void>

  /** Marks an actor, or releases it. Resolves when that is durable. */
  quarantine(row: QuarantineRow): Promise<void>
  release(key: ActorKey): Promise<void>
  readQuarantine(key: ActorKey): Promise<QuarantineRow | null>
  /** In order of type, then id. */
  quarantined(): AsyncIterable<QuarantineRow>

  /** Publishes where this host takes calls. */
  announce(address: string): Promise<void>

  /** Waits for pending commits, gives the claim back, and closes. */
  close(): Promise<void>
}

export interface StoreOpenOptions {
  /** Read beside a live host: no claim is made and every write throws ERR_READ_ONLY. Default false. */
  readonly readOnly?: boolean
  /** Displace a live owner: its later writes fail with ERR_FENCED. Default false. */
  readonly takeOver?: boolean
  readonly wallMs: () => number
}

/** What `lmdb(...)`, `memory()` return: opened by the runtime, the only one that opens stores. */
export interface StoreDriver {
  readonly name: string
  /**
   * @throws ERR_DATA_OWNED   a live host owns the store (data: pid, address) and `takeOver` is false.
   * @throws ERR_DATA_FOLDER  the store cannot be opened or created.
   */
  open(options: StoreOpenOptions): Promise<Store>
}

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
 */
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
  /** Number of journal entries. */
  readonly seqNext: number
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
  /** Keys whose results lie in entries of this commit. */
  readonly idempotency?: readonly { readonly key: string; readonly seq: number }[]
}

/** The journal and snapshots of one actor. At most one is open per actor and host. */
export interface ActorLog {
  readonly key: ActorKey
  /** Null until the first commit. As of opening; not updated by `append`. */
  readonly record: ActorRecord | null
  /** Number of journal entries as of opening. */
  readonly seqNext: number

  /**
   * Appends entries; resolves when they are durable (S1).
   * @throws ERR_FENCED     another host has taken over; nothing was written.
   * @throws ERR_INVARIANT  `seq` is not the journal's length; nothing was written.
   * @throws ERR_STORE      the write failed; whether it was made durable is unknown.
   */
  append(commit: Commit): Promise<void>

  /** Entries `seqFrom`, `seqFrom + 1`, ... in order, at most `countMax`; fewer only at the end. */
  read(seqFrom: number, countMax: number): Promise<readonly JournalRow[]>

  /** Seq of the entry that holds the result of `key`, or null. */
  findIdempotent(key: string): Promise<number | null>

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

/**
 * What a runtime offers to embedders and to the edges (server/, cli/).
 *
 * Owns: the public shapes. Does not own: how they are kept (create-runtime.ts, inspector.ts).
 */

import type { JournalPolicy } from '../actor/journal/journal-retention.ts'
import type { ActorLimits } from '../actor/program/wasm-program.ts'
import type {
  ActorClass,
  ReminderDescription,
  TickOptions,
} from '../actor/typescript/typescript-actor.ts'
import type { Clock } from '../base/clock.ts'
import type { Digest } from '../base/digest.ts'
import type { LoomError } from '../base/errors.ts'
import type { ActorKey } from '../base/names.ts'
import type { Random } from '../base/random.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import type { JsonValue, WitValue } from '../component/wit/wit.ts'
import type { FetchPolicy } from '../hostcalls/fetch-policy.ts'
import type { HttpDriver } from '../http/http-driver.ts'
import type { JournalEntry } from '../journal/entry.ts'
import type { ActorSummary, HostRecord, QuarantineRow, StoreDriver } from '../store/store.ts'

export interface ExportOptions {
  /** Put the component's bytes into the file. Default false. */
  readonly withComponent?: boolean
}

export interface LogLine {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  /** The actor that wrote the line; absent for the host's own. */
  readonly actor?: ActorKey
  /** Seq of the turn that wrote it. */
  readonly seq?: number
}

export interface RuntimeLimits {
  /**
   * Hot actors, each with an instance of its own; beyond it the least recently used idle ones become warm. Busy
   * ones never do: up to twice as many may be hot in a burst, then calls to others get ERR_BUSY. Default 4,000.
   */
  readonly residentCountMax: number
  /** Warm actors: an image in memory, no instance. Beyond it the oldest become cold. Default 1,000,000. */
  readonly warmCountMax: number
  /** What warm actors take, about. Units: bytes. Default 1 GiB. */
  readonly warmSizeMaxBytes: number
  /** Idle time before a hot actor becomes warm. Units: milliseconds. Default 1 minute. */
  readonly coolTimeoutMs: number
  /** Turns between automatic snapshots. Default 1,000. */
  readonly snapshotIntervalTurns: number
  /** Journaled bytes of one actor between automatic snapshots. Default 8 MiB. */
  readonly snapshotIntervalBytes: number
  /** Time between automatic snapshots of an actor that takes turns. Units: milliseconds. Default 10 minutes. */
  readonly snapshotIntervalMs: number
  /** Calls waiting in one mailbox before ERR_BUSY. Default 10,000. */
  readonly mailboxCountMax: number
  /** Arguments waiting in one mailbox before ERR_BUSY. Units: bytes, as the host holds them. Default 64 MiB. */
  readonly mailboxBytesMax: number
  /** Idle time before an actor becomes cold. Units: milliseconds. Default 15 minutes. */
  readonly idleTimeoutMs: number
  /**
   * How long `close` waits for turns that wait for a host function; then their callers get ERR_CLOSING.
   * Such a turn is durable: the next host runs it to its end. Units: milliseconds. Default 5 seconds.
   */
  readonly closeTimeoutMs: number
  /**
   * How long an idempotency key answers retries, at least. Of a trimmed journal, as long as the turn is kept. Units:
   * milliseconds. Default 24 hours.
   */
  readonly idempotencyRetentionMs: number
  /** Turns that wait for host functions on their own stacks at once; others are unwound. Default 1,000. */
  readonly parkedCountMax: number
  /**
   * How long a turn waits on its own stack before it is unwound, to free its memory; it may wait up to twice
   * that. Units: milliseconds. Default 1 second.
   */
  readonly parkedTimeoutMs: number
  /** A journal entry that is larger has its payload in the blob store. Units: bytes. Default 256 KiB. */
  readonly payloadInlineMaxBytes: number
}

export interface RuntimeOptions {
  readonly store: StoreDriver
  readonly blobs: BlobStore
  /** Displace a live owner of the store. Default false. */
  readonly takeOver?: boolean
  readonly clock?: Clock
  readonly random?: Random
  /** Receives what guests and the host log. Default: dropped. */
  readonly log?: (line: LogLine) => void
  readonly limits?: Partial<RuntimeLimits>
  /**
   * Run turns that an earlier host left open to their end when this one starts; otherwise each waits for the next call
   * of its actor. Default true.
   */
  readonly resume?: boolean
  /**
   * Where actors may send HTTP requests, by type, for types whose definition does not say, such as pushed ones.
   * Default: nowhere.
   */
  readonly fetch?: Readonly<Record<string, FetchPolicy>>
  /** What sends them. Default: Node's own client. */
  readonly http?: HttpDriver
  /** What is kept of journals, for types that do not say. Default all. */
  readonly journal?: JournalPolicy
  /**
   * How components wait for `async` host functions. `auto`: on their own stacks where the engine has JSPI (Node
   * 24 and later), for a while (`limits`). `unwind`: always by running the turn again. Both leave the same
   * journal. Default `auto`.
   */
  readonly awaiting?: 'auto' | 'unwind'
  /**
   * Runs every turn of a TypeScript actor a second time, from what it recorded. One whose replay would differ fails
   * with ERR_DIVERGENCE, which names the likely cause, and leaves no trace. Twice the work. Default false.
   */
  readonly development?: boolean
}

/** Functions of an interface that the embedder provides; keys in camelCase or as in the WIT. */
export type ProvidedInterface = Readonly<Record<string, (...args: never[]) => unknown>>

/**
 * `fetch`: where its actors may send HTTP requests (`loom:http/fetch`, `context.fetch`). Default: nowhere.
 * `limits`: what one turn of a component may use up, and ask of the host; defaults for what is left out.
 * `journal`: what is kept of its actors' journals; default: as the runtime says.
 * `queries`: methods that only look: they run on a copy of the state as of the last finished turn, also while a turn
 * runs, and are not journaled. Effects and calls of other actors fail there with ERR_QUERY.
 */
export type ActorTypeDefinition = {
  readonly journal?: JournalPolicy
  readonly fetch?: FetchPolicy
} & (
  | /** `blobPath`: a name in the blob store, or a digest. */ {
      readonly type: 'wasm'
      readonly blobPath: string
      readonly limits?: Partial<ActorLimits>
      readonly queries?: readonly string[]
    }
  | {
      readonly type: 'wasm'
      readonly component: Uint8Array
      readonly limits?: Partial<ActorLimits>
      readonly queries?: readonly string[]
    }
  | {
      readonly type: 'typescript'
      readonly actorClass: ActorClass
      readonly queries?: readonly string[]
    }
)

export interface MethodDescription {
  readonly name: string
  /** WIT text: `func(by: u32) -> u64`; null for TypeScript actors. */
  readonly signature: string | null
}

export interface ActorTypeDescription {
  readonly name: string
  readonly type: 'wasm' | 'typescript'
  /** Null for TypeScript actors. */
  readonly digest: Digest | null
  readonly methods: readonly MethodDescription[]
}

export interface CallRequest {
  readonly method: string
  readonly args?: readonly unknown[]
  /** A retry with the same key returns the first call's result and runs nothing again. */
  readonly idempotencyKey?: string
  /**
   * How long to wait; then ERR_TIMEOUT, though the call may still happen: ask again with `data.idempotencyKey`,
   * which is the call's own key, or one that was made for it. Units: milliseconds. Default: for ever.
   */
  readonly timeoutMs?: number
  /** True: refused with ERR_OPTION unless the method is a query. Default false. */
  readonly query?: boolean
}

export interface SetOptions {
  /** False: refused when there is a reminder of this name. Default true. */
  readonly overwrite?: boolean
  readonly idempotencyKey?: string
}

/**
 * An actor's reminders, from outside. Setting and cancelling are turns: durable when they resolve.
 * Data for a component that is no Uint8Array is given to it as the bytes of its JSON text.
 */
export interface ReminderHandle {
  /**
   * @throws ERR_OPTION, ERR_NAME, ERR_METHOD_UNKNOWN (no method takes the ticks), nothing was set;
   *         ERR_ACTOR_REMINDER_ALREADY_EXISTS; and as `ActorHandle.call`.
   */
  set(name: string, options?: TickOptions & SetOptions): Promise<void>
  /** There need not be one. */
  cancel(name: string): Promise<void>
  /** In order of name. */
  list(): Promise<readonly ReminderDescription[]>
}

/** An actor's timers, from outside. They last as long as the actor is resident. */
export interface TimerHandle {
  set(name: string, options?: TickOptions & SetOptions): Promise<void>
  cancel(name: string): Promise<void>
  /** In order of name; none of an actor that was not resident. */
  list(): Promise<readonly ReminderDescription[]>
}

/** A call whose arguments are JSON. */
export type JsonRequest = CallRequest & { readonly args?: readonly JsonValue[] }

/** A durable actor. The same handle is returned while the actor is resident. */
export interface ActorHandle {
  readonly actorId: string
  readonly actorType: string
  /**
   * Runs one turn; resolves with its result when the turn is durable.
   *
   * @throws ERR_METHOD_UNKNOWN, ERR_ARGUMENT_COUNT, ERR_ARGUMENT_TYPE, ERR_OPTION  nothing was run.
   * @throws ERR_BUSY, ERR_CLOSING  not run, or cut off by the shutdown: ask again with the key.
   * @throws ERR_TRAP, ERR_FUEL, ERR_HOST_CALL, ERR_ACTOR_FAILED  the turn ran and left no trace in the state; a retry
   *         with its key gets the same.
   * @throws ERR_TIMEOUT  it may still happen: ask again with `data.idempotencyKey`.
   * @throws ERR_COMMIT, ERR_FENCED  whether the turn is durable is unknown: ask again with its key.
   */
  call(method: string, ...args: unknown[]): Promise<WitValue>
  /** As `call`, with options. */
  execute(request: CallRequest): Promise<WitValue>
  /** As `execute`, with arguments and result as JSON (docs/wit-json.md). */
  executeJson(request: JsonRequest): Promise<JsonValue>
  readonly reminders: ReminderHandle
  readonly timers: TimerHandle
}

/** A handle whose calls have the types of `Methods`, which `loom types` writes. */
export interface TypedActorHandle<Methods> extends Omit<ActorHandle, 'call'> {
  /** As `ActorHandle.call`. */
  call<Name extends keyof Methods & string>(
    method: Name,
    ...args: Methods[Name] extends (...args: infer Args) => unknown ? Args : never
  ): Promise<Methods[Name] extends (...args: never[]) => infer Result ? Result : never>
}

export interface ActorDescription extends ActorSummary {
  /** True when the actor was hot. */
  readonly resident: boolean
  /** Where its state was before it was looked at: in an instance, in memory, or in the store alone. */
  readonly tier: 'hot' | 'warm' | 'cold'
  /** SHA-256 over memory and globals as of the last finished turn; empty for a quarantined actor. */
  readonly stateHash: string
  /** Why it takes no turns; null while it does. */
  readonly quarantine: QuarantineRow | null
}

/** How many actors of this host are where; cold ones are not counted. */
export interface RuntimeStats {
  readonly hot: number
  readonly warm: number
  /** What warm actors take, about. Units: bytes. */
  readonly warmSizeBytes: number
  /** Instances that wait for their next actor. */
  readonly spareInstances: number
  /** Blobs of entries that were cut off or given up before this host started, which it removed. */
  readonly blobsCollected: number
}

export interface Message {
  readonly actorId: string
  readonly actorType: string
  /** A CallRequest; anything else is the argument of the actor's method `execute`. */
  readonly payload: unknown
  readonly idempotencyKey?: string
}

export interface CloseOptions {
  /** Instead of `limits.closeTimeoutMs`. Units: milliseconds. */
  readonly timeoutMs?: number
}

export interface Runtime {
  /** Fencing token of this host's claim on the store. */
  readonly epoch: number
  /** Resolves, with the reason, when this host may no longer run actors (fenced, store lost). */
  readonly lost: Promise<LoomError>

  /**
   * Makes a type callable. Calls made meanwhile wait for it.
   * @throws ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE, ERR_COMPONENT_IMPORT, ERR_BLOB_UNKNOWN,
   *         ERR_BLOB_CORRUPT, ERR_TYPE_REGISTERED, ERR_NAME
   */
  registerActorType(name: string, definition: ActorTypeDefinition): Promise<void>
  /** Serves an interface to guests, recorded in the journal. Call before registering types that import it. */
  provide(interfaceName: string, functions: ProvidedInterface): void
  actorTypes(): Promise<readonly ActorTypeDescription[]>
  /** A type not registered here is looked up in the blob store as `types/<name>`. */
  getActor(actorId: string, actorType: string): Promise<ActorHandle>
  /** The same with the types of its contract, as `loom types` writes them. Types only: nothing is checked by them. */
  getActor<Methods>(actorId: string, actorType: string): Promise<TypedActorHandle<Methods>>
  routeMessage(message: Message): Promise<WitValue>
  /**
   * Calls a method with JSON. As `getActor` and `executeJson` of its handle, and the timeout holds for both: an actor may
   * take long to activate, or to leave.
   */
  executeJson(actorId: string, actorType: string, request: JsonRequest): Promise<JsonValue>
  /** @throws ERR_ACTOR_UNKNOWN when the actor has no journal: looking does not create it. */
  describeActor(actorId: string, actorType: string): Promise<ActorDescription>
  /** In order of name. */
  reminders(actorId: string, actorType: string): Promise<readonly ReminderDescription[]>
  actors(type?: string): AsyncIterable<ActorSummary>
  stats(): RuntimeStats
  /** How many actors of each type are hot or warm, in order of type; those of registered types also when none is. */
  residentCounts(): readonly { readonly type: string; readonly count: number }[]
  /** Actors that take no turns because their journal is damaged or diverges, in order of type, then id. */
  quarantined(): AsyncIterable<QuarantineRow>
  /** Lets the next call of a quarantined actor try again; false when it is not quarantined. Durable. */
  release(actorId: string, actorType: string): Promise<boolean>
  /** Publishes where this host takes calls, for other processes on the same store. */
  announce(address: string): Promise<void>
  /**
   * Evicts an actor, with a snapshot, when the calls that are queued have ended; calls that arrive meanwhile wait
   * and activate it anew. False when it is not resident.
   */
  deactivate(actorId: string, actorType: string): Promise<boolean>
  /**
   * Ends an actor's life; durable. Its journal, keyed state, reminders and idempotency keys are gone; what it has
   * sent is delivered. Calls that were queued before are run first; later ones begin a new life.
   * @throws ERR_ACTOR_UNKNOWN when the actor has no journal.
   */
  deleteActor(actorId: string, actorType: string): Promise<void>
  /**
   * Makes an actor out of a file that `loom journal --export` wrote, under its own name or `as`; durable. Resolves
   * with its name. What the file says of an open turn is run to its end; messages that wait are not in it.
   * @throws ERR_IMPORT_CORRUPT (data: offset), ERR_ACTOR_EXISTS, ERR_BLOB_UNKNOWN; nothing was written.
   * @throws ERR_DIVERGENCE  under another name the actor's turns do not replay; nothing is left.
   */
  importActor(file: Uint8Array, as?: ActorKey): Promise<ActorKey>
  /** Refuses new calls, finishes waiting ones, snapshots residents, gives the claim back. */
  close(options?: CloseOptions): Promise<void>
}

export type { Effect, RecordedCall, TurnHead, TurnOutcome } from '../journal/entry.ts'

/** One journal entry as stored. */
export interface JournalLine {
  readonly seq: number
  readonly entry: JournalEntry
}

export interface ReplayReport {
  readonly key: ActorKey
  /** Turns replayed; failed turns are passed over and counted in `failed`. */
  readonly turns: number
  readonly failed: number
  readonly seqNext: number
  /** Seq of the oldest entry that is kept besides entry 0: where the replay began. */
  readonly seqFirst: number
  readonly digest: string
  /** SHA-256 over memory and globals after the last turn. */
  readonly stateHash: string
  /** Snapshots met on the way whose state was equal. */
  readonly snapshotsCompared: number
}

/** What is known of an actor without replaying it. */
export interface ActorFacts extends ActorSummary {
  readonly quarantine: QuarantineRow | null
}

/** Reads a store, also beside a live host; changes nothing. */
export interface Inspector {
  readonly blobs: BlobStore
  host(): Promise<HostRecord | null>
  actors(type?: string): AsyncIterable<ActorSummary>
  quarantined(): AsyncIterable<QuarantineRow>
  /** What is known of an actor without replaying it. @throws ERR_ACTOR_UNKNOWN */
  find(key: ActorKey): Promise<ActorFacts>
  actorTypes(): Promise<readonly ActorTypeDescription[]>
  /** As of the last durable turn, in order of name. @throws ERR_ACTOR_UNKNOWN */
  reminders(key: ActorKey): Promise<readonly ReminderDescription[]>
  /** @throws ERR_ACTOR_UNKNOWN, ERR_JOURNAL_CORRUPT (data: seq) */
  journal(key: ActorKey): AsyncIterable<JournalLine>
  /**
   * Runs the journal again, from its first entry or from the oldest snapshot that is kept, and compares every host call and outcome.
   * @throws ERR_ACTOR_UNKNOWN, ERR_JOURNAL_CORRUPT
   * @throws ERR_DIVERGENCE (data: seq, expected, got)
   */
  replay(key: ActorKey, onProgress?: (turns: number, of: number) => void): Promise<ReplayReport>
  /**
   * One actor as a file, in pieces, as of one of its commits: journal, snapshot, keyed state, reminders, keys.
   * @throws ERR_ACTOR_UNKNOWN, ERR_JOURNAL_CORRUPT, ERR_BLOB_UNKNOWN
   * @throws ERR_BUSY  the actor takes turns all the time.
   */
  export(key: ActorKey, options?: ExportOptions): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

/** Shapes from below that the edges need: they see runtime/ and base/ only. */
export type { JournalPolicy } from '../actor/journal/journal-retention.ts'
export type { ActorLimits } from '../actor/program/wasm-program.ts'
export type { ReminderDescription, TickOptions } from '../actor/typescript/typescript-actor.ts'
export type { GuestLimits } from '../component/component.ts'
export type { JsonValue } from '../component/wit/wit.ts'
export type { HostCallLimits } from '../hostcalls/call-limits.ts'
export type { FetchPolicy, FetchRule } from '../hostcalls/fetch-policy.ts'
export type { JournalEntry } from '../journal/entry.ts'
export type { ActorSummary, HostRecord, QuarantineRow } from '../store/store.ts'

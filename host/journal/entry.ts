/**
 * Journal entries: what happened to one actor, in order.
 *
 * Owns: the meaning of entries. Does not own: their bytes (codec.ts), where they lie (store/).
 *
 * Invariants:
 *   J9. Effects are committed with the turn that asked for them, and only if it returned.
 *   J1. seq is assigned synchronously when a turn completes, never after an await.
 *   J5. Entries hold everything that replay needs; a replayed turn performs no host call.
 */
import type { ActorKey } from '../base/names.ts'
import type { WitValue } from '../component/wit/wit.ts'

/** A host call of class "recorded", in the order in which the turn made it. */
export interface RecordedCall {
  /** `interface#function`, as the guest imports it. */
  readonly target: string
  /** CRC-32 of the encoded arguments, so that replay notices other arguments (J4). */
  readonly argsHash: number
  readonly result: WitValue
}

/** A one-way message to another actor. `args`: WIT values, or the text of a JSON array. */
export interface SendEffect {
  readonly kind: 'send'
  readonly target: ActorKey
  readonly method: string
  readonly args: readonly WitValue[] | string
  /** Not delivered before this long after the turn. */
  readonly delayMs: number
}

/** When a reminder or timer is due, as its author wrote it (actor/ticks/schedule.ts). */
export interface ScheduleText {
  readonly due: string
  readonly period: string | null
  readonly ttl: string | null
  /** What becomes of ticks that were due while nobody could run them. */
  readonly missed: 'once' | 'skip' | 'all'
}

/**
 * What a turn asks for that happens with its commit, or not at all. A timer is not durable: it is here so
 * that replay compares it.
 */
export type Effect =
  | { readonly kind: 'set'; readonly key: string; readonly value: WitValue }
  | { readonly kind: 'delete'; readonly key: string }
  | SendEffect
  | {
      readonly kind: 'remind' | 'timer'
      readonly name: string
      readonly schedule: ScheduleText
      readonly data: WitValue
    }
  | { readonly kind: 'cancel-reminder' | 'cancel-timer'; readonly name: string }

export type TurnOutcome =
  | { readonly kind: 'returned'; readonly value: WitValue }
  /** The turn left no trace in the actor's state; replay passes over it. */
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }

/** The first entry of every journal: pins what the actor runs. */
export interface CreatedEntry {
  readonly kind: 'created'
  readonly atMs: number
  readonly type: string
  readonly id: string
  readonly incarnation: string
  /** Digest of the component, or `typescript`. */
  readonly digest: string
  /** What instantiation asked of the host, so that every later instance starts from the same bytes. */
  readonly calls: readonly RecordedCall[]
}

/** What a turn was asked for. */
export interface TurnHead {
  readonly atMs: number
  /** The caller's idempotency key, if it sent one. */
  readonly idempotencyKey: string | null
  /** Random id of the invocation, present when the turn asked for it and there is no idempotency key. */
  readonly invocationId: string | null
  readonly method: string
  readonly args: readonly WitValue[]
  /** The actor that called, as `type/id`; null for callers from outside. */
  readonly caller: string | null
}

/** A turn without awaiting calls: one entry, appended at commit. */
export interface TurnEntry extends TurnHead {
  readonly kind: 'turn'
  readonly calls: readonly RecordedCall[]
  readonly effects: readonly Effect[]
  readonly outcome: TurnOutcome
}

/** The head of a turn that awaits a host call: durable before the call is made. */
export interface OpenedEntry extends TurnHead {
  readonly kind: 'opened'
  /** What the turn had recorded when it came to its first awaiting call. */
  readonly calls: readonly RecordedCall[]
}

/** More of an opened turn: durable before its next awaiting call is made. */
export interface ContinuedEntry {
  readonly kind: 'continued'
  readonly atMs: number
  readonly calls: readonly RecordedCall[]
}

/** The end of an opened turn. */
export interface ClosedEntry {
  readonly kind: 'closed'
  readonly atMs: number
  /** Seq of the opened entry. */
  readonly openedSeq: number
  readonly calls: readonly RecordedCall[]
  /** Of the whole turn. */
  readonly effects: readonly Effect[]
  readonly outcome: TurnOutcome
}

/** Entries of which an opened turn consists, in order: opened, continued..., closed. */
export type TurnPart = OpenedEntry | ContinuedEntry | ClosedEntry

/** The last entry of an actor's life. */
export interface DeletedEntry {
  readonly kind: 'deleted'
  readonly atMs: number
}

export type JournalEntry = CreatedEntry | TurnEntry | TurnPart | DeletedEntry

export const NO_EFFECTS: readonly Effect[] = Object.freeze([])

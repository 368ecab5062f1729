/**
 * Journal entries: what happened to one actor, in order.
 *
 * Owns: the meaning of entries. Does not own: their bytes (codec.ts), where they lie (store/).
 *
 * Invariants:
 *   J1. seq is assigned synchronously when a turn completes, never after an await.
 *   J5. Entries hold everything that replay needs; a replayed turn performs no host call.
 */
import type { WitValue } from '../component/wit.ts'

/** A host call of class "recorded", in the order in which the turn made it. */
export interface RecordedCall {
  /** `interface#function`, as the guest imports it. */
  readonly target: string
  /** CRC-32 of the encoded arguments, so that replay notices other arguments (J4). */
  readonly argsHash: number
  readonly result: WitValue
}

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
}

/** A turn without awaiting calls: one entry, appended at commit. */
export interface TurnEntry extends TurnHead {
  readonly kind: 'turn'
  readonly calls: readonly RecordedCall[]
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
  readonly outcome: TurnOutcome
}

/** Entries of which an opened turn consists, in order: opened, continued..., closed. */
export type TurnPart = OpenedEntry | ContinuedEntry | ClosedEntry

export type JournalEntry = CreatedEntry | TurnEntry | TurnPart

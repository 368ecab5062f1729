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

export interface TurnEntry {
  readonly kind: 'turn'
  readonly atMs: number
  /** The caller's idempotency key, if it sent one. */
  readonly idempotencyKey: string | null
  /** Random id of the invocation, present when the turn asked for it and there is no idempotency key. */
  readonly invocationId: string | null
  readonly method: string
  readonly args: readonly WitValue[]
  readonly calls: readonly RecordedCall[]
  readonly outcome: TurnOutcome
}

export type JournalEntry = CreatedEntry | TurnEntry

/**
 * What an activation is given, and the states that it goes through.
 */

import type { LoomError } from '../../base/errors.ts'
import type { FetchOutcome, FetchRequest } from '../../hostcalls/fetch.ts'
import type { OutgoingCall } from '../../hostcalls/host-interface.ts'
import type { TurnOutcome } from '../../journal/entry.ts'
import type { ActorLog, ActorRecord, OutboxRow, ReminderChange } from '../../store/store.ts'
import type { IsAwaited } from '../journal/awaited-entries.ts'
import type { DeepReplay } from '../journal/recovery.ts'
import type { SnapshotPolicy } from '../journal/snapshot-writer.ts'
import type { LocalActor } from '../mailbox/local-call.ts'
import type { MailboxLimits } from '../mailbox/mailbox.ts'
import type { ActorProgram } from '../program/program.ts'
import type { EngineEnvironment } from '../turn/turn-context.ts'

export interface ActivationOptions extends MailboxLimits, SnapshotPolicy {
  readonly log: ActorLog
  readonly program: ActorProgram
  /** Null for an actor without a journal; its first turn creates it. */
  readonly record: ActorRecord | null
  readonly environment: EngineEnvironment
  readonly epoch: number
  /**
   * Calls another actor; `callId` is its idempotency key, `isNew` when nobody can have used that before. Rejects when
   * nobody knows what became of it.
   */
  readonly callActor: (
    caller: LocalActor,
    call: OutgoingCall,
    callId: string,
    isNew: boolean,
  ) => TurnOutcome | Promise<TurnOutcome>
  /** Who called or told this actor may still ask again. */
  readonly isAwaited: IsAwaited
  /** Sends an HTTP request, as the actor's type may; never rejects. */
  readonly fetch: (request: FetchRequest, idempotencyKey: string) => Promise<FetchOutcome>
  /** Messages that are durable now, in the order in which they were sent. */
  readonly onSent: (messages: readonly OutboxRow[]) => void
  /** Reminders that were changed, durably. */
  readonly onReminders: (changes: readonly ReminderChange[]) => void
  /** Replays on a larger stack (recovery.ts V4). */
  readonly deepReplay: DeepReplay
  /** Names of methods that are queries. */
  readonly queries: ReadonlySet<string>
  /** A timer of the actor ticks: it is in use. */
  readonly onTick: () => void
  /** Called once, when the activation broke or was quarantined. `looseEnds`: the actor is to be activated again (turn-journal.ts). */
  readonly onBroken: (error: LoomError, looseEnds: boolean) => void
}

/**
 * recovering: the engine is being rebuilt. Next state: ready or broken.
 * ready: takes turns. Next state: recovering (a turn spoiled the engine), broken or closed.
 * broken: the error every caller gets. Next state: none.
 * closed: was evicted. Next state: none.
 */
export type ActivationStatus =
  | { readonly kind: 'recovering' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'broken'; readonly error: LoomError }
  | { readonly kind: 'closed' }

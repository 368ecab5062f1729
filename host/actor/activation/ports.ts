/**
 * Ports: how the turns of one actor reach what lies beyond them.
 */
import { createHash } from 'node:crypto'
import type { WitValue } from '../../component/wit/wit.ts'
import type { FetchOutcome, FetchRequest } from '../../hostcalls/fetch.ts'
import type { OutgoingCall, ReminderInfo } from '../../hostcalls/host-interface.ts'
import type { TurnOutcome } from '../../journal/entry.ts'
import type { KeyedState } from '../journal/keyed-state.ts'
import type { LocalActor } from '../mailbox/local-call.ts'
import { infoOf } from '../ticks/reminder.ts'
import type { ActorPorts } from '../turn/turn-context.ts'
import type { ActivationOptions } from './activation-options.ts'
import type { ReminderBook } from './reminder-book.ts'
import type { TurnJournal } from './turn-journal.ts'

export class ActivationPorts implements ActorPorts {
  readonly #actor: LocalActor
  readonly #state: KeyedState
  readonly #reminders: ReminderBook
  readonly #callActor: ActivationOptions['callActor']
  readonly #fetch: ActivationOptions['fetch']

  constructor(
    actor: LocalActor,
    { state, reminders }: TurnJournal,
    { callActor, fetch }: Pick<ActivationOptions, 'callActor' | 'fetch'>,
  ) {
    this.#actor = actor
    this.#state = state
    this.#reminders = reminders
    this.#callActor = callActor
    this.#fetch = fetch
  }

  readState(key: string): WitValue | PromiseLike<WitValue> {
    return this.#state.read(key)
  }

  listState(
    prefix: string,
    after: string | null,
    countMax: number,
  ): readonly string[] | PromiseLike<readonly string[]> {
    return this.#state.list(prefix, after, countMax)
  }

  listReminders(): readonly ReminderInfo[] | PromiseLike<readonly ReminderInfo[]> {
    const list = (): readonly ReminderInfo[] => this.#reminders.list().map(infoOf)
    return this.#reminders.loaded ? list() : this.#reminders.load().then(list)
  }

  callActor(
    call: OutgoingCall,
    callId: string,
    isNew: boolean,
  ): TurnOutcome | PromiseLike<TurnOutcome> {
    return this.#callActor(this.#actor, call, callId, isNew)
  }

  /** Servers are strangers: they learn nothing from the id but that two requests are one. */
  fetch(request: FetchRequest, callId: string): Promise<FetchOutcome> {
    return this.#fetch(request, createHash('sha256').update(callId).digest('base64url'))
  }
}

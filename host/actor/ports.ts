/**
 * Ports: how the turns of one actor reach what lies beyond them.
 */
import type { ActorKey } from '../base/names.ts'
import type { WitValue } from '../component/wit.ts'
import type { OutgoingCall, ReminderInfo } from '../hostcalls/host-interface.ts'
import type { TurnOutcome } from '../journal/entry.ts'
import type { ActivationOptions } from './activation-options.ts'
import type { KeyedState } from './keyed-state.ts'
import { infoOf } from './reminder.ts'
import type { ReminderBook } from './reminder-book.ts'
import type { ActorPorts } from './turn-context.ts'
import type { TurnJournal } from './turn-journal.ts'

export class ActivationPorts implements ActorPorts {
  readonly #key: ActorKey
  readonly #state: KeyedState
  readonly #reminders: ReminderBook
  readonly #callActor: ActivationOptions['callActor']

  constructor(
    key: ActorKey,
    { state, reminders }: TurnJournal,
    callActor: ActivationOptions['callActor'],
  ) {
    this.#key = key
    this.#state = state
    this.#reminders = reminders
    this.#callActor = callActor
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

  callActor(call: OutgoingCall, callId: string): TurnOutcome | PromiseLike<TurnOutcome> {
    return this.#callActor(this.#key, call, callId)
  }
}

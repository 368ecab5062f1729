// What must hold of all durable actors of a bank, at one moment: for test/sim/effects.test.ts.
import { expect } from 'vitest'
import { messageKey } from '../../host/actor/turn/effects.ts'
import { encodeMessage } from '../../host/actor/turn/message.ts'
import type { JournalEntry } from '../../host/index.ts'
import type { Effect, TurnHead } from '../../host/journal/entry.ts'
import type { CheckedJournal, CheckedTurn } from './transfers.ts'

/** One actor as it lies in the store. */
export interface Durable extends CheckedJournal {
  readonly keyed: ReadonlyMap<string, unknown>
  readonly balance: number
  /** Keys of the messages that its turns have sent. */
  readonly sent: readonly { readonly key: string; readonly to: string }[]
  /** The transfer of the turn that the journal ends in the middle of. */
  readonly open: TurnHead | null
}

/** What a journal means. */
export function fold(entries: readonly JournalEntry[]): Omit<Durable, 'type' | 'id'> {
  const keyed = new Map<string, unknown>()
  const turns: CheckedTurn[] = []
  const sent: { key: string; to: string }[] = []
  let incarnation = ''
  let open: TurnHead | null = null
  for (const [seq, entry] of entries.entries()) {
    if (entry.kind === 'created') incarnation = entry.incarnation
    if (entry.kind === 'opened') open = entry
    if (entry.kind !== 'turn' && entry.kind !== 'closed') continue
    const head: TurnHead | null = entry.kind === 'turn' ? entry : open
    open = null
    if (head === null) throw new Error(`entry ${seq} closes nothing`)
    const { idempotencyKey: key, method, args } = head
    turns.push({ key, method, args, outcome: entry.outcome })
    if (entry.outcome.kind === 'failed') expect(entry.effects).toEqual([])
    const sends = applied(entry.effects, keyed)
    for (const [index, send] of sends.entries()) {
      const bytes = encodeMessage(send, entry.atMs)
      sent.push({ key: messageKey(incarnation, { seq, index, bytes }), to: send.target.id })
    }
  }
  return { keyed, turns, sent, open, balance: balanceOf(turns) }
}

/** Keyed state as the effects make it; the messages among them. */
function applied(
  effects: readonly Effect[],
  keyed: Map<string, unknown>,
): readonly Extract<Effect, { kind: 'send' }>[] {
  const sends: Extract<Effect, { kind: 'send' }>[] = []
  for (const effect of effects)
    if (effect.kind === 'set') keyed.set(effect.key, effect.value)
    else if (effect.kind === 'delete') keyed.delete(effect.key)
    else if (effect.kind === 'send') sends.push(effect)
  return sends
}

function balanceOf(turns: readonly CheckedTurn[]): number {
  let balance = 0
  for (const { method, args, outcome } of turns) {
    if (outcome.kind === 'failed' || outcome.value === 'refused' || method === 'forward') continue
    balance += method === 'deposit' ? (args[1] as number) : -(args[2] as number)
  }
  return balance
}

/** What is durable of all actors, at one moment. */
export function checkTogether(found: readonly Durable[], outbox: ReadonlySet<string>): void {
  const taken = new Map<string, ReadonlySet<string | null>>()
  for (const { id, turns } of found) {
    const keys = turns.flatMap(({ key }) => (key === null ? [] : [key]))
    expect(new Set(keys).size, `${id}: a turn is there twice`).toBe(keys.length)
    taken.set(id, new Set(keys))
  }
  for (const { id, sent } of found) {
    for (const { key, to } of sent)
      if (!outbox.has(key) && taken.get(to)?.has(key) !== true)
        throw new Error(`${id} has sent ${key} to ${to}: it is in no outbox and no journal`)
  }
  const ofCallers = new Set(
    found.flatMap(({ turns, open }) => [
      ...turns.filter(({ method }) => method !== 'deposit').map(({ args }) => args[0]),
      ...(open === null ? [] : [open.args[0]]),
    ]),
  )
  for (const { id, turns } of found)
    for (const { method, args } of turns)
      if (method === 'deposit')
        expect(ofCallers, `${id} has a deposit of nobody`).toContain(
          String(args[0]).replace(/:.*/, ''),
        )
}

/**
 * Effects: what a returned turn asked for, as parts of its commit.
 *
 * Owns: which rows a turn's effects become, the keys under which actors call each other.
 * Does not own: keeping and comparing effects (hostcalls/recorder.ts), delivery (runtime/).
 *
 * Invariant E1: a commit names each key and each reminder at most once: the last effect of a turn wins.
 */
import { createHash } from 'node:crypto'
import { IDEMPOTENCY_KEY_SIZE_MAX_BYTES } from '../../base/limits.ts'
import { INTERNAL_KEY_PREFIX } from '../../base/names.ts'
import type { Effect } from '../../journal/entry.ts'
import { packValue } from '../../journal/values.ts'
import type { Commit, OutboxRow, ReminderChange } from '../../store/store.ts'
import { type EffectPlace, type RemindEffect, setReminder } from '../ticks/reminder.ts'
import { encodeMessage } from './message.ts'

const CALL_PREFIX = `${INTERNAL_KEY_PREFIX}call/`
const SEND_PREFIX = `${INTERNAL_KEY_PREFIX}send/`
const SEND_KEY = new RegExp(`^${SEND_PREFIX}(.+?)/(\\d+)/(\\d+)(?:/[\\w-]+)?$`)
const HASH_PREFIX = `${INTERNAL_KEY_PREFIX}hash/`

/**
 * Idempotency key of a turn's `index`-th host call. The invocation id outlives a crash of the turn, and the
 * incarnation belongs to one actor only, so no other call has it.
 */
export function callKey(incarnation: string, index: number, invocationId: string): string {
  return bounded(`${CALL_PREFIX}${incarnation}/${index}/${invocationId}`)
}

/**
 * Idempotency key of a message: its place in the journal of its sender, and what it says. An actor that is imported again
 * after it was deleted goes on from an earlier place.
 */
export function messageKey(
  incarnation: string,
  { seq, index, bytes }: Pick<OutboxRow, 'seq' | 'index' | 'bytes'>,
): string {
  const digest = createHash('sha256').update(bytes).digest('base64url').slice(0, 22)
  return `${formerMessageKey(incarnation, { seq, index })}/${digest}`
}

/** The key of former builds, without what the message says: a receiver's journal may hold it. */
export function formerMessageKey(
  incarnation: string,
  { seq, index }: Pick<OutboxRow, 'seq' | 'index'>,
): string {
  return `${SEND_PREFIX}${incarnation}/${seq}/${index}`
}

/** The message that a key of this build, or of a former one, stands for; null for other keys. */
export function messageOfKey(key: string): Pick<OutboxRow, 'incarnation' | 'seq' | 'index'> | null {
  const parts = SEND_KEY.exec(key)
  if (parts === null) return null
  const [, incarnation = '', seq, index] = parts
  return { incarnation, seq: Number(seq), index: Number(index) }
}

/** Whether `key` may be that of a call of the turn with `invocationId`. Of long keys nobody knows. */
export function isCallKeyOf(key: string, incarnation: string, invocationId: string): boolean {
  if (key.startsWith(HASH_PREFIX)) return true
  return key.startsWith(`${CALL_PREFIX}${incarnation}/`) && key.endsWith(`/${invocationId}`)
}

function bounded(key: string): string {
  if (Buffer.byteLength(key) <= IDEMPOTENCY_KEY_SIZE_MAX_BYTES) return key
  return `${HASH_PREFIX}${createHash('sha256').update(key).digest('hex')}`
}

/** What a commit holds of a turn's effects, and what happens once it is durable. */
export interface EffectRows extends Pick<Commit, 'state' | 'reminders' | 'outbox'> {
  readonly timers?: readonly TimerEffect[]
}

/** Timers that are set or cancelled. */
export type TimerEffect = RemindEffect | { readonly kind: Effect['kind']; readonly name: string }

export const NO_ROWS: EffectRows = Object.freeze({})

/**
 * What a commit has to hold besides the turn's entry. `tick`: what the turn changes of the reminder that it is a
 * tick of, unless it has set or cancelled that itself.
 */
export function effectRows(
  effects: readonly Effect[],
  place: EffectPlace,
  tick: ReminderChange | null,
): EffectRows {
  const { seq, atMs } = place
  const reminders = new Map<string, ReminderChange>()
  const timers: TimerEffect[] = []
  if (tick !== null) reminders.set(tick.name, tick)
  const state = new Map<string, Uint8Array | null>()
  const outbox: { seq: number; index: number; bytes: Uint8Array }[] = []
  for (const effect of effects) {
    if (effect.kind === 'set') state.set(effect.key, packValue(effect.value))
    else if (effect.kind === 'delete') state.set(effect.key, null)
    else if (effect.kind === 'send')
      outbox.push({ seq, index: outbox.length, bytes: encodeMessage(effect, atMs) })
    else if (effect.kind === 'remind') reminders.set(effect.name, setReminder(effect, place))
    else if (effect.kind === 'cancel-reminder')
      reminders.set(effect.name, { name: effect.name, dueAtMs: null })
    else timers.push(effect)
  }
  return {
    ...(state.size > 0 && { state: [...state].map(([key, value]) => ({ key, value })) }),
    ...(outbox.length > 0 && { outbox }),
    ...(reminders.size > 0 && { reminders: [...reminders.values()] }),
    ...(timers.length > 0 && { timers }),
  }
}

/** `stored` with what was `written` since, both behind `after` and in the order of UTF-8 bytes. */
export function mergeKeys<Change>(
  stored: readonly string[],
  written: ReadonlyMap<string, Change>,
  isDeleted: (change: Change) => boolean,
  prefix: string,
  after: string | null,
): readonly string[] {
  if (written.size === 0) return stored
  const keys = new Set(stored)
  for (const [key, change] of written)
    if (isDeleted(change)) keys.delete(key)
    else if (key.startsWith(prefix) && (after === null || compareKeys(key, after) > 0))
      keys.add(key)
  return [...keys].sort(compareKeys)
}

/** In the order of UTF-8 bytes, which is that of stores. */
function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

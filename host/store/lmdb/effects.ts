/**
 * Effects: what a commit changes besides the journal.
 *
 * They are rows of their own, written in the transaction of the commit's block (S8), and so need neither
 * the tail nor the index: what is committed can be read.
 *
 * Owns: which changes a commit makes. Does not own: the bytes of each (the files it calls), marks of open turns, which
 * most turns that have one take away again in the same group (group.ts).
 */
import type { ActorKey } from '../../base/names.ts'
import type { Commit } from '../store.ts'
import type { ActorState } from './actor-state.ts'
import type { Change, Environment } from './environment.ts'
import { stateChange } from './keyed-state.ts'
import { directoryKey } from './keys.ts'
import { endChange } from './lives.ts'
import { looseChanges, namedChanges } from './loose-blobs.ts'
import { messageChange } from './outbox.ts'
import { reminderChanges } from './reminders.ts'

const NONE: readonly Change[] = []

/**
 * What `commit`, about to be queued as the newest of `state`, changes; `number` is the actor's, which a
 * first commit is about to get.
 */
export function effectsOf(
  environment: Environment,
  epoch: number,
  key: ActorKey,
  number: number,
  state: ActorState,
  commit: Commit,
): readonly Change[] {
  const { state: values, reminders, outbox, end, names } = commit
  const isPlain = values === undefined && reminders === undefined && outbox === undefined
  if (isPlain && end === undefined && names === undefined) return NONE
  const incarnation = commit.create?.incarnation ?? state.incarnation
  // Reads, and so may fail, before it tells `state` anything.
  const changes = reminderChanges(environment, key, number, state, reminders ?? [])
  for (const value of values ?? []) changes.push(stateChange(number, value))
  for (const message of outbox ?? []) changes.push(messageChange(key, incarnation, message))
  if (names !== undefined) changes.push(...namedChanges(names))
  if (end === true) {
    state.isEnding = true
    changes.push({ key: directoryKey(key), value: null }, endChange(number))
    for (const change of looseChanges(environment, epoch, commit.frees ?? [])) changes.push(change)
  }
  return changes
}

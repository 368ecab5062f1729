/**
 * Open turns in an LMDB store: which journals end in the middle of a turn, so that a host finds them when it starts.
 *
 * Owns: those records. Does not own: what an open turn is (journal/).
 */
import type { ActorKey } from '../../base/names.ts'
import type { Change, Environment } from './environment.ts'
import { actorOfKey, OPEN_TURN_RANGE, openTurnKey } from './keys.ts'

const PAGE_COUNT = 256
const MARK = Buffer.from([1])

export function openTurnChange(key: ActorKey, isOpen: boolean): Change {
  return { key: openTurnKey(key), value: isOpen ? MARK : null }
}

export function hasOpenTurn(environment: Environment, key: ActorKey): boolean {
  return environment.get(openTurnKey(key)) !== undefined
}

/** A page of actors behind `after`, in order of type, then id; the last page is shorter. */
export function openTurnPage(
  environment: Environment,
  after: ActorKey | null,
): { readonly keys: readonly ActorKey[]; readonly isLast: boolean } {
  const { start, end } = OPEN_TURN_RANGE
  const from = after === null ? start : Buffer.concat([openTurnKey(after), Buffer.from([0])])
  const keys = environment.keys(from, end, PAGE_COUNT).map(actorOfKey)
  return { keys, isLast: keys.length < PAGE_COUNT }
}

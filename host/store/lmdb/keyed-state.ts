/**
 * Keyed state in an LMDB store: one record per actor and key.
 *
 * Owns: what a commit's changes of state write, and reading them.
 * Does not own: when they are written (writer.ts), freshness of reads (reader.ts says who refreshes).
 *
 * Reading one key is one descent of the tree, however many keys the actor has.
 */
import type { StateChange, StateRow } from '../store.ts'
import type { Change, Environment } from './environment.ts'
import { stateKey, stateNameOf, stateRange } from './keys.ts'
import { bytesOf, seal, unseal } from './records.ts'

export function stateChange(actor: number, { key, value }: StateChange): Change {
  return { key: stateKey(actor, key), value: value === null ? null : seal(value) }
}

export function readState(environment: Environment, actor: number, key: string): Uint8Array | null {
  const record = environment.get(stateKey(actor, key))
  return record === undefined ? null : bytesOf(unseal('state', record))
}

export function listState(
  environment: Environment,
  actor: number,
  prefix: string,
  after: string | null,
  countMax: number,
): StateRow[] {
  const { start, end } = stateRange(actor, prefix, after)
  return environment.range(start, end, countMax).map((row) => ({
    key: stateNameOf(row.key),
    value: bytesOf(unseal('state', row.value)),
  }))
}

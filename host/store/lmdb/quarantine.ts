/**
 * Quarantine in an LMDB store: which actors take no turns, and why.
 *
 * Owns: those records. Does not own: what quarantine means (actor/).
 */
import type { ActorKey } from '../../base/names.ts'
import type { QuarantineRow } from '../store.ts'
import type { Change, Environment } from './environment.ts'
import { QUARANTINE_RANGE, quarantineKey } from './keys.ts'
import { seal, unseal } from './records.ts'

const PAGE_COUNT = 64

export function quarantineChange({ key, atMs, code, message }: QuarantineRow): Change {
  const { type, id } = key
  const body = Buffer.from(JSON.stringify({ key: { type, id }, atMs, code, message }))
  return { key: quarantineKey(key), value: seal(body) }
}

export function releaseChange(key: ActorKey): Change {
  return { key: quarantineKey(key), value: null }
}

export function readQuarantine(environment: Environment, key: ActorKey): QuarantineRow | null {
  const record = environment.get(quarantineKey(key))
  return record === undefined ? null : decode(record)
}

/** A page of rows behind `after`, in order of type, then id; the last page is shorter. */
export function quarantinePage(
  environment: Environment,
  after: ActorKey | null,
): { rows: QuarantineRow[]; isLast: boolean } {
  const { start, end } = QUARANTINE_RANGE
  const from = after === null ? start : Buffer.concat([quarantineKey(after), Buffer.from([0])])
  const rows = environment.range(from, end, PAGE_COUNT).map(({ value }) => decode(value))
  return { rows, isLast: rows.length < PAGE_COUNT }
}

function decode(record: Buffer): QuarantineRow {
  return JSON.parse(unseal('quarantine', record).toString('utf8')) as QuarantineRow
}

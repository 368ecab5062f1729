/**
 * Loose blobs: those that no entry of this store names (S10).
 *
 *     value    u48 epoch of the host that noted it, u64 number of the file that it was noted in
 *
 * Owns: these rows. Does not own: the blobs, and when they are removed (journal/loose-blobs.ts).
 *
 * Invariants:
 *   LB1. A host is told of notes of earlier epochs alone: of its own it knows more than the rows say, and what a later
 *        host has noted, that one is about to name.
 *   LB2. A note counts in the file in which it was made. The original of a file that was copied may have named the blob
 *        since; a copy has another number.
 */
import type { Digest } from '../../base/digest.ts'
import type { Change, Environment } from './environment.ts'
import { digestOfLooseKey, getU48, LOOSE_RANGE, looseKey, putU48 } from './keys.ts'
import { seal, unseal } from './records.ts'

const BODY_SIZE_BYTES = 14

export function looseChanges(
  { fileNumber }: Environment,
  epoch: number,
  digests: readonly Digest[],
): Change[] {
  const body = Buffer.allocUnsafe(BODY_SIZE_BYTES)
  putU48(body, 0, epoch)
  body.writeBigUInt64BE(fileNumber, 6)
  const value = seal(body)
  return digests.map((digest) => ({ key: looseKey(digest), value }))
}

export function namedChanges(digests: readonly Digest[]): Change[] {
  return digests.map((digest) => ({ key: looseKey(digest), value: null }))
}

/** At most `countMax` that hosts before `epoch` have left, in order, behind `after`. */
export function readLoose(
  environment: Environment,
  epoch: number,
  after: Digest | null,
  countMax: number,
): Digest[] {
  const found: Digest[] = []
  let from = after === null ? LOOSE_RANGE.start : behind(looseKey(after))
  while (found.length < countMax) {
    const rows = environment.range(from, LOOSE_RANGE.end, countMax)
    for (const { key, value } of rows)
      if (found.length < countMax && isLeft(environment, epoch, value))
        found.push(digestOfLooseKey(key))
    const last = rows.at(-1)
    if (last === undefined || rows.length < countMax) break
    from = behind(last.key)
  }
  return found
}

/** LB1, LB2. A row that is damaged says nothing. */
function isLeft({ fileNumber }: Environment, epoch: number, value: Buffer): boolean {
  try {
    const body = unseal('loose blob', value)
    return getU48(body, 0) < epoch && body.readBigUInt64BE(6) === fileNumber
  } catch {
    return false
  }
}

/** The smallest key after `key`. */
function behind(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.from([0])])
}

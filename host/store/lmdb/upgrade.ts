/**
 * Upgrade: brings a folder of an older format to this one.
 *
 *     from   to   what is done
 *     1      3    the time is noted: idempotency keys without a time count as used then
 *     2      3    nothing: an older build would not pass over what the index has already
 *
 * Records of older formats stay as they are and are read as they are (records.ts, block.ts). The version
 * changes nevertheless, because what is written from now on an older build would misread.
 *
 * Owns: this table. Does not own: reading old records.
 */
import { invariant, LoomError } from '../../base/errors.ts'
import { readClaim } from './claim.ts'
import type { Environment } from './environment.ts'
import { FORMAT_KEY, UPGRADE_KEY } from './keys.ts'
import { checkFormat, encodeFormat, encodeNumber, FORMAT_VERSION } from './records.ts'

/** @throws ERR_FENCED when another host took the folder meanwhile. */
export function upgradeFolder(environment: Environment, epoch: number, atMs: number): void {
  const format = environment.get(FORMAT_KEY)
  invariant(format !== undefined, 'a folder that was claimed has a format')
  const version = checkFormat(format)
  if (version === FORMAT_VERSION) return
  environment.transact((put) => {
    const claim = readClaim(environment)
    if (claim?.epoch !== epoch)
      throw new LoomError('ERR_FENCED', `epoch ${epoch} is over: another host has taken over`)
    if (version === 1) put(UPGRADE_KEY, encodeNumber(atMs), 0)
    put(FORMAT_KEY, encodeFormat(), 0)
  })
}

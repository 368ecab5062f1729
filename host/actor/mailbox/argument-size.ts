/**
 * Argument size: refuses a call before it runs when its arguments could not be journaled.
 *
 * Owns: the check. Does not own: the encoding (journal/codec.ts), which bounds whole entries.
 *
 * Invariant AR1: whatever becomes of a call that passed, an entry that says it failed has room for it.
 */
import { LoomError } from '../../base/errors.ts'
import { ARGUMENTS_SIZE_MAX_BYTES } from '../../base/limits.ts'
import { type ActorKey, formatActorKey } from '../../base/names.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import { packValue } from '../../journal/values.ts'

/** MessagePack's widest head of a string, list or map; a number or 64-bit integer is not longer. */
const HEAD_SIZE_BYTES = 16
/** One UTF-16 unit is at most three bytes of UTF-8. */
const UNIT_SIZE_BYTES = 3

/** What a call's arguments take, at most; exact where it matters. Units: bytes. */
export function argumentsSize(args: readonly WitValue[]): number {
  // Nearly all calls are far below: the exact size is taken only when the cheap bound does not do.
  const bound = sizeBound(args)
  return bound <= ARGUMENTS_SIZE_MAX_BYTES ? bound : packValue(args).length
}

/** Why a call whose arguments take `size` bytes is refused, or null. */
export function argumentsError(key: ActorKey, method: string, size: number): LoomError | null {
  if (size <= ARGUMENTS_SIZE_MAX_BYTES) return null
  return new LoomError(
    'ERR_OPTION',
    `${formatActorKey(key)}: arguments of ${method} take ${size} bytes: at most ${ARGUMENTS_SIZE_MAX_BYTES} are allowed`,
    { data: { sizeBytes: size, sizeMaxBytes: ARGUMENTS_SIZE_MAX_BYTES } },
  )
}

/** At least as much as `value` takes in the journal. */
function sizeBound(value: unknown): number {
  if (typeof value === 'string') return HEAD_SIZE_BYTES + value.length * UNIT_SIZE_BYTES
  if (typeof value === 'bigint') return HEAD_SIZE_BYTES + bigintBound(value)
  if (typeof value !== 'object' || value === null) return HEAD_SIZE_BYTES
  if (ArrayBuffer.isView(value)) return HEAD_SIZE_BYTES + value.byteLength
  let size = HEAD_SIZE_BYTES
  if (Array.isArray(value)) for (const item of value) size += sizeBound(item)
  else if (Object.getPrototypeOf(value) !== Object.prototype) return Number.POSITIVE_INFINITY
  else for (const key in value) size += sizeBound(key) + sizeBound(value[key as never])
  return size
}

/** 64-bit integers have a fixed width; TypeScript actors may be given larger ones. */
function bigintBound(value: bigint): number {
  return BigInt.asUintN(64, value) === value || BigInt.asIntN(64, value) === value
    ? 0
    : value.toString(16).length
}

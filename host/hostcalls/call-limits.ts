/**
 * Call limits: how much one turn may ask of the host.
 *
 * Owns: the limits, what a call counts for, and what is said when one is reached. Does not own: counting (recorder.ts).
 *
 * Fuel bounds one run of a turn. But a turn that waits may be run again for each wait, and is told something new each
 * time: without these its work would grow with the square of its waits, and its journal without end.
 *
 * Invariants:
 *   CL1. Whether a call is refused depends on what the turn has recorded before it, and on nothing else: not on
 *        whether the turn was parked or unwound, nor on a crash in between. So every way gives the same error.
 *   CL2. A call that is refused is not made.
 *   CL3. Replay has no limits: a turn that returned once returns again.
 */
import { LoomError } from '../base/errors.ts'
import {
  AWAITED_CALLS_PER_TURN_MAX,
  ENTRY_SIZE_MAX_BYTES,
  HOST_CALLS_PER_TURN_MAX,
  RECORDED_BYTES_PER_TURN_MAX,
} from '../base/limits.ts'
import type { WitValue } from '../component/wit/wit.ts'

/** What one turn may be told by the host; the defaults and their reasons are in base/limits.ts. */
export interface HostCallLimits {
  /** Recorded host calls of one turn. */
  readonly hostCallsPerTurnMax: number
  /** Recorded host calls, waiting or not, that one turn may have made when it calls what it may have to wait for. */
  readonly awaitedCallsPerTurnMax: number
  /** Strings and lists in all that a turn was told before it calls the host again. Units: bytes. */
  readonly recordedBytesPerTurnMax: number
}

export const CALL_LIMITS: HostCallLimits = {
  hostCallsPerTurnMax: HOST_CALLS_PER_TURN_MAX,
  awaitedCallsPerTurnMax: AWAITED_CALLS_PER_TURN_MAX,
  recordedBytesPerTurnMax: RECORDED_BYTES_PER_TURN_MAX,
}

/** Why the call that comes after `count` recorded ones of `sizeBytes` is refused (CL1); null when it is not. */
export function refusedCall(
  limits: HostCallLimits,
  target: string,
  mayWait: boolean,
  count: number,
  sizeBytes: number,
): LoomError | null {
  if (count >= limits.hostCallsPerTurnMax)
    return tooMany(target, 'calls the host more often than', 'hostCallsPerTurnMax', limits)
  if (mayWait && count >= limits.awaitedCallsPerTurnMax)
    return tooMany(target, 'waits after more host calls than', 'awaitedCallsPerTurnMax', limits)
  if (sizeBytes > limits.recordedBytesPerTurnMax)
    return tooMany(target, 'was told more bytes than', 'recordedBytesPerTurnMax', limits)
  return null
}

function tooMany(
  target: string,
  what: string,
  limit: keyof HostCallLimits,
  limits: HostCallLimits,
): LoomError {
  const allowed = limits[limit]
  return new LoomError(
    'ERR_HOST_CALLS',
    `${target}: the turn ${what} limits.${limit} (${allowed}) allows`,
    { data: { function: target, limit, allowed } },
  )
}

/** What stands around the values of an effect takes at least this much in an entry. */
export const EFFECT_SIZE_BYTES = 8

/** Bytes of strings and lists in a value; the rest is small. */
export function sizeOf(value: WitValue): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 1
  if (ArrayBuffer.isView(value)) return value.byteLength
  let size = 1
  for (const item of Object.values(value as Record<string, WitValue>)) size += sizeOf(item)
  return size
}

/** Of R6: what would not fit the next entry. It is no limit of the type: the author has to ask for less. */
export function tooMuch(target: string): LoomError {
  return new LoomError(
    'ERR_HOST_CALLS',
    `${target}: what the turn asked of the host and was told exceeds the ${ENTRY_SIZE_MAX_BYTES} bytes of a journal entry`,
    { data: { function: target, limit: 'journal entry', allowed: ENTRY_SIZE_MAX_BYTES } },
  )
}

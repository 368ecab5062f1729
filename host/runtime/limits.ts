/**
 * Limits of a runtime and of its guests: defaults and validation.
 */
import { LoomError } from '../base/errors.ts'
import {
  MAILBOX_COUNT_MAX,
  MAILBOX_SIZE_MAX_BYTES,
  PARKED_COUNT_MAX,
  PARKED_TIMEOUT_MS,
  PAYLOAD_INLINE_MAX_BYTES,
  RESIDENT_COUNT_MAX,
  SNAPSHOT_INTERVAL_BYTES,
  SNAPSHOT_INTERVAL_MS,
  SNAPSHOT_INTERVAL_TURNS,
  VALUE_SIZE_MAX_BYTES,
  WARM_COUNT_MAX,
  WARM_SIZE_MAX_BYTES,
} from '../base/limits.ts'
import type { ActorLimits, RuntimeLimits } from './api.ts'

const IDLE_TIMEOUT_MS = 15 * 60 * 1_000

/** Lifting takes microseconds: an instance is worth keeping for those that are called every few seconds. */
const COOL_TIMEOUT_MS = 60 * 1_000
/** As Restate's and Stripe's; a client that retries for longer is rare. */
const IDEMPOTENCY_RETENTION_MS = 24 * 60 * 60 * 1_000

/** A supervisor that stops a process usually kills it after 10 to 30 seconds. */
const CLOSE_TIMEOUT_MS = 5_000

const DEFAULTS: RuntimeLimits = {
  residentCountMax: RESIDENT_COUNT_MAX,
  snapshotIntervalTurns: SNAPSHOT_INTERVAL_TURNS,
  snapshotIntervalBytes: SNAPSHOT_INTERVAL_BYTES,
  snapshotIntervalMs: SNAPSHOT_INTERVAL_MS,
  mailboxCountMax: MAILBOX_COUNT_MAX,
  warmCountMax: WARM_COUNT_MAX,
  warmSizeMaxBytes: WARM_SIZE_MAX_BYTES,
  coolTimeoutMs: COOL_TIMEOUT_MS,
  mailboxBytesMax: MAILBOX_SIZE_MAX_BYTES,
  idleTimeoutMs: IDLE_TIMEOUT_MS,
  closeTimeoutMs: CLOSE_TIMEOUT_MS,
  idempotencyRetentionMs: IDEMPOTENCY_RETENTION_MS,
  parkedCountMax: PARKED_COUNT_MAX,
  parkedTimeoutMs: PARKED_TIMEOUT_MS,
  payloadInlineMaxBytes: PAYLOAD_INLINE_MAX_BYTES,
}

/** The most that each may be: what counters and memories can hold, and what the host can bear. */
const GUEST_MAXIMA: ActorLimits = {
  fuelPerTurn: Number.MAX_SAFE_INTEGER,
  memoryPagesMax: 65_536,
  resultBytesMax: VALUE_SIZE_MAX_BYTES,
  hostCallsPerTurnMax: 2 ** 31,
  awaitedCallsPerTurnMax: 2 ** 31,
  recordedBytesPerTurnMax: 2 ** 31,
}

/** @throws ERR_OPTION naming the limit. */
export function runtimeLimits(given: Partial<RuntimeLimits> = {}): RuntimeLimits {
  checkLimits(given, Object.keys(DEFAULTS))
  return { ...DEFAULTS, ...given }
}

/** @throws ERR_OPTION naming the limit. */
export function checkGuestLimits(given: Partial<ActorLimits>): void {
  checkLimits(given, Object.keys(GUEST_MAXIMA))
  for (const [name, maximum] of Object.entries(GUEST_MAXIMA)) {
    const value = given[name as keyof ActorLimits]
    if (value !== undefined && value > maximum)
      throw new LoomError('ERR_OPTION', `limits.${name}: expected at most ${maximum}, got ${value}`)
  }
}

function checkLimits(given: Readonly<Record<string, unknown>>, known: readonly string[]): void {
  for (const [name, value] of Object.entries(given)) {
    if (!known.includes(name))
      throw new LoomError(
        'ERR_OPTION',
        `limits.${name}: no such limit; expected one of ${known.join(', ')}`,
      )
    if (!Number.isSafeInteger(value) || (value as number) < 1)
      throw new LoomError('ERR_OPTION', `limits.${name}: expected a positive integer, got ${value}`)
  }
}

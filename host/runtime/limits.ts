/**
 * Limits of a runtime: defaults and validation.
 */
import { LoomError } from '../base/errors.ts'
import { MAILBOX_COUNT_MAX, RESIDENT_COUNT_MAX, SNAPSHOT_INTERVAL_TURNS } from '../base/limits.ts'
import type { RuntimeLimits } from './api.ts'

const IDLE_TIMEOUT_MS = 15 * 60 * 1_000

/** A supervisor that stops a process usually kills it after 10 to 30 seconds. */
const CLOSE_TIMEOUT_MS = 5_000

const DEFAULTS: RuntimeLimits = {
  residentCountMax: RESIDENT_COUNT_MAX,
  snapshotIntervalTurns: SNAPSHOT_INTERVAL_TURNS,
  mailboxCountMax: MAILBOX_COUNT_MAX,
  idleTimeoutMs: IDLE_TIMEOUT_MS,
  closeTimeoutMs: CLOSE_TIMEOUT_MS,
}

/** @throws ERR_OPTION naming the limit. */
export function runtimeLimits(given: Partial<RuntimeLimits> = {}): RuntimeLimits {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(DEFAULTS, name))
      throw new LoomError(
        'ERR_OPTION',
        `limits.${name}: no such limit; expected one of ${Object.keys(DEFAULTS).join(', ')}`,
      )
    if (!Number.isSafeInteger(value) || value < 1)
      throw new LoomError('ERR_OPTION', `limits.${name}: expected a positive integer, got ${value}`)
  }
  return { ...DEFAULTS, ...given }
}

/**
 * Refuse: the three ways in which a component is turned away, so that their messages look alike.
 *
 * Does not own: the table of codes (base/errors.ts).
 */
import { LoomError } from '../base/errors.ts'

/** The bytes are not a component. `offset` counts from the start of the outermost binary. */
export function formatError(message: string, offset?: number): LoomError {
  const where = offset === undefined ? '' : ` (at byte ${offset})`
  return new LoomError('ERR_COMPONENT_FORMAT', `component: ${message}${where}`, {
    data: offset === undefined ? {} : { offset },
  })
}

/** The bytes may well be a component, but one that uses `feature`. */
export function featureError(feature: string, offset?: number): LoomError {
  const where = offset === undefined ? '' : ` (at byte ${offset})`
  return new LoomError(
    'ERR_COMPONENT_FEATURE',
    `component: ${feature} is not supported by this host${where}`,
    { data: offset === undefined ? { feature } : { feature, offset } },
  )
}

/** `data.reason` of the trap of a guest that called itself too often. How often that is, the engine decides. */
export const STACK_USED_UP = 'the guest used up the stack'

/** The guest broke a rule of the Canonical ABI while `where` ran. */
export function trapError(where: string, rule: string, cause?: unknown): LoomError {
  return new LoomError('ERR_TRAP', `${where}: ${rule}`, {
    cause,
    data: { function: where, reason: rule },
  })
}

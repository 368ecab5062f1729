/**
 * Names: what an actor type, an actor id, an idempotency key, a reminder and a state key may look like.
 *
 * Invariant N1: a valid name is safe in a URL path after percent-encoding, in a store key and in a log
 * line: no control characters, no lone surrogates, bounded length. A type's name is safe as a file name.
 */
import { LoomError } from './errors.ts'
import {
  ACTOR_ID_SIZE_MAX_BYTES,
  IDEMPOTENCY_KEY_SIZE_MAX_BYTES,
  REMINDER_NAME_SIZE_MAX_BYTES,
  STATE_KEY_SIZE_MAX_BYTES,
  TYPE_NAME_LENGTH_MAX,
} from './limits.ts'

export interface ActorKey {
  readonly type: string
  readonly id: string
}

const TYPE_PATTERN = /^[A-Za-z][A-Za-z0-9_.-]*$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing control characters is the aim
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

function quoted(value: unknown): string {
  const text = typeof value === 'string' ? value : String(value)
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}

/** @throws ERR_NAME */
export function checkTypeName(value: unknown): asserts value is string {
  if (typeof value === 'string' && value.length <= TYPE_NAME_LENGTH_MAX && TYPE_PATTERN.test(value))
    return
  throw new LoomError(
    'ERR_NAME',
    `actor type ${quoted(value)}: expected a letter, then letters, digits, "_", "." or "-", at most ${TYPE_NAME_LENGTH_MAX}`,
  )
}

function checkText(what: string, value: unknown, sizeMaxBytes: number): asserts value is string {
  const good =
    typeof value === 'string' &&
    value.length > 0 &&
    Buffer.byteLength(value) <= sizeMaxBytes &&
    !CONTROL.test(value) &&
    value.isWellFormed()
  if (!good)
    throw new LoomError(
      'ERR_NAME',
      `${what} ${quoted(value)}: expected 1 to ${sizeMaxBytes} bytes of text without control characters`,
    )
}

/**
 * "." and ".." are no ids: HTTP clients drop them from a path, percent-encoded or not (N1).
 * @throws ERR_NAME
 */
export function checkActorId(value: unknown): asserts value is string {
  checkText('actor id', value, ACTOR_ID_SIZE_MAX_BYTES)
  if (value === '.' || value === '..')
    throw new LoomError('ERR_NAME', `actor id ${quoted(value)}: "." and ".." are not allowed`)
}

/** Keys that the host makes for calls between actors; nobody else may use them. */
export const INTERNAL_KEY_PREFIX = '@loom/'

/** Checks a caller's key. @throws ERR_NAME */
export function checkIdempotencyKey(value: unknown): asserts value is string {
  checkText('idempotency key', value, IDEMPOTENCY_KEY_SIZE_MAX_BYTES)
  if (value.startsWith(INTERNAL_KEY_PREFIX))
    throw new LoomError(
      'ERR_NAME',
      `idempotency key ${quoted(value)}: keys that begin with ${INTERNAL_KEY_PREFIX} are the host's own`,
    )
}

/** @throws ERR_NAME */
export function checkReminderName(value: unknown): asserts value is string {
  checkText('reminder', value, REMINDER_NAME_SIZE_MAX_BYTES)
}

/** Whether a key of keyed state is one: any well-formed text that is not too long. */
export function isStateKey(value: string): boolean {
  const sizeMax = STATE_KEY_SIZE_MAX_BYTES
  const good = value.length > 0 && value.length <= sizeMax && value.isWellFormed()
  return good && Buffer.byteLength(value) <= sizeMax
}

/** A key of keyed state. @throws ERR_NAME */
export function checkStateKey(value: unknown): string {
  if (typeof value === 'string' && isStateKey(value)) return value
  throw new LoomError(
    'ERR_NAME',
    `state key ${quoted(value)}: expected 1 to ${STATE_KEY_SIZE_MAX_BYTES} bytes of well-formed text`,
  )
}

/** `type/id`, for messages and for the CLI. */
export function formatActorKey(key: ActorKey): string {
  return `${key.type}/${key.id}`
}

/**
 * Reads `type/id` as the CLI takes it; the id may hold further slashes.
 * @throws ERR_NAME
 */
export function parseActorKey(text: string): ActorKey {
  const slash = text.indexOf('/')
  if (slash < 1)
    throw new LoomError('ERR_NAME', `actor ${quoted(text)}: expected TYPE/ID, as in Counter/c1`)
  const key = { type: text.slice(0, slash), id: text.slice(slash + 1) }
  checkTypeName(key.type)
  checkActorId(key.id)
  return key
}

/** `getActor` as WIT writes it: `get-actor`. */
export function kebabCase(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()
}

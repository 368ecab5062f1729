/**
 * Reading requests.
 *
 * Owns: the body as a list of arguments, and names and keys out of path and headers.
 * Does not own: what arguments mean (the runtime checks them against WIT types).
 *
 * Numbers: JSON numbers beyond 2^53 lose digits in any JavaScript parser, and always parse to a number
 * that is not a safe integer; the runtime refuses such a number for u64 and s64, so no wrong value gets in.
 * Clients send those as strings of digits.
 */
import { durationMs } from '../base/duration.ts'
import { LoomError } from '../base/errors.ts'
import { HTTP_TIMEOUT_MS, JSON_DEPTH_MAX } from '../base/limits.ts'
import { type ActorKey, checkActorId, checkIdempotencyKey, checkTypeName } from '../base/names.ts'
import type { JsonValue } from '../runtime/api.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

export type PathParams = Readonly<Record<string, string>>

/**
 * The arguments in a request body; an empty body is no arguments.
 * @throws ERR_BODY_SYNTAX
 */
export function parseArguments(body: unknown): readonly JsonValue[] {
  if (!Buffer.isBuffer(body) || body.length === 0) return []
  const value = parseBody(body)
  if (!Array.isArray(value))
    throw new LoomError(
      'ERR_BODY_SYNTAX',
      `the request body is ${describe(value)}: expected a JSON array of arguments, as in [5]`,
    )
  return value
}

/**
 * The object in a request body; an empty body is an empty one.
 * @throws ERR_BODY_SYNTAX
 */
export function parseObject(body: unknown): Readonly<Record<string, unknown>> {
  if (!Buffer.isBuffer(body) || body.length === 0) return {}
  const value = parseBody(body)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new LoomError('ERR_BODY_SYNTAX', 'the request body: expected a JSON object')
  return value as Readonly<Record<string, unknown>>
}

function parseBody(body: Buffer): unknown {
  const text = decodeUtf8(body)
  checkDepth(text)
  return parseJson(text)
}

function decodeUtf8(body: Buffer): string {
  try {
    return utf8.decode(body)
  } catch {
    throw new LoomError('ERR_BODY_SYNTAX', 'the request body is not valid UTF-8')
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new LoomError('ERR_BODY_SYNTAX', `the request body is not JSON: ${reason}`)
  }
}

function describe(value: unknown): string {
  return value === null ? 'null' : `a JSON ${typeof value}`
}

/** Depth is bounded before parsing, so that no code behind this point can run out of stack on it. */
function checkDepth(text: string): void {
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (inString) {
      if (char === 0x5c) at++
      else if (char === 0x22) inString = false
    } else if (char === 0x22) inString = true
    else if (char === 0x5b || char === 0x7b) {
      if (++depth > JSON_DEPTH_MAX)
        throw new LoomError(
          'ERR_BODY_SYNTAX',
          `the request body is nested more than ${JSON_DEPTH_MAX} levels deep`,
        )
    } else if (char === 0x5d || char === 0x7d) depth--
  }
}

/**
 * Browsers name the page that a script runs on; a page must not be able to use actors on the machine of whoever
 * looks at it. Programs send no Origin.
 * @throws ERR_OPTION
 */
export function refuseWebPages({ origin }: { readonly origin?: string | undefined }): void {
  if (origin !== undefined)
    throw new LoomError('ERR_OPTION', 'calls from web pages (Origin header) are not served')
}

/** @throws ERR_NAME */
export function parseActorPath(params: Readonly<Record<string, string>>): ActorKey {
  const { type, id } = params
  checkTypeName(type)
  checkActorId(id)
  return { type, id }
}

/**
 * A header's text. Node hands header bytes over as Latin-1; a key of UTF-8 bytes must be the same key
 * as the one that an embedder passes as a string. Of several nobody knows which one a retry will have.
 * @throws ERR_NAME
 */
export function parseIdempotencyKey(headers: readonly string[] | undefined): string | undefined {
  const [header, ...others] = headers ?? []
  if (header === undefined) return undefined
  if (others.length > 0)
    throw new LoomError('ERR_NAME', 'the Idempotency-Key header is there more than once')
  const bytes = Buffer.from(header, 'latin1')
  let key: string
  try {
    key = utf8.decode(bytes)
  } catch {
    throw new LoomError('ERR_NAME', 'the Idempotency-Key header is not valid UTF-8')
  }
  checkIdempotencyKey(key)
  return key
}

/**
 * How long the client waits, of the header Loom-Timeout; undefined: for ever.
 * @throws ERR_OPTION
 */
export function parseTimeout(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return HTTP_TIMEOUT_MS
  const text = String(header).trim()
  if (text === 'none') return undefined
  return Math.max(1, durationMs(text, 'the Loom-Timeout header'))
}

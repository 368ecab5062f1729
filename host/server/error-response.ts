/**
 * Errors as HTTP responses.
 *
 * Owns: which LoomError an error of Fastify or Node stands for, and the body that a client sees.
 * Does not own: codes and statuses (base/errors.ts).
 *
 * Invariants:
 *   H1. Every response that is not a success has the body `{ "errorCode", "message" }`.
 *   H2. A response holds no stack trace, and nothing of an error that Loom did not word itself.
 */
import { ERRORS, type ErrorCode, isLoomError, LoomError } from '../base/errors.ts'
import { BUSY_RETRY_AFTER_MS } from '../base/limits.ts'

export interface ErrorBody {
  readonly errorCode: ErrorCode
  readonly message: string
  /** Facts for programs, of the errors that have them (FACTS). */
  readonly data?: Readonly<Record<string, unknown>>
}

export interface ErrorResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: ErrorBody
}

/** Errors whose facts a client needs to ask again. */
const FACTS: ReadonlySet<ErrorCode> = new Set(['ERR_TIMEOUT', 'ERR_BUSY', 'ERR_QUARANTINED'])

const INTERNAL_MESSAGE = "internal error; the host's log has the details"

/** Errors that Fastify raises before a handler of ours runs. */
const FRAMEWORK_ERRORS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_BAD_URL: ['ERR_NAME', 'the path is not valid percent-encoded UTF-8'],
  FST_ERR_MAX_PARAM_LENGTH: ['ERR_NAME', 'a segment of the path is too long'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['ERR_BODY_SIZE', 'the request body is too large'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'ERR_BODY_SYNTAX',
    'the request body is not as long as Content-Length says',
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'ERR_BODY_SYNTAX',
    'the Content-Type header is malformed; expected application/json',
  ],
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: ['ERR_ROUTE_UNKNOWN', 'no such route'],
}

/** `error` as a LoomError; what Loom did not word itself becomes ERR_INVARIANT, with the cause kept. */
export function asLoomError(error: unknown): LoomError {
  if (isLoomError(error) && Object.hasOwn(ERRORS, error.code)) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const known = Object.hasOwn(FRAMEWORK_ERRORS, code) ? FRAMEWORK_ERRORS[code] : undefined
  if (known !== undefined) return new LoomError(known[0], known[1])
  const statusCode = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  // What Node says of a request that breaks off while its body is read.
  if (statusCode === 400) return new LoomError('ERR_BODY_SYNTAX', 'the request body broke off')
  return new LoomError('ERR_INVARIANT', INTERNAL_MESSAGE, { cause: error })
}

export function toErrorResponse(error: LoomError): ErrorResponse {
  const { status } = ERRORS[error.code]
  const message = error.code === 'ERR_INVARIANT' ? INTERNAL_MESSAGE : error.message
  const { code: errorCode, data } = error
  const told = FACTS.has(errorCode) && Object.keys(data).length > 0
  return { status, headers: headersOf(error), body: { errorCode, message, ...(told && { data }) } }
}

function headersOf({ status, data }: LoomError): Readonly<Record<string, string>> {
  if (status !== 503 && status !== 504) return {}
  const { retryAfterMs = BUSY_RETRY_AFTER_MS, idempotencyKey } = data
  return {
    'retry-after': String(Math.ceil(Number(retryAfterMs) / 1_000)),
    // Header bytes are UTF-8; Node takes them as Latin-1 characters.
    ...(typeof idempotencyKey === 'string' && {
      'idempotency-key': Buffer.from(idempotencyKey, 'utf8').toString('latin1'),
    }),
  }
}

/** The whole response to bytes that are not HTTP, for a socket that has no request yet. */
export function malformedRequestBytes(error: Error & { code?: string }): string {
  const message =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'the request headers are too large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'the request took too long to arrive'
        : 'the request is not valid HTTP/1.1'
  const { status, body } = toErrorResponse(new LoomError('ERR_OPTION', message))
  const text = JSON.stringify(body)
  return [
    `HTTP/1.1 ${status} Bad Request`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
    '',
    text,
  ].join('\r\n')
}

/**
 * Errors.
 *
 * Owns: the one table of error codes and the class that carries a code.
 * Does not own: how an edge renders an error (server/ and cli/ read `status` and `exit` here).
 *
 * Invariants:
 *   E1. Every error that leaves the host is a LoomError with a code of this table; callers match `code`.
 *   E2. `message` names the offending thing and what was expected; it never holds a stack trace.
 *   E3. `kind` says what the caller should do, and nothing else decides on retries.
 */

/**
 * What the caller of a failed operation should do.
 *
 * usage: never retry, the request is wrong. busy: retry after a while. lost: another host owns it now,
 * re-route. guest: the actor's own code failed; its state is what it was before. divergence: replay did
 * not equal the journal. corrupt: stored bytes are damaged. fatal: the host's surroundings failed.
 * bug: an invariant of Loom is broken.
 */
export type ErrorKind =
  | 'usage'
  | 'busy'
  | 'lost'
  | 'guest'
  | 'divergence'
  | 'corrupt'
  | 'fatal'
  | 'bug'

interface ErrorRow {
  readonly kind: ErrorKind
  /** HTTP status of the response. */
  readonly status: number
  /** Exit code of the CLI (2 usage, others by sysexits.h). */
  readonly exit: number
  readonly summary: string
}

function row(kind: ErrorKind, status: number, exit: number, summary: string): ErrorRow {
  return { kind, status, exit, summary }
}

export const ERRORS = {
  ERR_OPTION: row('usage', 400, 2, 'an option or argument of the API or CLI is wrong'),
  ERR_NAME: row('usage', 400, 2, 'an actor type, actor id, blob name or digest is malformed'),
  ERR_TYPE_UNKNOWN: row('usage', 404, 66, 'no actor type of this name is registered'),
  ERR_TYPE_REGISTERED: row('usage', 409, 2, 'the actor type is registered already'),
  ERR_METHOD_UNKNOWN: row('usage', 404, 66, 'the actor type has no such method'),
  ERR_ACTOR_UNKNOWN: row('usage', 404, 66, 'the actor has no journal'),
  ERR_ACTOR_REMINDER_NOT_FOUND: row('usage', 404, 66, 'the actor has no such reminder'),
  ERR_ACTOR_TIMER_NOT_FOUND: row('usage', 404, 66, 'the actor has no such timer'),
  ERR_ACTOR_REMINDER_ALREADY_EXISTS: row(
    'usage',
    409,
    2,
    'the actor has a reminder of this name already',
  ),
  ERR_ACTOR_EXISTS: row('usage', 409, 2, 'an actor of this name exists already'),
  ERR_IMPORT_CORRUPT: row('usage', 422, 65, 'the file to import is damaged'),
  ERR_BLOB_UNKNOWN: row('usage', 404, 66, 'the blob store has no such name or digest'),
  ERR_ROUTE_UNKNOWN: row('usage', 404, 2, 'no such HTTP route'),
  ERR_ARGUMENT_COUNT: row('usage', 400, 65, 'wrong number of arguments'),
  ERR_ARGUMENT_TYPE: row('usage', 400, 65, 'an argument does not fit its WIT type'),
  ERR_BODY_SYNTAX: row('usage', 400, 65, 'the request body is not a JSON array'),
  ERR_BODY_SIZE: row('usage', 413, 65, 'the request body is too large'),
  ERR_IDEMPOTENCY_MISMATCH: row('usage', 422, 65, 'the idempotency key was used for another call'),
  ERR_COMPONENT_FORMAT: row('usage', 422, 65, 'the bytes are not a valid WebAssembly component'),
  ERR_COMPONENT_FEATURE: row(
    'usage',
    422,
    65,
    'the component uses a feature that is not supported',
  ),
  ERR_COMPONENT_IMPORT: row('usage', 422, 65, 'the component imports what its type is not served'),
  ERR_INCOMPATIBLE: row('usage', 409, 65, 'a new contract breaks what an old one promises'),
  ERR_BUILD: row('usage', 422, 65, 'the actor source does not build'),
  ERR_TOOLCHAIN: row('usage', 500, 69, 'a build tool is not installed'),
  ERR_DATA_FOLDER: row('usage', 500, 66, 'the data folder is missing or cannot be used'),
  ERR_DATA_OWNED: row('usage', 409, 75, 'a live host owns the data folder'),
  ERR_READ_ONLY: row('usage', 409, 2, 'the store was opened for reading only'),
  ERR_DEADLOCK: row(
    'guest',
    500,
    70,
    'the call comes back to an actor that waits for it; nothing was run',
  ),
  ERR_BUSY: row('busy', 503, 75, 'too many calls are waiting'),
  ERR_TIMEOUT: row(
    'busy',
    504,
    75,
    'the call took too long; it may still happen: ask again with its key',
  ),
  ERR_CLOSING: row('busy', 503, 75, 'the host is shutting down'),
  ERR_HOST_UNREACHABLE: row('busy', 502, 69, 'the host that owns the data folder does not answer'),
  ERR_FENCED: row('lost', 503, 75, 'another host has taken over'),
  ERR_TRAP: row('guest', 500, 70, 'the guest trapped; the turn left no trace in its state'),
  ERR_QUERY: row('guest', 500, 70, 'a query asked for more than a look; nothing was done'),
  ERR_FUEL: row(
    'guest',
    500,
    70,
    'the guest ran longer than its type allows; the turn left no trace in its state',
  ),
  ERR_HOST_CALL: row(
    'guest',
    500,
    70,
    'a host function failed; the turn left no trace in its state',
  ),
  ERR_FETCH_DENIED: row(
    'guest',
    500,
    70,
    'an HTTP request of an actor goes where its type does not allow it; nothing was sent there',
  ),
  ERR_FETCH: row('guest', 500, 70, 'an HTTP request of an actor got no response'),
  ERR_HOST_CALLS: row(
    'guest',
    500,
    70,
    'the turn asked more of the host than its type allows; it left no trace in its state',
  ),
  ERR_ACTOR_FAILED: row(
    'guest',
    500,
    70,
    'a TypeScript actor threw; the turn left no trace in its state',
  ),
  ERR_DIVERGENCE: row('divergence', 409, 1, 'replay differs from the journal'),
  ERR_QUARANTINED: row(
    'corrupt',
    409,
    1,
    'the actor is quarantined; it can be inspected but takes no turns',
  ),
  ERR_JOURNAL_CORRUPT: row('corrupt', 500, 65, 'a journal entry is damaged'),
  ERR_SNAPSHOT_CORRUPT: row('corrupt', 500, 65, 'a snapshot is damaged'),
  ERR_BLOB_CORRUPT: row('corrupt', 500, 65, 'a blob does not match its digest'),
  ERR_STORE: row('fatal', 503, 74, 'the store failed to read or write'),
  ERR_COMMIT: row(
    'fatal',
    503,
    74,
    'the turn could not be made durable; ask again with its idempotency key',
  ),
  ERR_INVARIANT: row('bug', 500, 70, 'an invariant of Loom is broken; please report it'),
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof ERRORS

export interface LoomErrorOptions {
  readonly cause?: unknown
  /** Facts for programs, JSON-serialisable: seq, pid, path, expected, got. */
  readonly data?: Readonly<Record<string, unknown>>
}

const BRAND = Symbol.for('loom.error')

/** The only class of error that leaves the host (E1). */
export class LoomError extends Error {
  readonly code: ErrorCode
  readonly data: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: LoomErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'LoomError'
    this.code = code
    this.data = options.data ?? {}
    Object.defineProperty(this, BRAND, { value: true })
  }

  get kind(): ErrorKind {
    return ERRORS[this.code].kind
  }

  get status(): number {
    return ERRORS[this.code].status
  }

  get exit(): number {
    return ERRORS[this.code].exit
  }
}

/** True for a LoomError of this or of another copy of the library in the process. */
export function isLoomError(value: unknown): value is LoomError {
  return typeof value === 'object' && value !== null && BRAND in value
}

/** `value` as a LoomError; anything else becomes one with `code`, keeping its message and cause. */
export function toLoomError(value: unknown, code: ErrorCode = 'ERR_INVARIANT'): LoomError {
  if (isLoomError(value)) return value
  const message = value instanceof Error ? value.message : String(value)
  return new LoomError(code, message, { cause: value })
}

/**
 * The code of a turn that failed. It is journaled, and a retry with the turn's key gets it again: so it is none that
 * tells the caller to try again (the refusal of another actor that the turn called, say).
 */
export function finalCode(error: unknown): ErrorCode {
  return isLoomError(error) && error.kind !== 'busy' ? error.code : 'ERR_HOST_CALL'
}

/** @throws ERR_INVARIANT when `condition` is false. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new LoomError('ERR_INVARIANT', message)
}

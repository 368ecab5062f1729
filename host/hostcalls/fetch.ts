/**
 * Fetch: one HTTP request of a guest, from the rules of its type to the response as it is recorded.
 *
 * Guarantee: nothing is sent to where the type does not allow it, whatever names resolve to and servers redirect to.
 *
 * Owns: checks, redirects, time and size limits, the order of headers. Does not own: rules (fetch-policy.ts),
 * sockets (http/), that the turn waits and what it journals (recorder.ts).
 *
 * Invariants:
 *   FE1. Every hop is checked as the first one was.
 *   FE2. What went wrong is an outcome, not a failure of the turn: the guest decides. It is recorded like a response.
 *   FE3. A request has no header that the guest did not write, but `user-agent` and `idempotency-key`.
 */
import type { Clock } from '../base/clock.ts'
import { deferred, ignoreOutcome } from '../base/promises.ts'
import {
  type HttpAnswer,
  type HttpDriver,
  HttpFailure,
  type HttpHeader,
} from '../http/http-driver.ts'
import { type FetchGate, type FetchVerdict, isFetchMethod, parseUrl } from './fetch-policy.ts'

export interface FetchRequest {
  readonly method: string
  readonly url: string
  readonly headers: readonly HttpHeader[]
  readonly body: Uint8Array | null
  readonly timeoutMs: number | null
}

export interface FetchResponse {
  readonly status: number
  readonly url: string
  /** By name, in small letters. */
  readonly headers: readonly HttpHeader[]
  readonly body: Uint8Array
}

export type FetchErrorCode = 'denied' | 'invalid' | 'unreachable' | 'timeout' | 'too-large'

export type FetchOutcome =
  | { readonly kind: 'response'; readonly response: FetchResponse }
  | { readonly kind: 'error'; readonly code: FetchErrorCode; readonly message: string }

/** Whose request it is, and what it may do. */
export interface FetchOrigin {
  readonly actorType: string
  readonly gate: FetchGate
  /** The same when a re-run of the turn asks again. */
  readonly idempotencyKey: string
}

class FetchFailure extends Error {
  readonly code: FetchErrorCode

  constructor(code: FetchErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** What is sent at one hop. */
interface Hop {
  readonly method: string
  readonly url: URL
  readonly headers: readonly HttpHeader[]
  readonly body: Uint8Array | null
}

export class Fetcher {
  readonly #driver: HttpDriver
  readonly #clock: Clock
  readonly #running = new Set<AbortController>()

  constructor(driver: HttpDriver, clock: Clock) {
    this.#driver = driver
    this.#clock = clock
  }

  /** Gives up what is under way. */
  close(): void {
    for (const abort of this.#running) abort.abort()
  }

  /** Never rejects (FE2). */
  async fetch(origin: FetchOrigin, request: FetchRequest): Promise<FetchOutcome> {
    const abort = new AbortController()
    this.#running.add(abort)
    const timeoutMs = Math.min(request.timeoutMs ?? Infinity, origin.gate.timeoutMs)
    const up = deferred<never>()
    ignoreOutcome(up.promise)
    const giveUp = (code: FetchErrorCode, message: string) => (): void =>
      up.reject(new FetchFailure(code, `${shown(request.url)}: ${message}`))
    // The process must not end while somebody waits for the turn.
    const timer = this.#clock.after(
      timeoutMs,
      giveUp('timeout', `no response within ${timeoutMs} ms`),
      true,
    )
    abort.signal.addEventListener('abort', giveUp('unreachable', 'it was given up'))
    try {
      const response = await Promise.race([this.#follow(origin, request, abort.signal), up.promise])
      return { kind: 'response', response }
    } catch (error) {
      return { kind: 'error', ...errorOf(error, request.url) }
    } finally {
      timer.cancel()
      this.#running.delete(abort)
      abort.abort()
    }
  }

  async #follow(
    origin: FetchOrigin,
    request: FetchRequest,
    signal: AbortSignal,
  ): Promise<FetchResponse> {
    const { gate } = origin
    let hop = firstHop(origin, request)
    for (let redirects = 0; ; redirects++) {
      const mayConnect = admitted(origin, hop)
      const { responseBytesMax: bodyBytesMax } = gate
      const answer = await this.#driver.exchange({ ...hop, mayConnect, bodyBytesMax, signal })
      const next = redirects < gate.redirectCountMax ? nextHop(hop, answer) : null
      if (next === null) return responseOf(hop.url, answer)
      hop = next
    }
  }
}

function errorOf(error: unknown, url: string): { code: FetchErrorCode; message: string } {
  if (error instanceof FetchFailure) return { code: error.code, message: error.message }
  const { message } = error as Error
  if (!(error instanceof HttpFailure))
    return { code: 'unreachable', message: `${shown(url)}: ${message}` }
  if (error.reason === 'too-large')
    return { code: 'too-large', message: `${shown(url)}: ${message}` }
  if (error.reason === 'connection') return { code: 'unreachable', message }
  return { code: 'denied', message: `${shown(url)}: ${message}: fetch.allow lists no such address` }
}

/** FE1. @throws FetchFailure naming the URL and the option. */
function admitted(
  { gate, actorType }: FetchOrigin,
  { method, url }: Hop,
): (address: string) => boolean {
  const verdict: FetchVerdict = gate.check(method, url)
  if (verdict.kind === 'allowed') return verdict.mayConnect
  throw new FetchFailure(
    'denied',
    `${method} ${shown(url.href)} is not allowed: actors of type ${actorType} reach what fetch.allow of the type lists, and ${verdict.reason}`,
  )
}

/** Names of headers that belong to the connection, or say who asks. */
const HEADERS_REFUSED = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
])
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/
const HEADER_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/
const HEADERS_SIZE_MAX = 16_384

function firstHop(origin: FetchOrigin, request: FetchRequest): Hop {
  const { method, body } = request
  const invalid = (what: string): FetchFailure => new FetchFailure('invalid', what)
  if (!isFetchMethod(method)) throw invalid(`method ${JSON.stringify(method)}`)
  const url = parseUrl(request.url)
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw invalid(`${shown(request.url)}: expected an http or https URL`)
  if (url.username !== '' || url.password !== '')
    throw invalid(`${shown(request.url)}: a URL holds no user or password; use a header`)
  const { requestBytesMax } = origin.gate
  if (body !== null && body.length > requestBytesMax)
    throw invalid(`a body of ${body.length} bytes: at most ${requestBytesMax} are allowed`)
  const headers = checkedHeaders(request.headers, invalid)
  const has = (name: string): boolean => headers.some(([other]) => other === name)
  if (!has('idempotency-key')) headers.push(['idempotency-key', origin.idempotencyKey])
  if (!has('user-agent')) headers.push(['user-agent', 'loom'])
  return { method, url, headers, body }
}

function checkedHeaders(
  given: readonly HttpHeader[],
  invalid: (what: string) => FetchFailure,
): [string, string][] {
  let size = 0
  return given.map(([name, value]) => {
    const lower = name.toLowerCase()
    const isRefused = HEADERS_REFUSED.has(lower) || /^(proxy|sec)-/.test(lower)
    if (!HEADER_NAME.test(name) || isRefused)
      throw invalid(`header ${JSON.stringify(name.slice(0, 64))} cannot be set`)
    if (!HEADER_VALUE.test(value))
      throw invalid(`the value of header ${lower} holds what no header can`)
    size += name.length + value.length
    if (size > HEADERS_SIZE_MAX) throw invalid(`headers of more than ${HEADERS_SIZE_MAX} bytes`)
    return [lower, value]
  })
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** Secrets for one origin are not for another. */
const HEADERS_OF_ORIGIN = new Set(['authorization', 'cookie'])
const HEADERS_OF_BODY = /^content-/

/** Where a response leads, or null. Source: Fetch standard, "HTTP-redirect fetch". */
function nextHop(hop: Hop, { status, headers }: HttpAnswer): Hop | null {
  const location = headers.find(([name]) => name.toLowerCase() === 'location')?.[1]
  if (!REDIRECTS.has(status) || location === undefined) return null
  const url = parseUrl(location, hop.url)
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:'
  if (url === null || !isHttp || url.username !== '' || url.password !== '')
    throw new FetchFailure('denied', `${shown(hop.url.href)} redirects to no http or https URL`)
  const { method } = hop
  const isDropped = status === 303 ? method !== 'HEAD' : status < 303 && method === 'POST'
  const isSameOrigin = url.origin === hop.url.origin
  const kept = hop.headers.filter(
    ([name]) =>
      (isSameOrigin || !HEADERS_OF_ORIGIN.has(name)) && !(isDropped && HEADERS_OF_BODY.test(name)),
  )
  return {
    url,
    method: isDropped && method !== 'GET' ? 'GET' : method,
    headers: kept,
    body: isDropped ? null : hop.body,
  }
}

function responseOf(url: URL, { status, headers, body }: HttpAnswer): FetchResponse {
  const lower = headers.map(([name, value]): HttpHeader => [name.toLowerCase(), value])
  // The sort is stable: those of one name stay in order.
  lower.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return { status, url: url.href, headers: lower, body }
}

const SHOWN_LENGTH_MAX = 200

/** A URL for a message, which the caller of the actor gets too: a query or a user may hold a secret. */
function shown(text: string): string {
  const url = parseUrl(text)
  const plain = url === null ? JSON.stringify(text) : `${url.origin}${url.pathname}`
  return plain.length > SHOWN_LENGTH_MAX ? `${plain.slice(0, SHOWN_LENGTH_MAX)}…` : plain
}

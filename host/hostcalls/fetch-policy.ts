/**
 * Fetch policies: where the actors of a type may send requests.
 *
 * Owns: reading a policy, deciding on a URL and an address. Does not own: sending (fetch.ts).
 *
 * Invariants:
 *   FP1. What no rule names is refused; the policy of a type that has none refuses everything.
 *   FP2. An address that is not public is reached only where a rule lists it: as its host, or in `addresses`.
 */
import { type AddressRanges, isPublicAddress, rangesOf } from '../base/addresses.ts'
import { LoomError } from '../base/errors.ts'
import {
  FETCH_BODY_SIZE_MAX_BYTES,
  FETCH_REDIRECT_COUNT_MAX,
  FETCH_REQUEST_SIZE_BYTES,
  FETCH_RESPONSE_SIZE_BYTES,
  FETCH_TIMEOUT_MAX_MS,
  FETCH_TIMEOUT_MS,
} from '../base/limits.ts'

/** What one rule allows. */
export interface FetchRule {
  /**
   * `https://api.example.com`, `http://10.0.0.7:8080`, `https://*.example.com` (all subdomains, at any depth), or
   * `https://*` (any host). Port and scheme must be equal; there are no paths.
   */
  readonly origin: string
  /** Default: GET and HEAD. */
  readonly methods?: readonly string[]
  /**
   * Addresses outside of the public internet that its hosts may resolve to: `127.0.0.1`, `10.1.0.0/16`. A host that
   * is an address names itself. Default: none.
   */
  readonly addresses?: readonly string[]
}

/** Where the actors of a type may send HTTP requests, and how much they may move. */
export interface FetchPolicy {
  readonly allow: readonly FetchRule[]
  /** Of a request's body. Units: bytes. Default 1 MiB, at most 8 MiB. */
  readonly requestBytesMax?: number
  /** Of a response's body. Units: bytes. Default 4 MiB, at most 8 MiB. */
  readonly responseBytesMax?: number
  /** For the whole fetch, redirects included. Units: milliseconds. Default 30 seconds, at most 1 hour. */
  readonly timeoutMs?: number
  /** Redirects that are followed; the response behind is given to the guest. Default 5, at most 20. */
  readonly redirectCountMax?: number
}

interface Rule {
  readonly protocol: string
  /** Without the star. */
  readonly host: string
  readonly isWildcard: boolean
  readonly port: string
  readonly methods: ReadonlySet<string>
  readonly ranges: AddressRanges
}

export type FetchVerdict =
  | { readonly kind: 'allowed'; readonly mayConnect: (address: string) => boolean }
  | { readonly kind: 'denied'; readonly reason: string }

/** A policy as it is applied. */
export interface FetchGate {
  readonly requestBytesMax: number
  readonly responseBytesMax: number
  readonly timeoutMs: number
  readonly redirectCountMax: number
  check(method: string, url: URL): FetchVerdict
}

const METHOD = /^[A-Z][A-Z-]{0,31}$/
/** They turn a client into a tunnel, or show what a proxy added. */
const METHODS_NEVER = new Set(['CONNECT', 'TRACE', 'TRACK'])
const METHODS_DEFAULT = ['GET', 'HEAD']

export function isFetchMethod(method: string): boolean {
  return METHOD.test(method) && !METHODS_NEVER.has(method)
}

/** Null when it is none. */
export function parseUrl(text: string, base?: URL): URL | null {
  return URL.canParse(text, base?.href) ? new URL(text, base) : null
}

/** @throws ERR_OPTION naming what is malformed. */
export function fetchGate(policy: FetchPolicy): FetchGate {
  const { allow } = policy
  if (!Array.isArray(allow)) throw wrong('allow', allow, 'a list of rules')
  const rules = allow.map(readRule)
  const check = (method: string, url: URL): FetchVerdict => decide(rules, method, url)
  return {
    requestBytesMax: limit(policy, 'requestBytesMax', FETCH_REQUEST_SIZE_BYTES, BODY_MAX),
    responseBytesMax: limit(policy, 'responseBytesMax', FETCH_RESPONSE_SIZE_BYTES, BODY_MAX),
    timeoutMs: limit(policy, 'timeoutMs', FETCH_TIMEOUT_MS, FETCH_TIMEOUT_MAX_MS),
    redirectCountMax: limit(
      policy,
      'redirectCountMax',
      REDIRECTS_DEFAULT,
      FETCH_REDIRECT_COUNT_MAX,
    ),
    check,
  }
}

const BODY_MAX = FETCH_BODY_SIZE_MAX_BYTES
const REDIRECTS_DEFAULT = 5

/** FP1. */
export const NO_FETCH: FetchGate = fetchGate({ allow: [] })

function limit(
  policy: FetchPolicy,
  name: Exclude<keyof FetchPolicy, 'allow'>,
  byDefault: number,
  max: number,
): number {
  const value = policy[name] ?? byDefault
  const min = name === 'redirectCountMax' ? 0 : 1
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value
  throw wrong(name, value, `an integer from ${min} to ${max}`)
}

function readRule(rule: FetchRule): Rule {
  const { origin, methods = METHODS_DEFAULT, addresses = [] } = rule
  const url = typeof origin === 'string' ? parseUrl(origin) : null
  const { protocol = '', host = '', hostname = '', port = '' } = url ?? {}
  const isHttp = protocol === 'http:' || protocol === 'https:'
  // What is left is an origin, with or without the slash that a URL has behind it.
  const isOrigin = url !== null && isHttp && url.href === `${protocol}//${host}/`
  const name = hostname.replace(/^\*(\.|$)/, '')
  if (!isOrigin || name.includes('*')) throw wrong('allow.origin', origin, ORIGINS)
  const isWildcard = name !== hostname
  if (!Array.isArray(methods) || !methods.every(isFetchMethod))
    throw wrong('allow.methods', methods, 'HTTP methods in capitals, such as GET and POST')
  return {
    protocol,
    host: name,
    isWildcard,
    port,
    methods: new Set(methods),
    ranges: rangesOf([...literalOf(hostname), ...addresses]),
  }
}

const ORIGINS =
  'an origin such as https://api.example.com, https://*.example.com or http://10.0.0.7:8080, without a path'

function literalOf(hostname: string): readonly string[] {
  const bare = hostname.replace(/^\[|\]$/g, '')
  return /^[\d.]+$/.test(bare) || bare.includes(':') ? [bare] : []
}

function decide(rules: readonly Rule[], method: string, url: URL): FetchVerdict {
  const ofOrigin = rules.filter((rule) => covers(rule, url))
  if (ofOrigin.length === 0) return { kind: 'denied', reason: `${url.origin} is not among them` }
  const fitting = ofOrigin.filter(({ methods }) => methods.has(method))
  if (fitting.length === 0)
    return { kind: 'denied', reason: `${url.origin} is, but not with ${method}` }
  const mayConnect = (address: string): boolean =>
    isPublicAddress(address) || fitting.some(({ ranges }) => ranges.has(address))
  return { kind: 'allowed', mayConnect }
}

function covers({ protocol, host, isWildcard, port }: Rule, url: URL): boolean {
  if (url.protocol !== protocol || url.port !== port) return false
  // A name may end in a dot: it is the same name.
  const hostname = url.hostname.replace(/\.$/, '')
  if (!isWildcard) return hostname === host
  return host === '' || hostname.endsWith(`.${host}`)
}

function wrong(name: string, value: unknown, expected: string): LoomError {
  const got = JSON.stringify(value) ?? String(value)
  return new LoomError('ERR_OPTION', `fetch.${name}: expected ${expected}, got ${got}`)
}

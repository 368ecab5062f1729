/**
 * The live host on a data folder, spoken to over HTTP.
 *
 * Owns: finding out whether the address that lies in the folder is a living host of this folder, and
 * speaking to it. Does not own: who may claim the folder (the store decides when it is opened).
 *
 * Invariants:
 *   L1. A call is sent only to a process that has shown the epoch and pid of the folder's record: after a
 *       crash the port may belong to another program.
 *   L2. A call is sent at most once. When its answer does not arrive, the caller is told that the outcome is
 *       unknown, and how to ask again.
 */
import http from 'node:http'
import { ERRORS, type ErrorCode, LoomError } from '../base/errors.ts'
import { type ActorKey, formatActorKey } from '../base/names.ts'
import type { ActorDescription, HostRecord, JsonValue } from '../runtime/api.ts'

/** A host that does not answer /healthz in this time is frozen or overloaded. Units: milliseconds. */
const HEALTH_TIMEOUT_MS = 5_000

export interface LiveHost {
  readonly pid: number
  readonly address: string
}

export interface HttpCall {
  readonly method: string
  readonly args: readonly JsonValue[]
  readonly idempotencyKey?: string
  readonly timeoutMs?: number
}

/**
 * The host behind `record` if it lives and takes calls; null if nobody answers there.
 * @throws ERR_HOST_UNREACHABLE  something holds the address but does not answer.
 * @throws ERR_CLOSING, ERR_FENCED, ...  what the host says when it takes no calls.
 */
export async function findLiveHost(record: HostRecord | null): Promise<LiveHost | null> {
  if (record === null || record.address === null) return null
  const { address, pid, epoch } = record
  const host = { address, pid }
  let answer: Answer
  try {
    answer = await send(host, 'GET', '/healthz', { timeoutMs: HEALTH_TIMEOUT_MS })
  } catch (error) {
    if (error instanceof NoAnswer)
      throw new LoomError(
        'ERR_HOST_UNREACHABLE',
        `the host (pid ${pid}) at ${address} does not answer; if it is frozen, \`loom serve --take-over\` displaces it`,
        { data: { pid, address } },
      )
    return null
  }
  const health = objectOf(answer.text)
  if (health?.epoch !== epoch || health.pid !== pid) return null
  if (answer.status !== 200) throw errorOf(answer, host)
  return host
}

/** @throws the host's error, or ERR_HOST_UNREACHABLE when the connection breaks (L2). */
export async function callThroughHost(
  host: LiveHost,
  key: ActorKey,
  call: HttpCall,
): Promise<JsonValue> {
  const path = `${actorPath(key)}/method/${encodeURIComponent(call.method)}`
  const { timeoutMs } = call
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'loom-timeout': timeoutMs === undefined ? 'none' : `${timeoutMs}ms`,
  }
  // Header bytes are UTF-8; Node takes them as Latin-1 characters.
  if (call.idempotencyKey !== undefined)
    headers['idempotency-key'] = Buffer.from(call.idempotencyKey, 'utf8').toString('latin1')
  const body = Buffer.from(JSON.stringify(call.args))
  let answer: Answer
  try {
    answer = await send(host, 'POST', path, { headers, body })
  } catch (error) {
    const advice =
      call.idempotencyKey === undefined
        ? 'whether the turn is durable is unknown'
        : 'whether the turn is durable is unknown: ask again with the same --idempotency-key'
    throw new LoomError(
      'ERR_HOST_UNREACHABLE',
      `${formatActorKey(key)}: the host (pid ${host.pid}) at ${host.address} broke off; ${advice}`,
      { cause: error, data: { pid: host.pid, address: host.address } },
    )
  }
  if (answer.status !== 200) throw errorOf(answer, host)
  return JSON.parse(answer.text)
}

/** What the host answers, as JSON. @throws the host's error, or ERR_HOST_UNREACHABLE. */
export async function askHost(
  host: LiveHost,
  method: string,
  path: string,
  body?: Buffer,
): Promise<unknown> {
  let answer: Answer
  try {
    answer = await send(host, method, path, body === undefined ? {} : { body })
  } catch (error) {
    throw new LoomError(
      'ERR_HOST_UNREACHABLE',
      `the host (pid ${host.pid}) at ${host.address} broke off: ask again`,
      { cause: error, data: { pid: host.pid, address: host.address } },
    )
  }
  if (answer.status !== 200) throw errorOf(answer, host)
  return JSON.parse(answer.text)
}

export async function describeThroughHost(
  host: LiveHost,
  key: ActorKey,
): Promise<ActorDescription> {
  const answer = await send(host, 'GET', actorPath(key), {})
  if (answer.status !== 200) throw errorOf(answer, host)
  return JSON.parse(answer.text)
}

export function actorPath(key: ActorKey): string {
  return `/v1.0/actors/${key.type}/${encodeURIComponent(key.id)}`
}

interface Answer {
  readonly status: number
  readonly text: string
}

interface SendOptions {
  readonly headers?: Record<string, string>
  readonly body?: Buffer
  /** Default: as long as the turn takes. */
  readonly timeoutMs?: number
}

class NoAnswer extends Error {}

function send(
  host: LiveHost,
  method: string,
  path: string,
  { headers = {}, body, timeoutMs }: SendOptions,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // Not as a URL: that would drop a method named "..".
    const { hostname, port } = new URL(host.address)
    const to = { hostname: hostname.replace(/^\[|\]$/g, ''), port, path, method, headers }
    const request = http.request(to, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      )
    })
    if (timeoutMs !== undefined)
      request.setTimeout(timeoutMs, () => request.destroy(new NoAnswer('no answer')))
    request.on('error', reject)
    request.end(body)
  })
}

function objectOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : null
  } catch {
    return null
  }
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value)
}

function errorOf(answer: Answer, host: LiveHost): LoomError {
  const body = objectOf(answer.text)
  if (isErrorCode(body?.errorCode)) {
    const { errorCode, message, data } = body
    const facts = typeof data === 'object' && data !== null ? { data: { ...data } } : {}
    return new LoomError(errorCode, String(message), facts)
  }
  return new LoomError(
    'ERR_HOST_UNREACHABLE',
    `the host (pid ${host.pid}) at ${host.address} answered with status ${answer.status} and no error code`,
  )
}

/**
 * HTTP requests of TypeScript actors: context.fetch.
 *
 * Owns: how a request is written and a response read. Does not own: sending (hostcalls/fetch.ts).
 */
import { LoomError } from '../../base/errors.ts'
import type { WitValue } from '../../component/wit/wit.ts'
import type { FetchErrorCode, FetchRequest } from '../../hostcalls/fetch.ts'
import { recordedFetch } from '../../hostcalls/loom-http.ts'
import type { ActorContext, FetchAnswer, FetchOptions } from './typescript-actor.ts'
import { type Calls, handled } from './typescript-calls.ts'

export function fetchOf(calls: Calls): ActorContext['fetch'] {
  return (url, options = {}) => handled(fetchWhole(calls, url, options))
}

async function fetchWhole(
  calls: Calls,
  url: string | URL,
  options: FetchOptions,
): Promise<FetchAnswer> {
  const request = requestOf(url, options)
  const { method, headers, body, timeoutMs } = request
  const args = [method, request.url, headers, body ?? undefined, timeoutMs ?? undefined]
  const index = calls.position
  const perform = async (): Promise<unknown> =>
    recordedFetch(await calls.context.fetch(request, index))
  // What an author gets of it is copied below.
  const asIs = (recorded: WitValue): WitValue => recorded
  return answerOf(await calls.later('awaiting', 'fetch', args as WitValue[], perform, asIs))
}

/** @throws ERR_ARGUMENT_TYPE */
function requestOf(url: string | URL, options: FetchOptions): FetchRequest {
  const { method = 'GET', headers = {}, body, timeoutMs } = options
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  if (bytes !== undefined && !(bytes instanceof Uint8Array))
    throw new LoomError('ERR_ARGUMENT_TYPE', 'fetch: body: expected a string or a Uint8Array')
  return {
    method: String(method),
    url: String(url),
    headers: Object.entries(headers).map(([name, value]) => [name, String(value)] as const),
    body: bytes === undefined ? null : new Uint8Array(bytes),
    timeoutMs: timeoutMs ?? null,
  }
}

interface RecordedResponse {
  readonly status: number
  readonly url: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Uint8Array
}

function answerOf(recorded: WitValue): FetchAnswer {
  const { tag, val } = recorded as unknown as
    | { readonly tag: 'ok'; readonly val: RecordedResponse }
    | { readonly tag: 'err'; readonly val: { code: FetchErrorCode; message: string } }
  if (tag === 'err') {
    const code = val.code === 'denied' ? 'ERR_FETCH_DENIED' : 'ERR_FETCH'
    throw new LoomError(code, val.message, { data: { reason: val.code } })
  }
  const { status, url, headers, body } = val
  const text = (): string => new TextDecoder().decode(body)
  return {
    status,
    ok: status >= 200 && status < 300,
    url,
    headers: headers.map(([name, value]) => [name, value] as const),
    header: (name) => {
      const values = headers.filter(([other]) => other === name.toLowerCase())
      return values.length === 0 ? null : values.map(([, value]) => value).join(', ')
    },
    // A copy: what is recorded is not the author's to change.
    bytes: () => body.slice(),
    text,
    json: <T>() => JSON.parse(text()) as T,
  }
}

/**
 * The HttpDriver of Node: its own client, with a connection for each exchange.
 *
 * Node's `fetch` cannot be told which address to connect to; `request` asks a `lookup` of ours for it, which checks
 * what it found and hands out no other (HD1). A connection that is kept could be one that was allowed to somebody
 * else, and a request on one that the server has just closed would have to be sent again (HD2): none is kept.
 *
 * Owns: sockets, parsing. Does not own: what is allowed, redirects, time limits (hostcalls/fetch.ts).
 */
import { type LookupAddress, lookup } from 'node:dns'
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { type HttpAnswer, type HttpDriver, HttpFailure, type HttpRequest } from '../http-driver.ts'

/** A name as it is resolved to every address that it has. */
export type Resolve = (
  name: string,
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void

const resolveBySystem: Resolve = (name, done) => lookup(name, { all: true }, done)

export function nodeHttp(resolve: Resolve = resolveBySystem): HttpDriver {
  return { exchange: (request) => exchange(request, resolve) }
}

function exchange(request: HttpRequest, resolve: Resolve): Promise<HttpAnswer> {
  const { url, method, body, signal, mayConnect } = request
  const literal = url.hostname.replace(/^\[|\]$/g, '')
  // A name that is an address is connected to without a look-up.
  if (isIP(literal) !== 0 && !mayConnect(literal)) return Promise.reject(refused(url.hostname))
  const send = url.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((settle, reject) => {
    const fail = (error: unknown): void => reject(failureOf(url, error))
    let sent: ClientRequest
    try {
      sent = send(url, {
        method,
        headers: headersOf(request),
        lookup: checkedLookup(resolve, mayConnect),
        agent: false,
        signal,
      })
    } catch (error) {
      fail(error)
      return
    }
    sent.on('response', (response) => readAnswer(response, request).then(settle, fail))
    sent.on('error', fail)
    // Of a server that switches protocols, or hangs up without a word.
    sent.on('close', () => fail(new Error('the connection was closed')))
    sent.end(body ?? undefined)
  })
}

/** HD1: of a name with several addresses, each must be allowed. */
function checkedLookup(resolve: Resolve, mayConnect: (address: string) => boolean): LookupFunction {
  return (name, options, done) => {
    resolve(name, (error, addresses) => {
      const [first] = addresses ?? []
      if (error !== null) done(error, '')
      else if (first === undefined) done(new Error(`${name} has no address`), '')
      else if (!addresses.every(({ address }) => mayConnect(address))) done(refused(name), '')
      else if (options.all === true) done(null, [...addresses])
      else done(null, first.address, first.family)
    })
  }
}

function refused(name: string): HttpFailure {
  return new HttpFailure('address', `${name} is, or resolves to, an address that is not allowed`)
}

function headersOf({ headers }: HttpRequest): Record<string, string[]> {
  const byName: Record<string, string[]> = Object.create(null)
  for (const [name, value] of headers) {
    byName[name] ??= []
    byName[name].push(value)
  }
  return byName
}

async function readAnswer(response: IncomingMessage, request: HttpRequest): Promise<HttpAnswer> {
  const { bodyBytesMax } = request
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    sizeBytes += chunk.length
    if (sizeBytes > bodyBytesMax) {
      response.destroy()
      throw new HttpFailure('too-large', `the response is larger than ${bodyBytesMax} bytes`)
    }
    chunks.push(chunk)
  }
  if (!response.complete) throw new Error('the connection broke in the middle of the response')
  const { statusCode = 0, rawHeaders } = response
  const headers: [string, string][] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    headers.push([rawHeaders[at] ?? '', rawHeaders[at + 1] ?? ''])
  return { status: statusCode, headers, body: new Uint8Array(Buffer.concat(chunks)) }
}

/** What a guest may know: not the addresses behind a name. */
function failureOf(url: URL, error: unknown): HttpFailure {
  if (error instanceof HttpFailure) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = code === '' ? String((error as Error)?.message ?? error) : code
  return new HttpFailure('connection', `${url.origin}: ${reason}`)
}

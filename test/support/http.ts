// HTTP without a client's good manners: paths and bytes go out exactly as given.
import http from 'node:http'
import net from 'node:net'

export interface HttpAnswer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
}

export interface HttpOptions {
  readonly method?: string
  readonly body?: string | Uint8Array
  readonly headers?: Record<string, string>
  readonly agent?: http.Agent
}

/** Node sends bodies of these methods without a length: the server takes them for the next request. */
function framing(method: string, body: HttpOptions['body']): Record<string, string> {
  if (body === undefined || (method !== 'DELETE' && method !== 'OPTIONS')) return {}
  return { 'content-length': String(Buffer.byteLength(body)) }
}

export function request(
  address: string,
  path: string,
  options: HttpOptions = {},
): Promise<HttpAnswer> {
  const { hostname, port } = new URL(address)
  const { method = 'GET', body, agent } = options
  const headers = { ...options.headers, ...framing(method, body) }
  return new Promise((resolve, reject) => {
    const outgoing = http.request(
      { hostname, port, path, method, headers, ...(agent === undefined ? {} : { agent }) },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

export function call(
  address: string,
  actor: string,
  method: string,
  args: readonly unknown[] = [],
  headers: Record<string, string> = {},
): Promise<HttpAnswer> {
  return request(address, `/v1.0/actors/${actor}/method/${method}`, {
    method: 'POST',
    // As bytes: with a string, Node would encode the headers as UTF-8 together with it.
    body: Buffer.from(JSON.stringify(args)),
    headers: { 'content-type': 'application/json', ...headers },
  })
}

/** Sends bytes and gives back everything that the server answers until it closes the connection. */
export function raw(address: string, bytes: string | Uint8Array): Promise<string> {
  const { hostname, port } = new URL(address)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = net.connect(Number(port), hostname, () => socket.write(bytes))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')))
  })
}

// A server on this machine for actors that fetch: the test answers each request by hand.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { ignoreOutcome } from '../../host/base/promises.ts'

export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface TestServer {
  readonly origin: string
  readonly port: number
  readonly seen: Seen[]
}

type Answer = (request: Seen, response: ServerResponse) => void

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

export async function openServer(answer: Answer): Promise<TestServer> {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    const take = async (): Promise<void> => {
      const { method = '', url: path = '', headers } = request
      const row = { method, path, headers, body: await bodyOf(request) }
      seen.push(row)
      answer(row, response)
    }
    ignoreOutcome(take())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, port, seen }
}

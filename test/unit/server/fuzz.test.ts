import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ERRORS } from '../../../host/base/errors.ts'
import { checkActorId } from '../../../host/base/names.ts'
import { type HttpServer, startServer } from '../../../host/server/server.ts'
import { raw, request } from '../../support/http.ts'
import { seedOf } from '../../support/seed.ts'
import { StubRuntime } from '../../support/stub-runtime.ts'

const runtime = new StubRuntime()
let server: HttpServer
const logged: string[] = []

beforeAll(async () => {
  const log = (line: { message: string }) => logged.push(line.message)
  server = await startServer({ runtime, port: 0, log })
})
afterAll(() => server.close())

const options = { seed: seedOf('server fuzz'), numRuns: 300 }

const methods = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE')
const segment = fc.oneof(
  fc.constantFrom('v1.0', 'actors', 'Counter', 'c1', 'method', 'healthz', '..', '.', '', '%2e%2e'),
  fc.constantFrom('%', '%00', '%ff', '%c0%80', '%2F', '%25', '%zz', '?', '?type=%', '#', ';', '*'),
  fc.string({ unit: 'binary', maxLength: 300 }).map((text) => percentEncoded(text)),
  fc.string({ maxLength: 20 }).map((text) => text.replace(/[^\x21-\x7e]/g, '')),
)
const path = fc.oneof(
  fc.array(segment, { maxLength: 8 }).map((segments) => `/${segments.join('/')}`),
  fc
    .tuple(segment, segment, segment)
    .map(([type, id, method]) => `/v1.0/actors/${type}/${id}/method/${method}`),
)
const body = fc.oneof(
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc.array(fc.jsonValue()).map((value) => JSON.stringify(value)),
  fc.uint8Array({ maxLength: 200 }),
  fc.string({ unit: 'binary' }),
)
const headers = fc.dictionary(
  fc.constantFrom('idempotency-key', 'content-type', 'accept', 'x-other'),
  fc.string({ maxLength: 300 }).map((text) => text.replace(/[^\x20-\x7e]/g, '')),
)

function percentEncoded(text: string): string {
  return Array.from(Buffer.from(text, 'utf8'), (byte) => `%${byte.toString(16).padStart(2, '0')}`)
    .join('')
    .slice(0, 900)
}

test('no request, however malformed, gets anything but a result or a documented usage error', async () => {
  await fc.assert(
    fc.asyncProperty(methods, path, body, headers, async (method, target, bytes, fields) => {
      const answer = await request(server.address, target, {
        method,
        headers: fields,
        ...(method === 'GET' || method === 'HEAD' || method === 'TRACE' ? {} : { body: bytes }),
      })
      if (answer.status === 200) return
      expect([400, 404, 413]).toContain(answer.status)
      if (method === 'HEAD') return
      const { errorCode, ...rest } = JSON.parse(answer.text)
      expect(Object.keys(ERRORS)).toContain(errorCode)
      expect(ERRORS[errorCode as keyof typeof ERRORS].status).toBe(answer.status)
      expect(Object.keys(rest)).toEqual(['message'])
    }),
    options,
  )
  expect(logged).toEqual([])
})

test('every valid id and every JSON array of arguments arrive unchanged', async () => {
  const id = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }).filter((text) => {
    try {
      checkActorId(text)
      return true
    } catch {
      return false
    }
  })
  await fc.assert(
    fc.asyncProperty(id, fc.array(fc.jsonValue({ maxDepth: 4 })), async (actorId, args) => {
      runtime.calls.length = 0
      const target = `/v1.0/actors/Counter/${encodeURIComponent(actorId)}/method/m`
      const text = JSON.stringify(args)
      const answer = await request(server.address, target, { method: 'POST', body: text })
      expect(answer.status).toBe(200)
      expect(runtime.calls[0]?.id).toBe(actorId)
      expect(JSON.stringify(runtime.calls[0]?.args)).toBe(text)
    }),
    options,
  )
})

test('no bytes on the socket stop the server', async () => {
  const line = fc.constantFrom('GET / HTTP/1.1', 'POST * HTTP/1.1', 'CONNECT x:1 HTTP/1.1', 'x')
  const field = fc.constantFrom(
    'Host: x',
    'Content-Length: -1',
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: x',
    'Upgrade: websocket',
    'Connection: upgrade',
    'Expect: 100-continue',
    'Expect: x',
    ':',
  )
  const message = fc
    .tuple(line, fc.array(field, { maxLength: 4 }), fc.uint8Array({ maxLength: 50 }))
    .map(([first, fields, rest]) =>
      Buffer.concat([
        Buffer.from(`${[first, ...fields, 'Connection: close'].join('\r\n')}\r\n\r\n`),
        rest,
        Buffer.from('\0\r\n\r\nx\r\n\r\n'),
      ]),
    )
  await fc.assert(
    fc.asyncProperty(message, async (bytes) => {
      await raw(server.address, bytes).catch(() => '')
      const health = await request(server.address, '/healthz')
      expect(health.status).toBe(200)
    }),
    { ...options, numRuns: 60 },
  )
})

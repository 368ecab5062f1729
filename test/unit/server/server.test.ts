import http from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LoomError } from '../../../host/base/errors.ts'
import { BODY_SIZE_MAX_BYTES, JSON_DEPTH_MAX } from '../../../host/base/limits.ts'
import type { LogLine } from '../../../host/runtime/api.ts'
import { type HttpServer, startServer } from '../../../host/server/server.ts'
import { call, raw, request } from '../../support/http.ts'
import { StubRuntime, summary } from '../../support/stub-runtime.ts'

let runtime: StubRuntime
let server: HttpServer
let log: LogLine[]

beforeEach(async () => {
  runtime = new StubRuntime()
  log = []
  server = await startServer({ runtime, port: 0, log: (line) => log.push(line), closeGraceMs: 500 })
})

afterEach(() => server.close())

const METHOD = '/v1.0/actors/Counter/c1/method/increment'

function errorOf(text: string): { errorCode: string; message: string } {
  const body = JSON.parse(text)
  expect(Object.keys(body).sort()).toEqual(['errorCode', 'message'])
  return body
}

test('GET of a method is a query, with its arguments as JSON in the path', async () => {
  const path = `${METHOD}?args=${encodeURIComponent('[5,{"a":null}]')}`
  const answer = await request(server.address, path, { method: 'GET' })
  expect(answer.status).toBe(200)
  expect(runtime.calls).toMatchObject([
    { method: 'increment', args: [5, { a: null }], query: true },
  ])
  const malformed = await request(server.address, `${METHOD}?args=5`, { method: 'GET' })
  expect([malformed.status, errorOf(malformed.text).errorCode]).toEqual([400, 'ERR_BODY_SYNTAX'])
})

test('a call passes arguments and the idempotency key, and answers with the result as JSON', async () => {
  runtime.respond = () => ({ total: '18446744073709551615', tags: ['é', '\ud800'] })
  const answer = await call(server.address, 'Counter/c1', 'increment', [5, { a: [null] }], {
    'idempotency-key': 'key-1',
  })
  expect(answer.status).toBe(200)
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
  expect(JSON.parse(answer.text)).toEqual({ total: '18446744073709551615', tags: ['é', '\ud800'] })
  expect(runtime.calls).toEqual([
    {
      type: 'Counter',
      id: 'c1',
      method: 'increment',
      args: [5, { a: [null] }],
      idempotencyKey: 'key-1',
      timeoutMs: 60_000,
    },
  ])
})

test('an empty body is a call without arguments, and a result of nothing is null', async () => {
  const answer = await request(server.address, METHOD, { method: 'POST' })
  expect([answer.status, answer.text]).toEqual([200, 'null'])
  expect(runtime.calls[0]?.args).toEqual([])
})

test.each(['', 'text/plain', 'application/x-www-form-urlencoded', 'application/json'])(
  'a body is read as JSON whatever its Content-Type says: "%s"',
  async (type) => {
    const headers: Record<string, string> = type === '' ? {} : { 'content-type': type }
    const answer = await request(server.address, METHOD, { method: 'POST', body: '[1]', headers })
    expect(answer.status).toBe(200)
    expect(runtime.calls[0]?.args).toEqual([1])
  },
)

test.each([
  ['{"a":1}', 'a JSON object'],
  ['5', 'a JSON number'],
  ['null', 'null'],
  ['[1,', 'not JSON'],
  ['[1] [2]', 'not JSON'],
  [Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d), 'not valid UTF-8'],
  ['['.repeat(JSON_DEPTH_MAX + 1) + ']'.repeat(JSON_DEPTH_MAX + 1), 'levels deep'],
  ['['.repeat(1_000_000), 'levels deep'],
])('a body that is not an array of JSON is ERR_BODY_SYNTAX: %#', async (body, message) => {
  const answer = await request(server.address, METHOD, { method: 'POST', body })
  expect(answer.status).toBe(400)
  expect(errorOf(answer.text)).toMatchObject({
    errorCode: 'ERR_BODY_SYNTAX',
    message: expect.stringContaining(message),
  })
  expect(runtime.calls).toEqual([])
})

test('brackets within strings do not count as depth', async () => {
  const text = `\\"${'['.repeat(JSON_DEPTH_MAX * 2)}`
  const answer = await request(server.address, METHOD, { method: 'POST', body: `["${text}"]` })
  expect(answer.status).toBe(200)
})

test('a body beyond the limit is ERR_BODY_SIZE, with and without Content-Length', async () => {
  // Repeated, and long behind the limit: an answer that overtakes the body is easily lost.
  const body = Buffer.alloc(2 * BODY_SIZE_MAX_BYTES, 'x')
  const ways = [{}, { 'transfer-encoding': 'chunked' }]
  for (const headers of Array.from({ length: 5 }, () => ways).flat()) {
    const answer = await request(server.address, METHOD, { method: 'POST', body, headers })
    expect(answer.status).toBe(413)
    expect(errorOf(answer.text).errorCode).toBe('ERR_BODY_SIZE')
  }
})

test.each([
  ['type with traversal', '/v1.0/actors/..%2f..%2fetc/c1/method/m'],
  ['type with a dot first', '/v1.0/actors/.x/c1/method/m'],
  ['id of two dots', '/v1.0/actors/Counter/%2e%2e/method/m'],
  ['id with a control character', '/v1.0/actors/Counter/a%00b/method/m'],
  ['id with a line break', '/v1.0/actors/Counter/a%0Ab/method/m'],
  ['id of bad UTF-8', '/v1.0/actors/Counter/%ff/method/m'],
  ['id of an overlong encoding', '/v1.0/actors/Counter/%c0%af/method/m'],
  ['id of a surrogate', '/v1.0/actors/Counter/%ed%a0%80/method/m'],
  ['broken percent-encoding', '/v1.0/actors/Counter/%zz/method/m'],
  ['percent at the end', '/v1.0/actors/Counter/a%/method/m'],
  ['id too long', `/v1.0/actors/Counter/${'x'.repeat(257)}/method/m`],
  ['id far too long', `/v1.0/actors/Counter/${'x'.repeat(5_000)}/method/m`],
  ['empty id', '/v1.0/actors/Counter//method/m'],
])('a bad name is ERR_NAME: %s', async (_what, path) => {
  const answer = await request(server.address, path, { method: 'POST', body: '[]' })
  expect(answer.status).toBe(400)
  expect(errorOf(answer.text).errorCode).toBe('ERR_NAME')
  expect(runtime.calls).toEqual([])
})

test.each(['a/b', 'ünï', 'a%2Fb', '100%', 'a b', '日本', '#?&;+', '🙂', '%', '%25', '...', "a'b"])(
  'an id arrives as the client meant it: %s',
  async (id) => {
    runtime.summaries.push(summary('Counter', id))
    const encoded = encodeURIComponent(id)
    await call(server.address, `Counter/${encoded}`, 'increment')
    expect(runtime.calls[0]?.id).toBe(id)
    const answer = await request(server.address, `/v1.0/actors/Counter/${encoded}`)
    expect(JSON.parse(answer.text)).toMatchObject({ id, resident: false })
  },
)

test.each([
  ['GET', '/'],
  ['PATCH', METHOD],
  ['DELETE', METHOD],
  ['POST', '/v1.0/actors/Counter/c1/state'],
  ['GET', '/v1.0/actors/Counter/c1/state/k'],
  ['POST', '/v1.0/shutdown'],
  ['DELETE', '/v1.0/actors/Counter'],
  ['OPTIONS', '/healthz'],
  ['POST', '/v1.0/actors/Counter/c1/method'],
  ['POST', '/v1.0/actors/Counter/c1/method/m/'],
  ['POST', '/v1.0/actors/Counter/a/b/method/m'],
  ['GET', '/v1.0/actors/../../etc/passwd'],
  ['PROPFIND', '/'],
])('anything else is ERR_ROUTE_UNKNOWN: %s %s', async (method, path) => {
  const answer = await request(server.address, path, { method })
  expect(answer.status).toBe(404)
  expect(errorOf(answer.text).errorCode).toBe('ERR_ROUTE_UNKNOWN')
})

test('what the runtime refuses keeps its code, status and message', async () => {
  const unknown = await call(server.address, 'Nobody/c1', 'increment')
  expect([unknown.status, errorOf(unknown.text)]).toEqual([
    404,
    { errorCode: 'ERR_TYPE_UNKNOWN', message: 'actor type "Nobody" is not known' },
  ])
  runtime.respond = () => {
    throw new LoomError('ERR_TRAP', 'overflow in increment')
  }
  const trap = await call(server.address, 'Counter/c1', 'increment')
  expect([trap.status, errorOf(trap.text)]).toEqual([
    500,
    { errorCode: 'ERR_TRAP', message: 'overflow in increment' },
  ])
  expect(log).toEqual([])
})

test('a busy actor answers 503 with Retry-After', async () => {
  runtime.respond = () => {
    throw new LoomError('ERR_BUSY', 'Counter/c1: 10000 calls are waiting')
  }
  const answer = await call(server.address, 'Counter/c1', 'increment')
  expect(answer.status).toBe(503)
  expect(answer.headers['retry-after']).toBe('1')
  expect(errorOf(answer.text).errorCode).toBe('ERR_BUSY')
})

test('a busy actor says when to come back', async () => {
  runtime.respond = () => {
    throw new LoomError('ERR_BUSY', 'Counter/c1: full', { data: { retryAfterMs: 2_500 } })
  }
  const answer = await call(server.address, 'Counter/c1', 'increment')
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '3'])
  expect(JSON.parse(answer.text).data).toEqual({ retryAfterMs: 2_500 })
})

test('a call that took too long answers 504 with the key to ask again', async () => {
  runtime.respond = () => {
    const data = { idempotencyKey: 'k', timeoutMs: 1_500 }
    throw new LoomError('ERR_TIMEOUT', 'Counter/c1 increment has not ended', { data })
  }
  const headers = { 'loom-timeout': '1.5s' }
  const answer = await call(server.address, 'Counter/c1', 'increment', [], headers)
  expect([answer.status, answer.headers['idempotency-key']]).toEqual([504, 'k'])
  expect(JSON.parse(answer.text).data).toEqual({ idempotencyKey: 'k', timeoutMs: 1_500 })
  expect(runtime.calls[0]?.timeoutMs).toBe(1_500)
})

test('Loom-Timeout may be none, and must be a duration', async () => {
  await call(server.address, 'Counter/c1', 'increment', [], { 'loom-timeout': 'none' })
  expect(runtime.calls[0]).not.toHaveProperty('timeoutMs')
  const wrong = await call(server.address, 'Counter/c1', 'increment', [], { 'loom-timeout': '5' })
  expect([wrong.status, errorOf(wrong.text).errorCode]).toEqual([400, 'ERR_OPTION'])
})

test('an error that Loom did not word itself is logged, and told without details', async () => {
  for (const error of [
    new Error('secret'),
    new LoomError('ERR_INVARIANT', 'secret'),
    'secret',
    null,
  ]) {
    runtime.respond = () => Promise.reject(error)
    const answer = await call(server.address, 'Counter/c1', 'increment')
    expect(answer.status).toBe(500)
    expect(errorOf(answer.text)).toEqual({
      errorCode: 'ERR_INVARIANT',
      message: "internal error; the host's log has the details",
    })
  }
  expect(log).toHaveLength(4)
  expect(log[0]?.message).toContain('secret')
})

test.each(['', 'x'.repeat(257), 'a\tb'])('a bad idempotency key is ERR_NAME: %#', async (key) => {
  const answer = await call(server.address, 'Counter/c1', 'm', [], { 'idempotency-key': key })
  expect(answer.status).toBe(400)
  expect(errorOf(answer.text).errorCode).toBe('ERR_NAME')
})

test('two idempotency keys are refused: a retry may have either', async () => {
  const lines = ['POST /v1.0/actors/Counter/c1/method/m HTTP/1.1', 'Host: x', 'Connection: close']
  for (const key of ['one', 'two']) lines.push(`Idempotency-Key: ${key}`)
  const answer = await raw(server.address, `${lines.join('\r\n')}\r\n\r\n`)
  expect(answer).toMatch(/^HTTP\/1\.1 400 .*ERR_NAME.*more than once/s)
  expect(runtime.calls).toEqual([])
})

test('an idempotency key of UTF-8 bytes is the key that an embedder would pass as text', async () => {
  const header = Buffer.from('schlüssel', 'utf8').toString('latin1')
  await call(server.address, 'Counter/c1', 'm', [], { 'idempotency-key': header })
  expect(runtime.calls[0]?.idempotencyKey).toBe('schlüssel')
})

test('a script in a web page cannot call actors', async () => {
  const answer = await call(server.address, 'Counter/c1', 'm', [], { origin: 'https://evil.test' })
  expect(answer.status).toBe(400)
  expect(errorOf(answer.text).errorCode).toBe('ERR_OPTION')
  expect(runtime.calls).toEqual([])
})

test('the list of actors is streamed, and filtered by type', async () => {
  const list = async (query: string) => JSON.parse((await request(server.address, query)).text)
  expect(await list('/v1.0/actors')).toEqual([])
  runtime.summaries.push(summary('Counter', 'a'), summary('Counter', 'b'), summary('Other', 'c'))
  expect(await list('/v1.0/actors')).toHaveLength(3)
  expect(await list('/v1.0/actors?type=Other')).toEqual([summary('Other', 'c')])
  expect(await list('/v1.0/actors?type=..')).toMatchObject({ errorCode: 'ERR_NAME' })
  expect(await list('/v1.0/actors?type=A&type=B')).toMatchObject({ errorCode: 'ERR_NAME' })
})

test('describing an actor without a journal is ERR_ACTOR_UNKNOWN', async () => {
  const answer = await request(server.address, '/v1.0/actors/Counter/nobody')
  expect(answer.status).toBe(404)
  expect(errorOf(answer.text).errorCode).toBe('ERR_ACTOR_UNKNOWN')
})

test('/healthz names the epoch and the process, and turns 503 when the host is lost', async () => {
  const healthy = await request(server.address, '/healthz')
  expect([healthy.status, JSON.parse(healthy.text)]).toEqual([
    200,
    { status: 'ok', epoch: 7, pid: process.pid },
  ])
  const dapr = ['/v1.0/healthz', '/v1.0/healthz/outbound']
  for (const path of dapr)
    expect(await request(server.address, path)).toMatchObject({ status: 204, text: '' })
  runtime.lose(new LoomError('ERR_FENCED', 'epoch 8 has taken over'))
  await runtime.lost
  for (const path of [...dapr, '/v1.0/metadata'])
    expect(await request(server.address, path)).toMatchObject({ status: 503 })
  const lost = await request(server.address, '/healthz')
  expect([lost.status, JSON.parse(lost.text)]).toEqual([
    503,
    { errorCode: 'ERR_FENCED', message: 'epoch 8 has taken over', epoch: 7, pid: process.pid },
  ])
  const refused = await call(server.address, 'Counter/c1', 'm')
  expect([refused.status, errorOf(refused.text).errorCode]).toEqual([503, 'ERR_FENCED'])
  expect(runtime.calls).toEqual([])
})

test('closing answers what had arrived, refuses what comes later, and leaves no connection', async () => {
  let finish: (value: number) => void = () => {}
  const started = new Promise<void>((resolve) => {
    runtime.respond = () => {
      resolve()
      return new Promise((settle) => {
        finish = settle
      })
    }
  })
  const agent = new http.Agent({ keepAlive: true })
  const running = request(server.address, METHOD, { method: 'POST', agent })
  await started
  const closing = server.close()
  finish(42)
  const answer = await running
  expect([answer.status, answer.text, answer.headers.connection]).toEqual([200, '42', 'close'])
  await closing
  await expect(request(server.address, '/healthz')).rejects.toThrow(/ECONNREFUSED/)
  agent.destroy()
})

test('closing cuts off a request that does not end within the grace time', async () => {
  const started = new Promise<void>((resolve) => {
    runtime.respond = () => {
      resolve()
      return new Promise(() => {})
    }
  })
  const running = call(server.address, 'Counter/c1', 'm')
  const cut = expect(running).rejects.toThrow()
  await started
  await server.close()
  await cut
})

test('bytes that are not HTTP are answered in the same form, and the connection is closed', async () => {
  for (const bytes of [
    'nonsense\r\n\r\n',
    Buffer.from('GET /v1.0/actors/Counter/c\u00e9 HTTP/1.1\r\nHost: x\r\n\r\n', 'latin1'),
    `GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`,
  ]) {
    const answer = await raw(server.address, bytes)
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(errorOf(answer.slice(answer.indexOf('\r\n\r\n') + 4)).errorCode).toBe('ERR_OPTION')
  }
})

test('a port that is taken is ERR_OPTION and says so', async () => {
  const port = Number(new URL(server.address).port)
  await expect(startServer({ runtime, port })).rejects.toMatchObject({
    code: 'ERR_OPTION',
    message: `cannot listen on 127.0.0.1:${port}: the port is taken`,
  })
})

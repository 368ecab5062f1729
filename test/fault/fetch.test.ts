// Aim: an actor's HTTP request reaches what its type allows and nothing else, whatever the server, the network and
// crashes do; what came is recorded. Method: a server on this machine that hangs, cuts, floods and redirects; the
// memory store, crashed while a response is waited for; a resolver of the test that changes its mind.
import type { LookupAddress } from 'node:dns'
import { describe, expect, test } from 'vitest'
import { nodeHttp } from '../../host/http/node/node-http.ts'
import {
  type FetchPolicy,
  fsBlobs,
  memory,
  openInspector,
  type Runtime,
  type RuntimeOptions,
  VirtualClock,
} from '../../host/index.ts'
import { componentBytes } from '../support/components.ts'
import { Asker } from '../support/fetching-actor.ts'
import { errorOf, openHost, temporaryFolder } from '../support/host.ts'
import { openServer } from '../support/http-server.ts'

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500 && !condition(); turn++)
    await new Promise((resolve) => setTimeout(resolve, 2))
  expect(condition()).toBe(true)
}

async function openAsker(
  policy: FetchPolicy | null,
  options: Partial<RuntimeOptions> = {},
): Promise<Runtime> {
  const runtime = await openHost(options)
  const fetch = policy === null ? {} : { fetch: policy }
  await runtime.registerActorType('Asker', { type: 'typescript', actorClass: Asker, ...fetch })
  const component = componentBytes('fetcher')
  await runtime.registerActorType('Fetcher', { type: 'wasm', component, ...fetch })
  return runtime
}

const allow = (...origins: string[]): FetchPolicy => ({
  allow: origins.map((origin) => ({ origin, methods: ['GET', 'POST'] })),
})

describe('an actor that fetches', () => {
  test('gets the response, in TypeScript and in a component', async () => {
    const server = await openServer((seen, response) => response.end(`${seen.method} ${seen.body}`))
    const runtime = await openAsker(allow(server.origin))
    const asker = await runtime.getActor('a', 'Asker')
    expect(await asker.call('ask', `${server.origin}/x`)).toBe('200 GET ')
    const post = { method: 'POST', body: 'ü', headers: { 'X-Own': 'yes' } }
    expect(await asker.call('ask', `${server.origin}/x`, post)).toBe('200 POST ü')
    const fetcher = await runtime.getActor('a', 'Fetcher')
    expect(await fetcher.call('ask', 'POST', `${server.origin}/y`, 'hello')).toBe('200 POST hello')
    expect(await fetcher.call('ask', 'GET', `${server.origin}/y`, '')).toBe('200 GET ')
    expect(await fetcher.call('count')).toBe(2)
    expect(server.seen.map(({ path }) => path)).toEqual(['/x', '/x', '/y', '/y'])
    const keys = server.seen.map(({ headers }) => headers['idempotency-key'])
    expect(new Set(keys).size).toBe(4)
    expect(server.seen[1]?.headers).toMatchObject({ 'x-own': 'yes', 'user-agent': 'loom' })
    expect(Object.keys(server.seen[1]?.headers ?? {}).sort()).toEqual([
      'connection',
      'content-length',
      'host',
      'idempotency-key',
      'user-agent',
      'x-own',
    ])
  })

  test('reads headers in one order, whatever order they come in', async () => {
    const server = await openServer((_, response) => {
      response.sendDate = false
      response.writeHead(200, [
        'x-two',
        'b',
        'Zeta',
        '1',
        'x-two',
        'a',
        'alpha',
        '2',
        'content-length',
        '0',
      ])
      response.end()
    })
    const runtime = await openAsker(allow(server.origin))
    const asker = await runtime.getActor('a', 'Asker')
    expect(await asker.call('headers', `${server.origin}/`)).toEqual([
      [
        ['alpha', '2'],
        ['connection', 'close'],
        ['content-length', '0'],
        ['x-two', 'b'],
        ['x-two', 'a'],
        ['zeta', '1'],
      ],
      'b, a',
      true,
      `${server.origin}/`,
    ])
  })

  test.each(['auto', 'unwind'] as const)(
    'asks nobody in a replay (waiting: %s)',
    async (awaiting) => {
      const server = await openServer((_, response) => response.end('once'))
      const store = memory()
      const blobs = fsBlobs(temporaryFolder())
      const runtime = await openAsker(allow(server.origin), { store, blobs, awaiting })
      const asker = await runtime.getActor('a', 'Asker')
      const fetcher = await runtime.getActor('a', 'Fetcher')
      await asker.call('askTwice', `${server.origin}/`)
      for (const count of [1, 2]) {
        await fetcher.call('ask', 'GET', `${server.origin}/`, '')
        expect(await fetcher.call('count')).toBe(count)
      }
      expect(server.seen).toHaveLength(4)
      const { stateHash } = await runtime.describeActor('a', 'Fetcher')
      await runtime.close()
      const types = { Asker: { type: 'typescript', actorClass: Asker } } as const
      const inspector = await openInspector({ store, blobs, types })
      await inspector.replay({ type: 'Asker', id: 'a' })
      expect(await inspector.replay({ type: 'Fetcher', id: 'a' })).toMatchObject({ stateHash })
      // A host that knows neither server nor rule has the same state.
      const second = await openAsker(null, { store, blobs, awaiting })
      expect(await (await second.getActor('a', 'Fetcher')).call('count')).toBe(2)
      expect(await (await second.getActor('a', 'Asker')).call('answers')).toHaveLength(2)
      expect(server.seen).toHaveLength(4)
    },
  )

  test.each(['Asker', 'Fetcher'])(
    'asks again under the same key when a crash cut it off: %s',
    async (type) => {
      const store = memory()
      const blobs = fsBlobs(temporaryFolder())
      let isHanging = true
      const server = await openServer((seen, response) => {
        if (seen.path === '/first' || !isHanging) response.end('there')
      })
      const ask = (path: string): unknown[] =>
        type === 'Asker' ? [`${server.origin}${path}`] : ['GET', `${server.origin}${path}`, '']
      const first = await openAsker(allow(server.origin), { store, blobs })
      const actor = await first.getActor('a', type)
      expect(await actor.call('ask', ...ask('/first'))).toBe('200 there')
      const key = 'order-17'
      const cut = actor.execute({ method: 'ask', args: ask('/second'), idempotencyKey: key })
      cut.catch(() => {})
      await until(() => server.seen.length === 2)
      store.crash()
      isHanging = false
      const second = await openAsker(allow(server.origin), { store, blobs })
      const again = await second.getActor('a', type)
      const retry = { method: 'ask', args: ask('/second'), idempotencyKey: key }
      expect(await again.execute(retry)).toBe('200 there')
      expect(server.seen).toHaveLength(3)
      const keys = server.seen.map(({ headers }) => headers['idempotency-key'])
      expect(keys[2]).toBe(keys[1])
      expect(keys[0]).not.toBe(keys[1])
      // The client's own key is nobody else's business.
      expect(JSON.stringify(server.seen)).not.toContain(key)
    },
  )

  test('keeps an idempotency key of its own', async () => {
    const server = await openServer((_, response) => response.end())
    const runtime = await openAsker(allow(server.origin))
    const asker = await runtime.getActor('a', 'Asker')
    const options = { method: 'POST', headers: { 'Idempotency-Key': 'mine' } }
    await asker.call('ask', `${server.origin}/`, options)
    expect(server.seen[0]?.headers['idempotency-key']).toBe('mine')
  })
})

describe('a request that is not allowed', () => {
  test('is refused, and the refusal names the URL and the option', async () => {
    const server = await openServer((_, response) => response.end())
    const runtime = await openAsker(null)
    const asker = await runtime.getActor('a', 'Asker')
    const error = await errorOf(asker.call('ask', `${server.origin}/x?token=secret`))
    expect(error).toMatchObject({ code: 'ERR_FETCH_DENIED' })
    expect(error.message).toContain(`${server.origin}/x`)
    expect(error.message).toContain('fetch.allow')
    expect(error.message).not.toContain('secret')
    const fetcher = await runtime.getActor('a', 'Fetcher')
    expect(await fetcher.call('ask', 'GET', `${server.origin}/`, '')).toBe('error 0')
    expect(server.seen).toEqual([])
  })

  test.each([
    ['another method', 'DELETE', ''],
    ['a method that is none', 'get', ''],
    ['a tunnel', 'CONNECT', ''],
  ])('is refused: %s', async (_, method) => {
    const server = await openServer((__, response) => response.end())
    const runtime = await openAsker(allow(server.origin))
    const asker = await runtime.getActor('a', 'Asker')
    const answer = await asker.call('tryToAsk', `${server.origin}/`, { method })
    expect(answer).toMatch(/^ERR_FETCH/)
    expect(server.seen).toEqual([])
  })

  test.each([
    { host: 'other.example' },
    { 'Content-Length': '5' },
    { 'Transfer-Encoding': 'chunked' },
    { 'proxy-authorization': 'x' },
    { 'x-split': 'a\r\nx-injected: b' },
    { 'bad name': 'x' },
  ])('is refused for its header: %o', async (headers) => {
    const server = await openServer((_, response) => response.end())
    const runtime = await openAsker(allow(server.origin))
    const asker = await runtime.getActor('a', 'Asker')
    const answer = await asker.call('tryToAsk', `${server.origin}/`, { headers })
    expect(answer).toBe('ERR_FETCH {"reason":"invalid"}')
    expect(server.seen).toEqual([])
  })

  test('is not made by way of a redirect', async () => {
    const forbidden = await openServer((_, response) => response.end('secret'))
    const server = await openServer((_, response) =>
      response.writeHead(307, { location: `${forbidden.origin}/admin` }).end(),
    )
    const runtime = await openAsker(allow(server.origin))
    const asker = await runtime.getActor('a', 'Asker')
    const error = await errorOf(asker.call('ask', `${server.origin}/`))
    expect(error).toMatchObject({ code: 'ERR_FETCH_DENIED' })
    expect(error.message).toContain(`${forbidden.origin}/admin`)
    expect(server.seen).toHaveLength(1)
    expect(forbidden.seen).toEqual([])
  })

  test('is not made by way of a name that resolves to this machine', async () => {
    const server = await openServer((_, response) => response.end('secret'))
    const origin = `http://innocent.example:${server.port}`
    const http = nodeHttp((_, done) => done(null, [{ address: '127.0.0.1', family: 4 }]))
    const refusing = await openAsker(allow(origin), { http })
    const error = await errorOf((await refusing.getActor('a', 'Asker')).call('ask', `${origin}/`))
    expect(error).toMatchObject({ code: 'ERR_FETCH_DENIED' })
    expect(error.message).not.toContain('127.0.0.1')
    expect(server.seen).toEqual([])
    const listed = { allow: [{ origin, addresses: ['127.0.0.0/8'] }] }
    const granting = await openAsker(listed, { http })
    expect(await (await granting.getActor('a', 'Asker')).call('ask', `${origin}/`)).toBe(
      '200 secret',
    )
  })

  test('is not made by way of a name that resolves to something else at each look', async () => {
    const server = await openServer((_, response) => response.end('secret'))
    const origin = `http://rebinding.example:${server.port}`
    let looks = 0
    const addresses: readonly LookupAddress[][] = [
      [
        { address: '93.184.216.34', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ],
      [{ address: '::ffff:127.0.0.1', family: 6 }],
      [{ address: '127.0.0.1', family: 4 }],
    ]
    const http = nodeHttp((_, done) => done(null, addresses[looks++] ?? []))
    const runtime = await openAsker(allow(origin), { http })
    const asker = await runtime.getActor('a', 'Asker')
    for (const look of [1, 2, 3]) {
      expect(await asker.call('tryToAsk', `${origin}/`)).toBe(
        'ERR_FETCH_DENIED {"reason":"denied"}',
      )
      expect(looks).toBe(look)
    }
    expect(server.seen).toEqual([])
  })

  test('may not carry a password in its URL', async () => {
    const runtime = await openAsker(allow('http://127.0.0.1:1'))
    const asker = await runtime.getActor('a', 'Asker')
    const error = await errorOf(asker.call('ask', 'http://user:secret@127.0.0.1:1/'))
    expect(error).toMatchObject({ code: 'ERR_FETCH' })
    expect(error.message).not.toContain('secret')
  })
})

describe('a redirect', () => {
  test('is followed where it is allowed; what is meant for one origin stays there', async () => {
    const target = await openServer((seen, response) => response.end(`${seen.method} ${seen.body}`))
    const server = await openServer((seen, response) =>
      response
        .writeHead(seen.path === '/303' ? 303 : 308, { location: `${target.origin}/t` })
        .end(),
    )
    const runtime = await openAsker(allow(server.origin, target.origin))
    const asker = await runtime.getActor('a', 'Asker')
    const headers = { authorization: 'Bearer x', cookie: 'c', 'x-own': 'o', 'content-type': 't/p' }
    const post = { method: 'POST', body: 'b', headers }
    expect(await asker.call('ask', `${server.origin}/308`, post)).toBe('200 POST b')
    expect(await asker.call('ask', `${server.origin}/303`, post)).toBe('200 GET ')
    const [first, second] = target.seen
    expect(first?.headers).toMatchObject({ 'x-own': 'o', 'content-type': 't/p' })
    expect(first?.headers.authorization ?? first?.headers.cookie).toBe(undefined)
    expect(second?.headers['content-type']).toBe(undefined)
    expect(first?.headers['idempotency-key']).toBe(server.seen[0]?.headers['idempotency-key'])
  })

  test('that leads in a circle is given to the guest', async () => {
    const server = await openServer((_, response) =>
      response.writeHead(302, { location: '/' }).end(),
    )
    const runtime = await openAsker({ ...allow(server.origin), redirectCountMax: 3 })
    const asker = await runtime.getActor('a', 'Asker')
    expect(await asker.call('ask', `${server.origin}/`)).toBe('302 ')
    expect(server.seen).toHaveLength(4)
  })
})

describe('a server', () => {
  test('that hangs is waited for as long as the clock says, and the actor goes on', async () => {
    const clock = new VirtualClock()
    const server = await openServer((seen, response) => {
      if (seen.path === '/slow') response.write('never ends')
      else if (seen.path !== '/hang') response.end('ok')
    })
    const runtime = await openAsker({ ...allow(server.origin), timeoutMs: 20_000 }, { clock })
    const asker = await runtime.getActor('a', 'Asker')
    for (const path of ['/hang', '/slow']) {
      const asked = server.seen.length
      const call = asker.call('tryToAsk', `${server.origin}${path}`, { timeoutMs: 5_000 })
      await until(() => server.seen.length > asked)
      clock.advance(4_999)
      await new Promise((resolve) => setTimeout(resolve, 5))
      clock.advance(1)
      expect(await call).toBe('ERR_FETCH {"reason":"timeout"}')
    }
    expect(await asker.call('ask', `${server.origin}/`)).toBe('200 ok')
  })

  test('that cuts the connection, or is not there, is unreachable', async () => {
    const server = await openServer((seen, response) => {
      if (seen.path === '/half') {
        response.writeHead(200, { 'content-length': '100' })
        response.write('half')
      }
      setImmediate(() => response.destroy())
    })
    const runtime = await openAsker(allow(server.origin, 'http://127.0.0.1:1'))
    const asker = await runtime.getActor('a', 'Asker')
    const unreachable = 'ERR_FETCH {"reason":"unreachable"}'
    for (const url of [`${server.origin}/at-once`, `${server.origin}/half`, 'http://127.0.0.1:1/'])
      expect(await asker.call('tryToAsk', url)).toBe(unreachable)
    expect(server.seen).toHaveLength(2)
  })

  test('that floods is cut off, and so is a request that is too large', async () => {
    const chunk = Buffer.alloc(64 * 1024)
    let isOpen = true
    const server = await openServer((_, response) => {
      response.on('close', () => {
        isOpen = false
      })
      const more = (): void => {
        while (isOpen && response.write(chunk));
        if (isOpen) response.once('drain', more)
      }
      more()
    })
    const policy = { ...allow(server.origin), responseBytesMax: 100_000, requestBytesMax: 10 }
    const runtime = await openAsker(policy)
    const asker = await runtime.getActor('a', 'Asker')
    expect(await asker.call('tryToAsk', `${server.origin}/`)).toBe(
      'ERR_FETCH {"reason":"too-large"}',
    )
    await until(() => !isOpen)
    const large = { method: 'POST', body: 'eleven byte' }
    expect(await asker.call('tryToAsk', `${server.origin}/`, large)).toBe(
      'ERR_FETCH {"reason":"invalid"}',
    )
    expect(server.seen).toHaveLength(1)
  })

  test('that still owes a response does not keep the host from closing; the next host asks again', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    let isHanging = true
    const server = await openServer((_, response) => {
      if (!isHanging) response.end('late')
    })
    const first = await openAsker(allow(server.origin), { store, blobs })
    const call = (await first.getActor('a', 'Asker')).call('ask', `${server.origin}/`)
    const given = errorOf(call)
    await until(() => server.seen.length === 1)
    await first.close({ timeoutMs: 1 })
    expect(await given).toMatchObject({ code: 'ERR_CLOSING' })
    isHanging = false
    const second = await openAsker(allow(server.origin), { store, blobs })
    const again = await second.getActor('a', 'Asker')
    expect(await again.call('answers')).toEqual(['200 late'])
  })
})

test('a query sends no request', async () => {
  const server = await openServer((_, response) => response.end())
  const runtime = await openHost()
  const fetch = allow(server.origin)
  const definition = { type: 'typescript', actorClass: Asker, queries: ['headers'], fetch } as const
  await runtime.registerActorType('Asker', definition)
  const asker = await runtime.getActor('a', 'Asker')
  const error = await errorOf(asker.call('headers', `${server.origin}/`))
  expect(error).toMatchObject({ code: 'ERR_QUERY' })
  expect(server.seen).toEqual([])
})

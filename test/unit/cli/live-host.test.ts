import net from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LoomError } from '../../../host/base/errors.ts'
import { callThroughHost, describeThroughHost, findLiveHost } from '../../../host/cli/live-host.ts'
import type { HostRecord } from '../../../host/runtime/api.ts'
import { type HttpServer, startServer } from '../../../host/server/server.ts'
import { StubRuntime, summary } from '../../support/stub-runtime.ts'

let runtime: StubRuntime
let server: HttpServer
let record: HostRecord
const key = { type: 'Counter', id: 'a/b' }

beforeEach(async () => {
  runtime = new StubRuntime()
  server = await startServer({ runtime, port: 0 })
  const { epoch } = runtime
  const { address } = server
  record = { pid: process.pid, processStart: null, epoch, claimedAtMs: 0, address }
})
afterEach(() => server.close())

async function live(): Promise<{ address: string; pid: number }> {
  const host = await findLiveHost(record)
  if (host === null) throw new Error('the host was not found')
  return host
}

test('a host that shows the pid and epoch of the record is live', async () => {
  expect(await findLiveHost(record)).toEqual({ address: server.address, pid: process.pid })
})

test('no record, no address, another epoch, another pid, or nobody at the port is no live host', async () => {
  expect(await findLiveHost(null)).toBeNull()
  expect(await findLiveHost({ ...record, address: null })).toBeNull()
  expect(await findLiveHost({ ...record, epoch: 8 })).toBeNull()
  expect(await findLiveHost({ ...record, pid: 1 })).toBeNull()
  await server.close()
  expect(await findLiveHost(record)).toBeNull()
})

test('a program of another kind at the port is no live host', async () => {
  const stranger = net.createServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n[]'))
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
  const bound = stranger.address()
  const port = typeof bound === 'object' ? bound?.port : 0
  expect(await findLiveHost({ ...record, address: `http://127.0.0.1:${port}` })).toBeNull()
  stranger.close()
})

test('a host that takes no calls says why', async () => {
  runtime.lose(new LoomError('ERR_FENCED', 'epoch 8 has taken over'))
  await runtime.lost
  await expect(findLiveHost(record)).rejects.toMatchObject({
    code: 'ERR_FENCED',
    message: 'epoch 8 has taken over',
  })
})

test('a call through the host arrives unchanged, also with a name that a URL would drop', async () => {
  runtime.respond = ({ args }) => args ?? []
  const args = [1, 'ü', ['18446744073709551615']]
  const request = { method: '..', args, idempotencyKey: 'schlüssel' }
  expect(await callThroughHost(await live(), key, request)).toEqual(args)
  expect(runtime.calls).toEqual([{ ...request, ...key }])
})

test('an error of the host is the same error here', async () => {
  runtime.respond = () => {
    throw new LoomError('ERR_TRAP', 'overflow')
  }
  const call = callThroughHost(await live(), key, { method: 'm', args: [] })
  await expect(call).rejects.toMatchObject({ code: 'ERR_TRAP', message: 'overflow' })
  await expect(describeThroughHost(await live(), key)).rejects.toMatchObject({
    code: 'ERR_ACTOR_UNKNOWN',
  })
  runtime.summaries.push(summary('Counter', 'a/b'))
  expect(await describeThroughHost(await live(), key)).toMatchObject(key)
})

test('a connection that breaks during a call tells that the outcome is unknown', async () => {
  const stranger = net.createServer((socket) => socket.on('data', () => socket.destroy()))
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
  const bound = stranger.address()
  const port = typeof bound === 'object' ? bound?.port : 0
  const host = { address: `http://127.0.0.1:${port}`, pid: 1 }
  const request = { method: 'm', args: [], idempotencyKey: 'k' }
  await expect(callThroughHost(host, key, request)).rejects.toMatchObject({
    code: 'ERR_HOST_UNREACHABLE',
    message: expect.stringContaining('ask again with the same --idempotency-key'),
  })
  stranger.close()
})

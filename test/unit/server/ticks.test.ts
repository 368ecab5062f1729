// Aim: reminders and timers over HTTP answer as Dapr's do. Method: a server in front of a real runtime.
import { expect, onTestFinished, test } from 'vitest'
import { VirtualClock } from '../../../host/index.ts'
import { startServer } from '../../../host/server/server.ts'
import { openHost } from '../../support/host.ts'
import { Ticking } from '../../support/ticking-actor.ts'

async function serve(): Promise<{
  address: string
  clock: VirtualClock
  send: (method: string, path: string, body?: unknown) => Promise<[number, unknown]>
}> {
  const clock = new VirtualClock()
  const runtime = await openHost({ clock })
  await runtime.registerActorType('Ticking', { type: 'typescript', actorClass: Ticking })
  const server = await startServer({ runtime, port: 0 })
  onTestFinished(() => server.close())
  const send = async (method: string, path: string, body?: unknown): Promise<[number, unknown]> => {
    const response = await fetch(`${server.address}/v1.0/actors/Ticking/a/${path}`, {
      method,
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return [response.status, text === '' ? null : JSON.parse(text)]
  }
  return { address: server.address, clock, send }
}

test('a reminder is set, read, listed and deleted', async () => {
  const { clock, send } = await serve()
  const given = { dueTime: '0h0m9s0ms', period: 'R5/PT1M', ttl: '1h', data: { a: [1] } }
  expect(await send('POST', 'reminders/r%2F1', given)).toEqual([204, null])
  expect(await send('GET', 'reminders/r%2F1')).toEqual([
    200,
    { actorID: 'a', actorType: 'Ticking', ...given },
  ])
  // What a client leaves empty is not there, as with Dapr.
  const bare = { dueTime: 'pt10s', period: '', ttl: '' }
  expect(await send('PUT', 'reminders/p', bare)).toEqual([204, null])
  expect(await send('GET', 'reminders/p')).toEqual([
    200,
    { actorID: 'a', actorType: 'Ticking', dueTime: 'pt10s' },
  ])
  const [status, listed] = await send('GET', 'reminders')
  expect(status).toBe(200)
  expect(listed).toMatchObject([
    { name: 'p', due: 'pt10s', dueAtMs: clock.wallMs() + 10_000 },
    { name: 'r/1', period: 'R5/PT1M' },
  ])
  expect(await send('POST', 'reminders/p', { overwrite: false })).toMatchObject([
    409,
    { errorCode: 'ERR_ACTOR_REMINDER_ALREADY_EXISTS' },
  ])
  for (const name of ['p', 'p'])
    expect(await send('DELETE', `reminders/${name}`)).toEqual([204, null])
  expect(await send('GET', 'reminders/p')).toMatchObject([
    404,
    { errorCode: 'ERR_ACTOR_REMINDER_NOT_FOUND' },
  ])
})

test('a timer is set, read, listed and deleted', async () => {
  const { clock, send } = await serve()
  const given = { dueTime: '1h', period: 'p1d', data: [1] }
  expect(await send('POST', 'timers/t', { ...given, callback: 'c' })).toEqual([204, null])
  expect(await send('PUT', 'timers/bare', {})).toEqual([204, null])
  expect(await send('GET', 'timers/t')).toEqual([
    200,
    { actorID: 'a', actorType: 'Ticking', ...given },
  ])
  clock.advance(1)
  expect((await send('GET', 'timers'))[1]).toMatchObject([{ name: 't', due: '1h', period: 'p1d' }])
  expect(await send('GET', 'timers/bare')).toMatchObject([
    404,
    { errorCode: 'ERR_ACTOR_TIMER_NOT_FOUND' },
  ])
  for (const _ of [1, 2]) expect(await send('DELETE', 'timers/t')).toEqual([204, null])
})

test('a client that starts is told which types are here, and how many actors of each are in memory', async () => {
  const { address, send } = await serve()
  await send('PUT', 'timers/t', { dueTime: '1h' })
  const response = await fetch(`${address}/v1.0/metadata`)
  const counts = [
    { type: 'Ledger', count: 0 },
    { type: 'Ticking', count: 1 },
  ]
  expect([response.status, await response.json()]).toMatchObject([
    200,
    {
      id: 'loom',
      runtimeVersion: expect.stringMatching(/^\d+\.\d+\.\d+/),
      actors: counts,
      actorRuntime: { runtimeStatus: 'RUNNING', activeActors: counts, hostReady: true },
    },
  ])
})

test('PUT calls a method as POST does', async () => {
  const { send } = await serve()
  const [status, ticks] = await send('PUT', 'method/ticks')
  expect([status, ticks]).toEqual(await send('POST', 'method/ticks'))
})

test('what is malformed is refused', async () => {
  const { send } = await serve()
  const refused: readonly [string, string, unknown][] = [
    ['POST', 'reminders/r', { dueTime: 'soon' }],
    ['POST', 'reminders/r', { period: 7 }],
    ['POST', 'reminders/r', { missed: 'maybe' }],
    ['POST', 'reminders/r', '[1]'],
    ['POST', 'reminders/r', '{'],
    ['POST', `reminders/${'n'.repeat(300)}`, {}],
    ['PUT', 'timers/t', { dueTime: '1s', ttl: '2001-01-01T00:00:00Z' }],
    ['POST', 'timers/%00', {}],
  ]
  for (const [method, path, body] of refused) {
    const [status, answer] = await send(method, path, body)
    expect([status, path]).toEqual([400, path])
    expect(answer).toMatchObject({ errorCode: expect.stringMatching(/^ERR_/) })
  }
})

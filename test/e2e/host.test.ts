import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { COUNTER, FAULTY, push, pushCounter, QUOTER } from '../support/actors.ts'
import { call, request } from '../support/http.ts'
import { loom, serve, temporaryFolder } from '../support/processes.ts'

test('commands work beside a live host: reading ones read, call goes to the host', async () => {
  const data = temporaryFolder()
  const at = ['--data', data]
  await pushCounter(data)
  const host = await serve(data)
  expect(host.address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  expect((await call(host.address, 'Counter/c1', 'increment', [5])).text).toBe('5')
  const called = await loom(['call', 'Counter/c1', 'increment', '6', ...at])
  expect([called.code, called.stdout]).toEqual([0, '11\n'])
  expect((await loom(['journal', 'Counter/c1', ...at])).stdout).toContain('increment(6) -> 11')
  const { stdout } = await loom(['replay', 'Counter/c1', '--json', ...at])
  const live = JSON.parse((await request(host.address, '/v1.0/actors/Counter/c1')).text)
  expect(live).toMatchObject({ resident: true, stateHash: JSON.parse(stdout).stateHash })
  const inspected = await loom(['inspect', 'Counter/c1', '--json', ...at])
  expect(JSON.parse(inspected.stdout)).toEqual(live)
  expect((await loom(['types', ...at])).stdout).toContain('increment')
  expect((await loom(['actors', ...at])).stdout).toContain('Counter/c1')
  const unknown = await loom(['call', 'Counter/c1', 'decrement', ...at])
  expect([unknown.code, unknown.stderr]).toEqual([
    66,
    expect.stringMatching(/^error ERR_METHOD_UNKNOWN: /m),
  ])
  const ended = await host.stop()
  expect([ended.code, ended.stdout]).toEqual([0, `listening on ${host.address}\n`])
  expect((await loom(['call', 'Counter/c1', 'increment', '1', ...at])).stdout).toBe('12\n')
})

test('a type that is pushed beside a live host can be called at once', async () => {
  const data = temporaryFolder()
  const host = await serve(data)
  const before = await call(host.address, 'Counter/c1', 'increment', [1])
  expect([before.status, JSON.parse(before.text).errorCode]).toEqual([404, 'ERR_TYPE_UNKNOWN'])
  await pushCounter(data)
  expect((await call(host.address, 'Counter/c1', 'increment', [1])).text).toBe('1')
  expect((await loom(['push', COUNTER, '--type', 'Other', '--data', data])).code).toBe(0)
  expect((await loom(['call', 'Other/c1', 'increment', '3', '--data', data])).stdout).toBe('3\n')
})

test('a second host on the folder is refused with the pid of the first', async () => {
  const data = temporaryFolder()
  const host = await serve(data)
  const second = await loom(['serve', '--port', '0', '--data', data])
  expect(second.code).toBe(75)
  expect(second.stderr).toMatch(/^error ERR_DATA_OWNED: /)
  expect(second.stderr).toContain(String(host.pid))
  const json = await loom(['serve', '--port', '0', '--data', data, '--json'])
  expect(JSON.parse(json.stderr)).toMatchObject({
    errorCode: 'ERR_DATA_OWNED',
    data: { pid: host.pid },
  })
  expect((await request(host.address, '/healthz')).status).toBe(200)
})

test('after kill -9 the next host continues, and a retry of an answered call runs nothing', async () => {
  const data = temporaryFolder()
  await pushCounter(data)
  const first = await serve(data)
  const key = { 'idempotency-key': 'k1' }
  expect((await call(first.address, 'Counter/c1', 'increment', [5], key)).text).toBe('5')
  await first.kill()
  const second = await serve(data)
  expect((await call(second.address, 'Counter/c1', 'increment', [5], key)).text).toBe('5')
  expect((await call(second.address, 'Counter/c1', 'increment', [5])).text).toBe('10')
  const health = JSON.parse((await request(second.address, '/healthz')).text)
  expect(health).toMatchObject({ status: 'ok', pid: second.pid })
  expect(health.epoch).toBeGreaterThan(1)
})

test('call works right after kill -9, without a host', async () => {
  const data = temporaryFolder()
  await pushCounter(data)
  const host = await serve(data)
  await call(host.address, 'Counter/c1', 'increment', [5])
  await host.kill()
  const after = await loom(['call', 'Counter/c1', 'increment', '1', '--data', data])
  expect([after.code, after.stdout]).toEqual([0, '6\n'])
})

test('calls that start together without a host all succeed', async () => {
  const data = temporaryFolder()
  await pushCounter(data)
  const calls = [1, 2, 3].map(() => loom(['call', 'Counter/c1', 'increment', '1', '--data', data]))
  const results = await Promise.all(calls)
  expect(results.map(({ code }) => code)).toEqual([0, 0, 0])
  expect(results.map(({ stdout }) => stdout).sort()).toEqual(['1\n', '2\n', '3\n'])
})

test('a frozen host is displaced by --take-over, and can write nothing when it wakes up', async () => {
  const data = temporaryFolder()
  await pushCounter(data)
  const frozen = await serve(data)
  expect((await call(frozen.address, 'Counter/c1', 'increment', [5])).text).toBe('5')
  frozen.signal('SIGSTOP')
  const refused = await loom(['call', 'Counter/c1', 'increment', '1', '--data', data])
  expect([refused.code, refused.stderr]).toEqual([
    69,
    expect.stringMatching(
      new RegExp(`^error ERR_HOST_UNREACHABLE: the host \\(pid ${frozen.pid}\\)`, 'm'),
    ),
  ])
  const owned = await loom(['serve', '--port', '0', '--data', data])
  expect([owned.code, owned.stderr]).toEqual([75, expect.stringContaining(String(frozen.pid))])

  const next = await serve(data, ['--take-over'])
  expect((await call(next.address, 'Counter/c1', 'increment', [10])).text).toBe('15')
  // The woken host may end before it takes the connection; if it answers, then only with a refusal.
  const late = call(frozen.address, 'Counter/c1', 'increment', [100]).then(
    ({ status, text }) => [status, JSON.parse(text).errorCode],
    () => 'cut off',
  )
  frozen.signal('SIGCONT')
  expect(['cut off', [503, 'ERR_FENCED']]).toContainEqual(await late)
  const ended = await frozen.ended
  expect([ended.code, ended.stderr]).toEqual([75, expect.stringMatching(/^error ERR_FENCED: /m)])
  expect((await call(next.address, 'Counter/c1', 'value')).text).toBe('15')
  const replayed = await loom(['replay', 'Counter/c1', '--data', data])
  expect([replayed.code, replayed.stdout.split('\n')[0]]).toEqual([
    0,
    'replayed 3 turns, identical',
  ])
})

test('SIGTERM answers calls that had arrived, and ends with 0', async () => {
  const data = temporaryFolder()
  await pushCounter(data)
  const host = await serve(data)
  const ids = Array.from({ length: 50 }, (_, at) => `c${at}`)
  const calls = ids.map((id) => call(host.address, `Counter/${id}`, 'increment', [1]))
  const outcomes = Promise.allSettled(calls)
  await Promise.race(calls)
  const ended = await host.stop()
  expect(ended.code).toBe(0)
  const answered = (await outcomes).filter(
    (outcome) => outcome.status === 'fulfilled' && outcome.value.status === 200,
  )
  const actors = await loom(['actors', '--json', '--data', data])
  expect(actors.stdout.trim().split('\n').length).toBeGreaterThanOrEqual(answered.length)
  expect(answered.length).toBeGreaterThan(0)
})

test('a host whose log is read no longer goes on', async () => {
  const data = temporaryFolder()
  await push(data, FAULTY, 'Faulty')
  const host = await serve(data)
  host.closeOutput()
  for (const total of ['1', '2']) {
    const answer = await call(host.address, 'Faulty/f', 'add', [1])
    expect([answer.status, answer.text]).toEqual([200, total])
  }
  expect((await host.stop()).code).toBe(0)
})

test('serve on a port that is taken ends with ERR_OPTION and gives the folder back', async () => {
  const data = temporaryFolder()
  const host = await serve(temporaryFolder())
  const { port } = new URL(host.address)
  const refused = await loom(['serve', '--port', port, '--data', data])
  expect([refused.code, refused.stderr]).toEqual([
    2,
    `error ERR_OPTION: cannot listen on 127.0.0.1:${port}: the port is taken\n`,
  ])
  const next = await serve(data)
  expect((await request(next.address, '/healthz')).status).toBe(200)
})

test.each(['(symbol) => prices[symbol]', 'async (symbol) => prices[symbol]'])(
  'an interface of the embedder is served by a module, and replay needs none: %s',
  async (latest) => {
    const folder = temporaryFolder()
    const data = path.join(folder, 'data')
    const module = path.join(folder, 'quotes.mjs')
    writeFileSync(
      module,
      `const prices = { LOOM: 42 }\nexport default { 'acme:pricing/quotes': { latest: ${latest} } }`,
    )
    const push = ['push', QUOTER, '--type', 'Quoter', '--data', data]
    const refused = await loom(push)
    expect([refused.code, refused.stderr]).toEqual([
      65,
      expect.stringMatching(/^error ERR_COMPONENT_IMPORT: .*acme:pricing\/quotes/m),
    ])
    expect((await loom([...push, '--provide', module])).code).toBe(0)

    const without = await serve(data)
    const missing = await call(without.address, 'Quoter/ada', 'offer', ['LOOM', 2])
    expect([missing.status, JSON.parse(missing.text).errorCode]).toEqual([
      422,
      'ERR_COMPONENT_IMPORT',
    ])
    await without.stop()

    const host = await serve(data, ['--provide', module])
    const offered = await call(host.address, 'Quoter/ada', 'offer', ['LOOM', 2])
    expect(offered.text).toContain('"total":84')
    const ended = await host.stop()
    expect(ended.stderr.split('info Quoter/ada: ada was offered 2 LOOM for 84')).toHaveLength(2)
    const replayed = await loom(['replay', 'Quoter/ada', '--data', data])
    expect([replayed.code, replayed.stdout.split('\n')[0]]).toEqual([
      0,
      'replayed 1 turns, identical',
    ])
  },
)

test.each([
  ['export const a = 1', 'default export'],
  ["export default { 'a:b/c': 5 }", 'must be an object of functions'],
  ['throw new Error("no quotes today")', 'no quotes today'],
])('a module that provides nothing usable is ERR_OPTION: %s', async (source, message) => {
  const folder = temporaryFolder()
  writeFileSync(path.join(folder, 'bad.mjs'), source)
  const args = ['serve', '--port', '0', '--data', folder, '--provide', path.join(folder, 'bad.mjs')]
  const { code, stderr } = await loom(args)
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^error ERR_OPTION: --provide /m)])
  expect(stderr).toContain(message)
})

// Aim: quarantine, deletion and shutdown through real processes on real folders.
// Damage is done by appending an entry that no build of Loom can read, as a failing disk would leave it.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { openDataFolder } from '../../host/index.ts'
import { pushCounter, QUOTER } from '../support/actors.ts'
import { call, request } from '../support/http.ts'
import { loom, serve, temporaryFolder, until } from '../support/processes.ts'

async function damage(data: string, id: string): Promise<void> {
  const store = await openDataFolder(data).store.open({ wallMs: () => 0 })
  const log = await store.openLog({ type: 'Counter', id })
  await log.append({ seq: log.seqNext, entries: [Buffer.from('not an entry at all')] })
  await store.close()
}

test('a damaged actor stays quarantined over restarts until it is released or deleted', async () => {
  const data = temporaryFolder()
  const at = ['--data', data]
  await pushCounter(data)
  await loom(['call', 'Counter/c1', 'increment', '5', ...at])
  await damage(data, 'c1')
  const first = await serve(data)
  const refused = await call(first.address, 'Counter/c1', 'increment', [1])
  expect([refused.status, JSON.parse(refused.text).errorCode]).toEqual([409, 'ERR_QUARANTINED'])
  await first.kill()
  const second = await serve(data)
  const listed = JSON.parse((await request(second.address, '/v1.0/quarantine')).text)
  expect(listed).toMatchObject([
    { key: { type: 'Counter', id: 'c1' }, code: 'ERR_JOURNAL_CORRUPT' },
  ])
  expect((await loom(['quarantine', 'list', ...at])).stdout).toMatch(/^Counter\/c1 .*entry 2/)
  const inspected = await loom(['inspect', 'Counter/c1', ...at])
  expect([inspected.code, inspected.stdout]).toEqual([0, expect.stringContaining('quarantined')])
  expect((await loom(['journal', 'Counter/c1', ...at])).stdout).toContain('increment(5) -> 5')
  const release = ['quarantine', 'release', 'Counter/c1', ...at]
  expect((await loom(release)).stdout).toBe('released Counter/c1\n')
  expect((await loom(release)).stdout).toBe('Counter/c1 is not quarantined\n')
  expect((await call(second.address, 'Counter/c1', 'increment', [1])).status).toBe(409)
  const page = { method: 'DELETE', headers: { origin: 'http://evil.example' } }
  expect((await request(second.address, '/v1.0/actors/Counter/c1', page)).status).toBe(400)
  expect((await loom(['delete', 'Counter/c1', ...at])).stdout).toBe('deleted Counter/c1\n')
  expect((await call(second.address, 'Counter/c1', 'increment', [3])).text).toBe('3')
  const deleted = await request(second.address, '/v1.0/actors/Counter/c1', { method: 'DELETE' })
  expect([deleted.status, deleted.text]).toEqual([200, '{"deleted":true}'])
  await second.stop()
  const unknown = await loom(['delete', 'Counter/c1', ...at])
  expect([unknown.code, unknown.stderr]).toEqual([66, expect.stringContaining('ERR_ACTOR_UNKNOWN')])
  expect((await loom(['actors', ...at])).stderr).toBe('no actors\n')
})

test('a call that times out says so over HTTP and on the command line, and its key answers later', async () => {
  const data = temporaryFolder()
  const module = path.join(data, 'quotes.mjs')
  writeFileSync(
    module,
    `import { existsSync } from 'node:fs'
    import { setTimeout } from 'node:timers/promises'
    export default { 'acme:pricing/quotes': { latest: async () => {
      while (!existsSync(${JSON.stringify(path.join(data, 'go'))})) await setTimeout(10)
      return 42
    } } }`,
  )
  const at = ['--provide', module, '--data', data]
  expect((await loom(['push', QUOTER, '--type', 'Quoter', ...at])).code).toBe(0)
  const host = await serve(data, ['--provide', module])
  const timeout = { 'loom-timeout': '200ms' }
  const late = await call(host.address, 'Quoter/ada', 'offer', ['LOOM', 2], timeout)
  expect([late.status, JSON.parse(late.text).errorCode]).toEqual([504, 'ERR_TIMEOUT'])
  const { idempotencyKey } = JSON.parse(late.text).data
  expect(late.headers['idempotency-key']).toBe(idempotencyKey)
  const words = ['call', 'Quoter/bob', 'offer', 'LOOM', '1', '--data', data]
  const slow = await loom([...words, '--timeout', '100ms', '--idempotency-key', 'bob-1'])
  expect([slow.code, slow.stderr]).toEqual([75, expect.stringMatching(/ERR_TIMEOUT.*"bob-1"/)])
  writeFileSync(path.join(data, 'go'), '')
  const key = { 'idempotency-key': idempotencyKey }
  const answer = await call(host.address, 'Quoter/ada', 'offer', ['LOOM', 2], key)
  expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('"total":84')])
  expect((await loom([...words, '--idempotency-key', 'bob-1'])).stdout).toContain('42')
  const { stdout } = await loom(['journal', 'Quoter/ada', '--json', '--data', data])
  expect(stdout.match(/"kind":"opened"/g)).toHaveLength(1)
})

test('a shutdown gives up, at its deadline, a call that does not end, and tells its caller', async () => {
  const data = temporaryFolder()
  const module = path.join(data, 'quotes.mjs')
  writeFileSync(
    module,
    "export default { 'acme:pricing/quotes': { latest: async () => { console.error('asked'); await new Promise(() => {}) } } }",
  )
  const push = ['push', QUOTER, '--type', 'Quoter', '--provide', module, '--data', data]
  expect((await loom(push)).code).toBe(0)
  const times = ['--drain-timeout', '300ms', '--actor-idle-timeout', '1h30m']
  const host = await serve(data, ['--provide', module, ...times])
  const stuck = call(host.address, 'Quoter/ada', 'offer', ['LOOM', 2])
  await until('the call to wait', async () => {
    const { stdout } = await loom(['journal', 'Quoter/ada', '--data', data])
    return stdout.includes('waits') ? true : null
  })
  const [ended, answer] = await Promise.all([host.stop(), stuck])
  expect(ended.code).toBe(0)
  expect([answer.status, JSON.parse(answer.text).errorCode]).toEqual([503, 'ERR_CLOSING'])
  const wrong = await loom(['serve', '--drain-timeout', 'soon', '--data', data])
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('1h30m')])
})

test('an actor moves to another folder as a file, without a host and through one', async () => {
  const [from, third] = [temporaryFolder(), temporaryFolder()]
  const to = path.join(temporaryFolder(), 'new')
  const file = path.join(from, 'c1.loom')
  await pushCounter(from)
  const source = await serve(from)
  const key = { 'idempotency-key': 'k1' }
  await call(source.address, 'Counter/c1', 'increment', [5], key)
  await call(source.address, 'Counter/c1', 'increment', [6])
  const at = (data: string) => ['--data', data]
  const exporting = ['journal', 'Counter/c1', '--export', file, ...at(from)]
  expect((await loom(exporting)).stdout).toBe(`exported Counter/c1 to ${file}\n`)
  const report = (await loom(['replay', 'Counter/c1', '--json', ...at(from)])).stdout
  const lacking = await loom(['import', file, ...at(to)])
  expect([lacking.code, lacking.stderr]).toEqual([66, expect.stringContaining('ERR_BLOB_UNKNOWN')])
  await loom([...exporting, '--with-component'])
  expect((await loom(['import', file, ...at(to)])).stdout).toBe('imported Counter/c1\n')
  const host = await serve(third)
  expect((await loom(['import', file, ...at(third)])).stdout).toBe('imported Counter/c1\n')
  const again = await loom(['import', file, ...at(third)])
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('ERR_ACTOR_EXISTS')])
  const renamed = await loom(['import', file, '--as', 'Counter/copy', ...at(third)])
  expect(renamed.stdout).toBe('imported Counter/copy\n')
  for (const data of [to, third]) {
    const replayed = JSON.parse(
      (await loom(['replay', 'Counter/c1', '--json', ...at(data)])).stdout,
    )
    const { stateHash, seqNext, turns } = JSON.parse(report)
    expect(replayed).toMatchObject({ stateHash, seqNext, turns })
  }
  expect((await call(host.address, 'Counter/c1', 'increment', [5], key)).text).toBe('5')
  expect((await call(host.address, 'Counter/copy', 'increment', [1])).text).toBe('12')
  expect((await call(host.address, 'Counter/c1', 'increment', [1])).text).toBe('12')
  writeFileSync(file, 'LOOMEXP? no')
  const damaged = await loom(['import', file, ...at(third)])
  expect([damaged.code, damaged.stderr]).toEqual([65, expect.stringContaining('at offset 7')])
})

import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { BODY_SIZE_MAX_BYTES } from '../../host/base/limits.ts'
import { COUNTER, counterBytes, FAULTY, push, pushCounter } from '../support/actors.ts'
import { call, request } from '../support/http.ts'
import { type HostProcess, loom, serve, startHost, temporaryFolder } from '../support/processes.ts'

// One folder and one host for everything that is refused: nothing of it may change what is there.
const data = mkdtempSync(path.join(os.tmpdir(), 'loom-test-'))
let host: HostProcess

beforeAll(async () => {
  await pushCounter(data)
  await push(data, FAULTY, 'Faulty')
  host = await startHost(data)
  await call(host.address, 'Counter/bystander', 'increment', [7])
})

afterEach(async () => {
  const value = await call(host.address, 'Counter/bystander', 'value')
  expect([value.status, value.text]).toEqual([200, '7'])
})

afterAll(async () => {
  const { code, stdout } = await loom(['replay', 'Counter/bystander', '--data', data])
  const ended = await host.stop()
  rmSync(data, { recursive: true, force: true })
  expect([code, stdout]).toEqual([0, expect.stringContaining('identical')])
  expect(ended.code).toBe(0)
})

function errorCode(text: string): string {
  return JSON.parse(text).errorCode
}

const CORE_MODULE = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00)
const COMPONENT_HEADER = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00)

test.each<readonly [string, (counter: Uint8Array) => Uint8Array]>([
  ['an empty file', () => new Uint8Array()],
  ['text', () => Buffer.from('(component)')],
  ['a core module', () => CORE_MODULE],
  ['a truncated component', (counter) => counter.subarray(0, counter.length - 100)],
  ['a component cut in its header', (counter) => counter.subarray(0, 6)],
  ['a component with bytes behind it', (counter) => Buffer.concat([counter, Buffer.from('tail')])],
  [
    'a section that claims four gigabytes',
    () => Buffer.concat([COMPONENT_HEADER, Buffer.from([0x01, 0xff, 0xff, 0xff, 0xff, 0x0f])]),
  ],
])('%s is refused by push with ERR_COMPONENT_FORMAT and changes nothing', async (_, bytesOf) => {
  const file = path.join(data, 'bad.wasm')
  writeFileSync(file, bytesOf(await counterBytes()))
  const { code, stderr } = await loom(['push', file, '--type', 'Counter', '--data', data])
  expect([code, stderr]).toEqual([
    65,
    expect.stringMatching(/^error ERR_COMPONENT_[A-Z]+: .*bad\.wasm: /m),
  ])
  const id = randomUUID()
  expect((await call(host.address, `Counter/${id}`, 'increment', [1])).text).toBe('1')
})

test('random damage to a component never gets past push as another error', async () => {
  const counter = await counterBytes()
  for (let at = 0; at < 5; at++) {
    const bytes = Buffer.from(counter)
    const index = 8 + Math.trunc((at / 5) * (bytes.length - 8))
    bytes[index] = (bytes[index] ?? 0) ^ 0x55
    const file = path.join(data, 'bad.wasm')
    writeFileSync(file, bytes)
    const { code, stderr } = await loom(['push', file, '--type', 'Damaged', '--data', data])
    if (code !== 0) expect(stderr).toMatch(/^error ERR_COMPONENT_[A-Z]+: /m)
  }
})

test.each<readonly [string, string, string, unknown, number, string]>([
  ['an unknown type', 'Nobody/c1', 'increment', [1], 404, 'ERR_TYPE_UNKNOWN'],
  ['an unknown method', 'Counter/c1', 'decrement', [1], 404, 'ERR_METHOD_UNKNOWN'],
  ['a method of JavaScript', 'Counter/c1', 'constructor', [], 404, 'ERR_METHOD_UNKNOWN'],
  ['a method of prototypes', 'Counter/c1', '__proto__', [], 404, 'ERR_METHOD_UNKNOWN'],
  ['too few arguments', 'Counter/c1', 'increment', [], 400, 'ERR_ARGUMENT_COUNT'],
  ['too many arguments', 'Counter/c1', 'increment', [1, 2], 400, 'ERR_ARGUMENT_COUNT'],
  ['text for a number', 'Counter/c1', 'increment', ['x'], 400, 'ERR_ARGUMENT_TYPE'],
  ['a fraction for an integer', 'Counter/c1', 'increment', [1.5], 400, 'ERR_ARGUMENT_TYPE'],
  ['a negative u32', 'Counter/c1', 'increment', [-1], 400, 'ERR_ARGUMENT_TYPE'],
  ['null for a number', 'Counter/c1', 'increment', [null], 400, 'ERR_ARGUMENT_TYPE'],
  ['an object for arguments', 'Counter/c1', 'increment', { by: 1 }, 400, 'ERR_BODY_SYNTAX'],
])('%s is refused and leaves no journal', async (_, actor, method, args, status, code) => {
  const answer = await request(host.address, `/v1.0/actors/${actor}/method/${method}`, {
    method: 'POST',
    body: JSON.stringify(args),
  })
  expect([answer.status, errorCode(answer.text)]).toEqual([status, code])
  const looked = await request(host.address, `/v1.0/actors/${actor}`)
  expect(looked.status).toBe(404)
})

test('an oversized body is refused', async () => {
  const body = `["${'x'.repeat(BODY_SIZE_MAX_BYTES)}"]`
  const answer = await request(host.address, '/v1.0/actors/Counter/c1/method/increment', {
    method: 'POST',
    body,
  })
  expect([answer.status, errorCode(answer.text)]).toEqual([413, 'ERR_BODY_SIZE'])
})

test.each<readonly [string, string, readonly unknown[], string]>([
  ['a thrown error', 'add-then-abort', [5, 'not today'], 'not today'],
  ['an index out of range', 'add-then-index', [5], ''],
  ['a bare trap', 'add-then-unreachable', [5], ''],
  ['endless recursion', 'overflow', [0], ''],
])('%s in a guest is ERR_TRAP, and the state is as before', async (_, method, args, message) => {
  const actor = `Faulty/${method}`
  expect((await call(host.address, actor, 'add', [2])).text).toBe('2')
  const key = { 'idempotency-key': 'once' }
  for (const headers of [key, key, {}]) {
    const answer = await call(host.address, actor, method, args, headers)
    expect([answer.status, errorCode(answer.text)]).toEqual([500, 'ERR_TRAP'])
    expect(answer.text).toContain(message)
  }
  expect((await call(host.address, actor, 'add', [3])).text).toBe('5')
  const { code, stdout } = await loom(['replay', actor, '--data', data])
  expect([code, stdout.split('\n')[0]]).toEqual([0, 'replayed 2 turns, identical'])
})

/** Flips one bit of the byte at the first place of `needle` in any file below `folder`. */
function damage(folder: string, needle: string | Uint8Array): number {
  let count = 0
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(folder, entry)
    if (!statSync(file).isFile()) continue
    const bytes = readFileSync(file)
    for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) {
      bytes[at] = (bytes[at] ?? 0) ^ 0x01
      count++
    }
    if (count > 0) writeFileSync(file, bytes)
  }
  return count
}

test('a corrupted blob is ERR_BLOB_CORRUPT, and pushing the component again mends it', async () => {
  const folder = temporaryFolder()
  await pushCounter(folder)
  await push(folder, FAULTY, 'Faulty')
  const first = await serve(folder)
  await call(first.address, 'Faulty/t', 'add', [2])
  await first.stop()
  expect(damage(path.join(folder, 'blobs'), 'test:faulty/faulty')).toBeGreaterThan(0)
  const { address } = await serve(folder)
  for (const actor of ['Faulty/t', 'Faulty/other']) {
    const answer = await call(address, actor, 'add', [1])
    expect([answer.status, errorCode(answer.text)]).toEqual([500, 'ERR_BLOB_CORRUPT'])
  }
  expect((await call(address, 'Counter/c1', 'increment', [1])).text).toBe('1')
  const replayed = await loom(['replay', 'Faulty/t', '--data', folder])
  expect([replayed.code, replayed.stderr]).toEqual([
    65,
    expect.stringMatching(/^error ERR_BLOB_CORRUPT: .*sha256:/m),
  ])
  await push(folder, FAULTY, 'Faulty')
  expect((await call(address, 'Faulty/t', 'add', [1])).text).toBe('3')
})

test('a flipped bit in a journal is noticed, and no actor is harmed', async () => {
  const folder = temporaryFolder()
  await pushCounter(folder)
  const first = await serve(folder)
  await call(first.address, 'Counter/other', 'increment', [7])
  await call(first.address, 'Counter/c1', 'increment', [1])
  const key = { 'idempotency-key': 'needle-in-the-journal' }
  await call(first.address, 'Counter/c1', 'increment', [2], key)
  await call(first.address, 'Counter/c1', 'increment', [3])
  await first.stop()
  expect(damage(path.join(folder, 'store'), 'needle-in-the-journal')).toBeGreaterThan(0)
  for (const command of ['journal', 'replay']) {
    const { code, stderr } = await loom([command, 'Counter/c1', '--json', '--data', folder])
    expect([code, errorCode(stderr)]).toEqual([65, 'ERR_JOURNAL_CORRUPT'])
  }
  const { address } = await serve(folder)
  // The snapshot of the orderly end stands behind the damage, so the state is known; never another one.
  expect((await call(address, 'Counter/c1', 'increment', [4])).text).toBe('10')
  expect((await call(address, 'Counter/other', 'increment', [1])).text).toBe('8')
  expect((await call(address, 'Counter/new', 'increment', [1])).text).toBe('1')
})

test('a component pushed under the name of a type with living actors changes none of them', async () => {
  expect((await call(host.address, 'Faulty/alive', 'add', [2])).text).toBe('2')
  await push(data, COUNTER, 'Faulty')
  expect((await call(host.address, 'Faulty/alive', 'add', [2])).text).toBe('4')
  expect((await call(host.address, 'Faulty/born-later', 'increment', [2])).text).toBe('2')
})

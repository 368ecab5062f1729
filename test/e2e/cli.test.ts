import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { COUNTER, pushCounter } from '../support/actors.ts'
import { loom, PACKAGE_ROOT, temporaryFolder } from '../support/processes.ts'

/** A folder for commands that are refused: none of them may change it. */
let shared: string

beforeAll(async () => {
  shared = mkdtempSync(path.join(os.tmpdir(), 'loom-test-'))
  await pushCounter(shared)
  await loom(['call', 'Counter/other', 'increment', '7', '--data', shared])
})

afterAll(async () => {
  const actors = await loom(['actors', '--data', shared])
  const value = await loom(['call', 'Counter/other', 'value', '--data', shared])
  rmSync(shared, { recursive: true, force: true })
  expect(actors.stdout).toMatch(/^Counter\/other [^\n]*\n$/)
  expect(value.stdout).toBe('7\n')
})

const COMMANDS = [
  'actors',
  'build',
  'call',
  'diff',
  'gen',
  'inspect',
  'journal',
  'new',
  'push',
  'replay',
  'serve',
  'types',
  'wit',
]

test('push, call, journal, inspect and replay work on a new folder without a host', async () => {
  const data = path.join(temporaryFolder(), 'new/data')
  const at = ['--data', data]
  const pushed = await loom(['push', COUNTER, '--type', 'Counter', ...at])
  expect(pushed.code).toBe(0)
  expect(pushed.stdout).toMatch(/^pushed Counter sha256:[0-9a-f]{64} \(\d+ bytes\)\n$/)

  const types = await loom(['types', ...at])
  expect(types.stdout).toContain('  increment: func(by: u32) -> u64\n')
  expect((await loom(['actors', '--json', ...at])).stdout).toBe('')

  for (const total of [5, 10]) {
    const called = await loom(['call', 'Counter/c1', 'increment', '5', ...at])
    expect([called.code, called.stdout]).toEqual([0, `${total}\n`])
  }
  const journal = await loom(['journal', 'Counter/c1', '--json', ...at])
  const entries = journal.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(entries).toMatchObject([
    { seq: 0, kind: 'created', type: 'Counter', id: 'c1' },
    { seq: 1, kind: 'turn', method: 'increment', args: [5], outcome: { value: 5 } },
    { seq: 2, kind: 'turn', method: 'increment', args: [5], outcome: { value: 10 } },
  ])
  expect((await loom(['journal', 'Counter/c1', ...at])).stdout).toContain('increment(5) -> 10')

  const replayed = await loom(['replay', 'Counter/c1', ...at])
  expect([replayed.code, replayed.stdout.split('\n')[0]]).toEqual([
    0,
    'replayed 2 turns, identical',
  ])
  const report = JSON.parse((await loom(['replay', 'Counter/c1', '--json', ...at])).stdout)
  const described = JSON.parse((await loom(['inspect', 'Counter/c1', '--json', ...at])).stdout)
  expect(described).toMatchObject({
    type: 'Counter',
    id: 'c1',
    seqNext: 3,
    resident: false,
    stateHash: report.stateHash,
  })
  expect((await loom(['actors', '--type', 'Counter', ...at])).stdout).toContain('Counter/c1')
})

test('a retry with the same idempotency key gives the first result and runs nothing', async () => {
  const data = temporaryFolder()
  await pushCounter(data)
  const call = ['call', 'Counter/c1', 'increment', '5', '--data', data, '--idempotency-key', 'k 1']
  expect((await loom(call)).stdout).toBe('5\n')
  expect((await loom(call)).stdout).toBe('5\n')
  const value = await loom(['call', 'Counter/c1', 'value', '--data', data])
  expect(value.stdout).toBe('5\n')
})

test('LOOM_DATA names the data folder, and --data wins over it', async () => {
  const data = temporaryFolder()
  await pushCounter(data)
  const env = { LOOM_DATA: data }
  expect((await loom(['types', '--json'], { env })).stdout).toContain('"name":"Counter"')
  const other = await loom(['types', '--json', '--data', temporaryFolder()], { env })
  expect(other.stdout).not.toContain('Counter')
})

test.each(COMMANDS)('loom %s --help ends with an example and code 0', async (command) => {
  const { code, stdout, stderr } = await loom([command, '--help'])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(
    new RegExp(`\\nExamples?:\\n(  \\$ loom ${command} .*\\n|  \\$ loom ${command}\\n)`),
  )
  expect(stdout).toContain('--json')
})

test('--version is the package’s, and `loom` alone shows help and ends with 2', async () => {
  const { version } = JSON.parse(readFileSync(path.join(PACKAGE_ROOT, 'package.json'), 'utf8'))
  expect((await loom(['--version'])).stdout).toBe(`${version}\n`)
  const alone = await loom([])
  expect([alone.code, alone.stdout]).toEqual([2, ''])
  for (const command of COMMANDS) expect(alone.stderr).toContain(`  ${command} `)
})

test.each([
  [['call', 'Counter/c1'], 2, 'ERR_OPTION'],
  [['serve', '--port', '70000'], 2, 'ERR_OPTION'],
  [['push', 'x.wasm'], 2, 'ERR_OPTION'],
  [['push', 'no-such-file.wasm', '--type', 'X'], 2, 'ERR_OPTION'],
  [['push', COUNTER, '--type', '../x'], 2, 'ERR_NAME'],
  [['nonsense'], 2, 'ERR_OPTION'],
  [['call', 'Counter', 'increment'], 2, 'ERR_NAME'],
  [['call', 'Counter/a\u0001', 'increment'], 2, 'ERR_NAME'],
  [['call', 'Counter/c1', 'increment', '5', '--idempotency-key', ''], 2, 'ERR_NAME'],
  [['call', 'Nobody/c1', 'increment', '5'], 66, 'ERR_TYPE_UNKNOWN'],
  [['call', 'Counter/c1', 'decrement', '5'], 66, 'ERR_METHOD_UNKNOWN'],
  [['call', 'Counter/c1', 'increment'], 65, 'ERR_ARGUMENT_COUNT'],
  [['call', 'Counter/c1', 'increment', '5', '6'], 65, 'ERR_ARGUMENT_COUNT'],
  [['call', 'Counter/c1', 'increment', '-1'], 65, 'ERR_ARGUMENT_TYPE'],
  [['call', 'Counter/c1', 'increment', 'five'], 65, 'ERR_ARGUMENT_TYPE'],
  [['call', 'Counter/c1', 'increment', '4294967296'], 65, 'ERR_ARGUMENT_TYPE'],
  [['journal', 'Counter/nobody'], 66, 'ERR_ACTOR_UNKNOWN'],
  [['replay', 'Counter/nobody'], 66, 'ERR_ACTOR_UNKNOWN'],
  [['inspect', 'Counter/nobody'], 66, 'ERR_ACTOR_UNKNOWN'],
  [['build', 'no-such-folder'], 65, 'ERR_BUILD'],
])('loom %j ends with %d and %s', async (args, exit, code) => {
  const env = { LOOM_DATA: shared }
  const refused = await loom([...args, '--json'], { env })
  expect([refused.code, refused.stdout]).toEqual([exit, ''])
  const { errorCode, message } = JSON.parse(refused.stderr)
  expect([errorCode, message]).toEqual([code, expect.stringMatching(/^[^\n]+$/)])
})

test('without --json an error is one line of text, without colours off a terminal', async () => {
  const env = { LOOM_DATA: shared, CI: '1', FORCE_COLOR: '1' }
  const { code, stdout, stderr } = await loom(['call', 'Counter/c1', 'decrement'], { env })
  expect([code, stdout]).toEqual([66, ''])
  expect(stderr).toMatch(
    /^error ERR_METHOD_UNKNOWN: Counter\/c1 has no method "decrement"[^\n]*\n$/m,
  )
})

test('reading commands say that a folder is missing', async () => {
  const data = path.join(temporaryFolder(), 'missing')
  for (const args of [['types'], ['actors'], ['journal', 'Counter/c1'], ['replay', 'Counter/c1']]) {
    const { code, stderr } = await loom([...args, '--data', data])
    expect([code, stderr.split(':')[0]]).toEqual([66, 'error ERR_DATA_FOLDER'])
  }
})

test('every mistake in an actor’s source is shown with file, line and column', async () => {
  const folder = temporaryFolder()
  writeFileSync(
    path.join(folder, 'bad.ts'),
    '@component("test:bad/bad@0.1.0")\nexport class Bad {\n  m(): u32 {\n    return nothing;\n  }\n  n(): u32 {\n    return none;\n  }\n}\n',
  )
  const { code, stderr } = await loom(['build', folder])
  expect(code).toBe(65)
  expect(stderr).toMatch(
    /^error ERR_BUILD: .*bad\.ts:4:12: .*nothing.*\nerror ERR_BUILD: .*bad\.ts:7:12: .*none.*\n$/m,
  )
  const asJson = await loom(['build', folder, '--json'])
  const { data } = JSON.parse(asJson.stderr)
  expect(data).toMatchObject({ line: 4, mistakes: [{ line: 4 }, { line: 7, column: 12 }] })
})

test('a reader that goes away ends the command without a word', async () => {
  const data = temporaryFolder()
  await pushCounter(data)
  await loom(['call', 'Counter/c1', 'increment', '1', '--data', data])
  const cli = path.join(PACKAGE_ROOT, 'dist/host/cli/main.js')
  const child = spawn(process.execPath, [cli, 'journal', 'Counter/c1', '--data', data])
  child.stdout.destroy()
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const [code] = await once(child, 'exit')
  expect([code, stderr]).toEqual([0, ''])
})

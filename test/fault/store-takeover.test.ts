/**
 * Fault model of these tests: a host freezes (SIGSTOP) for any time and goes on (SIGCONT), while others
 * start on the same folder, with and without `takeOver`. Frozen between writes, or inside one, where it
 * holds LMDB's writer lock and a plain attempt to write would block for ever.
 *
 * Not in the model: a folder shared by machines (pids and LMDB's locks mean nothing there), a process
 * that is no host of the folder and keeps its lock.
 */
import { rmSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, expect, it } from 'vitest'
import { isFrozen } from '../../host/store/lmdb/host-process.ts'
import { lmdb } from '../../host/store/lmdb/index.ts'
import {
  commitOf,
  options,
  rejects,
  scratchFolder,
  text,
  texts,
} from '../support/store-fixtures.ts'
import { type ChildMode, StoreProcess } from '../support/store-process.ts'

const root = scratchFolder('takeover')
let count = 0
const folder = (): string => path.join(root, `${count++}`)
const key = { type: 'Counter', id: 'log-0' }
const children: StoreProcess[] = []

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.kill()))
})
afterAll(() => rmSync(root, { recursive: true }))

function start(mode: ChildMode, place: string, childOptions: object = {}): StoreProcess {
  const child = new StoreProcess(mode, place, childOptions)
  children.push(child)
  return child
}

it('refuses a second host, naming the pid, also when the first is frozen', async () => {
  const place = folder()
  const child = start('serve', place)
  expect(await child.line()).toBe('ready 1')
  const error = await rejects(lmdb(place).open(options), 'ERR_DATA_OWNED')
  expect(error.message).toContain(String(child.pid))
  expect(error).toMatchObject({ data: { pid: child.pid, address: null } })
  child.send('SIGSTOP')
  await rejects(lmdb(place).open(options), 'ERR_DATA_OWNED')
  child.send('SIGCONT')
  expect(await child.ask('append')).toBe('done 1')
})

it('refuses without blocking when the frozen owner holds the lock', async () => {
  const place = folder()
  const child = start('freeze', place)
  expect([await child.line(), await child.line()]).toEqual(['ready 1', 'frozen'])
  await rejects(lmdb(place).open(options), 'ERR_DATA_OWNED')
  const reader = await lmdb(place).open({ ...options, readOnly: true })
  expect((await reader.readHost())?.pid).toBe(child.pid)
  await reader.close()
})

it('takes over from a host frozen between writes: it lives, and is fenced when it goes on', async () => {
  const place = folder()
  const child = start('serve', place)
  await child.line()
  expect(await child.ask('append')).toBe('done 1')
  child.send('SIGSTOP')
  const store = await lmdb(place).open({ ...options, takeOver: true })
  expect(store.epoch).toBe(2)
  const log = await store.openLog(key)
  expect(log.seqNext).toBe(1)
  await log.append(commitOf('log-0', 1, 'by the new host'))
  // Far more than the frozen host has mapped.
  const other = await store.openLog({ type: 'Counter', id: 'large' })
  await other.append(commitOf('large', 0, 'x'.repeat(3_000_000)))
  for (let seq = 1; seq < 20; seq++)
    await other.append(commitOf('large', seq, 'x'.repeat(1_000_000)))
  expect(child.isRunning).toBe(true)
  child.send('SIGCONT')
  expect(await child.ask('append')).toMatch(/^failed ERR_FENCED/)
  expect(await child.ask('append')).toMatch(/^failed ERR_FENCED/)
  await log.append(commitOf('log-0', 2, 'still'))
  expect(texts(await log.read(1, 9))).toEqual(['by the new host', 'still'])
  await store.close()
  const after = await lmdb(place).open({ ...options, readOnly: true })
  expect(texts(await (await after.openLog(key)).read(1, 9))).toEqual(['by the new host', 'still'])
  await after.close()
})

it('takes over from a host frozen inside a write by ending it', async () => {
  const place = folder()
  const child = start('freeze', place)
  await child.line()
  expect(await child.line()).toBe('frozen')
  // The line comes just before the process stops itself: a running one would be let finish its write.
  while (process.platform === 'linux' && !isFrozen({ pid: child.pid, processStart: null }))
    await new Promise((resolve) => setImmediate(resolve))
  const store = await lmdb(place, { probeMs: 1_500 }).open({ ...options, takeOver: true })
  expect(store.epoch).toBe(2)
  await child.exited()
  expect(child.signal).toBe('SIGKILL')
  const log = await store.openLog(key)
  await log.append(commitOf('log-0', 0, 'by the new host'))
  expect(texts(await log.read(0, 9))).toEqual(['by the new host'])
  await store.close()
})

it('takes over from a host that is busy writing', async () => {
  const place = folder()
  const child = start('write', place)
  await child.line()
  await new Promise((resolve) => setTimeout(resolve, 50))
  const store = await lmdb(place).open({ ...options, takeOver: true })
  expect(store.epoch).toBe(2)
  await child.exited()
  expect(child.signal).toBeNull()
  expect(child.lines.at(-1)).toMatch(/^failed ERR_FENCED/)
  const log = await store.openLog(key)
  const acknowledged = child.lines.filter((line) => line.startsWith('ack 0 ')).at(-1)
  expect(log.seqNext).toBeGreaterThanOrEqual(Number(acknowledged?.split(' ')[2] ?? 0))
  expect((await log.read(0, 1_000_000)).length).toBe(log.seqNext)
  await store.close()
})

it('lets exactly one of several racing processes claim a folder', async () => {
  const place = folder()
  const racers = Array.from({ length: 4 }, () => start('claim', place))
  const lines = await Promise.all(racers.map((racer) => racer.line()))
  expect(lines.filter((line) => line === 'claimed 1').length).toBe(1)
  expect(lines.filter((line) => line.startsWith('failed ERR_DATA_OWNED')).length).toBe(3)
})

it('claims at once after the owner died', async () => {
  const place = folder()
  const child = start('serve', place)
  await child.line()
  await child.ask('append')
  await child.kill()
  const store = await lmdb(place).open(options)
  expect(store.epoch).toBe(2)
  expect((await store.openLog(key)).seqNext).toBe(1)
  await store.close()
})

it('is not held up by readers that died or froze', async () => {
  const place = folder()
  const store = await lmdb(place, { checkpointCommits: 100 }).open(options)
  const log = await store.openLog(key)
  await log.append(commitOf('log-0', 0, 'one'))
  const script = `
    const { lmdb } = await import(process.argv[1])
    const store = await lmdb(process.argv[2]).open({ readOnly: true, wallMs: Date.now })
    await store.openLog({ type: 'Counter', id: 'log-0' })
    process.stdout.write('reading')
    process.kill(process.pid, process.argv[3])
  `
  const { spawn } = await import('node:child_process')
  const module = path.resolve('dist/host/store/lmdb/index.js')
  const frozen = ['SIGKILL', 'SIGSTOP'].map((signal) =>
    spawn(process.execPath, ['--input-type=module', '-e', script, module, place, signal]),
  )
  await Promise.all(
    frozen.map((child) => new Promise((resolve) => child.stdout.once('data', resolve))),
  )
  for (let seq = 1; seq < 200; seq++) await log.append({ seq, entries: [text('x'.repeat(9_000))] })
  for (const child of frozen) child.kill('SIGKILL')
  expect((await log.read(0, 1_000)).length).toBe(200)
  await store.close()
})

it('reads in one process while another writes: a growing, gap-free prefix', async () => {
  const place = folder()
  const child = start('write', place, { lmdb: { checkpointCommits: 300 } })
  await child.line()
  const reader = await lmdb(place).open({ ...options, readOnly: true })
  expect((await reader.readHost())?.pid).toBe(child.pid)
  const log = await reader.openLog(key)
  let length = 0
  for (let round = 0; round < 60; round++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    const acknowledged = child.lines.filter((line) => line.startsWith('ack 0 ')).at(-1)
    const rows = await log.read(0, 1_000_000)
    expect(rows.length).toBeGreaterThanOrEqual(length)
    expect(rows.length).toBeGreaterThanOrEqual(Number(acknowledged?.split(' ')[2] ?? 0))
    length = rows.length
    const last = rows.at(-1)
    if (last !== undefined)
      expect(Buffer.from(last.bytes).toString()).toMatch(
        `0:${length - 1}:`.slice(0, last.bytes.length),
      )
  }
  expect(length).toBeGreaterThan(50)
  await reader.close()
})

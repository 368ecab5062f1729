/**
 * Fault model of these tests: processes that open a folder, for reading or to take it over, at any moment
 * of its host's writes; hosts that do not answer; visitors that die or freeze at the door; hosts in other
 * containers. LMDB forgets a commit that is made while another process opens (see door.ts): without the
 * door about one take-over in 80, and one host in 4 that was read beside for 2 s, lost commits.
 */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, expect, it } from 'vitest'
import { hostFileOf, readLiveHost, visitorFileOf } from '../../host/store/lmdb/door.ts'
import { isAlive, lifeOf, processStartOf } from '../../host/store/lmdb/host-process.ts'
import { lmdb } from '../../host/store/lmdb/index.ts'
import type { Store } from '../../host/store/store.ts'
import { compileFaultShim } from '../support/fault-shim.ts'
import { times } from '../support/long.ts'
import { commitOf, options, rejects, scratchFolder, texts } from '../support/store-fixtures.ts'
import { type ChildMode, StoreProcess } from '../support/store-process.ts'

const TAKE_OVER_COUNT = times(6)
const READER_HOST_COUNT = times(1)
const LOG_COUNT = 16
/** As in store-child.mjs. */
const MORTAL_FROM = 12
const seed = Number(process.env.LOOM_SEED ?? Math.floor(Math.random() * 2 ** 31))
const isLinux = process.platform === 'linux'
const root = scratchFolder('door')
const key = { type: 'Counter', id: 'log-0' }
const shim = compileFaultShim()
const children: StoreProcess[] = []
let count = 0
const folder = (): string => path.join(root, `${count++}`)

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.kill()))
})
afterAll(() => {
  rmSync(root, { recursive: true })
  shim?.remove()
})

function start(
  mode: ChildMode,
  place: string,
  childOptions: object = {},
  env: Record<string, string> = {},
): StoreProcess {
  const child = new StoreProcess(mode, place, childOptions, [], env)
  children.push(child)
  return child
}

/** Every entry of every log, in order, and at least what the child acknowledged; the number of entries. */
async function checkAll(store: Store, lines: readonly string[]): Promise<number> {
  const ends = new Map<number, number>()
  for (const line of lines) {
    const [kind, log, seq] = line.split(' ')
    if (kind === 'ack') ends.set(Number(log), Math.max(Number(seq), ends.get(Number(log)) ?? 0))
  }
  let total = 0
  for (let index = 0; index < LOG_COUNT; index++) {
    const log = await store.openLog({ type: 'Counter', id: `log-${index}` })
    // Entries that the child has given up since are gone, besides the first.
    const { seqFirst } = log
    const rows = texts(await log.read(seqFirst, 1_000_000))
    // Lives of the others end now and then, and begin again at 0.
    if (index < MORTAL_FROM)
      expect(seqFirst + rows.length).toBeGreaterThanOrEqual(ends.get(index) ?? 0)
    for (const [at, row] of rows.entries()) {
      const seq = seqFirst + at
      if (!`${index}:${seq}:`.startsWith(row.slice(0, `${index}:${seq}:`.length)))
        throw new Error(`log ${index}, seq ${seq} holds ${row.slice(0, 20)}`)
    }
    total += rows.length
  }
  return total
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

it(
  `keeps every acknowledged commit through ${TAKE_OVER_COUNT} take-overs of a writing host (LOOM_SEED=${seed})`,
  async () => {
    for (let round = 0; round < TAKE_OVER_COUNT; round++) {
      const place = folder()
      const child = start('write', place, { seed: seed + round })
      expect(await child.line()).toBe('ready 1')
      await pause((seed + round * 7_919) % 60)
      const store = await lmdb(place).open({ ...options, takeOver: true })
      await child.exited()
      expect(child.signal, 'a host that answers is neither ended').toBeNull()
      expect(child.lines.at(-1)).toMatch(/^failed ERR_FENCED/)
      await checkAll(store, child.lines)
      await store.close()
      rmSync(place, { recursive: true })
    }
  },
  TAKE_OVER_COUNT * 5_000 + 60_000,
)

it(
  `keeps every acknowledged commit while others open the folder for reading (LOOM_SEED=${seed})`,
  async () => {
    for (let round = 0; round < READER_HOST_COUNT; round++) {
      const place = folder()
      const child = start('write', place, { seed: seed + round })
      expect(await child.line()).toBe('ready 1')
      let length = 0
      for (let opened = 0; opened < 40; opened++) {
        const acknowledged = child.lines.filter((line) => line.startsWith('ack 0 ')).at(-1)
        const reader = await lmdb(place).open({ ...options, readOnly: true })
        const { seqNext } = await reader.openLog(key)
        expect(seqNext).toBeGreaterThanOrEqual(Number(acknowledged?.split(' ')[2] ?? length))
        length = seqNext
        await reader.close()
      }
      expect(child.isRunning).toBe(true)
      await child.kill()
      const store = await lmdb(place).open(options)
      expect(await checkAll(store, child.lines)).toBeGreaterThan(100)
      await store.close()
      rmSync(place, { recursive: true })
    }
  },
  READER_HOST_COUNT * 20_000 + 60_000,
)

it.skipIf(shim === null)('is open to one at a time, however long opening takes', async () => {
  const slow = shim?.environment({ mapDelayMs: 60 })
  const place = folder()
  const host = start('write', place, { seed })
  expect(await host.line()).toBe('ready 1')
  for (let round = 0; round < 3; round++) {
    const reader = start('read', place, {}, slow)
    expect(await reader.line()).toBe('open')
    await reader.exited()
  }
  expect(host.isRunning).toBe(true)
  const taker = start('claim', place, { takeOver: true }, slow)
  expect(await taker.line()).toBe('claimed 2')
  await host.exited()
  expect(host.lines.at(-1)).toMatch(/^failed ERR_FENCED/)
  await taker.kill()
  const store = await lmdb(place).open(options)
  expect(await checkAll(store, host.lines)).toBeGreaterThan(0)
  await store.close()
})

it('tells a reader that the host does not answer; a take-over freezes it and loses nothing', async () => {
  const place = folder()
  const child = start('serve', place)
  await child.line()
  expect(await child.ask('append')).toBe('done 1')
  expect(await child.ask('hang')).toBe('hanging')
  const driver = lmdb(place, { askMs: 200 })
  const error = await rejects(driver.open({ ...options, readOnly: true }), 'ERR_HOST_UNREACHABLE')
  expect(error.message).toContain(String(child.pid))
  await rejects(driver.open(options), 'ERR_DATA_OWNED')
  const store = await driver.open({ ...options, takeOver: true })
  expect(store.epoch).toBe(2)
  expect((await store.openLog(key)).seqNext).toBe(1)
  expect(child.isRunning).toBe(true)
  await store.close()
})

it('lets a host write on when a visitor dies or freezes at the door', async () => {
  const place = folder()
  const host = start('serve', place)
  await host.line()
  const dead = start('visit', place)
  expect(await dead.line()).toBe('inside true')
  const waiting = host.ask('append')
  await dead.kill()
  expect(await waiting).toBe('done 1')
  const frozen = start('visit', place)
  expect(await frozen.line()).toBe('inside true')
  frozen.send('SIGSTOP')
  expect(await host.ask('append')).toBe('done 2')
  await frozen.kill()
  const reader = await lmdb(place).open({ ...options, readOnly: true })
  expect((await reader.openLog(key)).seqNext).toBe(2)
  await reader.close()
  expect(existsSync(visitorFileOf(place))).toBe(false)
})

it('passes over what a visitor left behind, and what was not written whole', async () => {
  const place = folder()
  await (await lmdb(place).open(options)).close()
  const gone = { pid: process.pid, processStart: 'another boot:1', nonce: 'x' }
  writeFileSync(visitorFileOf(place), JSON.stringify(gone))
  await (await lmdb(place).open(options)).close()
  writeFileSync(visitorFileOf(place), '{"pid":')
  writeFileSync(hostFileOf(place), '{"pid":')
  const store = await lmdb(place).open(options)
  expect(store.epoch).toBe(3)
  await store.close()
  expect(existsSync(hostFileOf(place))).toBe(false)
})

it.skipIf(!isLinux)('judges a process of another container by whether it answers', async () => {
  const place = folder()
  const host = await lmdb(place).open(options)
  const own = processStartOf(process.pid) ?? ''
  const elsewhere = { pid: process.pid, processStart: `${own.slice(0, -2)}9]` }
  expect(lifeOf({ pid: process.pid, processStart: own })).toBe('alive')
  expect(lifeOf(elsewhere)).toBe('unknown')
  expect(isAlive(elsewhere)).toBe(false)
  expect(lifeOf({ ...elsewhere, processStart: `x${elsewhere.processStart}` })).toBe('dead')
  // The host is now one of another container to every other process, and answers.
  const claim = readLiveHost(place)
  writeFileSync(hostFileOf(place), JSON.stringify({ ...claim, ...elsewhere }))
  const racer = start('claim', place)
  expect(await racer.line()).toMatch(/^failed ERR_DATA_OWNED/)
  await host.close()
})

it.skipIf(!isLinux)(
  'keeps its locks when its own process opens the folder again (EN3)',
  async () => {
    const place = folder()
    const host = await lmdb(place).open(options)
    const log = await host.openLog(key)
    await log.append(commitOf('log-0', 0, 'one'))
    const locks = (): number => {
      const inode = statSync(path.join(place, 'lock.mdb')).ino
      const lines = readFileSync('/proc/locks', 'utf8').split('\n')
      return lines.filter((line) => line.includes(`:${inode} `)).length
    }
    const before = locks()
    expect(before).toBeGreaterThan(0)
    const reader = await lmdb(place).open({ ...options, readOnly: true })
    expect((await reader.openLog(key)).seqNext).toBe(1)
    await rejects(lmdb(place).open(options), 'ERR_DATA_OWNED')
    await reader.close()
    expect(locks()).toBe(before)
    await log.append(commitOf('log-0', 1, 'two'))
    await host.close()
  },
)

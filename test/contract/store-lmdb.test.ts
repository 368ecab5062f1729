import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { open } from 'lmdb'
import { afterAll, expect, it } from 'vitest'
import { digestOf } from '../../host/base/digest.ts'
import { lmdb } from '../../host/store/lmdb/index.ts'
import {
  blockKey,
  FORMAT_KEY,
  IDEMPOTENCY_RANGE,
  idempotencyNameOf,
} from '../../host/store/lmdb/keys.ts'
import {
  commitOf,
  options,
  rejects,
  scratchFolder,
  text,
  texts,
} from '../support/store-fixtures.ts'
import { describeStoreBlobs } from './store-blobs-contract.ts'
import { describeStoreContract } from './store-contract.ts'
import { describeStoreEffects } from './store-effects-contract.ts'
import { describeEffectsModel } from './store-effects-model.ts'
import { describeStoreLives } from './store-lives-contract.ts'
import { describeStoreModel } from './store-model.ts'
import { describeStoreWaits } from './store-waits-contract.ts'

const root = scratchFolder('store')
let count = 0
const folder = (): string => path.join(root, `${count++}`)
const key = { type: 'Counter', id: 'a' }

afterAll(() => rmSync(root, { recursive: true }))

describeStoreContract('lmdb', () => lmdb(folder()))
// Every group indexed at once: what else the tail answers comes from the index here.
describeStoreContract('lmdb (eager index)', () => lmdb(folder(), { checkpointCommits: 1 }))
describeStoreEffects('lmdb', () => lmdb(folder()))
describeStoreEffects('lmdb (eager index)', () => lmdb(folder(), { checkpointCommits: 1 }))
describeStoreLives('lmdb', () => lmdb(folder()))
describeStoreLives('lmdb (eager index)', () => lmdb(folder(), { checkpointCommits: 1 }))
describeEffectsModel('lmdb', () => lmdb(folder(), { checkpointCommits: 7 }))
describeStoreModel('lmdb', () => lmdb(folder(), { checkpointCommits: 7 }))
describeStoreBlobs('lmdb', () => lmdb(folder()))
describeStoreWaits('lmdb', () => lmdb(folder()))
describeStoreWaits('lmdb (eager index)', () => lmdb(folder(), { checkpointCommits: 1 }))

it('indexes no key that was forgotten before', async () => {
  const place = folder()
  const store = await lmdb(place).open(options)
  const log = await store.openLog(key)
  const used = (seq: number, name: string) => ({
    ...commitOf('a', seq, name),
    idempotency: [{ key: name, seq, atMs: 1_000 }],
  })
  await log.append(used(0, 'kept'))
  await log.append(used(1, 'forgotten'))
  log.forgetKey('forgotten')
  await store.close()
  const db = open<Buffer, Buffer>(place, { encoding: 'binary', keyEncoding: 'binary' })
  const keys = Array.from(db.getKeys(IDEMPOTENCY_RANGE), idempotencyNameOf)
  await db.close()
  expect(keys).toEqual(['kept'])
})

it('creates nothing when it is opened for reading, and says what it expected', async () => {
  const missing = folder()
  const error = await rejects(lmdb(missing).open({ ...options, readOnly: true }), 'ERR_DATA_FOLDER')
  expect(error.message).toContain(missing)
  expect(error.message).toContain('data.mdb')
  expect(existsSync(missing)).toBe(false)
})

it('refuses a folder that cannot be one', async () => {
  await rejects(lmdb('/proc/version/data').open(options), 'ERR_DATA_FOLDER')
  await rejects(lmdb(path.join(root, 'x\0y')).open(options), 'ERR_DATA_FOLDER')
})

it('makes a folder with a dot in its name a folder, not a file', async () => {
  const dotted = path.join(root, 'data.d')
  const store = await lmdb(dotted).open(options)
  await store.close()
  expect(readdirSync(dotted)).toContain('data.mdb')
})

it('refuses data of another format', async () => {
  const place = folder()
  await (await lmdb(place).open(options)).close()
  const db = open<Buffer, Buffer>(place, { encoding: 'binary', keyEncoding: 'binary' })
  const alien = Buffer.concat([Buffer.alloc(8), Buffer.from('alien'), Buffer.alloc(7)])
  await db.put(FORMAT_KEY, alien)
  await db.close()
  await rejects(lmdb(place).open(options), 'ERR_STORE')
  await rejects(lmdb(place).open({ ...options, readOnly: true }), 'ERR_STORE')
})

it('names a damaged block when it is opened, and gives its claim back', async () => {
  const place = folder()
  const driver = lmdb(place)
  const first = await driver.open(options)
  await (await first.openLog(key)).append(commitOf('a', 0, 'one'))
  // The index covers what was there at closing: a block after it is what the next host reads.
  await first.close()
  const db = open<Buffer, Buffer>(place, {
    encoding: 'binary',
    keyEncoding: 'binary',
    useVersions: true,
  })
  await db.put(blockKey(9), Buffer.alloc(100, 1))
  await db.close()
  for (let round = 0; round < 2; round++) {
    const error = await rejects(driver.open(options), 'ERR_JOURNAL_CORRUPT')
    expect(error.message).toContain('block 9')
  }
})

it('believes notes of loose blobs in the file that they were made in, and not in a copy of it', async () => {
  const [place, copy] = [folder(), folder()]
  const loose = digestOf(text('payload'))
  const first = await lmdb(place).open(options)
  await first.noteLoose([loose])
  await first.close()
  mkdirSync(copy)
  copyFileSync(path.join(place, 'data.mdb'), path.join(copy, 'data.mdb'))
  for (const [where, found] of [
    [copy, []],
    [place, [loose]],
  ] as const) {
    const store = await lmdb(where).open(options)
    expect(await store.looseBlobs(null, 9)).toEqual(found)
    await store.close()
  }
})

it('refuses options that are none', () => {
  for (const bad of [0, -1, 1.5, Number.NaN]) {
    expect(() => lmdb('x', { probeMs: bad })).toThrow(/probeMs/)
    expect(() => lmdb('x', { checkpointCommits: bad })).toThrow(/checkpointCommits/)
  }
})

it('indexes what a large journal holds, and reads it all back', async () => {
  const driver = lmdb(folder())
  let store = await driver.open(options)
  const log = await store.openLog(key)
  const total = 40_000
  const waits: Promise<void>[] = []
  for (let seq = 0; seq < total; seq++)
    waits.push(
      log.append({
        ...commitOf('a', seq, `entry ${seq}`),
        ...(seq % 100 === 0 ? { idempotency: [{ key: `key ${seq}`, seq, atMs: 1_000 }] } : {}),
      }),
    )
  await Promise.all(waits)
  for (let seq = total; seq < total + 100; seq++)
    await log.append(commitOf('a', seq, `entry ${seq}`))
  for (let round = 0; round < 2; round++) {
    const view = await store.openLog(key)
    expect(view.seqNext).toBe(total + 100)
    const rows = await view.read(0, total + 100)
    expect(rows.length).toBe(total + 100)
    expect(rows.every((row, seq) => row.seq === seq)).toBe(true)
    expect(texts(rows).every((value, seq) => value === `entry ${seq}`)).toBe(true)
    expect(await view.findIdempotent(`key ${total - 100}`)).toBe(total - 100)
    expect(texts(await view.read(total - 2, 4)).at(-1)).toBe(`entry ${total + 1}`)
    await store.close()
    store = await driver.open(options)
  }
  await store.close()
})

it('notices a log whose actor went on without it', async () => {
  const driver = lmdb(folder())
  let store = await driver.open(options)
  await (await store.openLog(key)).append(commitOf('a', 0, 'one'))
  await store.close()
  store = await driver.open(options)
  // Two logs of an actor that has no tail: neither knows of the other until one appends.
  const older = await store.openLog(key)
  const newer = await store.openLog(key)
  await newer.append({ seq: 1, entries: [text('two')] })
  await rejects(older.append({ seq: 1, entries: [text('stale')] }), 'ERR_INVARIANT')
  expect(texts(await newer.read(0, 9))).toEqual(['one', 'two'])
  await store.close()
})

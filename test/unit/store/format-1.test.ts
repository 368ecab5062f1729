// Aim: a folder that an older build wrote opens for ever. Method: a folder of format 1 as that build left it
// (test/fixtures/stores/lmdb-v1/make.mjs says what is in it), with a part that only the tail holds.
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { open } from 'lmdb'
import { afterAll, expect, it } from 'vitest'
import { lmdb } from '../../../host/store/lmdb/index.ts'
import { FORMAT_KEY } from '../../../host/store/lmdb/keys.ts'
import { checkFormat } from '../../../host/store/lmdb/records.ts'
import type { Store } from '../../../host/store/store.ts'
import { options, recordOf, scratchFolder, text, texts } from '../../support/store-fixtures.ts'

const root = scratchFolder('format')
afterAll(() => rmSync(root, { recursive: true }))

function copied(name: string): string {
  const folder = path.join(root, name)
  mkdirSync(folder)
  copyFileSync('test/fixtures/stores/lmdb-v1/data.mdb', path.join(folder, 'data.mdb'))
  return folder
}

async function versionIn(folder: string): Promise<number> {
  const db = open<Buffer, Buffer>(folder, {
    encoding: 'binary',
    keyEncoding: 'binary',
    useVersions: true,
    readOnly: true,
  })
  const version = checkFormat(db.get(FORMAT_KEY) ?? Buffer.alloc(0))
  await db.close()
  return version
}

async function expectAll(store: Store): Promise<void> {
  const actors: unknown[] = []
  for await (const { id, seqNext, seqFirst } of store.actors()) actors.push([id, seqNext, seqFirst])
  expect(actors).toEqual([
    ['a', 9, 1],
    ['b', 2, 1],
    ['c', 1, 1],
  ])
  const log = await store.openLog({ type: 'Counter', id: 'a' })
  expect(log.record).toEqual(recordOf('a'))
  expect(texts(await log.read(0, 99))).toEqual(Array.from({ length: 9 }, (_, seq) => `a ${seq}`))
  expect(await log.readSnapshot(4)).toEqual({ seq: 3, bytes: text('a at 3') })
  expect((await log.readSnapshot(99))?.seq).toBe(5)
  for (let seq = 0; seq < 9; seq++) expect(await log.findIdempotent(`k${seq}`)).toBe(seq)
}

it('reads a folder of format 1 as it is, and leaves it so', async () => {
  const folder = copied('read')
  const store = await lmdb(folder).open({ ...options, readOnly: true })
  await expectAll(store)
  await store.close()
  expect(await versionIn(folder)).toBe(1)
})

it('brings a folder of format 1 to this one when it is claimed, and goes on', async () => {
  const folder = copied('write')
  for (let round = 0; round < 3; round++) {
    const store = await lmdb(folder).open({ wallMs: () => 5_000 + round })
    await expectAll(store)
    await store.close()
    expect(await versionIn(folder)).toBe(3)
  }
  const store = await lmdb(folder).open({ wallMs: () => 9_000 })
  // Keys without a time count as used when the folder was brought to this format.
  expect(await store.forgetKeys(5_000)).toBe(0)
  const log = await store.openLog({ type: 'Counter', id: 'a' })
  await log.append({
    seq: 9,
    entries: [text('a 9')],
    idempotency: [{ key: 'k9', seq: 9, atMs: 8_000 }],
    state: [{ key: 'k', value: text('v') }],
  })
  expect(await store.forgetKeys(5_001)).toBe(12)
  expect(await log.findIdempotent('k8')).toBeNull()
  expect(await log.findIdempotent('k9')).toBe(9)
  expect(await log.readState('k')).toEqual(text('v'))
  await log.trim(4)
  expect(texts(await log.read(4, 99))).toEqual(['a 4', 'a 5', 'a 6', 'a 7', 'a 8', 'a 9'])
  await store.close()
})

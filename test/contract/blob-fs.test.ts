import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { digestOf } from '../../host/base/digest.ts'
import { fsBlobs } from '../../host/blob/fs/index.ts'
import { rejects, scratchFolder, text } from '../support/store-fixtures.ts'
import { describeBlobContract } from './blob-contract.ts'

const root = scratchFolder('blobs')
let count = 0
const folder = (): string => path.join(root, `${count++}`)
const fileOf = (place: string, digest: string): string =>
  path.join(place, 'sha256', digest.slice(7, 9), digest.slice(9))

afterAll(() => rmSync(root, { recursive: true }))

describeBlobContract('fs', () => fsBlobs(folder()))

it('creates nothing when only read', async () => {
  const place = folder()
  const blobs = fsBlobs(place)
  expect(await blobs.names()).toEqual([])
  expect(await blobs.has(digestOf(text('x')))).toBe(false)
  await rejects(blobs.get(digestOf(text('x'))), 'ERR_BLOB_UNKNOWN')
  await rejects(blobs.resolve('x'), 'ERR_BLOB_UNKNOWN')
  await rejects(blobs.setName('x', digestOf(text('x'))), 'ERR_BLOB_UNKNOWN')
  expect(existsSync(place)).toBe(false)
})

it('lays blobs and names out as documented', async () => {
  const place = folder()
  const blobs = fsBlobs(place)
  const digest = await blobs.put(text('x'))
  await blobs.setName('types/Counter', digest)
  expect(readFileSync(fileOf(place, digest), 'utf8')).toBe('x')
  expect(readFileSync(path.join(place, 'names', 'types%2FCounter'), 'utf8')).toBe(`${digest}\n`)
})

it('names the digest and the path of a damaged blob, and mends it with the next put', async () => {
  const place = folder()
  const blobs = fsBlobs(place)
  const digest = await blobs.put(text('good'))
  writeFileSync(fileOf(place, digest), 'evil')
  const error = await rejects(blobs.get(digest), 'ERR_BLOB_CORRUPT')
  expect(error.message).toContain(digest)
  expect(error.message).toContain(fileOf(place, digest))
  await blobs.put(text('good'))
  expect(await blobs.get(digest)).toEqual(Buffer.from('good'))
})

it('refuses a name whose file is damaged', async () => {
  const place = folder()
  const blobs = fsBlobs(place)
  await blobs.setName('x', await blobs.put(text('x')))
  writeFileSync(path.join(place, 'names', 'x'), 'sha256:torn')
  await rejects(blobs.resolve('x'), 'ERR_BLOB_CORRUPT')
})

it('passes over what a crash left behind', async () => {
  const place = folder()
  const blobs = fsBlobs(place)
  const digest = digestOf(text('x'))
  mkdirSync(path.dirname(fileOf(place, digest)), { recursive: true })
  mkdirSync(path.join(place, 'names'), { recursive: true })
  writeFileSync(path.join(path.dirname(fileOf(place, digest)), '.tmp-0'), 'torn')
  writeFileSync(path.join(place, 'names', '.tmp-1'), 'sha256:torn')
  writeFileSync(path.join(place, 'names', 'a%2f'), 'a stranger')
  expect(await blobs.has(digest)).toBe(false)
  await blobs.setName('x', await blobs.put(text('x')))
  expect((await blobs.names()).map(({ name }) => name)).toEqual(['x'])
})

it('leaves no temporary files behind', async () => {
  const place = folder()
  const blobs = fsBlobs(place)
  await Promise.all(Array.from({ length: 10 }, (_, index) => blobs.put(text(`${index % 3}`))))
  const left = readdirSync(place, { recursive: true }).filter((file) =>
    String(file).includes('.tmp'),
  )
  expect(left).toEqual([])
})

it('removes what a dead process had begun to write, with the blob that it was to be', async () => {
  const place = folder()
  const blobs = fsBlobs(place)
  const script = `
    const { fsBlobs } = await import(process.argv[1])
    const put = fsBlobs(process.argv[2]).put(Buffer.alloc(64_000_000, 1))
    process.stdout.write('begun')
    await put
  `
  const module = path.resolve('dist/host/blob/fs/index.js')
  const digest = digestOf(Buffer.alloc(64_000_000, 1))
  const kept = await blobs.put(text('kept'))
  const bucket = path.dirname(fileOf(place, digest))
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, module, place])
  const exited = new Promise((resolve) => child.once('exit', resolve))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  while (!existsSync(bucket) || readdirSync(bucket).length === 0)
    await new Promise((resolve) => setImmediate(resolve))
  child.kill('SIGKILL')
  await exited
  await blobs.remove(digest)
  expect(readdirSync(bucket)).toEqual([])
  expect(await blobs.has(kept)).toBe(true)
})

it('reports what the operating system said', async () => {
  const error = await rejects(fsBlobs('/proc/version').put(text('x')), 'ERR_STORE')
  expect(error.message).toMatch(/ENOTDIR|EEXIST|ENOENT/)
})

it('shows blobs whole or not at all while writers are killed (B2)', async () => {
  const place = folder()
  const script = `
    const { fsBlobs } = await import(process.argv[1])
    const blobs = fsBlobs(process.argv[2])
    for (let index = 0; ; index++) {
      await blobs.setName('newest', await blobs.put(Buffer.alloc(300_000, String(index))))
      if (index === 0) process.stdout.write('ready')
    }
  `
  const module = path.resolve('dist/host/blob/fs/index.js')
  for (let round = 0; round < 6; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, module, place])
    const exited = new Promise((resolve) => child.once('exit', resolve))
    await new Promise((resolve) => child.stdout.once('data', resolve))
    await new Promise((resolve) => setTimeout(resolve, 5 + round * 13))
    child.kill('SIGKILL')
    await exited
    const blobs = fsBlobs(place)
    for (const bucket of readdirSync(path.join(place, 'sha256')))
      for (const file of readdirSync(path.join(place, 'sha256', bucket)))
        if (!file.startsWith('.')) await blobs.get(`sha256:${bucket}${file}`)
    for (const { digest } of await blobs.names()) await blobs.get(digest)
  }
})

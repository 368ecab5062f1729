/**
 * Fault model of these tests: bytes of a data folder that change at rest (a bit of an entry, the end of the
 * file), a file system that is really full, and a wall clock that jumps by years while a host runs and between
 * two hosts. A missing or damaged blob is in test/unit/runtime/components.test.ts and test/contract/.
 *
 * Not in the model: damaged pages of LMDB's own tree. LMDB keeps no checksum of them; most are refused with
 * ERR_STORE, but one was seen to end the reading process.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { type Clock, fsBlobs, lmdb, openInspector, systemClock } from '../../host/index.ts'
import { errorOf, openHost, temporaryFolder } from '../support/host.ts'
import { Ledger } from '../support/ledger-actor.ts'
import { commitOf, options, rejects } from '../support/store-fixtures.ts'
import { StoreProcess } from '../support/store-process.ts'

const types = { Ledger: { type: 'typescript', actorClass: Ledger } } as const

it('quarantines the actor whose entry has a flipped bit, and serves the others', async () => {
  const folder = path.join(temporaryFolder(), 'store')
  const blobs = fsBlobs(temporaryFolder())
  const first = await openHost({ store: lmdb(folder), blobs })
  for (const id of ['anna', 'bob'])
    for (let turn = 0; turn < 5; turn++) await (await first.getActor(id, 'Ledger')).call('add', 1)
  await first.close()

  const store = await lmdb(folder).open({ ...options, readOnly: true })
  const log = await store.openLog({ type: 'Ledger', id: 'anna' })
  const entry = (await log.read(3, 1))[0]?.bytes
  const snapshot = (await log.readSnapshot(1_000))?.bytes
  await store.close()
  const file = path.join(folder, 'data.mdb')
  const bytes = readFileSync(file)
  // Without its snapshot, or the actor would not need the damaged entry.
  for (const part of [entry, snapshot]) {
    const whole = Buffer.from(part ?? [])
    expect(whole.length).toBeGreaterThan(0)
    expect(bytes.includes(whole)).toBe(true)
    // Pages that are free by now may hold a copy.
    for (let at = bytes.indexOf(whole); at >= 0; at = bytes.indexOf(whole)) {
      const hurt = at + (whole.length >> 1)
      bytes[hurt] = (bytes[hurt] ?? 0) ^ 4
    }
  }
  writeFileSync(file, bytes)

  const second = await openHost({ store: lmdb(folder), blobs })
  const error = await errorOf(
    second.getActor('anna', 'Ledger').then((actor) => actor.call('total')),
  )
  expect(error.code, error.message).toMatch(/^ERR_(QUARANTINED|JOURNAL_CORRUPT)$/)
  const bob = await second.getActor('bob', 'Ledger')
  expect(await bob.call('total')).toBe(5)
  expect(await bob.call('add', 1)).toBe(6)
  const inspector = await openInspector({ store: lmdb(folder), blobs, types })
  const seqs: number[] = []
  const read = async (): Promise<void> => {
    for await (const line of inspector.journal({ type: 'Ledger', id: 'anna' })) seqs.push(line.seq)
  }
  expect(await errorOf(read())).toMatchObject({ code: 'ERR_JOURNAL_CORRUPT', data: { seq: 3 } })
  expect(seqs).toEqual([0, 1, 2])
  await inspector.close()
})

it('refuses a data file that was cut off, instead of dying when it reads behind its end', async () => {
  const folder = temporaryFolder()
  const store = await lmdb(folder).open(options)
  const log = await store.openLog({ type: 'Counter', id: 'a' })
  for (let seq = 0; seq < 20; seq++) await log.append(commitOf('a', seq, 'x'.repeat(50_000)))
  await store.close()
  const file = path.join(folder, 'data.mdb')
  const whole = readFileSync(file)
  for (const size of [whole.length >> 1, 3 * 4_096]) {
    truncateSync(file, size)
    const error = await rejects(lmdb(folder).open(options), 'ERR_DATA_FOLDER')
    expect(error.message).toContain(`it has ${size} bytes`)
    await rejects(lmdb(folder).open({ ...options, readOnly: true }), 'ERR_DATA_FOLDER')
  }
  writeFileSync(file, whole)
  const again = await lmdb(folder).open(options)
  expect((await again.openLog({ type: 'Counter', id: 'a' })).seqNext).toBe(20)
  await again.close()
})

/** A file system of `sizeKb`, or null, with the reason printed. */
function smallDisk(sizeKb: number): { folder: string; grow(kb: number): void } | null {
  const folder = temporaryFolder()
  const args = (size: number, more: string): string[] => [
    '-t',
    'tmpfs',
    '-o',
    `${more}size=${size}k`,
  ]
  const { status, stderr, error } = spawnSync('mount', [...args(sizeKb, ''), 'tmpfs', folder], {
    encoding: 'utf8',
  })
  if (status !== 0) {
    process.stderr.write(`the test with a full disk is skipped: ${error?.message ?? stderr}\n`)
    return null
  }
  onTestFinished(() => {
    spawnSync('umount', ['-l', folder])
  })
  return {
    folder,
    grow: (kb) => {
      expect(spawnSync('mount', [...args(kb, 'remount,'), folder]).status).toBe(0)
    },
  }
}

it('survives a full disk: says so, loses nothing, and goes on when there is room', async (context) => {
  const disk = smallDisk(1_500)
  if (disk === null) return context.skip()
  const place = path.join(disk.folder, 'store')
  mkdirSync(place)
  const child = new StoreProcess('serve', place, { size: 50_000 })
  onTestFinished(() => child.kill())
  expect(await child.line()).toBe('ready 1')
  let written = 0
  let answer = await child.ask('append')
  for (; answer.startsWith('done'); answer = await child.ask('append')) written++
  expect(answer).toMatch(/^failed ERR_STORE .*(Input.output error|No space left)/)
  expect(written).toBeGreaterThan(3)
  // Openers need the door, which takes files of its own: an error or the truth, nothing else.
  const reading = lmdb(place, { askMs: 300 }).open({ ...options, readOnly: true })
  const refusal = await reading.then((store) => store.close()).catch((error) => error.code)
  expect([undefined, 'ERR_DATA_FOLDER', 'ERR_HOST_UNREACHABLE']).toContain(refusal)
  disk.grow(20_000)
  expect(await child.ask('reopen')).toBe(`done ${written}`)
  expect(await child.ask('append')).toBe(`done ${written + 1}`)
  await child.kill()
  const store = await lmdb(place).open(options)
  expect((await store.openLog({ type: 'Counter', id: 'log-0' })).seqNext).toBe(written + 1)
  await store.close()
})

it('serves, recovers and replays the same while the wall clock jumps back and forth', async () => {
  const folder = path.join(temporaryFolder(), 'store')
  const blobs = fsBlobs(temporaryFolder())
  const years = 365 * 24 * 3_600_000
  const offsets = [0, 10 * years, -10 * years, 3 * years, -years]
  let offsetMs = 0
  const clock: Clock = {
    ...systemClock,
    wallMs: () => systemClock.wallMs() + offsetMs,
    wallNs: () => systemClock.wallNs() + BigInt(offsetMs) * 1_000_000n,
  }
  const stamps: unknown[] = []
  for (const [round, offset] of offsets.entries()) {
    offsetMs = offset
    const host = await openHost({ store: lmdb(folder), blobs, clock })
    expect(host.epoch).toBe(round + 1)
    const actor = await host.getActor('anna', 'Ledger')
    expect(await actor.call('lines')).toEqual(stamps)
    for (const jump of [years, -years, 0]) {
      offsetMs = offset + jump
      stamps.push(await actor.call('stamp'))
      await actor.call('add', 1)
    }
    await host.close()
  }
  const inspector = await openInspector({ store: lmdb(folder), blobs, types })
  const report = await inspector.replay({ type: 'Ledger', id: 'anna' })
  expect(report).toMatchObject({ failed: 0 })
  expect(report.turns).toBe(35)
  await inspector.close()
})

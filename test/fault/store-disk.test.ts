/**
 * Fault model of these tests: a disk that fails for a while (EIO from writes or from syncs), and one that
 * is slow to sync. The calls fail in the host process itself, as LMDB makes them.
 *
 * What a host does then: the commit of that moment fails with ERR_STORE and its actor is opened again;
 * other actors go on. Where LMDB itself gives up (its meta page could not be written), every later commit
 * says so, and the next process finds all that was acknowledged.
 */
import { readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { lmdb } from '../../host/store/lmdb/index.ts'
import { compileFaultShim, type Faults } from '../support/fault-shim.ts'
import { options, scratchFolder, texts } from '../support/store-fixtures.ts'
import { StoreProcess } from '../support/store-process.ts'

const root = scratchFolder('disk')
const shim = compileFaultShim()
let count = 0

afterAll(() => {
  rmSync(root, { recursive: true })
  shim?.remove()
})

function serve(place: string, faults: Faults): StoreProcess {
  return new StoreProcess('serve', place, {}, [], shim?.environment(faults))
}

/** Calls of that name until the store has taken two commits. */
async function callsBefore(eioCall: 'pwrite' | 'fdatasync'): Promise<number> {
  const countFile = path.join(root, `calls-${eioCall}`)
  const child = serve(path.join(root, `${count++}`), { eioCall, countFile })
  await child.line()
  await child.ask('append')
  await child.ask('other')
  await child.kill()
  return Number(readFileSync(countFile, 'utf8'))
}

async function lengthOf(place: string, index: number): Promise<number> {
  const store = await lmdb(place).open(options)
  const log = await store.openLog({ type: 'Counter', id: `log-${index}` })
  const rows = texts(await log.read(0, 1_000))
  for (const [seq, row] of rows.entries()) expect(row.startsWith(`${index}:${seq}:`)).toBe(true)
  await store.close()
  return rows.length
}

async function start(faults: Faults): Promise<{ child: StoreProcess; place: string }> {
  const place = path.join(root, `${count++}`)
  const child = serve(place, faults)
  expect(await child.line()).toBe('ready 1')
  expect(await child.ask('append')).toBe('done 1')
  expect(await child.ask('other')).toBe('done 1')
  return { child, place }
}

describe.skipIf(shim === null)('a disk that fails', () => {
  it('fails the commit whose sync fails, and only that', async () => {
    const calls = await callsBefore('fdatasync')
    const { child, place } = await start({ eioCall: 'fdatasync', eioFrom: calls + 1 })
    expect(await child.ask('append')).toMatch(/^failed ERR_STORE .*Input.output error/)
    expect(await child.ask('append')).toMatch(/^failed ERR_STORE .*earlier commit failed/)
    expect(await child.ask('other')).toBe('done 2')
    expect(await child.ask('reopen')).toBe('done 1')
    expect(await child.ask('append')).toBe('done 2')
    await child.kill()
    expect(await lengthOf(place, 0)).toBe(2)
    expect(await lengthOf(place, 1)).toBe(2)
  })

  it('loses nothing acknowledged whichever write fails, and says that it failed', async () => {
    const calls = await callsBefore('pwrite')
    let failedForGood = 0
    for (let offset = 1; offset <= 6; offset++) {
      const { child, place } = await start({ eioCall: 'pwrite', eioFrom: calls + offset })
      const done = [1, 1]
      let failures = 0
      for (let round = 0; round < 3; round++)
        for (const [index, command] of ['append', 'other'].entries()) {
          const answer = await child.ask(command)
          if (answer.startsWith('done')) done[index] = Number(answer.split(' ')[1])
          else {
            expect(answer).toMatch(/^failed ERR_STORE /)
            failures++
            await child.ask('reopen')
          }
        }
      expect(failures).toBeGreaterThan(0)
      if (failures > 1) failedForGood++
      await child.kill()
      for (const index of [0, 1])
        expect(await lengthOf(place, index), `call ${offset}`).toBe(done[index])
    }
    // Among them are page writes, which a host survives, and the meta page, which ends it.
    expect(failedForGood).toBeGreaterThan(0)
    expect(failedForGood).toBeLessThan(6)
  })

  it('acknowledges nothing before a slow sync has ended, also when it is taken over', async () => {
    const place = path.join(root, `${count++}`)
    const child = serve(place, { delayMs: 150 })
    expect(await child.line()).toBe('ready 1')
    const started = performance.now()
    expect(await child.ask('append')).toBe('done 1')
    expect(performance.now() - started).toBeGreaterThan(150)
    const underWay = child.ask('append')
    const store = await lmdb(place).open({ ...options, takeOver: true })
    const answer = await underWay
    const log = await store.openLog({ type: 'Counter', id: 'log-0' })
    expect(answer).toMatch(/^(done 2|failed ERR_FENCED)/)
    expect(log.seqNext).toBe(answer === 'done 2' ? 2 : 1)
    expect(await child.ask('append')).toMatch(/^failed ERR_(FENCED|STORE)/)
    await store.close()
    await child.kill()
  })
})

/**
 * Fault model of these tests: the file system refuses to grow the data file (here by the process's own
 * file size limit, which the kernel enforces at the same call as a full disk), and later has room again.
 * A commit that fails has left nothing behind, its log is broken (S4), and the store goes on when it can.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { lmdb } from '../../host/store/lmdb/index.ts'
import { options } from '../support/store-fixtures.ts'
import { StoreProcess } from '../support/store-process.ts'

const root = mkdtempSync(path.join(os.tmpdir(), 'loom-full-'))
afterAll(() => rmSync(root, { recursive: true }))

const { status, error } = spawnSync('prlimit', ['--version'])
const hasLimits = status === 0
if (!hasLimits)
  process.stderr.write(
    `store-full: 2 tests skipped: the file size limit is set with prlimit (util-linux), which does not run here: ${error?.message ?? `status ${status}`}\n`,
  )

it.skipIf(!hasLimits)('reports what the system said, stays whole, and goes on', async () => {
  const folder = path.join(root, 'full')
  const limit = ['prlimit', '--fsize=2000000:unlimited']
  const child = new StoreProcess('serve', folder, { size: 100_000 }, limit)
  expect(await child.line()).toBe('ready 1')
  let written = 0
  let answer = await child.ask('append')
  for (; answer.startsWith('done'); answer = await child.ask('append')) written++
  expect(answer).toMatch(/^failed ERR_STORE .*(Input.output|too large|No space)/)
  expect(written).toBeGreaterThan(5)
  expect(await child.ask('append')).toMatch(/^failed ERR_STORE .*earlier commit failed/)
  expect(await child.ask('reopen')).toBe(`done ${written}`)
  expect(await child.ask('append')).toMatch(/^failed ERR_STORE/)
  spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited'])
  expect(await child.ask('reopen')).toBe(`done ${written}`)
  for (let more = 1; more <= 5; more++)
    expect(await child.ask('append')).toBe(`done ${written + more}`)
  await child.kill()
  const store = await lmdb(folder).open(options)
  const log = await store.openLog({ type: 'Counter', id: 'log-0' })
  expect((await log.read(0, 1_000)).length).toBe(written + 5)
  await store.close()
})

it.skipIf(!hasLimits)(
  'fails everything behind a failed commit, and nothing before it',
  async () => {
    const folder = path.join(root, 'burst')
    const limit = ['prlimit', '--fsize=2000000:unlimited']
    const child = new StoreProcess('serve', folder, { size: 50_000 }, limit)
    await child.line()
    expect(await child.ask('append')).toBe('done 1')
    const [, done, isPrefix] = (await child.ask('burst')).split(' ')
    expect(Number(done)).toBeGreaterThanOrEqual(3)
    expect(Number(done)).toBeLessThan(60)
    expect(isPrefix).toBe('true')
    expect(await child.ask('reopen')).toBe(`done ${1 + Number(done)}`)
    await child.kill()
    const store = await lmdb(folder).open({ ...options, readOnly: true })
    const log = await store.openLog({ type: 'Counter', id: 'log-0' })
    expect((await log.read(0, 1_000)).length).toBe(1 + Number(done))
    await store.close()
  },
)

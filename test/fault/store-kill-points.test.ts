/**
 * Fault model of these tests: the process dies at one exact call that writes, grows or syncs the data
 * file: instead of it, or half-way through its bytes. Every call of a short workload is such a point, from
 * the creation of the folder to the close of the store; the long form takes each, the short one a sample.
 *
 * After each kill every acknowledged commit and snapshot is there once, what was under way is there whole
 * or not at all, and the next host goes on to the end.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { lmdb } from '../../host/store/lmdb/index.ts'
import { compileFaultShim, type Faults } from '../support/fault-shim.ts'
import { isLong } from '../support/long.ts'
import { options, scratchFolder, texts } from '../support/store-fixtures.ts'
import { StoreProcess } from '../support/store-process.ts'

const SAMPLE_COUNT = 8
const LOG_COUNT = 3
const script = { steps: 9, lmdb: { checkpointCommits: 5 } }
const seed = Number(process.env.LOOM_SEED ?? Math.floor(Math.random() * 2 ** 31))
const root = scratchFolder('kill-points')
const shim = compileFaultShim()
let count = 0

afterAll(() => {
  rmSync(root, { recursive: true })
  shim?.remove()
})

async function run(place: string, faults: Faults | null): Promise<StoreProcess> {
  const env = faults === null ? {} : shim?.environment(faults)
  const child = new StoreProcess('script', place, script, [], env)
  await child.exited()
  return child
}

/** Compares the store with what was acknowledged; the number of entries of each log. */
async function check(place: string, lines: readonly string[]): Promise<number[]> {
  const ends = new Map<string, number>()
  for (const line of lines) {
    const [kind, log, seq] = line.split(' ')
    if (kind === 'ack' || kind === 'snap') ends.set(`${kind} ${log}`, Number(seq))
  }
  const lengths: number[] = []
  const store = await lmdb(place).open(options)
  for (let index = 0; index < LOG_COUNT; index++) {
    const log = await store.openLog({ type: 'Counter', id: `log-${index}` })
    const rows = texts(await log.read(0, 1_000))
    expect(rows.length).toBe(log.seqNext)
    expect(rows.length).toBeGreaterThanOrEqual(ends.get(`ack ${index}`) ?? 0)
    expect(rows.length % 2, 'both entries of a commit, or none').toBe(0)
    for (const [seq, row] of rows.entries()) expect(row.split('.')[0]).toBe(`${index}:${seq}:`)
    for (let seq = 0; seq < rows.length; seq += 2)
      expect(await log.findIdempotent(`key-${index}-${seq}`)).toBe(seq)
    const snapshot = await log.readSnapshot(1_000)
    expect(snapshot?.seq ?? 0).toBeGreaterThanOrEqual(ends.get(`snap ${index}`) ?? 0)
    expect(snapshot?.seq ?? 0).toBeLessThanOrEqual(rows.length)
    lengths.push(rows.length)
  }
  await store.close()
  return lengths
}

async function killAt(faults: Faults): Promise<void> {
  const place = path.join(root, `${count++}`)
  const killed = await run(place, faults)
  expect(killed.signal, JSON.stringify(faults)).toBe('SIGKILL')
  const before = existsSync(place) ? await check(place, killed.lines) : [0, 0, 0]
  const next = await run(place, null)
  expect(next.lines.at(-1), JSON.stringify(faults)).toBe('closed')
  const after = await check(place, next.lines)
  expect(after).toEqual(before.map((length) => length + (2 * script.steps) / LOG_COUNT))
  rmSync(place, { recursive: true })
}

/** 1..total, or a spread-out sample of it that varies with the seed. */
function points(total: number): number[] {
  const step = isLong ? 1 : Math.ceil(total / SAMPLE_COUNT)
  const found: number[] = []
  for (let point = isLong ? 1 : 1 + (seed % step); point <= total; point += step) found.push(point)
  return found
}

describe.skipIf(shim === null)(`kill at each write and sync (LOOM_SEED=${seed})`, () => {
  it('loses nothing acknowledged, keeps nothing half, and goes on', async () => {
    const countFile = path.join(root, 'calls')
    const whole = await run(path.join(root, 'whole'), { countFile })
    expect(whole.lines.at(-1)).toBe('closed')
    const total = Number(readFileSync(countFile, 'utf8'))
    expect(total).toBeGreaterThan(2 * script.steps)
    for (const point of points(total)) {
      await killAt({ killAt: point })
      await killAt({ tornAt: point })
    }
  }, 900_000)
})

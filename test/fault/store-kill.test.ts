/**
 * Fault model of these tests: a host process dies at any instruction (SIGKILL), with everything it had
 * handed to the operating system kept. So what is tested is that an acknowledged commit was handed over
 * whole, that a commit under way appears whole or not at all, that index and tail agree after any death,
 * and that the next host may claim the folder at once.
 *
 * Not in the model: loss of power (the order of syncs is LMDB's, and commits resolve after it), disks
 * that acknowledge a sync they did not make, bytes that change at rest.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { lmdb } from '../../host/store/lmdb/index.ts'
import type { Store } from '../../host/store/store.ts'
import { times } from '../support/long.ts'
import { options, texts } from '../support/store-fixtures.ts'
import { StoreProcess } from '../support/store-process.ts'

const KILL_COUNT = times(24)
const LOG_COUNT = 16
const root = mkdtempSync(path.join(os.tmpdir(), 'loom-kill-'))
afterAll(() => rmSync(root, { recursive: true }))

const seed = Number(process.env.LOOM_SEED ?? Math.floor(Math.random() * 2 ** 31))

/** What the children acknowledged so far. */
class Acknowledged {
  readonly ends = new Map<number, number>()
  readonly snapshots = new Map<number, number>()

  add(lines: readonly string[]): void {
    for (const line of lines) {
      const [kind, log, seq] = line.split(' ')
      const ends = kind === 'ack' ? this.ends : kind === 'snap' ? this.snapshots : null
      ends?.set(Number(log), Math.max(Number(seq), ends.get(Number(log)) ?? 0))
      expect(kind).not.toBe('failed')
    }
  }

  /** Compares everything acknowledged, and everything else that is there, with the store. */
  async check(store: Store): Promise<number> {
    let total = 0
    const lengths = new Map<string, number>()
    for await (const actor of store.actors()) lengths.set(actor.id, actor.seqNext)
    for (let index = 0; index < LOG_COUNT; index++) {
      const log = await store.openLog({ type: 'Counter', id: `log-${index}` })
      expect(log.seqNext).toBeGreaterThanOrEqual(this.ends.get(index) ?? 0)
      expect(log.seqNext).toBe(lengths.get(`log-${index}`) ?? 0)
      const rows = await log.read(0, 1_000_000)
      expect(rows.length).toBe(log.seqNext)
      for (const [seq, row] of texts(rows).entries())
        if (!row.startsWith(`${index}:${seq}:`))
          throw new Error(`log ${index}, seq ${seq} holds ${row.slice(0, 20)}`)
      if (log.seqNext > 0) expect(await log.findIdempotent(`key-${index}-0`)).toBe(0)
      const snapshot = await log.readSnapshot(Number.MAX_SAFE_INTEGER >>> 0)
      expect(snapshot?.seq ?? 0).toBeGreaterThanOrEqual(this.snapshots.get(index) ?? 0)
      expect(snapshot?.seq ?? 0).toBeLessThanOrEqual(log.seqNext)
      total += log.seqNext
    }
    return total
  }
}

it(`keeps every acknowledged commit through ${KILL_COUNT} kills, without a gap (LOOM_SEED=${seed})`, async () => {
  const folder = path.join(root, 'kill')
  const acknowledged = new Acknowledged()
  let epoch = 0
  for (let round = 0; round < KILL_COUNT; round++) {
    // Few commits per checkpoint in some rounds, so that kills hit checkpoints as well.
    const checkpointCommits = round % 3 === 0 ? 50 : 2_000
    const child = new StoreProcess('write', folder, {
      seed: seed + round,
      lmdb: { checkpointCommits },
    })
    const [word, epochNow] = (await child.line()).split(' ')
    expect(word).toBe('ready')
    expect(Number(epochNow)).toBe(++epoch)
    // Killed after so many acknowledgements, not after a time: a slow machine must test as much.
    for (let left = (seed + round * 7_919) % 300; left > 0; left--) await child.line()
    await new Promise((resolve) => setTimeout(resolve, (seed + round) % 5))
    await child.kill()
    acknowledged.add(child.lines)
    const reader = await lmdb(folder).open({ ...options, readOnly: true })
    await acknowledged.check(reader)
    await reader.close()
  }
  const store = await lmdb(folder).open(options)
  expect(store.epoch).toBe(epoch + 1)
  expect(await acknowledged.check(store)).toBeGreaterThan(1_000)
  await store.close()
})

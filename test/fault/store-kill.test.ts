/**
 * Fault model of these tests: a host process dies at any instruction (SIGKILL), with everything it had
 * handed to the operating system kept. So what is tested is that an acknowledged commit was handed over
 * whole, that a commit under way appears whole or not at all with everything it changes, that index and tail
 * agree after any death, also in the middle of a sweep of what was trimmed or ended, and that the next host
 * may claim the folder at once.
 *
 * Not in the model: loss of power (the order of syncs is LMDB's, and commits resolve after it), disks
 * that acknowledge a sync they did not make, bytes that change at rest.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { lmdb } from '../../host/store/lmdb/index.ts'
import type { ActorLog, ActorSummary, Store } from '../../host/store/store.ts'
import { times } from '../support/long.ts'
import { options, texts } from '../support/store-fixtures.ts'
import { StoreProcess } from '../support/store-process.ts'

const KILL_COUNT = times(24)
const LOG_COUNT = 16
const root = mkdtempSync(path.join(os.tmpdir(), 'loom-kill-'))
afterAll(() => rmSync(root, { recursive: true }))

const seed = Number(process.env.LOOM_SEED ?? Math.floor(Math.random() * 2 ** 31))

/** Lives of logs from here on end now and then; store-child.mjs says so too, as of the next. */
const MORTAL_FROM = 12
const MESSAGE_EVERY = 8

/** What the children acknowledged so far. */
class Acknowledged {
  readonly ends = new Map<number, number>()
  readonly snapshots = new Map<number, number>()
  readonly trims = new Map<number, number>()
  readonly ended = new Set<string>()

  add(lines: readonly string[]): void {
    for (const line of lines) {
      const [kind, log, value = ''] = line.split(' ')
      expect(kind).not.toBe('failed')
      if (kind === 'end') this.ended.add(value)
      if (Number(log) >= MORTAL_FROM) continue
      if (kind === 'ack') raise(this.ends, Number(log), Number(value))
      if (kind === 'snap') raise(this.snapshots, Number(log), Number(value))
      if (kind === 'trim') raise(this.trims, Number(log), Number(value))
    }
  }

  /** Compares everything acknowledged, and everything else that is there, with the store. */
  async check(store: Store): Promise<number> {
    let total = 0
    const actors = new Map<string, ActorSummary>()
    for await (const actor of store.actors()) actors.set(actor.id, actor)
    const messages = await messagesOf(store)
    const due = new Map<string, number>()
    for (const row of await store.dueReminders(Number.MAX_SAFE_INTEGER, 1_000)) {
      expect(due.has(row.key.id)).toBe(false)
      due.set(row.key.id, row.dueAtMs)
    }
    for (let index = 0; index < LOG_COUNT; index++) {
      const id = `log-${index}`
      const log = await store.openLog({ type: 'Counter', id })
      expect(log.seqNext).toBeGreaterThanOrEqual(this.ends.get(index) ?? 0)
      expect(log.seqNext).toBe(actors.get(id)?.seqNext ?? 0)
      expect(log.seqFirst).toBeGreaterThanOrEqual(this.trims.get(index) ?? 1)
      expect(due.get(id)).toBe(log.seqNext > 0 ? log.seqNext : undefined)
      if (log.record === null) continue
      expect(this.ended.has(log.record.incarnation)).toBe(false)
      await checkJournal(log, index)
      await checkEffects(log, messages.get(log.record.incarnation) ?? [])
      const snapshot = await log.readSnapshot(Number.MAX_SAFE_INTEGER)
      expect(snapshot?.seq ?? 0).toBeGreaterThanOrEqual(this.snapshots.get(index) ?? 0)
      expect(snapshot?.seq ?? 0).toBeLessThanOrEqual(log.seqNext)
      total += log.seqNext
    }
    return total
  }
}

function raise(map: Map<number, number>, key: number, value: number): void {
  map.set(key, Math.max(value, map.get(key) ?? 0))
}

/** Seqs of the messages of each life. */
async function messagesOf(store: Store): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>()
  for (const { incarnation, seq } of await store.outbox(null, 1_000_000)) {
    const seqs = found.get(incarnation)
    if (seqs === undefined) found.set(incarnation, [seq])
    else seqs.push(seq)
  }
  return found
}

/** Entry 0 and all from the oldest kept one on are there, each with its own bytes. */
async function checkJournal(log: ActorLog, index: number): Promise<void> {
  const { seqFirst, seqNext } = log
  const rows = [...(await log.read(0, 1)), ...(await log.read(seqFirst, 1_000_000))]
  expect(rows.length).toBe(1 + Math.max(0, seqNext - seqFirst))
  if (seqFirst > 1) expect(await log.read(seqFirst - 1, 10)).toEqual([])
  for (const [at, row] of texts(rows).entries()) {
    const seq = at === 0 ? 0 : seqFirst + at - 1
    if (rows[at]?.seq !== seq || !row.startsWith(`${index}:${seq}:`))
      throw new Error(`log ${index}, seq ${seq} holds ${row.slice(0, 20)}`)
  }
  expect(await log.findIdempotent(`key-${index}-0`)).toBe(0)
}

/** S8: each commit sets state and a reminder to the seq behind it, and sends messages for its entries. */
async function checkEffects(log: ActorLog, messages: readonly number[]): Promise<void> {
  const end = await log.readState('end')
  expect(end === null ? null : new TextDecoder().decode(end)).toBe(`${log.seqNext}`)
  expect((await log.listReminders()).map(({ dueAtMs }) => dueAtMs)).toEqual([log.seqNext])
  const count = Math.ceil(log.seqNext / MESSAGE_EVERY)
  expect(messages).toEqual(Array.from({ length: count }, (_, at) => at * MESSAGE_EVERY))
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
  expect(acknowledged.trims.size).toBeGreaterThan(0)
  expect(acknowledged.ended.size).toBeGreaterThan(0)
  await store.close()
}, 120_000)

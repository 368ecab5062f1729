// Aim: whatever was given up, a sweep reads and writes a bounded part of it between two turns of the event loop, so that
// calls have their time. Method: actors, entries and keys in random numbers, given up at once; what the environment is
// asked for is counted from one turn of the loop to the next. No clock is looked at.
import { rmSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { Environment } from '../../../host/store/lmdb/environment.ts'
import { PAGE_COUNT } from '../../../host/store/lmdb/forget-keys.ts'
import { lmdb } from '../../../host/store/lmdb/index.ts'
import {
  findSparse,
  ROW_PAGE_COUNT,
  SPARSE_PAGE_COUNT,
  STEP_BLOCK_COUNT,
  STEP_ENTRY_COUNT,
  STEP_RUN_COUNT,
  sweepEntries,
  sweepSparse,
} from '../../../host/store/lmdb/sweep-steps.ts'
import type { ActorLog, Store } from '../../../host/store/store.ts'
import { options, recordOf, scratchFolder, text } from '../../support/store-fixtures.ts'

const root = scratchFolder('sweep-bounds')
let count = 0
afterAll(() => rmSync(root, { recursive: true }))
afterEach(() => vi.restoreAllMocks())

/** A block of 16 KiB holds this many of the test's entries at most. */
const BLOCK_ENTRIES_MAX = 250
const READS_MAX = Math.max(
  STEP_RUN_COUNT + 2 * STEP_BLOCK_COUNT,
  ROW_PAGE_COUNT,
  SPARSE_PAGE_COUNT * (BLOCK_ENTRIES_MAX + 1),
)
/** Of a run: it, and what is left of it; of a block: it, and what is said of it. An entry may have a row of its own. */
const STEP_CHANGES_MAX = 2 * STEP_RUN_COUNT + 2 * (STEP_BLOCK_COUNT + 128) + STEP_ENTRY_COUNT + 128
/** The record of each actor that waits is looked at once, whatever else a turn of the loop does. */
const SLACK = 64

const originals = { ...methodsOf(Environment.prototype) }

function methodsOf({ range, get, keys, rangeDown }: Environment) {
  return { range, get, keys, rangeDown }
}

/** Rows that are read from one turn of the event loop to the next: the most there were. */
function countReads(): { most: () => number; take: () => number; stop: () => void } {
  let now = 0
  let most = 0
  let isOn = true
  const note = <T>(rows: T): T => {
    now += Array.isArray(rows) ? Math.max(1, rows.length) : 1
    return rows
  }
  const { range, get, keys, rangeDown } = originals
  vi.spyOn(Environment.prototype, 'range').mockImplementation(function (this: Environment, ...of) {
    return note(range.apply(this, of))
  })
  vi.spyOn(Environment.prototype, 'get').mockImplementation(function (this: Environment, ...of) {
    return note(get.apply(this, of))
  })
  vi.spyOn(Environment.prototype, 'keys').mockImplementation(function (this: Environment, ...of) {
    return note(keys.apply(this, of))
  })
  vi.spyOn(Environment.prototype, 'rangeDown').mockImplementation(function (
    this: Environment,
    ...of
  ) {
    return note(rangeDown.apply(this, of))
  })
  const turn = (): void => {
    most = Math.max(most, now)
    now = 0
    if (isOn) setImmediate(turn)
  }
  setImmediate(turn)
  return {
    most: () => most,
    take: () => {
      const taken = now
      now = 0
      return taken
    },
    stop: () => {
      isOn = false
    },
  }
}

async function fill(store: Store, actors: number, entries: number): Promise<ActorLog[]> {
  const logs: ActorLog[] = []
  for (let id = 0; id < actors; id++)
    logs.push(await store.openLog({ type: 'Counter', id: `${id}` }))
  const last: Promise<void>[] = []
  for (let seq = 0; seq < entries; seq++)
    for (const [id, log] of logs.entries()) {
      const create = seq === 0 ? { create: recordOf(`${id}`) } : {}
      const idempotency = [{ key: `key ${seq}`, seq, atMs: 1 }]
      last.push(
        log.append({
          seq,
          entries: [text(`${id} ${seq}`.padEnd(60, '.'))],
          idempotency,
          ...create,
        }),
      )
    }
  await Promise.all(last)
  return logs
}

/** Actors are numbered from 1. */
function isSwept(store: Store, actors: number): boolean {
  const { sweeper } = store as unknown as { sweeper: { newest: (actor: number) => unknown } }
  for (let actor = actors; actor > 0; actor--) if (sweeper.newest(actor) !== null) return false
  return true
}

test('sweeping what was trimmed and what has ended reads a bounded part at a time', async () => {
  const [actors, entries] = [40, 100]
  const store = await lmdb(path.join(root, `${count++}`)).open(options)
  const logs = await fill(store, actors, entries)
  const given: Promise<void>[] = []
  for (const [index, log] of logs.entries())
    if (index % 2 === 0) given.push(log.append({ seq: entries, entries: [text('end')], end: true }))
    else given.push(log.writeSnapshot({ seq: entries, bytes: text('snapshot') }))
  await Promise.all(given)
  const trims = logs.filter((_, index) => index % 2 === 1).map((log) => log.trim(entries))
  const reads = countReads()
  await Promise.all(trims)
  for (let turn = 0; turn < 100_000 && !isSwept(store, actors); turn++)
    await new Promise((resolve) => setImmediate(resolve))
  expect(isSwept(store, actors)).toBe(true)
  reads.stop()
  expect(reads.most()).toBeGreaterThan(ROW_PAGE_COUNT / 4)
  expect(reads.most()).toBeLessThanOrEqual(READS_MAX + SLACK)
  await store.close()
})

const sizes = fc.record({
  actors: fc.integer({ min: 1, max: 3_000 }),
  entries: fc.integer({ min: 1, max: 6 }),
  keptPart: fc.double({ min: 0, max: 1, noNaN: true }),
})

test('a step of a sweep reads a bounded part, however many actors gave something up', async () => {
  const property = fc.asyncProperty(sizes, async ({ actors, entries, keptPart }) => {
    const place = path.join(root, `${count++}`)
    const store = await lmdb(place, { checkpointCommits: 1 }).open(options)
    await fill(store, actors, entries)
    await store.close()
    const environment = Environment.openReadOnly(place)
    const sweeps = Array.from({ length: actors }, (_, index) => ({
      actor: index + 1,
      seqBefore: index < actors * keptPart ? entries - 1 : null,
    }))
    const reads = countReads()
    const [sparse, failed] = [new Set<number>(), new Set<number>()]
    let steps = 0
    for (const generator of [
      sweepEntries(environment, sweeps, sparse, failed),
      findSparse(environment, sparse),
    ])
      for (const changes of generator) {
        steps++
        expect(reads.take()).toBeLessThanOrEqual(READS_MAX)
        expect(changes.length).toBeLessThanOrEqual(STEP_CHANGES_MAX)
      }
    for (const changes of sweepSparse(environment, sparse)) {
      expect(reads.take()).toBeLessThanOrEqual(READS_MAX)
      expect(changes.length).toBeLessThanOrEqual(SPARSE_PAGE_COUNT * 2 * (BLOCK_ENTRIES_MAX + 2))
    }
    reads.stop()
    vi.restoreAllMocks()
    expect(failed.size).toBe(0)
    // Each actor is looked for once for its run, and those that end once more for their end.
    const ended = sweeps.filter(({ seqBefore }) => seqBefore === null).length
    expect(steps).toBeGreaterThanOrEqual(Math.floor((actors + ended) / STEP_RUN_COUNT))
    await environment.close()
  })
  const examples: [{ actors: number; entries: number; keptPart: number }][] = [
    [{ actors: 3_000, entries: 1, keptPart: 0 }],
    [{ actors: 1_441, entries: 1, keptPart: 1 }],
  ]
  await fc.assert(property, { numRuns: 6, endOnFailure: true, examples })
})

test('forgetting keys looks at a bounded number of them at a time', async () => {
  const store = await lmdb(path.join(root, `${count++}`)).open(options)
  await fill(store, 60, 40)
  // The index is written first: the walk is what is counted.
  await store.forgetKeys(0)
  const reads = countReads()
  expect(await store.forgetKeys(2)).toBe(60 * 40)
  reads.stop()
  expect(reads.most()).toBeGreaterThanOrEqual(PAGE_COUNT)
  expect(reads.most()).toBeLessThanOrEqual(PAGE_COUNT + SLACK)
  await store.close()
})

// Aim: when snapshots are taken, what is kept of journals behind them, and that everything copes with a cut journal.
// Method: a memory store whose rows are looked at directly, a virtual clock, damaged snapshots.
import { beforeEach, expect, test } from 'vitest'
import {
  fsBlobs,
  type JournalPolicy,
  openInspector,
  type RuntimeLimits,
  VirtualClock,
} from '../../../host/index.ts'
import { type MemoryDriver, memory } from '../../../host/store/memory/memory.ts'
import { alteredDriver } from '../../support/altered-driver.ts'
import { damagingDriver } from '../../support/damaging-driver.ts'
import { errorOf, macrotasks, openHost, temporaryFolder } from '../../support/host.ts'
import { Ledger } from '../../support/ledger-actor.ts'

const key = { type: 'Ledger', id: 'a' }
let store: MemoryDriver
let clock: VirtualClock

beforeEach(() => {
  store = memory()
  clock = new VirtualClock()
})

async function snapshotSeqs(): Promise<number[]> {
  const reader = await store.open({ readOnly: true, wallMs: () => 0 })
  const log = await reader.openLog(key)
  const seqs: number[] = []
  for (let row = await log.readSnapshot(Infinity); row !== null; ) {
    seqs.push(row.seq)
    row = await log.readSnapshot(row.seq - 1)
  }
  await reader.close()
  return seqs
}

interface Run {
  readonly limits?: Partial<RuntimeLimits>
  readonly journal?: JournalPolicy
  readonly turns: number
  readonly method?: string
}

/** Takes turns one after the other, lets what follows them settle, and ends the host without an eviction. */
async function run({ turns, method = 'add', ...options }: Run): Promise<string> {
  const runtime = await openHost({ store, clock, ...options })
  const actor = await runtime.getActor('a', 'Ledger')
  for (let turn = 0; turn < turns; turn++) {
    await actor.call(method, 1)
    clock.advance(1_000)
  }
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve))
  const { stateHash } = await runtime.describeActor('a', 'Ledger')
  store.crash()
  return stateHash
}

test('a snapshot is due after so many turns', async () => {
  await run({ turns: 7, limits: { snapshotIntervalTurns: 3 } })
  expect(await snapshotSeqs()).toEqual([6, 3])
})

test('a snapshot is due after so many journaled bytes', async () => {
  await run({ turns: 3, limits: { snapshotIntervalBytes: 1_000_000 } })
  expect(await snapshotSeqs()).toEqual([])
  await run({ turns: 5, limits: { snapshotIntervalBytes: 1 } })
  expect(await snapshotSeqs()).toEqual([9, 8, 7, 6, 5])
})

test('a snapshot is due so long after the last one', async () => {
  await run({ turns: 8, limits: { snapshotIntervalMs: 3_000 } })
  expect(await snapshotSeqs()).toEqual([8, 5])
})

test('a snapshot that was rejected is not taken again at its seq', async () => {
  const hash = await run({ turns: 7, limits: { snapshotIntervalTurns: 3 } })
  const first = await openHost({ store, clock })
  await first.describeActor('a', 'Ledger')
  await first.close()
  expect(await snapshotSeqs()).toEqual([8, 6, 3])
  const hurt = damagingDriver(store, 'a', { snapshots: new Set([8]) })
  const second = await openHost({ store: hurt, clock })
  expect((await second.describeActor('a', 'Ledger')).stateHash).toBe(hash)
  expect(hurt.rejected).toEqual([8])
  await second.close()
  expect(await snapshotSeqs()).toEqual([6, 3])
})

async function inspect() {
  return await openInspector({
    store,
    blobs: fsBlobs(temporaryFolder()),
    types: { Ledger: { type: 'typescript', actorClass: Ledger } },
  })
}

test.each<[JournalPolicy['keep'], number]>([
  ['all', 1],
  [{ snapshots: 1 }, 15],
  [{ snapshots: 2 }, 12],
  [{ bytes: 1 }, 12],
  [{ bytes: 1_000_000 }, 1],
])(
  'with keep %j the journal begins at %i, and recovery, replay and reading cope',
  async (keep, seqFirst) => {
    const journal = { keep }
    const hash = await run({ turns: 16, journal, limits: { snapshotIntervalTurns: 3 } })
    const inspector = await inspect()
    expect(await inspector.find(key)).toMatchObject({ seqNext: 17, seqFirst })
    const report = await inspector.replay(key)
    expect(report).toMatchObject({ turns: 17 - seqFirst, stateHash: hash, seqFirst })
    const seqs: number[] = []
    for await (const { seq } of inspector.journal(key)) seqs.push(seq)
    const kept = Array.from({ length: 17 - seqFirst }, (_, index) => seqFirst + index)
    expect(seqs).toEqual([0, ...kept])
    const runtime = await openHost({ store, clock })
    expect((await runtime.describeActor('a', 'Ledger')).stateHash).toBe(hash)
    expect(await (await runtime.getActor('a', 'Ledger')).call('total')).toBe(16)
  },
)

test('a type may keep less than the others', async () => {
  const runtime = await openHost({ store, clock, limits: { snapshotIntervalTurns: 2 } })
  const journal = { keep: { snapshots: 1 } } as const
  await runtime.registerActorType('Brief', { type: 'typescript', actorClass: Ledger, journal })
  for (const type of ['Ledger', 'Brief'])
    for (let turn = 0; turn < 4; turn++) await (await runtime.getActor('a', type)).call('add', 1)
  await expect.poll(async () => (await runtime.describeActor('a', 'Brief')).seqFirst).toBe(4)
  expect((await runtime.describeActor('a', 'Ledger')).seqFirst).toBe(1)
  const wrong = { keep: { snapshots: 0 } }
  const definition = { type: 'typescript', actorClass: Ledger, journal: wrong } as const
  expect((await errorOf(runtime.registerActorType('X', definition))).code).toBe('ERR_OPTION')
})

test('a failed turn behind a cut is undone from a snapshot', async () => {
  const journal = { keep: { snapshots: 1 } } as const
  const runtime = await openHost({ store, clock, journal, limits: { snapshotIntervalTurns: 3 } })
  const actor = await runtime.getActor('a', 'Ledger')
  for (let turn = 0; turn < 10; turn++) await actor.call('add', 1)
  expect((await errorOf(actor.call('addAndFail', 5))).code).toBe('ERR_ACTOR_FAILED')
  expect(await actor.call('total')).toBe(10)
})

test('a cut journal whose only snapshot is damaged is quarantined, naming the cut', async () => {
  const limits = { snapshotIntervalTurns: 3 }
  await run({ turns: 16, limits, journal: { keep: { snapshots: 1 } } })
  const driver = damagingDriver(store, 'a', { snapshots: new Set([15]) })
  const runtime = await openHost({ store: driver, clock })
  const error = await errorOf(runtime.getActor('a', 'Ledger'))
  expect(error.code).toBe('ERR_QUARANTINED')
  expect(error.message).toContain('entries before 15 were given up')
})

test('the journal is not cut behind a snapshot that cannot be read', async () => {
  const hurt = damagingDriver(store, 'a', { snapshots: new Set([3, 6]) })
  const journal = { keep: { snapshots: 1 } } as const
  const runtime = await openHost({
    store: hurt,
    clock,
    journal,
    limits: { snapshotIntervalTurns: 3 },
  })
  const actor = await runtime.getActor('a', 'Ledger')
  for (let turn = 0; turn < 7; turn++) await actor.call('add', 1)
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect((await runtime.describeActor('a', 'Ledger')).seqFirst).toBe(1)
})

test('reading a journal notices an entry that is missing in its middle', async () => {
  await run({ turns: 7 })
  const driver = damagingDriver(store, 'a', { missingFrom: 5 })
  const inspector = await openInspector({ store: driver, blobs: fsBlobs(temporaryFolder()) })
  const read = async () => {
    for await (const line of inspector.journal(key)) expect(line.seq).toBeLessThan(5)
  }
  expect((await errorOf(read())).message).toContain('journal entry 5: the entry is missing')
})

test.each([
  ['deactivated', 60_000],
  ['cooled', 1],
  ['broken', 60_000],
])(
  'an actor that is %s while its snapshot is written is not read while its journal is cut',
  async (how, coolTimeoutMs) => {
    const gates: (() => void)[] = []
    let isSlow = true
    const slowly = async <T>(step: () => Promise<T>): Promise<T> => {
      if (isSlow)
        await new Promise<void>((resolve) => {
          gates.push(resolve)
        })
      return step()
    }
    let reads = 0
    const slow = alteredDriver(store, {
      log: (log) => ({
        writeSnapshot: (snapshot) => slowly(() => log.writeSnapshot(snapshot)),
        read: (seqFrom, countMax) => {
          const read = () => log.read(seqFrom, countMax)
          return seqFrom > 0 && reads++ === 0 ? slowly(read) : read()
        },
      }),
    })
    const limits = { snapshotIntervalTurns: 4, coolTimeoutMs, warmCountMax: 1 }
    const runtime = await openHost({
      store: slow,
      clock,
      limits,
      journal: { keep: { snapshots: 1 } },
    })
    const ledger = await runtime.getActor('a', 'Ledger')
    for (const amount of [1, 2, 3]) await ledger.call('add', amount)
    expect(gates).toHaveLength(1)
    reads = 0
    const left = how === 'deactivated' ? runtime.deactivate('a', 'Ledger') : null
    if (how === 'broken') {
      store.failNextAppend()
      expect((await errorOf(ledger.call('add', 100))).code).toBe('ERR_COMMIT')
    }
    if (how === 'cooled') {
      const [b, c] = [await runtime.getActor('b', 'Ledger'), await runtime.getActor('c', 'Ledger')]
      for (const other of [b, c]) await other.call('add', 1)
      for (let step = 0; step < 20; step++) {
        clock.advance(1)
        await macrotasks(3)
      }
    }
    await macrotasks(20)
    const again = ledger.call('add', 4)
    await macrotasks(20)
    gates.shift()?.()
    await macrotasks(20)
    isSlow = false
    for (const release of gates.splice(0)) release()
    expect(await again).toBe(10)
    await left
  },
)

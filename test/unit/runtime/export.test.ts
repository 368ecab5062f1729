// Aim: an exported actor is the same actor elsewhere, and a damaged file is refused, naming where. Method: round
// trips between two memory stores, every byte of a file flipped and every shorter file tried.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  Actor,
  fsBlobs,
  openInspector,
  type Runtime,
  type RuntimeOptions,
  VirtualClock,
} from '../../../host/index.ts'
import { encodeEntry } from '../../../host/journal/codec.ts'
import { type MemoryDriver, memory } from '../../../host/store/memory/memory.ts'
import { alteredDriver } from '../../support/altered-driver.ts'
import { Peer } from '../../support/bank-actor.ts'
import { errorOf, isPending, macrotasks, openHost, temporaryFolder } from '../../support/host.ts'
import { Ledger } from '../../support/ledger-actor.ts'
import { Ticking } from '../../support/ticking-actor.ts'

class Named extends Actor<{ count: number }> {
  static readonly initialState = { count: 0 }
  name(): string {
    return this.context.actorId
  }
}

const types = {
  Ledger: { type: 'typescript', actorClass: Ledger },
  Peer: { type: 'typescript', actorClass: Peer },
  Named: { type: 'typescript', actorClass: Named },
  Ticking: { type: 'typescript', actorClass: Ticking },
} as const

async function host(store: MemoryDriver, options: Partial<RuntimeOptions> = {}) {
  const runtime = await openHost({ store, ...options })
  await runtime.registerActorType('Peer', types.Peer)
  await runtime.registerActorType('Named', types.Named)
  return runtime
}

const inspect = (store: MemoryDriver) =>
  openInspector({ store, blobs: fsBlobs(temporaryFolder()), types })

async function exported(store: MemoryDriver, id = 'a', type = 'Peer'): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of (await inspect(store)).export({ type, id })) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function fill(store: MemoryDriver, options: Partial<RuntimeOptions> = {}) {
  const runtime = await host(store, { limits: { snapshotIntervalTurns: 4 }, ...options })
  const actor = await runtime.getActor('a', 'Peer')
  await actor.execute({ method: 'deposit', args: [5], idempotencyKey: 'early' })
  for (let turn = 0; turn < 10; turn++) await actor.call('write', `key ${turn}`, { turn })
  await actor.execute({ method: 'deposit', args: [7], idempotencyKey: 'late' })
  await actor.call('balance')
  await runtime.close()
}

test.each([[undefined], [{ keep: { snapshots: 2 } }]] as const)(
  'with the journal policy %j an imported actor is the same',
  async (journal) => {
    const [from, to] = [memory(), memory()]
    await fill(from, journal === undefined ? {} : { journal })
    const runtime = await host(to)
    expect(await runtime.importActor(await exported(from))).toEqual({ type: 'Peer', id: 'a' })
    const before = await (await inspect(from)).replay({ type: 'Peer', id: 'a' })
    const after = await (await inspect(to)).replay({ type: 'Peer', id: 'a' })
    expect(after.stateHash).toBe(before.stateHash)
    expect([after.seqNext, after.seqFirst]).toEqual([before.seqNext, before.seqFirst])
    const actor = await runtime.getActor('a', 'Peer')
    expect(await actor.execute({ method: 'deposit', args: [7], idempotencyKey: 'late' })).toBe(12)
    expect(await actor.call('balance')).toBe(12)
    expect(await actor.call('write', 'key 3', null)).toEqual([{ turn: 3 }, undefined])
    expect(await actor.call('keys', 'key')).toHaveLength(9)
  },
)

test('reminders go with the actor', async () => {
  const [from, to] = [memory(), memory()]
  await fill(from)
  const key = { type: 'Peer', id: 'a' }
  const reminder = { name: 'tick', dueAtMs: 9_000_000_000_000, bytes: Uint8Array.of(1, 2, 3) }
  const store = await from.open({ wallMs: () => 0 })
  const log = await store.openLog(key)
  const head = { atMs: 0, idempotencyKey: null, invocationId: null, method: 'balance', args: [] }
  const outcome = { kind: 'returned', value: 12 } as const
  const turn = { kind: 'turn', ...head, caller: null, calls: [], effects: [], outcome } as const
  const seq = log.seqNext
  await log.append({ seq, entries: [encodeEntry(seq, turn)], reminders: [reminder] })
  await store.close()
  await (await host(to)).importActor(await exported(from))
  const reader = await to.open({ readOnly: true, wallMs: () => 0 })
  expect(await (await reader.openLog(key)).listReminders()).toEqual([reminder])
})

test('an existing actor is not overwritten, and one without its component is not imported', async () => {
  const store = memory()
  await fill(store)
  const file = await exported(store)
  const runtime = await host(store)
  expect((await errorOf(runtime.importActor(file))).code).toBe('ERR_ACTOR_EXISTS')
  expect(await (await runtime.getActor('a', 'Peer')).call('balance')).toBe(12)
  expect(await runtime.importActor(file, { type: 'Peer', id: 'copy' })).toEqual({
    type: 'Peer',
    id: 'copy',
  })
  expect(await (await runtime.getActor('copy', 'Peer')).call('balance')).toBe(12)
})

test('under another name an actor whose turns depend on its name is refused, and nothing is left', async () => {
  const store = memory()
  const runtime = await host(store)
  await (await runtime.getActor('a', 'Named')).call('name')
  const file = await exported(store, 'a', 'Named')
  const as = { type: 'Named', id: 'b' }
  expect((await errorOf(runtime.importActor(file, as))).code).toBe('ERR_DIVERGENCE')
  expect((await errorOf(runtime.describeActor('b', 'Named'))).code).toBe('ERR_ACTOR_UNKNOWN')
  expect(await (await runtime.getActor('b', 'Named')).call('name')).toBe('b')
})

/** Two transfers of the same amount in different lives, or by a copy: both have to arrive. */
async function paid(runtime: Runtime, from: string, method: string, ...args: unknown[]) {
  await (await runtime.getActor(from, 'Peer')).call(method, 'b', ...args)
  await macrotasks(20)
}

const balance = async (runtime: Runtime, id: string): Promise<unknown> =>
  (await runtime.getActor(id, 'Peer')).call('balance')

test('an actor that is put back into its place sends what its receivers have not had', async () => {
  const [store, clock] = [memory(), new VirtualClock()]
  const runtime = await host(store, { clock })
  await (await runtime.getActor('a', 'Peer')).call('deposit', 100)
  const file = await exported(store)
  await paid(runtime, 'a', 'pay', 10)
  await runtime.deleteActor('a', 'Peer')
  await runtime.importActor(file)
  clock.advance(1)
  await paid(runtime, 'a', 'pay', 10)
  expect(await balance(runtime, 'b')).toBe(20)
})

test('an actor is not put back while messages of its former life wait', async () => {
  const [store, clock] = [memory(), new VirtualClock()]
  const runtime = await host(store, { clock })
  await (await runtime.getActor('a', 'Peer')).call('deposit', 100)
  const file = await exported(store)
  await paid(runtime, 'a', 'payLater', 10, 60_000)
  await runtime.deleteActor('a', 'Peer')
  expect((await errorOf(runtime.importActor(file))).code).toBe('ERR_BUSY')
  clock.advance(60_000)
  await macrotasks(20)
  await runtime.importActor(file)
  await paid(runtime, 'a', 'pay', 20)
  expect(await balance(runtime, 'b')).toBe(30)
})

test('a copy under another name is another actor: what both do happens twice', async () => {
  const store = memory()
  const runtime = await host(store)
  await (await runtime.getActor('a', 'Peer')).call('deposit', 100)
  await runtime.importActor(await exported(store), { type: 'Peer', id: 'copy' })
  for (const id of ['a', 'copy']) {
    await paid(runtime, id, 'pay', 10)
    const transfer = { method: 'transfer', args: ['b', 5], idempotencyKey: 'same' }
    await (await runtime.getActor(id, 'Peer')).execute(transfer)
  }
  expect(await balance(runtime, 'b')).toBe(30)
  const one = await runtime.describeActor('a', 'Peer')
  const other = await runtime.describeActor('copy', 'Peer')
  expect(other.stateHash).toBe(one.stateHash)
  expect(other.incarnation).not.toBe(one.incarnation)
})

test.each([[undefined], [{ keep: { snapshots: 2 } }]] as const)(
  'a copy under another name has the snapshots and reminders of the original: journal policy %j',
  async (journal) => {
    const [store, clock] = [memory(), new VirtualClock()]
    const options = { clock, limits: { snapshotIntervalTurns: 2 } }
    const runtime = await host(store, journal === undefined ? options : { ...options, journal })
    await runtime.registerActorType('Ticking', { type: 'typescript', actorClass: Ticking })
    const actor = await runtime.getActor('a', 'Ticking')
    for (const name of ['x', 'y', 'z']) await actor.call('remind', name, { due: '1m' })
    await actor.call('forget', 'x')
    await runtime.deactivate('a', 'Ticking')
    const copy = { type: 'Ticking', id: 'copy' }
    await runtime.importActor(await exported(store, 'a', 'Ticking'), copy)
    clock.advance(60_000)
    await macrotasks(60)
    for (const id of ['a', 'copy'])
      expect(await (await runtime.getActor(id, 'Ticking')).call('ticks')).toEqual(['y', 'z'])
    await runtime.close()
    const inspector = await openInspector({ store, blobs: fsBlobs(temporaryFolder()), types })
    expect((await inspector.replay(copy)).snapshotsCompared).toBeGreaterThan(0)
  },
)

test('the mark of an import that is under way cannot be taken away: half an actor would take turns', async () => {
  const from = memory()
  await fill(from)
  const file = await exported(from)
  const gates: (() => void)[] = []
  const to = alteredDriver(memory(), {
    log: (log) => ({
      append: async (commit) => {
        if (commit.create !== undefined && gates.length === 0)
          await new Promise<void>((resolve) => gates.push(resolve))
        return log.append(commit)
      },
    }),
  })
  const runtime = await openHost({ store: to })
  await runtime.registerActorType('Peer', types.Peer)
  const imported = runtime.importActor(file)
  await macrotasks(10)
  expect(gates).toHaveLength(1)
  const released = runtime.release('a', 'Peer')
  expect(await isPending(released)).toBe(true)
  gates[0]?.()
  await imported
  expect(await released).toBe(false)
  expect(await balance(runtime, 'a')).toBe(12)
})

test('an import that a crash cut off takes no turns, and can be deleted', async () => {
  const from = memory()
  await fill(from)
  const file = await exported(from)
  for (let writes = 1; writes < 4; writes++) {
    const to = memory()
    const first = await host(to)
    to.crashAfter(writes)
    first.importActor(file).catch(() => {})
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
    const second = await host(to)
    expect((await errorOf(second.getActor('a', 'Peer'))).code).toBe('ERR_QUARANTINED')
    await second.deleteActor('a', 'Peer')
    await second.importActor(file)
    expect(await (await second.getActor('a', 'Peer')).call('balance')).toBe(12)
    await second.close()
  }
})

test('a damaged file is refused, naming the offset, and nothing is written', async () => {
  const from = memory()
  await fill(from)
  const file = await exported(from)
  const runtime = await host(memory())
  const refused = async (bytes: Uint8Array) => {
    const error = await errorOf(runtime.importActor(bytes))
    expect(error).toMatchObject({ code: 'ERR_IMPORT_CORRUPT', data: expect.any(Object) })
    expect(error.message).toMatch(/at offset \d+/)
  }
  await fc.assert(
    fc.asyncProperty(fc.nat(file.length - 1), fc.integer({ min: 0, max: 7 }), async (at, bit) => {
      const hurt = Buffer.from(file)
      hurt[at] = (hurt[at] ?? 0) ^ (1 << bit)
      await refused(hurt)
      await refused(file.subarray(0, at))
      await refused(Buffer.concat([file, file.subarray(0, at + 1)]))
    }),
    { numRuns: 300 },
  )
  expect((await errorOf(runtime.describeActor('a', 'Peer'))).code).toBe('ERR_ACTOR_UNKNOWN')
})

test.each(['cut', 'ended'])(
  'who reads an actor beside its host is told when the journal was %s meanwhile, and not of damage',
  async (what) => {
    const store = memory()
    const limits = { snapshotIntervalTurns: 1_500 }
    const runtime = await host(store, { limits, journal: { keep: { snapshots: 1 } } })
    const ledger = await runtime.getActor('a', 'Ledger')
    const run = (count: number) =>
      Promise.all(Array.from({ length: count }, () => ledger.call('add', 1)))
    const change = async (): Promise<void> => {
      if (what === 'cut') await run(3_000)
      else await runtime.deleteActor('a', 'Ledger')
      await macrotasks(30)
    }
    const key = { type: 'Ledger', id: 'a' }
    for (const use of ['export', 'replay'] as const) {
      await run(1_200)
      let changed: Promise<void> | null = null
      const slow = alteredDriver(store, {
        log: (log) => ({
          read: async (seqFrom, countMax) => {
            if (seqFrom > 1_000) changed ??= change()
            await changed
            return log.read(seqFrom, countMax)
          },
        }),
      })
      const blobs = fsBlobs(temporaryFolder())
      const inspector = await openInspector({ store: slow, blobs, types })
      const read = async (): Promise<void> => {
        if (use === 'replay') await inspector.replay(key)
        else for await (const _ of inspector.export(key));
      }
      expect(await errorOf(read()), use).toMatchObject({
        code: 'ERR_BUSY',
        message: expect.stringContaining('while it was read'),
      })
    }
  },
)

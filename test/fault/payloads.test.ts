// Aim: what is too large for a journal entry lies in a blob that is durable before the entry is, comes back as it was
// after every crash, is missed loudly, and goes when the entry goes. Method: a blob store that is held, fails, rots and
// loses; the memory store, crashed, and LMDB.
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  type BlobStore,
  fsBlobs,
  lmdb,
  openInspector,
  type Runtime,
  type RuntimeOptions,
} from '../../host/index.ts'
import { isDetached } from '../../host/journal/detached.ts'
import { ExportWriter } from '../../host/journal/export-file.ts'
import { type MemoryDriver, memory } from '../../host/store/memory/memory.ts'
import type { StoreDriver } from '../../host/store/store.ts'
import { heldBlobs } from '../support/held-blobs.ts'
import { Hoarder } from '../support/hoarding-actor.ts'
import { errorOf, isPending, macrotasks, openHost, temporaryFolder } from '../support/host.ts'

const types = { Hoarder: { type: 'typescript', actorClass: Hoarder } } as const
const key = { type: 'Hoarder', id: 'a' }
const INLINE_MAX = 1_000
const large = (fill: string): string => fill.repeat(2 * INLINE_MAX)

async function open(
  store: StoreDriver,
  blobs: BlobStore,
  options: Partial<RuntimeOptions> = {},
): Promise<Runtime> {
  const limits = { payloadInlineMaxBytes: INLINE_MAX, ...options.limits }
  const runtime = await openHost({ store, blobs, ...options, limits })
  await runtime.registerActorType('Hoarder', types.Hoarder)
  return runtime
}

/** Entries as the store has them. */
async function rawEntries(store: StoreDriver, id = 'a'): Promise<readonly Uint8Array[]> {
  const reader = await store.open({ readOnly: true, wallMs: () => 0 })
  const log = await reader.openLog({ type: 'Hoarder', id })
  const rows = [...(await log.read(0, 1)), ...(await log.read(log.seqFirst, 1_000))]
  await reader.close()
  return rows.map(({ bytes }) => bytes)
}

async function replay(store: StoreDriver, blobs: BlobStore) {
  const inspector = await openInspector({ store, blobs, types })
  try {
    return await inspector.replay(key)
  } finally {
    await inspector.close()
  }
}

function places(): { store: MemoryDriver; blobs: ReturnType<typeof heldBlobs> } {
  return { store: memory(), blobs: heldBlobs(temporaryFolder()) }
}

describe('a large payload', () => {
  test('leaves a small entry: arguments, results, host results and values alike', async () => {
    const { store, blobs } = places()
    const runtime = await open(store, blobs)
    const actor = await runtime.getActor('a', 'Hoarder')
    expect(await actor.call('echo', large('x'))).toBe(large('x'))
    expect(await actor.call('echo', 'y', 2 * INLINE_MAX)).toBe(large('y'))
    await actor.call('keep', 'k', 2 * INLINE_MAX)
    expect(await actor.call('sizeOf', 'k')).toBe(2 * INLINE_MAX)
    expect(await actor.call('callAndEcho', 'b', large('z'))).toBe(large('z'))
    await actor.call('echo', 'small')
    const entries = await rawEntries(store)
    for (const bytes of entries) expect(bytes.length).toBeLessThanOrEqual(INLINE_MAX)
    // created; four turns; the call's opened and closed entries, of which only the second is large; small
    expect(entries.map(isDetached)).toEqual([false, true, true, true, true, true, true, false])
    const { stateHash } = await runtime.describeActor('a', 'Hoarder')
    expect(await replay(store, blobs)).toMatchObject({ stateHash, turns: 6 })
  })

  test.each([
    ['memory', () => memory()],
    ['LMDB', () => lmdb(path.join(temporaryFolder(), 'store'))],
  ])('is there after a restart, for recovery and for retries (%s)', async (_, make) => {
    const [store, blobs] = [make(), fsBlobs(temporaryFolder())]
    const call = { method: 'echo', args: [large('x'), 3], idempotencyKey: 'k' }
    const first = await open(store, blobs)
    const result = await (await first.getActor('a', 'Hoarder')).execute(call)
    await (await first.getActor('a', 'Hoarder')).call('echo', large('y'))
    await first.close()
    const second = await open(store, blobs)
    const actor = await second.getActor('a', 'Hoarder')
    expect(await actor.execute(call)).toBe(result)
    expect(await actor.call('count')).toBe(2)
    const other = { ...call, args: [large('z'), 3] }
    expect(await errorOf(actor.execute(other))).toMatchObject({ code: 'ERR_IDEMPOTENCY_MISMATCH' })
    await second.close()
    expect(await replay(store, blobs)).toMatchObject({ turns: 3 })
  })

  test('is durable before the entry that names it, and before all that is committed behind it', async () => {
    const { store, blobs } = places()
    const runtime = await open(store, blobs)
    const [a, b] = [await runtime.getActor('a', 'Hoarder'), await runtime.getActor('b', 'Hoarder')]
    await Promise.all([a.call('count'), b.call('count')])
    const release = blobs.hold()
    const waiting = a.call('echo', large('x'))
    await macrotasks(3)
    const behind = b.call('echo', 'small')
    expect(await isPending(waiting, 20)).toBe(true)
    expect(await isPending(behind, 20)).toBe(true)
    expect(await rawEntries(store)).toHaveLength(2)
    release()
    expect(await waiting).toBe(large('x'))
    expect(await behind).toBe('small')
  })

  test('that a crash cut off while it was written has not happened, nor has what came behind it', async () => {
    const { store, blobs } = places()
    const runtime = await open(store, blobs)
    const actor = await runtime.getActor('a', 'Hoarder')
    await actor.call('echo', 'before')
    blobs.hold()
    for (const text of [large('x'), 'small']) actor.call('echo', text).catch(() => {})
    await macrotasks(20)
    store.crash()
    const again = await open(store, blobs)
    expect(await (await again.getActor('a', 'Hoarder')).call('count')).toBe(1)
  })

  test('that cannot be stored fails its turn, as a full disk does, and the actor goes on', async () => {
    const { store, blobs } = places()
    const runtime = await open(store, blobs)
    const actor = await runtime.getActor('a', 'Hoarder')
    await actor.call('echo', 'before')
    blobs.failNextPut('ENOSPC: no space left on device')
    const error = await errorOf(actor.call('echo', large('x')))
    expect(error).toMatchObject({ code: 'ERR_COMMIT' })
    expect(error.message).toContain('ENOSPC')
    const again = await runtime.getActor('a', 'Hoarder')
    expect(await again.call('count')).toBe(1)
    expect(await again.call('echo', large('y'))).toBe(large('y'))
    expect(await again.call('count')).toBe(2)
  })
})

describe('a payload that is', () => {
  test.each([
    ['missing', 'lose'],
    ['damaged', 'damage'],
  ] as const)(
    '%s quarantines its actor; once it is back, the actor goes on',
    async (what, spoil) => {
      const { store, blobs } = places()
      const first = await open(store, blobs)
      const actor = await first.getActor('a', 'Hoarder')
      await actor.call('count')
      await actor.call('echo', large('x'))
      await (await first.getActor('b', 'Hoarder')).call('echo', 'small')
      store.crash()
      const [digest] = blobs.digests()
      if (digest === undefined) throw new Error('there is no blob')
      const bytes = await blobs.get(digest)
      blobs[spoil](digest)
      const second = await open(store, blobs)
      const error = await errorOf(second.getActor('a', 'Hoarder').then((a) => a.call('count')))
      expect(error).toMatchObject({
        code: 'ERR_QUARANTINED',
        data: { reason: 'ERR_JOURNAL_CORRUPT', seq: 2, digest },
      })
      expect(error.message).toContain(`blob ${digest}, is ${what}`)
      expect(await (await second.getActor('b', 'Hoarder')).call('count')).toBe(1)
      expect(await errorOf(replay(store, blobs))).toMatchObject({
        code: 'ERR_JOURNAL_CORRUPT',
        data: { seq: 2, digest },
      })
      await blobs.put(bytes)
      await second.release('a', 'Hoarder')
      expect(await (await second.getActor('a', 'Hoarder')).call('count')).toBe(1)
    },
  )

  test('missing behind a snapshot is not missed', async () => {
    const { store, blobs } = places()
    const first = await open(store, blobs, { limits: { snapshotIntervalTurns: 1 } })
    await (await first.getActor('a', 'Hoarder')).call('echo', large('x'))
    await first.close()
    for (const digest of blobs.digests()) blobs.lose(digest)
    const second = await open(store, blobs)
    expect(await (await second.getActor('a', 'Hoarder')).call('count')).toBe(1)
  })
})

describe('the blobs of entries that are given up', () => {
  test('go with a part of the journal that is cut off', async () => {
    const { store, blobs } = places()
    const limits = { snapshotIntervalTurns: 5 }
    const journal = { keep: { snapshots: 1 } } as const
    const runtime = await open(store, blobs, { limits, journal })
    const actor = await runtime.getActor('a', 'Hoarder')
    for (let turn = 0; turn < 23; turn++) {
      await actor.call('echo', large(`${turn % 10}`))
      await macrotasks(20)
    }
    for (let turn = 0; turn < 200 && blobs.digests().length > 5; turn++) await macrotasks(5)
    const kept = (await rawEntries(store)).filter(isDetached)
    expect(kept.length).toBeLessThanOrEqual(5)
    expect(blobs.digests()).toHaveLength(kept.length)
    await runtime.close()
    expect((await replay(store, blobs)).seqFirst).toBeGreaterThan(1)
    const again = await open(store, blobs)
    expect(await (await again.getActor('a', 'Hoarder')).call('count')).toBe(23)
  })

  test("go with their actor's life, and no other's", async () => {
    const { store, blobs } = places()
    const runtime = await open(store, blobs)
    for (const id of ['a', 'b']) {
      const actor = await runtime.getActor(id, 'Hoarder')
      for (let turn = 0; turn < 3; turn++) await actor.call('echo', large('x'))
    }
    expect(blobs.digests()).toHaveLength(6)
    await runtime.deleteActor('a', 'Hoarder')
    expect(blobs.digests()).toHaveLength(3)
    expect(await (await runtime.getActor('b', 'Hoarder')).call('count')).toBe(3)
    expect(await (await runtime.getActor('a', 'Hoarder')).call('count')).toBe(0)
  })
})

test('an export holds payloads, and an import puts them into blobs again', async () => {
  const from = places()
  const first = await open(from.store, from.blobs)
  const call = { method: 'echo', args: [large('x')], idempotencyKey: 'k' }
  await (await first.getActor('a', 'Hoarder')).execute(call)
  await first.close()
  const inspector = await openInspector({ store: from.store, blobs: from.blobs, types })
  const pieces: Uint8Array[] = []
  for await (const piece of inspector.export(key)) pieces.push(piece)
  const to = places()
  const second = await open(to.store, to.blobs)
  await second.importActor(Buffer.concat(pieces))
  expect((await rawEntries(to.store)).map(isDetached)).toEqual([false, true])
  expect(to.blobs.digests()).toHaveLength(1)
  // Not the same blob: deleting one copy does not harm the other, where both share a folder.
  expect(to.blobs.digests()).not.toEqual(from.blobs.digests())
  expect(await (await second.getActor('a', 'Hoarder')).execute(call)).toBe(large('x'))
})

test("a file whose entries name another actor's payloads is refused: deleting the import would take them away", async () => {
  const { store, blobs } = places()
  const runtime = await open(store, blobs)
  await (await runtime.getActor('a', 'Hoarder')).call('echo', large('x'))
  const inspector = await openInspector({ store, blobs, types })
  const { incarnation, digest, createdAtMs } = await inspector.find(key)
  await inspector.close()
  const file = new ExportWriter()
  const pieces = [
    file.header(),
    file.record('actor', 'Hoarder', 'thief', incarnation, digest, createdAtMs, 2, 1),
  ]
  for (const [seq, bytes] of (await rawEntries(store)).entries())
    pieces.push(file.record('entry', seq, bytes))
  pieces.push(file.record('end'))
  const error = await errorOf(runtime.importActor(Buffer.concat(pieces)))
  expect(error).toMatchObject({ code: 'ERR_IMPORT_CORRUPT', data: expect.any(Object) })
  await runtime.deleteActor('thief', 'Hoarder').catch(() => {})
  await runtime.deactivate('a', 'Hoarder')
  expect(blobs.digests()).toHaveLength(1)
  expect(await replay(store, blobs)).toMatchObject({ turns: 1 })
})

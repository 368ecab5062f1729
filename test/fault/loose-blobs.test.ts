/**
 * Fault model of these tests: the process dies at any step that touches the store or the blob store: before it, or after
 * it took effect and before anybody heard of it. Every step of a workload is such a point: large turns of two actors at
 * once, journals that are cut, an actor that is deleted, and the collection itself.
 *
 * After each death every answered turn is there with its payloads, and once the next host has started, the blob store
 * holds the blobs that entries name and no others.
 */
import { rmSync } from 'node:fs'
import path from 'node:path'
import { afterAll, describe, expect, it, test } from 'vitest'
import type { Digest } from '../../host/base/digest.ts'
import type { BlobStore } from '../../host/blob/blob-store.ts'
import {
  createRuntime,
  type JournalPolicy,
  type LogLine,
  openInspector,
  type Runtime,
} from '../../host/index.ts'
import { blobOf, isDetached } from '../../host/journal/detached.ts'
import { memory } from '../../host/store/memory/memory.ts'
import type { StoreDriver } from '../../host/store/store.ts'
import { alteredDriver } from '../support/altered-driver.ts'
import { heldBlobs } from '../support/held-blobs.ts'
import { Hoarder } from '../support/hoarding-actor.ts'
import { errorOf, macrotasks } from '../support/host.ts'
import { scratchFolder } from '../support/store-fixtures.ts'

const root = scratchFolder('loose-blobs')
let folderCount = 0
const folder = (): string => path.join(root, `${folderCount++}`)
afterAll(() => rmSync(root, { recursive: true, force: true }))

const types = { Hoarder: { type: 'typescript', actorClass: Hoarder } } as const
const limits = { payloadInlineMaxBytes: 1_000, snapshotIntervalTurns: 2 }
const large = (text: string): string => text.padEnd(3_000, '.')
const CUT = { keep: { snapshots: 1 } } as const
const IDS = ['a', 'b']
const dead = new Promise<never>(() => {})

/** Counts steps, and ends the "process" at one of them: nothing that it asked for goes on. */
class Death {
  readonly at: number
  readonly #die: () => void
  count = 0
  isDead = false
  readonly happened: Promise<void>
  #tell: () => void = () => {}
  readonly #underWay = new Set<Promise<unknown>>()

  constructor(at: number, die: () => void) {
    this.at = at
    this.#die = die
    this.happened = new Promise((resolve) => {
      this.#tell = resolve
    })
  }

  async point(): Promise<void> {
    if (this.isDead) await dead
    this.count++
    if (this.count !== this.at) return
    this.isDead = true
    this.#die()
    this.#tell()
    await dead
  }

  /** A step: it may die before it and after it. */
  async step<T>(run: () => Promise<T>): Promise<T> {
    await this.point()
    const result = await run()
    await this.point()
    return result
  }

  /** As `step`, on a real disk: a real death ends what is under way, here it comes to its end (`after`). */
  async fileStep<T>(run: () => Promise<T>): Promise<T> {
    return await this.step(() => {
      const running = run()
      this.#underWay.add(running)
      return running.finally(() => this.#underWay.delete(running))
    })
  }

  async after(): Promise<void> {
    await Promise.allSettled(this.#underWay)
  }
}

function dyingDriver(inner: StoreDriver, death: Death): StoreDriver {
  return alteredDriver(inner, {
    store: (store) => ({
      noteLoose: (digests) => death.step(() => store.noteLoose(digests)),
      looseBlobs: (after, countMax) => death.step(() => store.looseBlobs(after, countMax)),
      forgetLoose: (digests) => death.step(() => store.forgetLoose(digests)),
    }),
    log: (log) => ({
      trim: (seqBefore, frees) => death.step(() => log.trim(seqBefore, frees)),
      // Seqs are given out in order of the calls: nothing may be awaited before.
      append: (commit) => log.append(commit).then(() => death.point()),
    }),
  })
}

function dyingBlobs(inner: BlobStore, death: Death): BlobStore {
  return {
    put: (bytes) => death.fileStep(() => inner.put(bytes)),
    remove: (digest) => death.fileStep(() => inner.remove(digest)),
    get: (digest) => inner.get(digest),
    has: (digest) => inner.has(digest),
    setName: (name, digest) => inner.setName(name, digest),
    resolve: (name) => inner.resolve(name),
    names: (prefix) => inner.names(prefix),
  }
}

async function open(
  store: StoreDriver,
  blobs: BlobStore,
  journal: JournalPolicy = { keep: 'all' },
): Promise<Runtime> {
  const runtime = await createRuntime({ store, blobs, limits, journal })
  await runtime.registerActorType('Hoarder', types.Hoarder)
  return runtime
}

/** Large turns of two actors; one of them ends, and begins anew. `answered`: how many each life has answered. */
async function work(runtime: Runtime, answered: Map<string, number>): Promise<void> {
  const turns = async (id: string, count: number): Promise<void> => {
    for (let turn = 0; turn < count; turn++) {
      const actor = await runtime.getActor(id, 'Hoarder')
      expect(await actor.call('echo', large(`${id}${turn}`))).toBe(large(`${id}${turn}`))
      answered.set(id, (answered.get(id) ?? 0) + 1)
    }
  }
  await Promise.all(IDS.map((id) => turns(id, 5)))
  answered.delete('b')
  await runtime.deleteActor('b', 'Hoarder')
  await turns('b', 2)
}

/** Blobs that entries name, in order. */
async function named(driver: StoreDriver): Promise<Digest[]> {
  const reader = await driver.open({ readOnly: true, wallMs: () => 0 })
  const found: Digest[] = []
  for (const id of IDS) {
    const log = await reader.openLog({ type: 'Hoarder', id })
    const rows = [...(await log.read(0, 1)), ...(await log.read(log.seqFirst, 1_000))]
    for (const { seq, bytes } of rows) if (isDetached(bytes)) found.push(blobOf(seq, bytes))
  }
  await reader.close()
  return found.sort()
}

async function expectWhole(
  driver: StoreDriver,
  blobs: BlobStore,
  answered: ReadonlyMap<string, number>,
): Promise<void> {
  const inspector = await openInspector({ store: driver, blobs, types })
  for await (const { type, id } of inspector.actors()) await inspector.replay({ type, id })
  await inspector.close()
  const runtime = await open(driver, blobs)
  for (const [id, count] of answered) {
    const actor = await runtime.getActor(id, 'Hoarder')
    expect(await actor.call('count')).toBeGreaterThanOrEqual(count)
  }
  await runtime.close()
}

async function until(is: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 20_000
  while (!is() && performance.now() < deadlineMs) await macrotasks(1)
}

/** Runs the workload to its death, and looks at what is left; the number of steps where it did not die. */
async function dieAt(at: number): Promise<number> {
  const inner = memory()
  const place = heldBlobs(folder())
  const death = new Death(at, () => inner.crash())
  const answered = new Map<string, number>()
  const runtime = await open(dyingDriver(inner, death), dyingBlobs(place, death), CUT)
  const worked = work(runtime, answered).then(() => runtime.close())
  await Promise.race([worked, death.happened])
  if (!death.isDead) return death.count
  worked.catch(() => {})
  await death.after()
  const before = place.digests()
  for (const digest of await named(inner)) expect(before, `died at ${at}`).toContain(digest)
  // The next host may die while it collects.
  const again = new Death(1 + (at % 5), () => inner.crash())
  const second = await open(dyingDriver(inner, again), dyingBlobs(place, again))
  await macrotasks(at % 20)
  await Promise.race([second.close(), again.happened])
  await again.after()
  const third = await open(inner, place)
  const names = await named(inner)
  await until(() => place.digests().length <= names.length)
  await third.close()
  expect(place.digests(), `died at ${at}`).toEqual(names)
  await expectWhole(inner, place, answered)
  return death.count
}

describe('a host that dies at any step', () => {
  it('leaves no payload missing, and the next one no blob behind that nobody names', async () => {
    const total = await dieAt(Infinity)
    expect(total).toBeGreaterThan(60)
    for (let at = 1; at <= total; at++) await dieAt(at)
  })
})

test("two data folders share a blob folder: neither takes what is the other one's", async () => {
  const blobs = heldBlobs(folder())
  const [one, two] = [memory(), memory()]
  const [first, second] = [await open(one, blobs), await open(two, blobs)]
  for (const runtime of [first, second])
    expect(await (await runtime.getActor('a', 'Hoarder')).call('echo', large('same'))).toBe(
      large('same'),
    )
  // A payload of one is on its way while the other host gives up its own, and one that follows collects.
  const flow = one.holdCommits()
  const waiting = (await first.getActor('a', 'Hoarder')).call('echo', large('under way'))
  await macrotasks(3)
  await second.deleteActor('a', 'Hoarder')
  await second.close()
  const third = await open(two, blobs)
  await until(() => third.stats().blobsCollected > 0 || blobs.digests().length === 1)
  await third.close()
  flow()
  expect(await waiting).toBe(large('under way'))
  expect(blobs.digests()).toEqual(await named(one))
  expect(blobs.digests()).toHaveLength(2)
  await first.close()
  await expectWhole(one, blobs, new Map([['a', 2]]))
})

test('a blob whose commit failed stays until the next host, which removes it and says so', async () => {
  const [store, blobs] = [memory(), heldBlobs(folder())]
  const first = await open(store, blobs)
  const actor = await first.getActor('a', 'Hoarder')
  await actor.call('echo', large('kept'))
  store.failNextAppend('EIO: nobody knows')
  await expect(actor.call('echo', large('lost'))).rejects.toMatchObject({ code: 'ERR_COMMIT' })
  expect(await (await first.getActor('a', 'Hoarder')).call('count')).toBe(1)
  await first.close()
  expect(blobs.digests()).toHaveLength(2)
  const lines: string[] = []
  const log = ({ level, message }: LogLine): void => {
    lines.push(`${level}: ${message}`)
  }
  const second = await createRuntime({ store, blobs, limits, log })
  await until(() => second.stats().blobsCollected === 1)
  expect(lines).toEqual(['info: removed 1 blobs of entries that were cut off or given up'])
  await second.close()
  expect(blobs.digests()).toEqual(await named(store))
})

test('a host that was displaced while it stored a payload takes it away again', async () => {
  const [store, blobs] = [memory(), heldBlobs(folder())]
  const first = await open(store, blobs)
  const actor = await first.getActor('a', 'Hoarder')
  await actor.call('count')
  const release = blobs.hold()
  const failing = errorOf(actor.call('echo', large('too late')))
  await macrotasks(10)
  const second = await createRuntime({ store, blobs, limits, takeOver: true })
  await macrotasks(10)
  release()
  expect(await failing).toMatchObject({ code: 'ERR_FENCED' })
  await until(() => blobs.digests().length === 0)
  expect(blobs.digests()).toEqual([])
  await second.close()
  await first.close().catch(() => {})
})

test('a journal whose blobs are given up while it is cut elsewhere leaves none behind', async () => {
  const [store, blobs] = [memory(), heldBlobs(folder())]
  const runtime = await open(store, blobs, CUT)
  for (let turn = 0; turn < 8; turn++)
    await (await runtime.getActor('a', 'Hoarder')).call('echo', large(`${turn}`))
  // Its last snapshot cuts the journal while its life ends.
  await runtime.deleteActor('a', 'Hoarder')
  await until(() => blobs.digests().length === 0)
  expect(blobs.digests()).toEqual([])
  await runtime.close()
})

/**
 * Activation and replay.
 *
 * Measures, in one run: an actor that is warm, and one that lies cold in LMDB (snapshot and a suffix of the
 * journal), made hot, against instantiating its core modules, as the toolchain made them, with
 * `new WebAssembly.Instance`; and replay of a whole journal through the inspector, in turns per second. The best batch
 * of ten counts, of cold ones the median as well: on a busy machine the best is the least wrong.
 * Does not measure: a cold page cache, the call that follows.
 *
 * Run: npm run bench -- activation
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { createRuntime, fsBlobs, lmdb, openInspector, type Runtime } from '../host/index.ts'
import { RawComponent } from './support/counter.ts'
import { printTable, withFolder } from './support/measure.ts'

const ACTORS = 500
const HOT_COUNT = 200
/** What one round of eviction frees. */
const BATCH_COUNT = HOT_COUNT / 20
const WARM_ROUNDS = 20
const SUFFIXES = [0, 10, 100, 999]
const REPLAYED_TURNS = 200_000
const IN_FLIGHT = 1_000

const component = readFileSync('test/fixtures/components/counter.wasm')

function open(folder: string, residentCountMax = 10_000): Promise<Runtime> {
  return createRuntime({
    store: lmdb(path.join(folder, 'store')),
    blobs: fsBlobs(path.join(folder, 'blobs')),
    limits: { residentCountMax },
  })
}

interface Batches {
  /** Microseconds each. */
  readonly best: number
  readonly median: number
}

/** Runs `action` on one after the other; the first of a batch is not timed where `skipsFirst`. */
async function inBatches<T>(
  items: readonly T[],
  action: (item: T) => unknown,
  skipsFirst = false,
): Promise<Batches> {
  const times: number[] = []
  for (let at = 0; at + BATCH_COUNT <= items.length; at += BATCH_COUNT) {
    const batch = items.slice(at, at + BATCH_COUNT)
    if (skipsFirst) await action(batch.shift() as T)
    await new Promise((resolve) => setImmediate(resolve))
    const start = process.hrtime.bigint()
    for (const item of batch) await action(item)
    times.push(Number(process.hrtime.bigint() - start) / 1_000 / batch.length)
  }
  times.sort((a, b) => a - b)
  return { best: times[0] ?? 0, median: times[times.length >> 1] ?? 0 }
}

/** All are kept, as actors are. */
async function rawInstantiation(make: () => unknown): Promise<Batches> {
  const kept: unknown[] = []
  return inBatches(Array.from({ length: ACTORS }), () => {
    kept.push(make())
  })
}

/**
 * Microseconds per `getActor` of a warm actor: lifted into a recycled instance, and now and then the share of making
 * others warm for it. With `lift`, the lifting alone, of as many as there are spare instances.
 */
async function warmUs(lift: boolean): Promise<number> {
  return withFolder(async (folder) => {
    const runtime = await open(folder, HOT_COUNT)
    await runtime.registerActorType('Counter', { type: 'wasm', component })
    const ids = Array.from({ length: ACTORS }, (_, index) => `c${index}`)
    for (const id of ids) await (await runtime.getActor(id, 'Counter')).call('increment', 1)
    let best = Number.POSITIVE_INFINITY
    for (let round = 0; round < WARM_ROUNDS; round++) {
      // In turn: each is the one that was used longest ago, and so warm.
      for (let at = 0; at < ids.length; at += BATCH_COUNT) {
        const batch = ids.slice(at, at + BATCH_COUNT)
        // The first of a batch makes others warm; their instances are there for the rest.
        if (lift) await runtime.getActor(batch.shift() ?? '', 'Counter')
        const start = process.hrtime.bigint()
        for (const id of batch) await runtime.getActor(id, 'Counter')
        best = Math.min(best, Number(process.hrtime.bigint() - start) / 1_000 / batch.length)
      }
    }
    await runtime.close()
    return best
  })
}

/** Cold actors whose journal has `suffix` turns behind its snapshot; in recycled instances where few are resident. */
async function coldActivation(suffix: number, residentCountMax = 10_000): Promise<Batches> {
  return withFolder(async (folder) => {
    const ids = Array.from({ length: ACTORS }, (_, index) => `c${index}`)
    const first = await open(folder)
    await first.registerActorType('Counter', { type: 'wasm', component })
    const increment = async (id: string, runtime: Runtime): Promise<unknown> =>
      (await runtime.getActor(id, 'Counter')).call('increment', 1)
    for (const id of ids) await increment(id, first)
    await first.close()
    const second = await open(folder)
    await Promise.all(
      ids.flatMap((id) => Array.from({ length: suffix }, () => increment(id, second))),
    )
    // Not closed: that would snapshot. A host that takes over finds the journal as after a crash.
    const third = await createRuntime({
      store: lmdb(path.join(folder, 'store')),
      blobs: fsBlobs(path.join(folder, 'blobs')),
      takeOver: true,
      limits: { residentCountMax },
    })
    const recycles = residentCountMax < ids.length
    const activate = (id: string): Promise<unknown> => third.getActor(id, 'Counter')
    // So many that instances are recycled from then on; or one, which loads the component.
    for (const id of ids.splice(0, recycles ? residentCountMax + BATCH_COUNT : 1))
      await activate(id)
    return inBatches(ids, activate, recycles)
  })
}

async function replayPerSecond(): Promise<number> {
  return withFolder(async (folder) => {
    const runtime = await open(folder)
    await runtime.registerActorType('Counter', { type: 'wasm', component })
    const counter = await runtime.getActor('c1', 'Counter')
    for (let done = 0; done < REPLAYED_TURNS; done += IN_FLIGHT)
      await Promise.all(Array.from({ length: IN_FLIGHT }, () => counter.call('increment', 1)))
    await runtime.close()
    const inspector = await openInspector({
      store: lmdb(path.join(folder, 'store')),
      blobs: fsBlobs(path.join(folder, 'blobs')),
    })
    const start = process.hrtime.bigint()
    const { turns } = await inspector.replay({ type: 'Counter', id: 'c1' })
    const seconds = Number(process.hrtime.bigint() - start) / 1e9
    await inspector.close()
    return turns / seconds
  })
}

const rawComponent = new RawComponent(component, false)
const makeRaw = (): unknown => rawComponent.instantiate()
await rawInstantiation(makeRaw)
const raw = await rawInstantiation(makeRaw)
const main = await rawInstantiation(() => rawComponent.instantiateMain())
const us = (time: number): string => `${time.toFixed(time < 10 ? 1 : 0)} us`
const row = (what: string, best: number, median?: number): string[] => [
  what,
  us(best),
  `${(best / raw.best).toFixed(2)}x`,
  `${(best / main.best).toFixed(2)}x`,
  median === undefined ? '' : us(median),
]
const coldRow = async (what: string, suffix: number, countMax?: number): Promise<string[]> => {
  const { best, median } = await coldActivation(suffix, countMax)
  return row(what, best, median)
}
const rows: string[][] = [
  row('raw instantiation, its three core modules', raw.best, raw.median),
  row('raw instantiation, the main one of them', main.best, main.median),
  row('warm: lifted into a recycled instance', await warmUs(true)),
  row('warm, and making room for it', await warmUs(false)),
  await coldRow('cold, into a recycled instance, nothing to replay', 0, HOT_COUNT),
]
for (const suffix of SUFFIXES)
  rows.push(await coldRow(`cold, into a fresh one, ${suffix} turns to replay`, suffix))
console.log(`Node ${process.version}, counter\n`)
printTable(['', 'best batch, per actor', 'of the three', 'of the main one', 'median'], rows)
console.log(`\nreplay: ${Math.round(await replayPerSecond()).toLocaleString('en-US')} turns/s`)
process.exit(0)

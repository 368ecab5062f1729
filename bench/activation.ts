/**
 * Activation and replay.
 *
 * Measures, in one run: an actor that is warm, and one that lies cold in LMDB (snapshot and a suffix of the
 * journal), made hot, against instantiating its core modules with `new WebAssembly.Instance`; and replay of a
 * whole journal through the inspector, in turns per second. Of warm ones the best batch counts, of others the mean.
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

/** Microseconds per raw instantiation; all are kept, as actors are. */
function rawInstantiationUs(make: () => unknown): number {
  const kept: unknown[] = []
  const start = process.hrtime.bigint()
  for (let index = 0; index < ACTORS; index++) kept.push(make())
  return Number(process.hrtime.bigint() - start) / 1_000 / kept.length
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

/** Microseconds per first call of cold actors whose journal has `suffix` turns behind its snapshot. */
async function coldActivationUs(suffix: number, residentCountMax = 10_000): Promise<number> {
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
    await third.getActor(ids.pop() ?? '', 'Counter')
    const start = process.hrtime.bigint()
    for (const id of ids) await third.getActor(id, 'Counter')
    return Number(process.hrtime.bigint() - start) / 1_000 / ids.length
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

const rawComponent = new RawComponent(component, true)
const makeRaw = (): unknown => rawComponent.instantiate()
rawInstantiationUs(makeRaw)
const rawUs = rawInstantiationUs(makeRaw)
const mainUs = rawInstantiationUs(() => rawComponent.instantiateMain())
const row = (what: string, us: number): string[] => [
  what,
  us < 10 ? `${us.toFixed(1)} us` : `${us.toFixed(0)} us`,
  `${(us / rawUs).toFixed(us < rawUs ? 2 : 1)}x`,
]
const rows: string[][] = [
  row('raw instantiation, its three core modules', rawUs),
  row('raw instantiation, the main one of them', mainUs),
  row('warm: lifted into a recycled instance', await warmUs(true)),
  row('warm, and making room for it', await warmUs(false)),
  row('cold, into a recycled instance, nothing to replay', await coldActivationUs(0, HOT_COUNT)),
]
for (const suffix of SUFFIXES)
  rows.push(row(`cold, ${suffix} turns to replay`, await coldActivationUs(suffix)))
console.log(`Node ${process.version}, counter\n`)
printTable(['', 'per actor', 'of raw'], rows)
console.log(`\nreplay: ${Math.round(await replayPerSecond()).toLocaleString('en-US')} turns/s`)
process.exit(0)

/**
 * Memory bench: what one more instance, one more hot actor and one more warm actor take in this process.
 *
 * Measures, in one child process per row, how RSS, JavaScript heap and its other memory grow per instance of the
 * counter, between two rounds of full collections: its core modules through `new WebAssembly.Instance`, as the toolchain made
 * them and as the host instruments them; the component through the binder; hot actors of a runtime; warm actors.
 * Does not measure: address space (8 GiB per memory, of which nothing is used), guests that use their memory.
 *
 * Run: npm run bench -- memory; LOOM_WARM_COUNT=1000000 for another number of warm actors
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { loadComponent } from '../host/component/load.ts'
import { createRuntime, fsBlobs, lmdb, type Runtime, VirtualClock } from '../host/index.ts'
import { RawComponent } from './support/counter.ts'
import { printTable, withFolder } from './support/measure.ts'

const INSTANCE_COUNT = 4_000
const FIRST_COUNT = 100
const WARM_COUNT = Number(process.env.LOOM_WARM_COUNT ?? 100_000)
/** So many that the heap has its size: room that the engine keeps is none of an actor's. */
const WARM_FIRST_COUNT = 50_000
const COMPONENT = 'test/fixtures/components/counter.wasm'

/** Units: bytes per instance. */
interface Use extends Reading {
  readonly count: number
}

interface Reading {
  readonly rss: number
  readonly heap: number
  readonly external: number
}

/** Resident memory that is this process's own: without the pages of LMDB's file. */
function ownResidentBytes(): number {
  try {
    const kib = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    if (kib !== undefined) return 1_024 * Number(kib)
  } catch {
    // Not Linux.
  }
  return process.memoryUsage.rss()
}

/** One collection moves a few megabytes together at most: this many, and the heap's pages are as few as they become. */
const COLLECTIONS = 40

async function collect(): Promise<Reading> {
  for (let pause = 0; pause < 2; pause++) {
    for (let round = 0; round < COLLECTIONS / 2; round++) globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const { heapUsed: heap, external } = process.memoryUsage()
  return { rss: ownResidentBytes(), heap, external }
}

const AT_ONCE = 100

/** Keeps what `make` makes while it is measured; a few are made first, for what they share. */
async function perInstance(
  count: number,
  make: (index: number) => unknown,
  first = FIRST_COUNT,
): Promise<Use> {
  const kept: unknown[] = new Array(first + count).fill(null)
  const fill = async (from: number, to: number): Promise<void> => {
    for (let at = from; at < to; at += AT_ONCE) {
      const group = Array.from({ length: Math.min(AT_ONCE, to - at) }, (_, index) => at + index)
      for (const [index, made] of (await Promise.all(group.map(make))).entries())
        kept[at + index] = made
    }
  }
  await fill(0, first)
  const before = await collect()
  await fill(first, first + count)
  const after = await collect()
  if (kept.includes(null)) throw new Error('not all were made')
  const growth = (what: keyof Reading): number => (after[what] - before[what]) / count
  return { count, rss: growth('rss'), heap: growth('heap'), external: growth('external') }
}

/** A call makes what the engine makes late, in every row alike. */
function called(instances: readonly WebAssembly.Instance[]): readonly WebAssembly.Instance[] {
  for (const { exports } of instances) {
    const increment = exports['loom:counter/counter@0.1.0#increment']
    if (increment !== undefined) (increment as (by: number) => bigint)(1)
  }
  return instances
}

async function raw(isInstrumented: boolean, isWhole: boolean): Promise<Use> {
  const component = new RawComponent(readFileSync(COMPONENT), isInstrumented)
  return perInstance(INSTANCE_COUNT, () =>
    called(isWhole ? component.instantiate() : [component.instantiateMain()]),
  )
}

async function binder(): Promise<Use> {
  const component = await loadComponent(readFileSync(COMPONENT))
  const increment = component.exports.find(({ func }) => func.name === 'increment')
  if (increment === undefined) throw new Error('no increment')
  return perInstance(INSTANCE_COUNT, () => {
    const instance = component.instantiate(() => () => undefined)
    instance.call(increment, [1])
    return instance
  })
}

async function open(
  folder: string,
  clock: VirtualClock,
  residentCountMax: number,
): Promise<Runtime> {
  const runtime = await createRuntime({
    store: lmdb(path.join(folder, 'store')),
    blobs: fsBlobs(path.join(folder, 'blobs')),
    clock,
    limits: { residentCountMax },
  })
  await runtime.registerActorType('Counter', {
    type: 'wasm',
    component: readFileSync(COMPONENT),
  })
  return runtime
}

async function actors(count: number, first: number, isHot: boolean): Promise<Use> {
  return withFolder(async (folder) => {
    const clock = new VirtualClock()
    const runtime = await open(folder, clock, isHot ? 2 * count : 200)
    const use = await perInstance(
      count,
      async (index) => {
        await (await runtime.getActor(`c${index}`, 'Counter')).call('increment', 1)
      },
      first,
    )
    const { hot, warm } = runtime.stats()
    if ((isHot ? hot : warm) < count - 200) throw new Error(`only ${hot} are hot, ${warm} warm`)
    return use
  })
}

const ROWS: Readonly<Record<string, () => Promise<Use>>> = {
  'raw, main module alone': () => raw(false, false),
  'raw, three core modules': () => raw(false, true),
  'raw, instrumented': () => raw(true, true),
  'through the binder': binder,
  'hot actor': () => actors(INSTANCE_COUNT, 100, true),
  'warm actor': () => actors(WARM_COUNT, WARM_FIRST_COUNT, false),
}

const kind = process.argv[2]
if (kind === undefined) {
  const rows = Object.keys(ROWS).map((name) => {
    const { stdout, status } = spawnSync(
      process.execPath,
      ['--expose-gc', process.argv[1] ?? '', name],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
        encoding: 'utf8',
      },
    )
    if (status !== 0) throw new Error(`${name} failed`)
    const { count, rss, heap, external } = JSON.parse(stdout) as Use
    return [name, String(count), ...[rss, heap, external].map((value) => value.toFixed(0))]
  })
  printTable(['', 'count', 'RSS, bytes each', 'heap', 'external'], rows)
} else {
  const row = ROWS[kind]
  if (row === undefined) throw new Error(`no row is named ${kind}`)
  console.log(JSON.stringify(await row()))
  process.exit(0)
}

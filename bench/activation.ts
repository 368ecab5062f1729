/**
 * Activation and replay.
 *
 * Measures, in one run: a first call of an actor that lies cold in LMDB (snapshot and a suffix of the
 * journal), against instantiating its core module with `new WebAssembly.Instance`; and replay of a whole
 * journal through the inspector, in turns per second.
 * Does not measure: a cold page cache, components with several core modules, eviction.
 *
 * Run: npm run bench -- activation
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { createRuntime, fsBlobs, lmdb, openInspector, type Runtime } from '../host/index.ts'
import { printTable, withFolder } from './support/measure.ts'

const ACTORS = 500
const SUFFIXES = [0, 10, 100, 999]
const REPLAYED_TURNS = 200_000
const IN_FLIGHT = 1_000

const component = readFileSync('test/fixtures/components/counter.wasm')

function open(folder: string): Promise<Runtime> {
  return createRuntime({
    store: lmdb(path.join(folder, 'store')),
    blobs: fsBlobs(path.join(folder, 'blobs')),
    limits: { residentCountMax: 10_000 },
  })
}

/** The bytes of the first core module inside a component: the section with id 1. */
function coreModule(bytes: Uint8Array): Uint8Array {
  let at = 8
  for (;;) {
    const id = bytes[at++]
    let size = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0
      size |= (byte & 0x7f) << shift
      if ((byte & 0x80) === 0) break
    }
    if (id === 1) return bytes.subarray(at, at + size)
    at += size
  }
}

function rawInstantiationUs(): number {
  const module = new WebAssembly.Module(coreModule(component))
  const imports: WebAssembly.Imports = {}
  for (const { module: from, name } of WebAssembly.Module.imports(module))
    imports[from] = { ...imports[from], [name]: () => 0 }
  const start = process.hrtime.bigint()
  for (let index = 0; index < ACTORS; index++) {
    const { exports } = new WebAssembly.Instance(module, imports)
    ;(exports._initialize as (() => void) | undefined)?.()
  }
  return Number(process.hrtime.bigint() - start) / 1_000 / ACTORS
}

/** Microseconds per first call of cold actors whose journal has `suffix` turns behind its snapshot. */
async function coldActivationUs(suffix: number): Promise<number> {
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
    })
    await third.getActor('another', 'Counter').catch(() => {})
    const start = process.hrtime.bigint()
    for (const id of ids) await third.getActor(id, 'Counter')
    return Number(process.hrtime.bigint() - start) / 1_000 / ACTORS
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

rawInstantiationUs()
const rawUs = rawInstantiationUs()
const rows: string[][] = [['raw instantiation', `${rawUs.toFixed(0)} us`, '1.0x']]
for (const suffix of SUFFIXES) {
  const us = await coldActivationUs(suffix)
  rows.push([
    `cold activation, ${suffix} turns to replay`,
    `${us.toFixed(0)} us`,
    `${(us / rawUs).toFixed(1)}x`,
  ])
}
console.log(`Node ${process.version}, counter\n`)
printTable(['', 'per actor', 'of raw'], rows)
console.log(`\nreplay: ${Math.round(await replayPerSecond()).toLocaleString('en-US')} turns/s`)
process.exit(0)

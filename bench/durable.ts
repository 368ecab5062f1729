/**
 * Durable turns: acknowledged means fsynced.
 *
 * Measures: turns/s, latency and CPU time of the counter component through handles, at 1, 64, 1,000 and 4,000
 * calls in flight over 1,000 actors, and over one hot actor; beside it, in the same run, raw lmdb-js `put` of values
 * of the same size, in two ways: each caller waits for its own put and `flushed`, as ours does for its turn; and whole
 * rounds of puts under consecutive keys with one wait, which is what the disk and LMDB can do at most.
 * Does not measure: HTTP, cold actors, Redis, several hosts, replay (`journal`), calls between actors (`calls`).
 *
 * Run: npm run bench -- durable
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { open } from 'lmdb'
import { type ActorHandle, createRuntime, fsBlobs, lmdb } from '../host/index.ts'
import { type Load, ms, printTable, rate, ratio, runLoad, withFolder } from './support/measure.ts'

const ACTORS = 1_000
const IN_FLIGHT = [1, 64, 1_000, 4_000]
const DURATION_MS = 2_000
/** Size of a counter's journal entry, as `loom journal` would show it. */
const ENTRY_SIZE_BYTES = 44

interface Row {
  readonly what: string
  readonly inFlight: number
  readonly ours: Load
  readonly raw: Load
  /** Raw puts per second in rounds. */
  readonly rounds: number
}

async function rawLoad(inFlight: number): Promise<Load> {
  return withFolder(async (folder) => {
    const database = open({ path: folder, encoding: 'binary', keyEncoding: 'binary' })
    const value = Buffer.alloc(ENTRY_SIZE_BYTES, 7)
    const load = await runLoad(inFlight, DURATION_MS, async (index) => {
      const key = Buffer.alloc(16)
      key.writeUInt32BE(index % ACTORS, 4)
      key.writeUInt32BE(index, 12)
      await database.put(key, value)
      await database.flushed
    })
    await database.close()
    return load
  })
}

/** Rounds of `inFlight` puts, each with one wait. */
async function rawRounds(inFlight: number): Promise<number> {
  return withFolder(async (folder) => {
    const database = open({ path: folder, encoding: 'binary', keyEncoding: 'binary' })
    const value = Buffer.alloc(ENTRY_SIZE_BYTES, 7)
    let next = 0
    const { perSecond } = await runLoad(1, DURATION_MS / 2, async () => {
      for (let put = 0; put < inFlight; put++) {
        const key = Buffer.alloc(16)
        key.writeUInt32BE(next++, 12)
        void database.put(key, value)
      }
      await database.flushed
    })
    await database.close()
    return perSecond * inFlight
  })
}

async function openActors(folder: string, count: number): Promise<ActorHandle[]> {
  const runtime = await createRuntime({
    store: lmdb(path.join(folder, 'store')),
    blobs: fsBlobs(path.join(folder, 'blobs')),
  })
  const component = readFileSync('test/fixtures/components/counter.wasm')
  await runtime.registerActorType('Counter', { type: 'wasm', component })
  const ids = Array.from({ length: count }, (_, index) => `c${index}`)
  const handles = await Promise.all(ids.map((id) => runtime.getActor(id, 'Counter')))
  await Promise.all(handles.map((handle) => handle.call('increment', 1)))
  return handles
}

async function ourLoad(inFlight: number, actors: number): Promise<Load> {
  return withFolder(async (folder) => {
    const handles = await openActors(folder, actors)
    return runLoad(inFlight, DURATION_MS, (index) =>
      (handles[index % actors] as ActorHandle).call('increment', 1),
    )
  })
}

async function measure(what: string, inFlight: number, actors: number): Promise<Row> {
  const ours = await ourLoad(inFlight, actors)
  const raw = await rawLoad(inFlight)
  const rounds = await rawRounds(inFlight)
  return { what, inFlight, ours, raw, rounds }
}

const rows: Row[] = []
for (const inFlight of IN_FLIGHT) rows.push(await measure('1,000 actors', inFlight, ACTORS))
for (const inFlight of IN_FLIGHT) rows.push(await measure('1 hot actor', inFlight, 1))
console.log(`Node ${process.version}, counter, entries of ${ENTRY_SIZE_BYTES} B\n`)
printTable(
  [
    '',
    'in flight',
    'turns',
    'p50',
    'p99',
    'CPU per turn',
    'raw puts',
    'ratio',
    'in rounds',
    'ratio',
  ],
  rows.map(({ what, inFlight, ours, raw, rounds }) => [
    what,
    String(inFlight),
    rate(ours.perSecond),
    ms(ours.p50Ms),
    ms(ours.p99Ms),
    `${ours.cpuUs.toFixed(1)} us`,
    rate(raw.perSecond),
    ratio(ours.perSecond, raw.perSecond),
    rate(rounds),
    ratio(ours.perSecond, rounds),
  ]),
)
process.exit(0)

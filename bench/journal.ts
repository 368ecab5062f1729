/**
 * Journals that are read again: replay, recovery, and a look at one old entry.
 *
 * Measures, of one counter in LMDB: replay of its whole journal through the inspector, in turns per second by the
 * wall and of CPU time; the time until it is hot on a host that takes over after a crash, against the length of the journal,
 * with the snapshots that it has by default and with none; and reading entry 100, and the newest snapshot before it,
 * of journals from a thousand to a million turns.
 * Does not measure: a cold page cache.
 *
 * Run: npm run bench -- journal
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { createRuntime, fsBlobs, lmdb, openInspector, type Runtime } from '../host/index.ts'
import { printTable, ratio, withFolder } from './support/measure.ts'

const LENGTHS = [1_000, 10_000, 100_000, 1_000_000]
const IN_FLIGHT = 1_000
const REPLAYS = 5
const READS = 2_000
const OLD_SEQ = 100
const KEY = { type: 'Counter', id: 'c1' }
const NEVER = Number.MAX_SAFE_INTEGER
const NO_SNAPSHOTS = {
  snapshotIntervalTurns: NEVER,
  snapshotIntervalBytes: NEVER,
  snapshotIntervalMs: NEVER,
}
const component = readFileSync('test/fixtures/components/counter.wasm')

const drivers = (folder: string) => ({
  store: lmdb(path.join(folder, 'store')),
  blobs: fsBlobs(path.join(folder, 'blobs')),
})

interface OpenOptions {
  readonly takeOver?: boolean
  readonly snapshots: boolean
}

async function open(folder: string, { takeOver = false, snapshots }: OpenOptions) {
  const limits = snapshots ? {} : NO_SNAPSHOTS
  const runtime = await createRuntime({ ...drivers(folder), takeOver, limits })
  await runtime.registerActorType(KEY.type, { type: 'wasm', component })
  return runtime
}

async function write(runtime: Runtime, turns: number): Promise<void> {
  const counter = await runtime.getActor(KEY.id, KEY.type)
  for (let done = 0; done < turns; done += IN_FLIGHT)
    await Promise.all(Array.from({ length: IN_FLIGHT }, () => counter.call('increment', 1)))
}

const seconds = (start: bigint): number => Number(process.hrtime.bigint() - start) / 1e9

interface Replayed {
  readonly perSecond: number
  readonly perCpuSecond: number
}

/** The best of some, by either measure. */
async function replay(folder: string): Promise<Replayed> {
  let best: Replayed = { perSecond: 0, perCpuSecond: 0 }
  for (let round = 0; round < REPLAYS; round++) {
    const inspector = await openInspector(drivers(folder))
    const cpu = process.cpuUsage()
    const start = process.hrtime.bigint()
    const { turns } = await inspector.replay(KEY)
    const perSecond = Math.max(best.perSecond, turns / seconds(start))
    const { user, system } = process.cpuUsage(cpu)
    best = { perSecond, perCpuSecond: Math.max(best.perCpuSecond, (turns * 1e6) / (user + system)) }
    await inspector.close()
  }
  return best
}

/** Milliseconds until a host that takes over has the actor hot. */
async function recoverMs(folder: string, snapshots: boolean): Promise<number> {
  const runtime = await open(folder, { takeOver: true, snapshots })
  const start = process.hrtime.bigint()
  await runtime.getActor(KEY.id, KEY.type)
  return 1_000 * seconds(start)
}

/** Microseconds to read entry OLD_SEQ, and the newest snapshot at or before it. */
async function readOldUs(folder: string): Promise<{ entry: number; snapshot: number }> {
  const store = await drivers(folder).store.open({ readOnly: true, wallMs: () => Date.now() })
  const log = await store.openLog(KEY)
  const timed = async (read: () => Promise<unknown>): Promise<number> => {
    for (let warm = 0; warm < READS; warm++) await read()
    const start = process.hrtime.bigint()
    for (let index = 0; index < READS; index++) await read()
    return (1e6 * seconds(start)) / READS
  }
  const entry = await timed(() => log.read(OLD_SEQ, 1))
  const snapshot = await timed(() => log.readSnapshot(OLD_SEQ))
  await store.close()
  return { entry, snapshot }
}

const rows: string[][] = []
const old: { length: number; entry: number; snapshot: number }[] = []
let replayed: Replayed = { perSecond: 0, perCpuSecond: 0 }
for (const length of LENGTHS) {
  const times: number[] = []
  for (const snapshots of [true, false])
    await withFolder(async (folder) => {
      // Not closed: that would snapshot. A host that takes over finds the journal as after a crash.
      await write(await open(folder, { snapshots }), length)
      times.push(await recoverMs(folder, snapshots))
      if (snapshots) old.push({ length, ...(await readOldUs(folder)) })
      if (snapshots && length === 100_000) replayed = await replay(folder)
    })
  const [withSnapshots = 0, without = 0] = times
  rows.push([
    length.toLocaleString('en-US'),
    `${withSnapshots.toFixed(1)} ms`,
    `${without.toFixed(1)} ms`,
  ])
}
const rounded = (value: number): string => Math.round(value).toLocaleString('en-US')
const { perSecond, perCpuSecond } = replayed
console.log(`Node ${process.version}, counter\n`)
console.log(`replay: ${rounded(perSecond)} turns/s, ${rounded(perCpuSecond)} per CPU second\n`)
printTable(['turns in the journal', 'recovery with snapshots', 'without'], rows)
console.log()
printTable(
  ['turns in the journal', `entry ${OLD_SEQ}`, 'of the shortest', 'snapshot before it', ''],
  old.map(({ length, entry, snapshot }) => [
    length.toLocaleString('en-US'),
    `${entry.toFixed(1)} us`,
    ratio(entry, old[0]?.entry ?? 0),
    `${snapshot.toFixed(1)} us`,
    ratio(snapshot, old[0]?.snapshot ?? 0),
  ]),
)
process.exit(0)

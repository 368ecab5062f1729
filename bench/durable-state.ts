/**
 * Bench: what effects and retention cost in the LMDB driver.
 *
 * Measures, in CPU time of the whole process (LMDB's writer thread included), so that a busy machine
 * disturbs it less:
 *   reading     one key of keyed state, and a page of 100, of an actor that has 100, 10,000 and 1,000,000
 *   appending   a commit with one state change, reminder or message, against the same commit without
 *   retention   trimming journals of 100 actors that share blocks, per entry; forgetting keys, per key; and
 *               the longest that the event loop was held up meanwhile
 * Does not measure: turns, latency, a cold page cache, a disk with a slow sync.
 *
 * Run: npm run bench -- durable-state
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { lmdb } from '../host/index.ts'
import type { ActorLog, Commit, Store } from '../host/store/store.ts'
import { printTable, ratio, withFolder } from './support/measure.ts'

const SIZES = [100, 10_000, 1_000_000]
const ENTRY = Buffer.alloc(200, 7)
const VALUE = Buffer.alloc(100, 7)
const LOG_COUNT = 100

/** CPU time of `work`, in microseconds for each of `count`. */
async function cpu(count: number, work: () => Promise<void> | void): Promise<number> {
  const start = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / count
}

const us = (value: number): string => `${value.toFixed(1)} us`
const keyAt = (index: number): string => `key-${String(index).padStart(8, '0')}`

async function openLog(store: Store, id: string): Promise<ActorLog> {
  const key = { type: 'Bench', id }
  const log = await store.openLog(key)
  const create = { ...key, incarnation: id, digest: 'none', createdAtMs: 0 }
  await log.append({ seq: 0, entries: [ENTRY], create })
  return log
}

/** An actor with `count` keys of state. */
async function fill(store: Store, count: number): Promise<ActorLog> {
  const log = await openLog(store, `state-${count}`)
  for (let from = 0, seq = 1; from < count; seq++) {
    const state = []
    for (; state.length < 1_000 && from < count; from++)
      state.push({ key: keyAt(from), value: VALUE })
    await log.append({ seq, entries: [ENTRY], state })
  }
  return log
}

async function reading(store: Store): Promise<void> {
  const rows: string[][] = []
  let least = 0
  for (const size of SIZES) {
    const log = await fill(store, size)
    let at = 0
    const step = (): number => {
      at = (at + 7_919) % size
      return at
    }
    const next = (): string => keyAt(step())
    // Awaiting what is no promise would cost more than the reading.
    const one = await cpu(200_000, () => {
      for (let left = 200_000; left > 0; left--) void log.readState(next())
    })
    const page = await cpu(2_000, async () => {
      for (let left = 2_000; left > 0; left--) await log.listState('', next(), 100)
    })
    least ||= one
    rows.push([size.toLocaleString('en-US'), us(one), ratio(one, least), us(page)])
  }
  printTable(['keys of the actor', 'read one', 'of the smallest', 'list 100'], rows)
}

type Effects = (seq: number) => Omit<Commit, 'seq' | 'entries'>

const EFFECTS: readonly (readonly [string, Effects])[] = [
  ['nothing else', () => ({})],
  ['an idempotency key', (seq) => ({ idempotency: [{ key: `k${seq}`, seq, atMs: seq }] })],
  ['a state change', (seq) => ({ state: [{ key: `k${seq % 50}`, value: VALUE }] })],
  ['a message', (seq) => ({ outbox: [{ seq, index: 0, bytes: VALUE }] })],
  ['a reminder', (seq) => ({ reminders: [{ name: `r${seq % 20}`, dueAtMs: seq, bytes: VALUE }] })],
]

/** Entries of all logs in turn, from `seqFrom` on. */
async function append(
  logs: readonly ActorLog[],
  seqFrom: number,
  each: number,
  of: Effects,
): Promise<void> {
  for (let seq = seqFrom; seq < seqFrom + each; seq += 10) {
    const waits: Promise<void>[] = []
    for (let at = seq; at < seq + 10; at++)
      for (const log of logs) waits.push(log.append({ seq: at, entries: [ENTRY], ...of(at) }))
    await Promise.all(waits)
  }
}

async function openLogs(store: Store, name: string): Promise<ActorLog[]> {
  const ids = Array.from({ length: LOG_COUNT }, (_, index) => `${name}-${index}`)
  return await Promise.all(ids.map((id) => openLog(store, id)))
}

async function appending(store: Store): Promise<void> {
  const rows: string[][] = []
  let plain = 0
  for (const [name, of] of EFFECTS) {
    const logs = await openLogs(store, name)
    await append(logs, 1, 50, of)
    const each = 500
    const cost = await cpu(each * LOG_COUNT, () => append(logs, 51, each, of))
    plain ||= cost
    rows.push([name, us(cost), ratio(cost, plain)])
  }
  printTable(['an entry of 200 B and', 'CPU', 'of the entry alone'], rows)
}

async function retention(folder: string): Promise<void> {
  const driver = lmdb(folder)
  let store = await driver.open({ wallMs: () => Date.now() })
  let logs = await openLogs(store, 'retained')
  const each = 1_000
  const total = each * LOG_COUNT
  await append(logs, 1, each, (seq) => ({ idempotency: [{ key: `k${seq}`, seq, atMs: seq }] }))
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const forget = await cpu(total / 2, async () => {
    await store.forgetKeys(each / 2)
  })
  const forgetMs = delay.max / 1e6
  delay.reset()
  for (const log of logs) await log.writeSnapshot({ seq: each + 1, bytes: VALUE })
  const trim = await cpu(total, async () => {
    await Promise.all(logs.map((log) => log.trim(each)))
    await swept()
  })
  const trimMs = delay.max / 1e6
  await store.close()
  store = await driver.open({ wallMs: () => Date.now() })
  logs = await Promise.all(logs.map(({ key }) => store.openLog(key)))
  if (logs.some(({ seqFirst }) => seqFirst !== each)) throw new Error('a journal was not trimmed')
  await store.close()
  printTable(
    ['what', 'CPU', 'event loop held up for at most'],
    [
      ['forget a key', us(forget), `${forgetMs.toFixed(1)} ms`],
      ['trim an entry, all told', us(trim), `${trimMs.toFixed(1)} ms`],
    ],
  )
}

/** Waits until the sweeper has caught up: nothing uses the processor any more. */
async function swept(): Promise<void> {
  for (let quiet = 0, used = process.cpuUsage().user; quiet < 20; ) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    const now = process.cpuUsage().user
    quiet = now - used < 2_000 ? quiet + 1 : 0
    used = now
  }
}

await withFolder(async (folder) => {
  const store = await lmdb(`${folder}/effects`).open({ wallMs: () => Date.now() })
  console.log(`Node ${process.version}\n`)
  await reading(store)
  console.log()
  await appending(store)
  await store.close()
  console.log()
  await retention(`${folder}/retention`)
})

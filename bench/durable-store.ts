/**
 * Bench: what the LMDB driver's journal costs over LMDB itself.
 *
 * Measures: durable appends per second of 200-byte entries over 1,000 logs, with 1, 64 and 1,000 in
 * flight, against lmdb-js `put` of the same bytes in the same run, on the same disk:
 *   raw        one put per entry under consecutive keys, the cheapest pattern for LMDB; a round of
 *              puts, then `flushed`
 *   raw/log    the same under keys of (log, seq), as a journal without an index of its own would do
 * Does not measure: turns, entry encoding, reads, a disk with a slow sync, more than one host.
 *
 * Usage: node dist/bench/durable-store.js [seconds per row, default 2] [folder, default a temporary one]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { open } from 'lmdb'
import { lmdb } from '../host/store/lmdb/index.ts'
import type { ActorLog, ActorRecord } from '../host/store/store.ts'

const LOG_COUNT = 1_000
const ENTRY_SIZE_BYTES = 200
const IN_FLIGHT = [1, 64, 1_000]

const seconds = Number(process.argv[2] ?? 2)
const root = mkdtempSync(path.join(process.argv[3] ?? os.tmpdir(), 'loom-bench-'))
const entries = Array.from({ length: 64 }, (_, index) => Buffer.alloc(ENTRY_SIZE_BYTES, index))

interface BenchLog {
  readonly log: ActorLog
  readonly create: ActorRecord
  seq: number
}

interface Row {
  readonly name: string
  readonly inFlight: number
  readonly perSecond: number
}

/** Runs `round` (which writes `inFlight` entries) until time is up. */
async function rate(inFlight: number, round: () => Promise<unknown>): Promise<number> {
  for (let warm = 0; warm < 20; warm++) await round()
  const start = performance.now()
  let count = 0
  while (performance.now() - start < seconds * 1000) {
    await round()
    count += inFlight
  }
  return count / ((performance.now() - start) / 1000)
}

function entry(index: number): Buffer {
  return entries[index & 63] ?? Buffer.alloc(ENTRY_SIZE_BYTES)
}

async function raw(inFlight: number, byLog: boolean): Promise<Row> {
  const folder = path.join(root, `raw-${byLog}-${inFlight}`)
  const db = open<Buffer, Buffer>(folder, { encoding: 'binary', keyEncoding: 'binary' })
  let next = 0
  const perSecond = await rate(inFlight, async () => {
    for (let index = 0; index < inFlight; index++, next++) {
      const key = Buffer.allocUnsafe(16)
      const log = byLog ? next % LOG_COUNT : 0
      key.writeBigUInt64BE(BigInt(log), 0)
      key.writeBigUInt64BE(BigInt(next), 8)
      void db.put(key, entry(index))
    }
    await db.flushed
  })
  await db.close()
  return { name: byLog ? 'raw/log' : 'raw', inFlight, perSecond }
}

/** Rounds of `inFlight` commits, spread over `logCount` logs. */
async function driver(inFlight: number, logCount: number): Promise<Row> {
  const folder = path.join(root, `driver-${logCount}-${inFlight}`)
  const store = await lmdb(folder).open({ wallMs: () => Date.now() })
  const logs: BenchLog[] = []
  for (let index = 0; index < logCount; index++) {
    const id = { type: 'Bench', id: `actor-${index}` }
    const log = await store.openLog(id)
    const create = { ...id, incarnation: `${index}`, digest: 'none', createdAtMs: 0 }
    logs.push({ log, create, seq: 0 })
  }
  await Promise.all(
    logs.map((at) => at.log.append({ seq: at.seq++, entries: [entry(0)], create: at.create })),
  )
  let next = 0
  const perSecond = await rate(inFlight, async () => {
    const waits: Promise<void>[] = []
    for (let index = 0; index < inFlight; index++, next++) {
      const at = logs[next % logCount]
      if (at !== undefined) waits.push(at.log.append({ seq: at.seq++, entries: [entry(index)] }))
    }
    await Promise.all(waits)
  })
  await store.close()
  return { name: logCount === 1 ? 'loom/one log' : 'loom', inFlight, perSecond }
}

/** As `driver`, but each of `inFlight` callers waits for its own commits only, as actors do. */
async function callers(inFlight: number): Promise<Row> {
  const store = await lmdb(path.join(root, `callers-${inFlight}`)).open({
    wallMs: () => Date.now(),
  })
  const untilMs = performance.now() + seconds * 1000
  let count = 0
  const start = performance.now()
  await Promise.all(
    Array.from({ length: inFlight }, async (_, index) => {
      const id = { type: 'Bench', id: `actor-${index}` }
      const log = await store.openLog(id)
      const create = { ...id, incarnation: `${index}`, digest: 'none', createdAtMs: 0 }
      await log.append({ seq: 0, entries: [entry(index)], create })
      for (let seq = 1; performance.now() < untilMs; seq++, count++)
        await log.append({ seq, entries: [entry(seq)] })
    }),
  )
  const perSecond = count / ((performance.now() - start) / 1000)
  await store.close()
  return { name: 'loom/callers', inFlight, perSecond }
}

function print(rows: readonly Row[], base: number): void {
  for (const { name, inFlight, perSecond } of rows) {
    const ratio = `${((perSecond / base) * 100).toFixed(0)} %`
    console.log(
      `${String(inFlight).padStart(9)}  ${name.padEnd(13)}${Math.round(perSecond).toLocaleString('en').padStart(11)}  ${ratio.padStart(7)}`,
    )
  }
}

console.log(`${ENTRY_SIZE_BYTES}-byte entries over ${LOG_COUNT} logs, ${seconds} s per row`)
console.log('in flight  what             appends/s  of raw')
try {
  for (const inFlight of IN_FLIGHT) {
    const base = await raw(inFlight, false)
    const rows = [
      base,
      await raw(inFlight, true),
      await driver(inFlight, LOG_COUNT),
      await driver(inFlight, 1),
      await callers(inFlight),
    ]
    print(rows, base.perSecond)
  }
} finally {
  rmSync(root, { recursive: true })
}

// A host process for fault tests: node store-child.mjs MODE FOLDER [JSON options].
//
//   write   appends at random to LOG_COUNT logs without waiting, for ever; prints "ack LOG SEQ_END"
//           as commits resolve, "snap LOG SEQ" as snapshots do, "trim LOG SEQ" as trims do, and
//           "end LOG INCARNATION" as lives end. Each commit also sets the state "end" and the reminder
//           "next" to the seq behind it, and sends a message for every eighth entry
//   serve   opens the store, then runs one command per line of stdin: append, other, burst, reopen, hang
//   freeze  opens the store, then stops itself inside a write transaction, holding LMDB's writer lock;
//           after SIGCONT it serves
//   script  appends options.steps commits, one after the other, printing "ack LOG SEQ_END", and closes
//   visit   enters the door of the folder, prints "inside", and stays there
//   read    opens the store for reading, prints "open", and closes it
//   claim   opens the store, prints "claimed EPOCH" or the error's code, and stays
//
// Every line is written synchronously, so that a line that was read had happened before a kill.
import path from 'node:path'
import readline from 'node:readline'
import { say } from './say.mjs'

const [mode, folder, json] = process.argv.slice(2)
const options = JSON.parse(json ?? '{}')
const { lmdb } = await import(path.resolve('dist/host/store/lmdb/index.js'))

const LOG_COUNT = 16
/** The lives of logs from here on end now and then; of those before, every other is trimmed. */
const MORTAL_FROM = 12
const MESSAGE_EVERY = 8
const idOf = (index) => ({ type: 'Counter', id: `log-${index}` })
const recordOf = (key) => ({ ...key, incarnation: `life-${key.id}`, digest: 'd', createdAtMs: 1 })
const entryOf = (index, seq, size) => Buffer.from(`${index}:${seq}:`.padEnd(size, '.'))

let random = (options.seed ?? 1) >>> 0 || 1
const below = (max) => {
  random ^= random << 13
  random ^= random >>> 17
  random = (random ^ (random << 5)) >>> 0
  return random % max
}

async function open() {
  return lmdb(folder, options.lmdb).open({ wallMs: Date.now, takeOver: options.takeOver === true })
}

let store

async function write() {
  store = await open()
  const logs = []
  for (let index = 0; index < LOG_COUNT; index++) {
    const log = await store.openLog(idOf(index))
    logs.push({ log, seq: log.seqNext, life: log.record?.incarnation ?? null, isOpening: false })
  }
  say(`ready ${store.epoch}`)
  for (let round = 0; ; round++) {
    for (let left = below(60); left > 0; left--) append(logs, below(LOG_COUNT))
    if (round % 4 !== 0) await new Promise(setImmediate)
    else await append(logs, below(LOG_COUNT))
  }
}

function append(logs, index) {
  const at = logs[index]
  if (at.isOpening) return null
  const { seq } = at
  const entries = Array.from({ length: 1 + below(3) }, (_, offset) =>
    entryOf(index, seq + offset, below(10) === 0 ? below(30_000) : below(300)),
  )
  at.seq += entries.length
  const end = at.seq
  if (seq === 0) at.life = `life-${index}-${process.pid}-${below(1e9)}`
  const create = seq === 0 ? { create: { ...recordOf(idOf(index)), incarnation: at.life } } : {}
  const done = at.log.append({ seq, entries, ...create, ...effectsOf(index, seq, end) })
  done.then(() => say(`ack ${index} ${end}`), fail)
  if (index >= MORTAL_FROM && below(40) === 0) return endLife(at, index)
  if (below(20) === 0) void snapshot(at.log, index, end)
  return done
}

function effectsOf(index, seq, end) {
  const bytes = Buffer.from(String(end))
  const outbox = []
  for (let at = seq; at < end; at++)
    if (at % MESSAGE_EVERY === 0) outbox.push({ seq: at, index: 0, bytes })
  return {
    idempotency: [{ key: `key-${index}-${seq}`, seq, atMs: 1_000 }],
    state: [{ key: 'end', value: bytes }],
    reminders: [{ name: 'next', dueAtMs: end, bytes }],
    outbox,
  }
}

async function snapshot(log, index, seq) {
  try {
    await log.writeSnapshot({ seq, bytes: entryOf(index, seq, 500) })
    say(`snap ${index} ${seq}`)
    if (index >= MORTAL_FROM || index % 2 === 0) return
    const before = Math.max(1, seq - below(30))
    await log.trim(before)
    say(`trim ${index} ${before}`)
  } catch (error) {
    fail(error)
  }
}

/** Ends the life of a log, and opens the next one's. */
async function endLife(at, index) {
  at.isOpening = true
  const { life, seq } = at
  const ended = at.log.append({ seq, entries: [entryOf(index, seq, 20)], end: true })
  at.log = await store.openLog(idOf(index))
  await ended.catch(fail)
  say(`end ${index} ${life}`)
  at.seq = at.log.seqNext
  at.isOpening = false
}

function fail(error) {
  say(`failed ${error.code} ${error.message}`)
  process.exit(1)
}

async function serve(before) {
  const store = await open()
  let log = await store.openLog(idOf(0))
  let seq = log.seqNext
  say(`ready ${store.epoch}`)
  await before()
  for await (const line of readline.createInterface({ input: process.stdin })) {
    try {
      if (line === 'reopen') {
        log = await store.openLog(idOf(0))
        seq = log.seqNext
      } else if (line === 'other') {
        const second = await store.openLog(idOf(1))
        const create = second.seqNext === 0 ? { create: recordOf(idOf(1)) } : {}
        await second.append({
          seq: second.seqNext,
          entries: [entryOf(1, second.seqNext, 20)],
          ...create,
        })
        say(`done ${second.seqNext + 1}`)
        continue
      } else if (line === 'hang') {
        say('hanging')
        for (;;);
      } else if (line === 'burst') {
        const answer = await burst(log, seq)
        seq += answer.done
        say(`burst ${answer.done} ${answer.isPrefix}`)
        continue
      } else {
        const create = seq === 0 ? { create: recordOf(idOf(0)) } : {}
        await log.append({ seq, entries: [entryOf(0, seq, options.size ?? 20)], ...create })
        seq++
      }
      say(`done ${seq}`)
    } catch (error) {
      say(`failed ${error.code} ${error.message}`)
    }
  }
}

/** Appends without waiting, over many turns of the event loop: several groups, one behind the other. */
async function burst(log, from) {
  const waits = []
  for (let index = 0; index < 60; index++) {
    const seq = from + index
    waits.push(log.append({ seq, entries: [entryOf(0, seq, options.size ?? 20)] }))
    if (index % 3 === 2) await new Promise((resolve) => setTimeout(resolve, 3))
  }
  const isDone = (await Promise.allSettled(waits)).map((wait) => wait.status === 'fulfilled')
  const done = isDone.filter(Boolean).length
  return { done, isPrefix: isDone.lastIndexOf(true) === done - 1 }
}

async function freeze() {
  const { open: openRaw } = await import('lmdb')
  // The same environment: lmdb-js opens a file once per process.
  const raw = openRaw({ path: folder, noSubdir: false, encoding: 'binary', keyEncoding: 'binary' })
  raw.transactionSync(() => {
    say('frozen')
    process.kill(process.pid, 'SIGSTOP')
  })
}

/** Also sizes that take overflow pages; every fifth commit is indexed, every third has a snapshot. */
async function script() {
  const store = await open()
  const logs = []
  for (let index = 0; index < 3; index++) {
    const log = await store.openLog(idOf(index))
    logs.push({ log, seq: log.seqNext })
  }
  say(`ready ${store.epoch}`)
  for (let step = 0; step < options.steps; step++) {
    const index = step % logs.length
    const { log, seq } = logs[index]
    const entries = [entryOf(index, seq, 40), entryOf(index, seq + 1, step % 4 === 0 ? 9_000 : 400)]
    const create = seq === 0 ? { create: recordOf(idOf(index)) } : {}
    await log.append({
      seq,
      entries,
      idempotency: [{ key: `key-${index}-${seq}`, seq, atMs: 1_000 }],
      ...create,
    })
    logs[index].seq += 2
    say(`ack ${index} ${seq + 2}`)
    if (step % 3 === 0) {
      await log.writeSnapshot({ seq: seq + 2, bytes: entryOf(index, seq + 2, 500) })
      say(`snap ${index} ${seq + 2}`)
    }
  }
  await store.close()
  say('closed')
}

async function visit() {
  const { enterDoor } = await import(path.resolve('dist/host/store/lmdb/door.js'))
  const { isQuiet } = await enterDoor(folder, 5_000)
  say(`inside ${isQuiet}`)
  process.stdin.resume()
}

async function read() {
  const store = await lmdb(folder).open({ wallMs: Date.now, readOnly: true })
  say('open')
  await store.close()
}

async function claim() {
  try {
    const store = await open()
    say(`claimed ${store.epoch}`)
  } catch (error) {
    say(`failed ${error.code} ${error.message}`)
  }
  process.stdin.resume()
}

const modes = {
  write,
  serve: () => serve(async () => {}),
  freeze: () => serve(freeze),
  claim,
  script,
  visit,
  read,
}
await modes[mode]()

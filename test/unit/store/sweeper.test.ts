// Aim: what is given up frees its room, whatever else lies in the same blocks, and a store that died in the
// middle of it goes on. Method: rows of the environment are counted from beside, by their first byte.
import { rmSync } from 'node:fs'
import path from 'node:path'
import { open } from 'lmdb'
import { afterAll, expect, it } from 'vitest'
import { lmdb } from '../../../host/store/lmdb/index.ts'
import type { ActorLog, Store } from '../../../host/store/store.ts'
import { options, recordOf, scratchFolder, text, texts } from '../../support/store-fixtures.ts'

const root = scratchFolder('sweep')
let count = 0
const folder = (): string => path.join(root, `${count++}`)
afterAll(() => rmSync(root, { recursive: true }))

const TAG = {
  run: 0x20,
  head: 0x21,
  moved: 0x22,
  first: 0x23,
  sweep: 0x24,
  room: 0x25,
  key: 0x30,
  snapshot: 0x40,
  state: 0x50,
  reminder: 0x51,
  due: 0x52,
  block: 0xf0,
}
type Rows = Record<keyof typeof TAG, number>

async function rowsIn(place: string): Promise<Rows> {
  const db = open<Buffer, Buffer>(place, {
    encoding: 'binary',
    keyEncoding: 'binary',
    useVersions: true,
    readOnly: true,
  })
  db.resetReadTxn()
  const of = (tag: number) =>
    db.getKeysCount({ start: Buffer.from([tag]), end: Buffer.from([tag + 1]) })
  const rows = Object.fromEntries(Object.entries(TAG).map(([name, tag]) => [name, of(tag)]))
  await db.close()
  return rows as Rows
}

/** Waits until nothing waits to be swept. */
async function swept(place: string): Promise<Rows> {
  for (let left = 500; left > 0; left--) {
    const rows = await rowsIn(place)
    if (rows.sweep === 0) return rows
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('nothing was swept within five seconds')
}

const ACTORS = 8
const entry = (id: number, seq: number): string => `${id}:${seq}:`.padEnd(200, '.')

interface Actor {
  log: ActorLog
  seq: number
}

async function openActors(store: Store): Promise<Actor[]> {
  const ids = Array.from({ length: ACTORS }, (_, id) =>
    store.openLog({ type: 'Counter', id: `${id}` }),
  )
  return (await Promise.all(ids)).map((log) => ({ log, seq: log.seqNext }))
}

/** Turns of all actors, mixed in the same blocks; each with a key, and a little state. */
async function turns(actors: readonly Actor[], each: number): Promise<void> {
  const waits: Promise<void>[] = []
  for (let round = 0; round < each; round++)
    for (const [id, actor] of actors.entries()) {
      const seq = actor.seq++
      const create = seq === 0 ? { create: recordOf(`${id}`) } : {}
      const idempotency = [{ key: `key ${seq}`, seq, atMs: 1 }]
      const state = [{ key: `${seq % 50}`, value: text(`${seq}`) }]
      const reminders = [{ name: `${seq % 20}`, dueAtMs: seq, bytes: text('r') }]
      const effects = { idempotency, state, reminders }
      waits.push(actor.log.append({ seq, entries: [text(entry(id, seq))], ...create, ...effects }))
    }
  await Promise.all(waits)
}

async function trim(actor: Actor, keep: number): Promise<void> {
  await actor.log.writeSnapshot({ seq: actor.seq, bytes: text('snapshot') })
  await actor.log.trim(actor.seq - keep)
}

async function expectWhole(store: Store, id: number, seqFirst: number, seqNext: number) {
  const log = await store.openLog({ type: 'Counter', id: `${id}` })
  expect([log.seqFirst, log.seqNext]).toEqual([seqFirst, seqNext])
  expect(texts(await log.read(0, 1))).toEqual([entry(id, 0)])
  const kept = Array.from({ length: seqNext - seqFirst }, (_, at) => entry(id, seqFirst + at))
  expect(texts(await log.read(seqFirst, seqNext))).toEqual(kept)
}

it('frees the blocks of trimmed journals, and keeps what lives in them elsewhere', async () => {
  const place = folder()
  const store = await lmdb(place).open(options)
  const actors = await openActors(store)
  await turns(actors, 1_000)
  const before = await rowsIn(place)
  expect(before.block).toBeGreaterThan(90)
  // All but one: each block still holds entries of it.
  for (const actor of actors.slice(1)) await trim(actor, 5)
  const partly = await swept(place)
  expect(partly.block).toBeLessThan(before.block / 10)
  expect(partly.moved).toBeGreaterThan(900)
  await expectWhole(store, 0, 1, 1_000)
  for (let id = 1; id < ACTORS; id++) await expectWhole(store, id, 995, 1_000)
  if (actors[0] !== undefined) await trim(actors[0], 5)
  const after = await swept(place)
  expect(after.block + after.moved).toBeLessThan(120)
  expect(after.run).toBeLessThanOrEqual(3 * ACTORS)
  expect(after.key).toBe(6 * ACTORS)
  expect(after.snapshot).toBe(ACTORS)
  expect(after.state).toBe(before.state)
  await store.close()
  const again = await lmdb(place).open(options)
  for (let id = 0; id < ACTORS; id++) await expectWhole(again, id, 995, 1_000)
  const more = await openActors(again)
  await turns(more, 10)
  for (let id = 0; id < ACTORS; id++) await expectWhole(again, id, 995, 1_010)
  await again.close()
})

it('removes everything of lives that ended', async () => {
  const place = folder()
  const store = await lmdb(place).open(options)
  const actors = await openActors(store)
  await turns(actors, 300)
  for (const actor of actors) {
    await actor.log.writeSnapshot({ seq: actor.seq, bytes: text('snapshot') })
    await actor.log.append({ seq: actor.seq, entries: [text('end')], end: true })
  }
  const rows = await swept(place)
  for (const [name, left] of Object.entries(rows)) expect([name, left]).toEqual([name, 0])
  await store.close()
})

it('goes on with what a host left behind', async () => {
  const place = folder()
  let store = await lmdb(place).open(options)
  let actors = await openActors(store)
  await turns(actors, 1_000)
  const waits = actors.map((actor, id) =>
    id < 4
      ? trim(actor, 5)
      : actor.log.append({ seq: actor.seq, entries: [text('end')], end: true }),
  )
  await Promise.all(waits)
  // Closing does not wait for the sweeper.
  await store.close()
  expect((await rowsIn(place)).sweep).toBeGreaterThan(0)
  for (let round = 0; (await rowsIn(place)).sweep > 0; round++) {
    expect(round).toBeLessThan(400)
    store = await lmdb(place).open(options)
    for (let id = 0; id < 4; id++) await expectWhole(store, id, 995, 1_000)
    for (let turn = round; turn > 0; turn--) await new Promise(setImmediate)
    await store.close()
  }
  store = await lmdb(place).open(options)
  actors = await openActors(store)
  for (let id = 0; id < 4; id++) await expectWhole(store, id, 995, 1_000)
  for (const actor of actors.slice(4)) expect(actor.seq).toBe(0)
  const rows = await rowsIn(place)
  expect(rows.block + rows.moved).toBeLessThan(60)
  expect([rows.head, rows.first, rows.key]).toEqual([4, 4, 24])
  await store.close()
})

it('uses the room again: the file does not grow with the turns of trimmed journals', async () => {
  const place = folder()
  const store = await lmdb(place).open(options)
  const actors = await openActors(store)
  const blocks: number[] = []
  for (let round = 0; round < 6; round++) {
    await turns(actors, 500)
    for (const actor of actors) await trim(actor, 5)
    blocks.push((await swept(place)).block)
  }
  expect(Math.max(...blocks)).toBeLessThan(20)
  await store.close()
})

// Aim: who asks for an actor gets to use it (P6). Method: a pool of actors that are nothing but their names, so small
// that each of two callers takes the room of the other's. Without P6 they do so for ever, within microtasks, in which no
// deadline of a test would be noticed: so the actors count how often they are lifted.
import { expect, test } from 'vitest'
import type { Activation } from '../../../host/actor/activation/activation.ts'
import type { WarmActor } from '../../../host/actor/activation/warm-actor.ts'
import { type ActorKey, parseActorKey } from '../../../host/base/names.ts'
import { VirtualClock } from '../../../host/index.ts'
import { Pool } from '../../../host/pool/pool.ts'
import { errorOf, macrotasks } from '../../support/host.ts'

const LIFTED_MAX = 200

/** What the pool needs of an activation. */
class Idle {
  readonly key: ActorKey
  closed = false
  idle = true
  readonly holdsInstance = true
  readonly timers = { count: 0 }

  constructor(key: ActorKey) {
    this.key = key
  }

  get open(): boolean {
    return !this.closed
  }

  cool(): WarmActor {
    this.closed = true
    return { log: { key: this.key }, image: new Uint8Array(), seqNext: 1 } as unknown as WarmActor
  }
}

interface SmallPool {
  readonly pool: Pool
  readonly lifted: () => number
  /** From now on a turn of the actor runs. */
  readonly busy: (activation: Activation) => void
}

function smallPool(): SmallPool {
  let lifted = 0
  const lift = (key: ActorKey): Activation => {
    if (++lifted > LIFTED_MAX) throw new Error(`lifted ${LIFTED_MAX} times`)
    return new Idle(key) as unknown as Activation
  }
  const pool = new Pool({
    clock: new VirtualClock(),
    residentCountMax: 1,
    coolTimeoutMs: 1_000,
    idleTimeoutMs: 2_000,
    warmCountMax: 100,
    warmSizeMaxBytes: 1_000_000,
    activate: async (key) => lift(key),
    lift: ({ log }) => lift(log.key),
    snapshot: async () => {},
    onSweep: () => {},
  })
  const busy = (activation: Activation): void => {
    const actor = activation as unknown as Idle
    actor.idle = false
  }
  return { pool, lifted: () => lifted, busy }
}

const key = (id: string): ActorKey => parseActorKey(`Actor/${id}`)

test('callers who take the room of each other all get to use their actors', async () => {
  const { pool, lifted } = smallPool()
  for (const id of ['a', 'b']) {
    await pool.use(key(id), () => {})
    await macrotasks(1)
  }
  for (let round = 0; round < 10; round++) {
    const before = lifted()
    const used = ['a', 'b'].map((id) => pool.use(key(id), (activation) => [id, activation.key.id]))
    expect(await Promise.all(used)).toEqual([
      ['a', 'a'],
      ['b', 'b'],
    ])
    expect(lifted() - before).toBeLessThanOrEqual(2)
    await macrotasks(1)
  }
})

test('who asked holds the room until the event loop turns, and no longer', async () => {
  const { pool } = smallPool()
  const [a] = await Promise.all([pool.acquire(key('a')), pool.acquire(key('b'))])
  // Both rooms that there are (P4) are held.
  const c = pool.acquire(key('c'))
  for (let tick = 0; tick < 20; tick++) await null
  expect([a.closed, pool.tierOf(key('a')), pool.tierOf(key('c'))]).toEqual([false, 'hot', 'cold'])
  expect((await c).closed).toBe(false)
  expect(a.closed).toBe(true)
})

test('who asks for one actor after the other, without ever pausing, gets them all', async () => {
  const { pool } = smallPool()
  // A store may answer within microtasks, so that the event loop never turns by itself.
  for (let index = 0; index < 50; index++) await pool.acquire(key(`a${index}`))
  expect(pool.counts.hot).toBeLessThanOrEqual(2)
})

test('who finds all room taken by actors that are busy is refused', async () => {
  const { pool, busy } = smallPool()
  for (const id of ['a', 'b']) busy(await pool.acquire(key(id)))
  expect(await errorOf(pool.acquire(key('c')))).toMatchObject({ code: 'ERR_BUSY' })
  expect([pool.tierOf(key('a')), pool.tierOf(key('b'))]).toEqual(['hot', 'hot'])
})

test('an actor that falls between the answer and its use is asked for again', async () => {
  const { pool } = smallPool()
  const used = pool.use(key('a'), (activation) => activation.closed)
  // What leaves the pool on purpose is not held: in every microtask until then it may.
  for (let tick = 0; tick < 8; tick++) {
    const resident = pool.peek('Actor/a') as unknown as Idle | undefined
    if (resident !== undefined) resident.closed = tick % 2 === 0
    await null
  }
  expect(await used).toBe(false)
})

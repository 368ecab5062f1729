// Aim: the shopping cart, a guest in TypeScript, keeps its state and its reminder through crashes, and orders once.
import { describe, expect, test } from 'vitest'
import {
  fsBlobs,
  memory,
  openInspector,
  type Runtime,
  seededRandom,
  VirtualClock,
} from '../../../host/index.ts'
import { componentBytes } from '../../../test/support/components.ts'
import { openHost, temporaryFolder } from '../../../test/support/host.ts'

const MINUTE_MS = 60_000
const START_MS = 1_700_000_000_000

const tea = { sku: 'tea', name: 'Tea', quantity: 2, price: 450n }
const cup = { sku: 'cup', name: 'Cup 🍵', quantity: 1, price: 2n ** 60n + 1n }

class World {
  readonly store = memory()
  readonly blobs = fsBlobs(temporaryFolder())
  readonly clock = new VirtualClock(START_MS)
  readonly lines: string[] = []
  #runtime: Runtime | null = null

  async open(): Promise<Runtime> {
    this.#runtime = await openHost({
      store: this.store,
      blobs: this.blobs,
      clock: this.clock,
      random: seededRandom(11),
      log: ({ level, message }) => this.lines.push(`${level} ${message}`),
    })
    const component = componentBytes('cart')
    await this.#runtime.registerActorType('Cart', { type: 'wasm', component })
    await settle()
    return this.#runtime
  }

  crash(): Promise<Runtime> {
    this.store.crash()
    return this.open()
  }

  async call(method: string, ...args: readonly unknown[]): Promise<unknown> {
    const runtime = this.#runtime ?? (await this.open())
    const cart = await runtime.getActor('ada', 'Cart')
    return cart.call(method, ...args)
  }

  async pass(minutes: number): Promise<void> {
    this.clock.advance(minutes * MINUTE_MS)
    await settle()
  }

  /** Replays the journal from its first entry; the state is the one that the actor has. */
  async replay(): Promise<void> {
    const runtime = this.#runtime ?? (await this.open())
    const { stateHash } = await runtime.describeActor('ada', 'Cart')
    const inspector = await openInspector({ store: this.store, blobs: this.blobs })
    const report = await inspector.replay({ type: 'Cart', id: 'ada' })
    expect(report).toMatchObject({ stateHash, failed: 0 })
  }
}

async function settle(turns = 60): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
}

const ok = (val: unknown): unknown => ({ tag: 'ok', val })
const refused = (tag: string, val?: unknown): unknown => ({
  tag: 'err',
  val: val === undefined ? { tag } : { tag, val },
})

describe('the cart', () => {
  test('adds up without losing a unit, and refuses what makes no sense', async () => {
    const world = new World()
    expect(await world.call('add', tea)).toEqual(ok(900n))
    expect(await world.call('add', cup)).toEqual(ok(2n ** 60n + 901n))
    expect(await world.call('add', { ...tea, quantity: 1 })).toEqual(ok(2n ** 60n + 1351n))
    expect(await world.call('add', { ...tea, quantity: 0 })).toEqual(refused('bad-quantity', 3))
    const many = { ...tea, quantity: 998 }
    expect(await world.call('add', many)).toEqual(refused('bad-quantity', 1_001))
    const dearer = { ...tea, price: 451n }
    expect(await world.call('add', dearer)).toEqual(refused('price-changed', 450n))
    expect(await world.call('remove', 'jam')).toEqual(refused('no-item', 'jam'))
    expect(await world.call('items')).toEqual([{ ...tea, quantity: 3 }, cup])
    expect(await world.call('remove', 'cup')).toEqual(ok(1_350n))
    expect(await world.call('state')).toBe('open')
    await world.replay()
  })

  test('orders once, with a recorded id and time', async () => {
    const world = new World()
    expect(await world.call('checkout')).toEqual(refused('empty'))
    expect(await world.call('ordered')).toBeUndefined()
    await world.call('add', tea)
    const order = await world.call('checkout')
    expect(order).toMatchObject(ok({ items: [tea], total: 900n, at: BigInt(START_MS) }) as object)
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
    expect((order as { val: { id: string } }).val.id).toMatch(uuid)
    expect(await world.call('checkout')).toEqual(refused('ordered'))
    expect(await world.call('add', tea)).toEqual(refused('ordered'))
    await world.crash()
    expect(ok(await world.call('ordered'))).toEqual(order)
    await world.pass(60)
    expect(await world.call('state')).toBe('ordered')
    await world.replay()
  })

  test('is given up after half an hour that nobody touched it, also over a crash', async () => {
    const world = new World()
    await world.call('add', tea)
    await world.pass(29)
    await world.call('add', cup)
    await world.pass(29)
    expect(await world.call('state')).toBe('open')
    await world.crash()
    await world.pass(1)
    expect(await world.call('state')).toBe('abandoned')
    expect(await world.call('items')).toEqual([])
    expect(world.lines).toEqual([`info abandoned with 2 items worth ${2n ** 60n + 901n}`])
    expect(await world.call('add', tea)).toEqual(ok(900n))
    expect(await world.call('state')).toBe('open')
    await world.replay()
  })
})

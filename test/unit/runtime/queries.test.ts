// Aim: a query sees whole turns, durable when it answers; it waits for no turn and changes nothing.
// Method: TypeScript classes and components whose queries try to change something; commits are held; the state
// hash and the journal are compared around random calls of turns and queries.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  Actor,
  type ActorTypeDefinition,
  fsBlobs,
  memory,
  openInspector,
} from '../../../host/index.ts'
import { componentBytes } from '../../support/components.ts'
import { errorOf, isPending, openHost, temporaryFolder } from '../../support/host.ts'
import { seedOf } from '../../support/seed.ts'

const PEER = { type: 'Register', id: 'other' }

class Register extends Actor<{ total: number }> {
  static readonly initialState = { total: 0 }
  static readonly queries = ['total', 'change', 'look', 'cheat', 'call', 'remind']
  static waits: (() => void)[] = []

  add(n: number): number {
    this.updateState(({ total }) => ({ total: total + n }))
    this.context.simpleState.set('last', n)
    return this.state.total
  }

  async addSlowly(n: number): Promise<number> {
    this.add(n)
    await new Promise<void>((resolve) => {
      Register.waits.push(resolve)
    })
    return this.state.total
  }

  fail(n: number): void {
    this.add(n)
    throw new Error('no')
  }

  total(): number {
    return this.state.total
  }

  change(): number {
    this.updateState({ total: 1_000_000 })
    return this.state.total
  }

  async look(): Promise<unknown> {
    const { context } = this
    const last = await context.simpleState.get('last')
    return [this.state.total, last, typeof context.now(), typeof context.uuid()]
  }

  cheat(): string {
    try {
      this.context.simpleState.set('last', 'cheated')
    } catch {
      return 'caught'
    }
    return 'set'
  }

  async call(): Promise<unknown> {
    return await this.context.call(PEER, 'total')
  }

  remind(): void {
    this.context.reminders.set('r')
  }

  receiveReminder(): void {}
}

const types = { Register: { type: 'typescript', actorClass: Register } } as const
const counter: ActorTypeDefinition = {
  type: 'wasm',
  component: componentBytes('counter'),
  queries: ['value'],
}

async function open(store = memory()) {
  const runtime = await openHost({ store })
  await runtime.registerActorType('Register', types.Register)
  return { store, runtime, actor: await runtime.getActor('a', 'Register') }
}

async function journalLength(store: ReturnType<typeof memory>): Promise<number> {
  const inspector = await openInspector({ store, blobs: fsBlobs(temporaryFolder()), types })
  let length = 0
  for await (const { seqNext } of inspector.actors()) length += seqNext
  await inspector.close()
  return length
}

describe('a query', () => {
  test('sees the turns before it, and what it changes is gone', async () => {
    const { actor, store, runtime } = await open()
    expect(await actor.call('total')).toBe(0)
    expect(await journalLength(store)).toBe(0)
    await actor.call('add', 5)
    expect(await actor.call('change')).toBe(1_000_000)
    expect(await actor.call('total')).toBe(5)
    expect(await actor.call('look')).toEqual([5, 5, 'number', 'string'])
    await errorOf(actor.call('fail', 3))
    expect(await actor.call('total')).toBe(5)
    const length = await journalLength(store)
    expect(length).toBe(3)
    const { stateHash } = await runtime.describeActor('a', 'Register')
    await actor.call('change')
    expect((await runtime.describeActor('a', 'Register')).stateHash).toBe(stateHash)
    expect(await journalLength(store)).toBe(length)
  })

  test('asks for no effects and calls nobody, whatever it catches', async () => {
    const { actor } = await open()
    await actor.call('add', 1)
    for (const method of ['cheat', 'call', 'remind'])
      expect(await errorOf(actor.call(method)), method).toMatchObject({ code: 'ERR_QUERY' })
    expect(await actor.call('look')).toEqual([1, 1, 'number', 'string'])
    expect(await actor.reminders.list()).toEqual([])
  })

  test('runs beside a turn that waits, and sees the state before it', async () => {
    const { actor } = await open()
    await actor.call('add', 1)
    const slow = actor.call('addSlowly', 10)
    while (Register.waits.length === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(await actor.call('total')).toBe(1)
    expect(await isPending(slow)).toBe(true)
    Register.waits.pop()?.()
    expect(await slow).toBe(11)
    expect(await actor.call('total')).toBe(11)
  })

  test('answers when the turns that it saw are durable, and fails when they are lost', async () => {
    const { actor, store } = await open()
    await actor.call('add', 1)
    const release = store.holdCommits()
    const turn = actor.call('add', 1)
    const query = actor.call('total')
    expect(await isPending(query)).toBe(true)
    release()
    expect([await turn, await query]).toEqual([2, 2])
    const held = store.holdCommits()
    store.failNextAppend('disk full')
    const lost = [actor.call('add', 1), actor.call('total')]
    const errors = Promise.all(lost.map(errorOf))
    held()
    expect(await errors).toMatchObject([{ code: 'ERR_COMMIT' }, { code: 'ERR_COMMIT' }])
    expect(await actor.call('total')).toBe(2)
  })

  test('must be a method of its type', async () => {
    const runtime = await openHost()
    const definition = { ...types.Register, queries: ['nothing'] } as const
    expect(await errorOf(runtime.registerActorType('Register', definition))).toMatchObject({
      code: 'ERR_METHOD_UNKNOWN',
    })
  })
})

describe('of a component', () => {
  test('sees the turns before it; a method that writes changes nothing as a query', async () => {
    const runtime = await openHost()
    await runtime.registerActorType('Counter', counter)
    await runtime.registerActorType('Frozen', { ...counter, queries: ['increment'] })
    const actor = await runtime.getActor('c', 'Counter')
    expect(await actor.call('value')).toBe(0n)
    for (let n = 1; n < 4; n++) {
      expect(await actor.call('increment', n)).toBeTypeOf('bigint')
      expect(await actor.call('value')).toBe(BigInt((n * (n + 1)) / 2))
    }
    const frozen = await runtime.getActor('f', 'Frozen')
    for (const _ of [1, 2, 3]) expect(await frozen.call('increment', 5)).toBe(5n)
    expect(await errorOf(frozen.executeJson({ method: 'value', query: true }))).toMatchObject({
      code: 'ERR_OPTION',
    })
    expect(await frozen.executeJson({ method: 'increment', args: [2], query: true })).toBe(2)
  })
})

test('a query of a component runs beside a turn that waits, parked or unwound', async () => {
  for (const awaiting of ['auto', 'unwind'] as const) {
    const answers: ((price: number) => void)[] = []
    const runtime = await openHost({ awaiting })
    const latest = (): Promise<number> => new Promise((resolve) => void answers.push(resolve))
    runtime.provide('acme:pricing/quotes', { latest: async () => await latest() })
    const component = componentBytes('quoter')
    await runtime.registerActorType('Quoter', { type: 'wasm', component, queries: ['offers'] })
    const actor = await runtime.getActor('q', 'Quoter')
    for (const count of [0, 1, 2]) {
      const offer = actor.call('offer', 'LOOM', 1)
      while (answers.length === 0) await new Promise((resolve) => setImmediate(resolve))
      expect(await actor.call('offers')).toHaveLength(count)
      answers.pop()?.(7)
      await offer
      expect(await actor.call('offers')).toHaveLength(count + 1)
    }
    await runtime.close()
  }
})

test('queries never change the state hash or the journal', async () => {
  const step = fc.oneof(
    fc.record({ method: fc.constantFrom('add', 'fail'), n: fc.nat(9) }),
    fc.record({
      method: fc.constantFrom('total', 'change', 'look', 'cheat', 'call'),
      n: fc.nat(9),
    }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const hashes: string[] = []
      for (const withQueries of [true, false]) {
        const { runtime, actor, store } = await open()
        let model = 0
        const calls = steps
          .filter(({ method }) => withQueries || !Register.queries.includes(method))
          .map(async ({ method, n }) => {
            if (method === 'add') model += n
            const seen = model
            const result = await actor.call(method, n).catch((error) => error.code)
            if (method === 'total' || method === 'add') expect(result).toBe(seen)
          })
        await Promise.all(calls)
        const { stateHash } = await actor
          .call('add', 0)
          .then(() => runtime.describeActor('a', 'Register'))
        const turns = steps.filter(({ method }) => !Register.queries.includes(method))
        expect(await journalLength(store)).toBe(turns.length + 2)
        hashes.push(stateHash)
        await runtime.close()
      }
      expect(hashes[0]).toBe(hashes[1])
    }),
    { seed: seedOf('queries'), numRuns: 30 },
  )
})

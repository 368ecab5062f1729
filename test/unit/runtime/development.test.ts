// Aim: in development, a turn that would not replay fails at once and says why; one that would is as ever.
// Method: actors that ask the engine instead of their context; journals are replayed at the end.
import { expect, test } from 'vitest'
import { Actor, fsBlobs, memory, openInspector } from '../../../host/index.ts'
import { Peer } from '../../support/bank-actor.ts'
import { errorOf, openHost, temporaryFolder } from '../../support/host.ts'

let moduleCount = 0

class Careless extends Actor<{ seen: readonly unknown[] }> {
  static readonly initialState = { seen: [] }

  execute(input: unknown): unknown {
    this.#note(input)
    return this.state.seen.length
  }

  random(): number {
    return Math.random()
  }

  date(): void {
    this.#note(new Date(this.context.now()).getTime())
    // biome-ignore lint/complexity/useDateNow: what an author may write
    this.#note(new Date().getTime() + Math.random())
  }

  async uuid(): Promise<void> {
    await Promise.resolve()
    this.context.simpleState.set(crypto.randomUUID(), 1)
  }

  count(): number {
    return moduleCount++
  }

  unused(): string {
    Math.random()
    return 'same'
  }

  async good(): Promise<unknown> {
    const { context } = this
    this.#note([context.now(), context.random(), context.uuid(), context.invocationId()])
    await context.simpleState.get('k')
    context.simpleState.set('k', 1)
    this.#note(await context.call({ type: 'Peer', id: 'p' }, 'deposit', 5))
    return this.state.seen
  }

  async callBad(): Promise<unknown> {
    return await this.context.call({ type: 'Careless', id: 'bad' }, 'random')
  }

  async badThenCall(): Promise<unknown> {
    const balance = await this.context.call({ type: 'Peer', id: 'p' }, 'deposit', 5)
    return `${balance} ${Math.random()}`
  }

  #note(value: unknown): void {
    this.updateState(({ seen }) => ({ seen: [...seen, value] }))
  }
}

const types = {
  Careless: { type: 'typescript', actorClass: Careless },
  Peer: { type: 'typescript', actorClass: Peer },
} as const

async function open(development: boolean) {
  const store = memory()
  const runtime = await openHost({ store, development })
  for (const [name, type] of Object.entries(types)) await runtime.registerActorType(name, type)
  return { store, runtime, actor: await runtime.getActor('c', 'Careless') }
}

test('a turn that bypasses its context fails, names what it called, and leaves no trace', async () => {
  const { store, runtime, actor } = await open(true)
  const expected: Readonly<Record<string, RegExp>> = {
    random:
      /random would not replay: it gave 0\.\d+, its replay 0\.\d+; it called Math\.random\(\): ask this\.context/,
    date: /another state; it called new Date\(\), Math\.random\(\)/,
    uuid: /called crypto\.randomUUID\(\)/,
    count: /something outside of this\.state/,
    badThenCall: /called Math\.random\(\)/,
  }
  for (const [method, message] of Object.entries(expected))
    expect(await errorOf(actor.call(method)), method).toMatchObject({
      code: 'ERR_DIVERGENCE',
      message: expect.stringMatching(message),
    })
  expect(await actor.call('unused')).toBe('same')
  expect(await actor.call('good')).toHaveLength(2)
  expect(await actor.call('execute', 'x')).toBe(3)
  await runtime.close()
  const inspector = await openInspector({ store, blobs: fsBlobs(temporaryFolder()), types })
  expect(await inspector.replay({ type: 'Careless', id: 'c' })).toMatchObject({
    turns: 3,
    failed: 5,
  })
  await inspector.close()
})

test('who calls such an actor fails, and is not taken for one that does not replay', async () => {
  const { actor, runtime } = await open(true)
  await (await runtime.getActor('bad', 'Careless')).call('unused')
  expect(await errorOf(actor.call('callBad'))).toMatchObject({
    code: 'ERR_HOST_CALL',
    message: expect.stringContaining('random would not replay'),
  })
  expect(await actor.call('unused')).toBe('same')
})

test('the globals are as they were, and without the option nothing is checked', async () => {
  const before = [Math.random, Date, Date.now, crypto.randomUUID, fetch]
  const checked = await open(true)
  await checked.actor.call('good')
  expect([Math.random, Date, Date.now, crypto.randomUUID, fetch]).toEqual(before)
  expect(Object.hasOwn(crypto, 'randomUUID')).toBe(false)
  const { actor } = await open(false)
  expect(await actor.call('random')).toBeTypeOf('number')
})

test('a message without a method is the input of execute', async () => {
  const { runtime } = await open(false)
  const message = { actorId: 'c', actorType: 'Careless', idempotencyKey: 'm1' }
  expect(await runtime.routeMessage({ ...message, payload: { order: 7 } })).toBe(1)
  expect(await runtime.routeMessage({ ...message, payload: { order: 7 } })).toBe(1)
  const next = { ...message, idempotencyKey: 'm2' }
  expect(await runtime.routeMessage({ ...next, payload: { method: 'execute', args: ['x'] } })).toBe(
    2,
  )
  expect(
    await errorOf(runtime.routeMessage({ ...next, actorType: 'Peer', payload: 'x' })),
  ).toMatchObject({ code: 'ERR_METHOD_UNKNOWN' })
})

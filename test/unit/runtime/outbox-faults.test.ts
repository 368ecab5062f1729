// Aim: no message is lost, overtaken or tried for ever because a store or a receiver falters. Method: TypeScript actors
// on a memory store whose answers fail once, or come late.
import { expect, test } from 'vitest'
import { Actor, LoomError, memory, type Runtime, VirtualClock } from '../../../host/index.ts'
import type { ActorLog, Store } from '../../../host/store/store.ts'
import { type Alterations, alteredDriver } from '../../support/altered-driver.ts'
import { errorOf, macrotasks, openHost } from '../../support/host.ts'

const box = (id: string) => ({ type: 'Box', id })

class Box extends Actor<{ notes: readonly unknown[] }> {
  static readonly initialState = { notes: [] }
  static runs = 0

  note(what: unknown): readonly unknown[] {
    this.updateState(({ notes }) => ({ notes: [...notes, what] }))
    return this.state.notes
  }

  notes(): readonly unknown[] {
    return this.state.notes
  }

  send(to: string, method: string, ...args: readonly unknown[]): void {
    this.context.send(box(to), method, ...args)
  }

  tell(to: string, whats: readonly unknown[]): void {
    for (const what of whats) this.context.send(box(to), 'note', what)
  }

  sendLater(delayMs: number): void {
    this.context.sendLater(delayMs, box('b'), 'note', 'late')
  }

  async ask(type: string, id: string): Promise<unknown> {
    Box.runs++
    return await this.context.call({ type, id }, 'notes')
  }

  fail(code: 'ERR_COMMIT' | 'ERR_FENCED' | 'ERR_TYPE_UNKNOWN'): void {
    Box.runs++
    throw new LoomError(code, 'says the author')
  }
}

async function open(store: ReturnType<typeof alteredDriver>, clock: VirtualClock) {
  const lines: string[] = []
  const runtime = await openHost({ store, clock, log: ({ message }) => lines.push(message) })
  await runtime.registerActorType('Box', { type: 'typescript', actorClass: Box })
  return { runtime, lines }
}

async function pass(clock: VirtualClock, steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) {
    clock.advance(1_000)
    await macrotasks(3)
  }
}

async function callBox(runtime: Runtime, id: string, method: string, ...args: unknown[]) {
  return await (await runtime.getActor(id, 'Box')).call(method, ...args)
}

async function leftIn(store: ReturnType<typeof memory>): Promise<number> {
  const reader = await store.open({ readOnly: true, wallMs: () => 0 })
  return (await reader.outbox(null, 100)).length
}

/** Looking for an unknown type reads the blob store: how many macrotasks that takes is the disk's affair. */
async function untilDelivered(store: ReturnType<typeof memory>, clock: VirtualClock) {
  for (let step = 0; step < 10_000 && (await leftIn(store)) > 0; step++) await pass(clock, 1)
  expect(await leftIn(store)).toBe(0)
}

const eio = () => Promise.reject(new LoomError('ERR_STORE', 'EIO'))

test.each([
  ['its code calls an unknown type', ['ask', 'Unknown', 'x']],
  ['its code calls a quarantined actor', ['ask', 'Box', 'marked']],
  ['its author says that it may be tried again', ['fail', 'ERR_COMMIT']],
  ['its author says that the host was displaced', ['fail', 'ERR_FENCED']],
  ['its author says that its type is unknown', ['fail', 'ERR_TYPE_UNKNOWN']],
] as const)(
  'a receiver whose turn failed has had its message: %s',
  async (_, [method, ...args]) => {
    const [store, clock] = [memory(), new VirtualClock()]
    const marking = alteredDriver(store, {
      store: (opened) => ({
        readQuarantine: async (key) =>
          key.id === 'marked' ? { key, atMs: 0, code: 'ERR_DIVERGENCE', message: 'marked' } : null,
        openLog: (key) => opened.openLog(key),
      }),
    })
    const { runtime, lines } = await open(marking, clock)
    Box.runs = 0
    await callBox(runtime, 'a', 'send', 'b', method, ...args)
    await untilDelivered(store, clock)
    expect(lines.at(-1)).toMatch(/^a message was not taken: ERR_/)
    const runs = Box.runs
    await pass(clock, 200)
    expect(Box.runs).toBe(runs)
  },
)

test('a message waits for a type that is registered later, and the log says for what', async () => {
  const [store, clock] = [memory(), new VirtualClock()]
  const { runtime, lines } = await open(store, clock)
  class Sender extends Actor {
    send(): void {
      this.context.send({ type: 'Later', id: 'l' }, 'note', 'at last')
    }
  }
  await runtime.registerActorType('Sender', { type: 'typescript', actorClass: Sender })
  await (await runtime.getActor('s', 'Sender')).call('send')
  for (let step = 0; step < 10_000 && lines.length === 0; step++) await pass(clock, 1)
  expect(await leftIn(store)).toBe(1)
  expect(lines[0]).toMatch(/^messages to Later\/l wait: ERR_TYPE_UNKNOWN/)
  await runtime.registerActorType('Later', { type: 'typescript', actorClass: Box })
  await untilDelivered(store, clock)
  expect(await (await runtime.getActor('l', 'Later')).call('notes')).toEqual(['at last'])
})

test('what an earlier host left is delivered although the store could not be read at first, and first', async () => {
  const [inner, clock] = [memory(), new VirtualClock()]
  const first = await open(inner, clock)
  await callBox(first.runtime, 'a', 'tell', 'b', ['one', 'two'])
  inner.crash()
  let failures = 3
  const { runtime } = await open(
    alteredDriver(inner, {
      store: (opened) => ({
        outbox: (after, countMax) =>
          after === null && failures-- > 0 ? eio() : opened.outbox(after, countMax),
      }),
    }),
    clock,
  )
  await callBox(runtime, 'a', 'tell', 'b', ['three'])
  await pass(clock, 5)
  expect(failures).toBeLessThan(0)
  expect(await callBox(runtime, 'b', 'notes')).toEqual(['one', 'two', 'three'])
})

test('a row that cannot be read keeps no other message from its receiver', async () => {
  const [inner, clock] = [memory(), new VirtualClock()]
  const first = await open(inner, clock)
  for (const what of ['one', 'two']) await callBox(first.runtime, 'a', 'tell', 'b', [what])
  inner.crash()
  const damaged: Alterations = {
    store: (opened: Store) => ({
      outbox: async (after, countMax) =>
        (await opened.outbox(after, countMax)).map((row, index) =>
          index === 0 && after === null ? { ...row, bytes: Uint8Array.of(1) } : row,
        ),
    }),
  }
  const { runtime, lines } = await open(alteredDriver(inner, damaged), clock)
  await pass(clock, 5)
  expect(await callBox(runtime, 'b', 'notes')).toEqual(['two'])
  expect(lines).toEqual([expect.stringContaining('a message of an outbox cannot be read')])
  expect(await leftIn(inner)).toBe(1)
})

test('a message whose key could not be looked up is not overtaken', async () => {
  const [inner, clock] = [memory(), new VirtualClock()]
  let failures = 1
  const altered = alteredDriver(inner, {
    log: (log: ActorLog) => ({
      findIdempotent: (key) =>
        /\/1\/[^/]+$/.test(key) && failures-- > 0 ? eio() : log.findIdempotent(key),
    }),
  })
  const { runtime } = await open(altered, clock)
  await callBox(runtime, 'b', 'notes')
  await callBox(runtime, 'a', 'tell', 'b', ['one', 'two', 'three', 'four'])
  await pass(clock, 5)
  expect(failures).toBeLessThan(0)
  expect(await callBox(runtime, 'b', 'notes')).toEqual(['one', 'two', 'three', 'four'])
})

test.each([Number.NaN, -1, Number.POSITIVE_INFINITY, 1e300, '5', undefined])(
  'a delay of %s is refused before anything is sent',
  async (delayMs) => {
    const [store, clock] = [memory(), new VirtualClock()]
    const { runtime } = await open(store, clock)
    expect(await errorOf(callBox(runtime, 'a', 'sendLater', delayMs))).toMatchObject({
      code: 'ERR_ARGUMENT_TYPE',
      message: expect.stringContaining('delayMs'),
    })
    expect(await leftIn(store)).toBe(0)
  },
)

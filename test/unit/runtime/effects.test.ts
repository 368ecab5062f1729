// Aim: what a turn asks for happens with its commit, exactly once, or not at all: keyed state, messages.
// Method: TypeScript actors on the memory store; commits are held, failed and the host is crashed between
// the steps; every journal is replayed from its first entry at the end.
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../host/base/clock.ts'
import { LoomError } from '../../../host/base/errors.ts'
import { fsBlobs, memory, openInspector } from '../../../host/index.ts'
import { alteredDriver } from '../../support/altered-driver.ts'
import { callPeer as call, openPeers, Peer } from '../../support/bank-actor.ts'
import { errorOf, isPending, temporaryFolder } from '../../support/host.ts'
import { UnsureDriver } from '../../support/unsure-driver.ts'

async function eventually(question: () => Promise<unknown>, expected: unknown): Promise<void> {
  for (let turn = 0; turn < 500; turn++) {
    if (Object.is(await question(), expected)) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(await question()).toBe(expected)
}

async function outboxCount(store: ReturnType<typeof memory>): Promise<number> {
  const reader = await store.open({ readOnly: true, wallMs: () => 0 })
  const rows = await reader.outbox(null, 10_000)
  await reader.close()
  return rows.length
}

/** Replays the journals of all peers. @throws ERR_DIVERGENCE */
async function replayAll(store: ReturnType<typeof memory>): Promise<void> {
  const types = { Peer: { type: 'typescript', actorClass: Peer } } as const
  const inspector = await openInspector({ store, blobs: fsBlobs(temporaryFolder()), types })
  for await (const { type, id } of inspector.actors()) await inspector.replay({ type, id })
  await inspector.close()
}

describe('keyed state', () => {
  test('is seen by the turn that writes it, and by all later ones', async () => {
    const store = memory()
    const runtime = await openPeers({ store })
    const values = [{ a: [1, 2n, new Uint8Array([3])] }, 'text', false]
    for (const [index, value] of values.entries()) {
      const before = index === 0 ? undefined : values[index - 1]
      expect(await call(runtime, 'a', 'write', 'k', value)).toEqual([before, value])
    }
    expect(await call(runtime, 'a', 'keys', '')).toEqual(['k'])
    expect(await call(runtime, 'b', 'keys', '')).toEqual([])
    expect(await call(runtime, 'a', 'write', 'k', null)).toEqual([false, undefined])
    expect(await call(runtime, 'a', 'keys', '')).toEqual([])
    await runtime.close()
    await replayAll(store)
  })

  test('is read by turns that run before it is durable', async () => {
    const store = memory()
    const runtime = await openPeers({ store })
    await call(runtime, 'a', 'write', 'k', 0)
    const release = store.holdCommits()
    const calls = [1, 2, 3].map((value) => call(runtime, 'a', 'write', 'k', value))
    const keys = call(runtime, 'a', 'keys', 'k')
    expect(await isPending(Promise.race(calls))).toBe(true)
    release()
    expect(await Promise.all(calls)).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ])
    expect(await keys).toEqual(['k'])
  })

  test('of a turn that fails, or whose commit fails, was never written', async () => {
    const store = memory()
    const runtime = await openPeers({ store })
    await call(runtime, 'a', 'write', 'k', 1)
    expect(await errorOf(call(runtime, 'a', 'writeAndFail', 'k', 2))).toMatchObject({
      code: 'ERR_ACTOR_FAILED',
    })
    expect(await call(runtime, 'a', 'write', 'k', 1)).toEqual([1, 1])
    store.failNextAppend('disk full')
    expect(await errorOf(call(runtime, 'a', 'write', 'k', 3))).toMatchObject({ code: 'ERR_COMMIT' })
    expect(await call(runtime, 'a', 'write', 'k', 4)).toEqual([1, 4])
    await runtime.close()
    await replayAll(store)
  })

  test('keys are checked', async () => {
    const runtime = await openPeers()
    for (const key of ['', 'k'.repeat(513)])
      expect(await errorOf(call(runtime, 'a', 'write', key, 1))).toMatchObject({ code: 'ERR_NAME' })
  })
})

describe('a message', () => {
  test('is delivered once its turn is durable, and not before', async () => {
    const store = memory()
    const runtime = await openPeers({ store })
    await call(runtime, 'a', 'deposit', 10)
    expect(await call(runtime, 'b', 'balance')).toBe(0)
    const release = store.holdCommits()
    const pay = call(runtime, 'a', 'pay', 'b', 4)
    expect(await isPending(pay)).toBe(true)
    release()
    await pay
    await eventually(() => call(runtime, 'b', 'balance'), 4)
    await eventually(async () => (await outboxCount(store)) === 0, true)
    await runtime.close()
    await replayAll(store)
  })

  test('of a turn that fails is not sent', async () => {
    const store = memory()
    const runtime = await openPeers({ store })
    await call(runtime, 'a', 'deposit', 10)
    await errorOf(call(runtime, 'a', 'payAndFail', 'b', 4))
    await call(runtime, 'a', 'tell', 'b', ['marker'])
    await eventually(async () => ((await call(runtime, 'b', 'heard')) as string[]).length, 1)
    expect(await call(runtime, 'b', 'balance')).toBe(0)
  })

  test('to one actor is run in the order of sending, and names its sender', async () => {
    const runtime = await openPeers()
    const texts = Array.from({ length: 600 }, (_, index) => `t${index}`)
    await call(runtime, 'a', 'tell', 'b', texts.slice(0, 300))
    await call(runtime, 'a', 'tell', 'b', texts.slice(300))
    await eventually(async () => ((await call(runtime, 'b', 'heard')) as string[]).length, 600)
    expect(await call(runtime, 'b', 'heard')).toEqual(texts.map((text) => `Peer/a: ${text}`))
  })

  test('outlives a crash before its delivery, and is then delivered once', async () => {
    const store = memory()
    const first = await openPeers({ store })
    await call(first, 'a', 'deposit', 10)
    await call(first, 'a', 'pay', 'b', 3)
    store.crash()
    const second = await openPeers({ store })
    await eventually(() => call(second, 'b', 'balance'), 3)
    store.crash()
    const third = await openPeers({ store })
    await eventually(async () => (await outboxCount(store)) === 0, true)
    expect(await call(third, 'b', 'balance')).toBe(3)
  })

  test('waits for its time, also over a restart', async () => {
    const store = memory()
    const clock = new VirtualClock()
    const first = await openPeers({ store, clock })
    await call(first, 'a', 'deposit', 10)
    await call(first, 'a', 'payLater', 'b', 5, 60_000)
    clock.advance(59_999)
    expect(await call(first, 'b', 'balance')).toBe(0)
    await first.close()
    const second = await openPeers({ store, clock })
    expect(await call(second, 'b', 'balance')).toBe(0)
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(1)
    await eventually(() => call(second, 'b', 'balance'), 5)
  })

  test('that the store cannot forget is forgotten later, and not delivered again', async () => {
    const inner = memory()
    const clock = new VirtualClock()
    let failures = 3
    const asked: number[] = []
    const store = alteredDriver(inner, {
      store: (opened) => ({
        settleOutbox: (rows) => {
          asked.push(rows.length)
          const error = new LoomError('ERR_STORE', 'EIO')
          return failures-- > 0 ? Promise.reject(error) : opened.settleOutbox(rows)
        },
      }),
    })
    const runtime = await openPeers({ store, clock })
    await call(runtime, 'a', 'tell', 'b', ['one', 'two'])
    await eventually(async () => asked.length, 1)
    await call(runtime, 'a', 'tell', 'c', ['three'])
    for (const [index, pauseMs] of [50, 100, 200].entries()) {
      clock.advance(pauseMs - 1)
      expect(
        await isPending(
          eventually(async () => asked.length, index + 2),
          50,
        ),
      ).toBe(true)
      clock.advance(1)
      await eventually(async () => asked.length, index + 2)
    }
    await eventually(() => outboxCount(inner), 0)
    expect(asked.slice(1)).toEqual([3, 3, 3])
    expect(await call(runtime, 'b', 'heard')).toEqual(['Peer/a: one', 'Peer/a: two'])
  })

  test('of a commit that was written, and reported as failed, is delivered without another call, and in order', async () => {
    for (const asksAgain of [false, true]) {
      const store = new UnsureDriver()
      const clock = new VirtualClock()
      const runtime = await openPeers({ store, clock })
      await call(runtime, 'a', 'deposit', 1)
      store.failNext = 'after'
      const failed = errorOf(call(runtime, 'a', 'tell', 'b', ['one', 'two']))
      expect(await failed).toMatchObject({ code: 'ERR_COMMIT' })
      if (asksAgain) await call(runtime, 'a', 'tell', 'b', ['three'])
      clock.advance(50)
      await eventually(() => outboxCount(store.inner), 0)
      const heard = ['Peer/a: one', 'Peer/a: two', ...(asksAgain ? ['Peer/a: three'] : [])]
      expect(await call(runtime, 'b', 'heard')).toEqual(heard)
    }
  })

  test('that nobody can take is given up, and said', async () => {
    const store = memory()
    const lines: string[] = []
    const runtime = await openPeers({ store, log: ({ message }) => lines.push(message) })
    await call(runtime, 'a', 'sendNowhere')
    await eventually(async () => (await outboxCount(store)) === 0, true)
    expect(lines.join('\n')).toMatch(/a message was not taken: ERR_METHOD_UNKNOWN/)
  })
})

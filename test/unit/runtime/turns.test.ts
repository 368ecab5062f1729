// Aim: what a caller is promised of one actor. Method: a TypeScript actor on the memory store, whose
// commits can be held and made to fail.
import { describe, expect, test } from 'vitest'
import { memory, openInspector, VirtualClock } from '../../../host/index.ts'
import { errorOf, isPending, openHost } from '../../support/host.ts'
import { Ledger } from '../../support/ledger-actor.ts'

describe('turns', () => {
  test('answer with the result and keep the state', async () => {
    const runtime = await openHost()
    const ledger = await runtime.getActor('a', 'Ledger')
    expect(await ledger.call('add', 5)).toBe(5)
    expect(await ledger.execute({ method: 'add', args: [2] })).toBe(7)
    expect(await ledger.executeJson({ method: 'total' })).toBe(7)
  })

  test('of concurrent calls run one after the other, also when they wait', async () => {
    const runtime = await openHost()
    const ledger = await runtime.getActor('a', 'Ledger')
    Ledger.waits = []
    const calls = [1, 2, 3].map((amount) => ledger.call('addSlowly', amount))
    const results: unknown[] = []
    for (const call of calls) {
      expect(Ledger.waits.length).toBe(1)
      Ledger.waits.shift()?.()
      results.push(await call)
    }
    expect(results).toEqual([1, 3, 6])
  })

  test('that fail leave no trace, and are in the journal for people to read', async () => {
    const store = memory()
    const runtime = await openHost({ store })
    const ledger = await runtime.getActor('a', 'Ledger')
    await ledger.call('add', 1)
    const error = await errorOf(ledger.call('addAndFail', 10))
    expect(error).toMatchObject({ code: 'ERR_ACTOR_FAILED', message: 'refused 10' })
    expect(await ledger.call('total')).toBe(1)
    const { journal } = await openInspector({ store, blobs: null as never })
    const kinds: unknown[] = []
    for await (const { entry } of journal({ type: 'Ledger', id: 'a' }))
      kinds.push(entry.kind === 'turn' ? entry.outcome.kind : entry.kind)
    expect(kinds).toEqual(['created', 'returned', 'failed', 'returned'])
  })

  test('cannot change state behind the back of updateState', async () => {
    const runtime = await openHost()
    const ledger = await runtime.getActor('a', 'Ledger')
    expect(await errorOf(ledger.call('mutate'))).toMatchObject({ code: 'ERR_ACTOR_FAILED' })
    expect(await ledger.call('lines')).toEqual([])
  })

  test('are answered only when they are durable, while the next one runs already', async () => {
    const store = memory()
    const runtime = await openHost({ store })
    const ledger = await runtime.getActor('a', 'Ledger')
    await ledger.call('add', 1)
    const release = store.holdCommits()
    const second = ledger.call('add', 1)
    const third = ledger.call('add', 1)
    expect(await isPending(second)).toBe(true)
    release()
    expect(await Promise.all([second, third])).toEqual([2, 3])
  })

  test('whose commit fails are forgotten with all that follow, and the next call sees the truth', async () => {
    const store = memory()
    const runtime = await openHost({ store })
    const ledger = await runtime.getActor('a', 'Ledger')
    await ledger.call('add', 1)
    const release = store.holdCommits()
    store.failNextAppend()
    const calls = [ledger.call('add', 10), ledger.call('add', 100)].map(errorOf)
    release()
    for (const error of await Promise.all(calls)) expect(error.code).toBe('ERR_COMMIT')
    expect(await ledger.call('add', 1)).toBe(2)
  })

  test('survive a crash exactly, with what the host told them', async () => {
    const store = memory()
    const first = await openHost({ store, limits: { snapshotIntervalTurns: 3 } })
    const before = await first.getActor('a', 'Ledger')
    const lines: unknown[] = []
    for (let turn = 0; turn < 8; turn++) lines.push(await before.call('stamp'))
    const { stateHash } = await first.describeActor('a', 'Ledger')
    store.crash()
    const second = await openHost({ store, clock: new VirtualClock(5) })
    const after = await second.getActor('a', 'Ledger')
    expect((await second.describeActor('a', 'Ledger')).stateHash).toBe(stateHash)
    expect(await after.call('lines')).toEqual(lines)
  })
})

describe('idempotency keys', () => {
  test('give the first result again, also after a restart, and run nothing', async () => {
    const store = memory()
    const first = await openHost({ store })
    const call = { method: 'add', args: [5], idempotencyKey: 'k1' }
    const ledger = await first.getActor('a', 'Ledger')
    expect(await ledger.execute(call)).toBe(5)
    expect(await ledger.execute(call)).toBe(5)
    store.crash()
    const second = await openHost({ store })
    expect(await (await second.getActor('a', 'Ledger')).execute(call)).toBe(5)
    expect(await (await second.getActor('a', 'Ledger')).call('total')).toBe(5)
  })

  test('join concurrent duplicates to the first', async () => {
    const runtime = await openHost()
    const ledger = await runtime.getActor('a', 'Ledger')
    const call = { method: 'add', args: [5], idempotencyKey: 'k1' }
    const results = await Promise.all(Array.from({ length: 20 }, () => ledger.execute(call)))
    expect(new Set(results)).toEqual(new Set([5]))
    expect(await ledger.call('total')).toBe(5)
  })

  test('give a failed turn its error again', async () => {
    const runtime = await openHost()
    const ledger = await runtime.getActor('a', 'Ledger')
    const call = { method: 'addAndFail', args: [5], idempotencyKey: 'k1' }
    const [first, second] = [
      await errorOf(ledger.execute(call)),
      await errorOf(ledger.execute(call)),
    ]
    expect(second).toMatchObject({ code: first.code, message: first.message })
  })

  test('of another call are refused, running or done', async () => {
    const runtime = await openHost()
    const ledger = await runtime.getActor('a', 'Ledger')
    const running = ledger.execute({ method: 'add', args: [5], idempotencyKey: 'k1' })
    const other = { method: 'add', args: [6], idempotencyKey: 'k1' }
    expect((await errorOf(ledger.execute(other))).code).toBe('ERR_IDEMPOTENCY_MISMATCH')
    await running
    expect((await errorOf(ledger.execute(other))).code).toBe('ERR_IDEMPOTENCY_MISMATCH')
    expect(await ledger.call('total')).toBe(5)
  })
})

describe('bad input', () => {
  test('is refused with a code that names it, and creates no actor', async () => {
    const runtime = await openHost()
    const ledger = await runtime.getActor('a', 'Ledger')
    expect(await errorOf(ledger.call('nope'))).toMatchObject({
      code: 'ERR_METHOD_UNKNOWN',
      message: expect.stringContaining('"nope"'),
    })
    expect((await errorOf(ledger.call('_hidden'))).code).toBe('ERR_METHOD_UNKNOWN')
    expect((await errorOf(ledger.call('constructor'))).code).toBe('ERR_METHOD_UNKNOWN')
    expect((await errorOf(ledger.call('add', () => 1))).code).toBe('ERR_ARGUMENT_TYPE')
    expect((await errorOf(runtime.getActor('a', 'Nope'))).code).toBe('ERR_TYPE_UNKNOWN')
    expect((await errorOf(runtime.getActor('a', '../x'))).code).toBe('ERR_NAME')
    expect((await errorOf(runtime.getActor('a\n', 'Ledger'))).code).toBe('ERR_NAME')
    expect((await errorOf(runtime.describeActor('a', 'Ledger'))).code).toBe('ERR_ACTOR_UNKNOWN')
    const actors: unknown[] = []
    for await (const actor of runtime.actors()) actors.push(actor)
    expect(actors).toEqual([])
  })

  test('beyond a full mailbox gets ERR_BUSY, and the waiting calls are served', async () => {
    const runtime = await openHost({ limits: { mailboxCountMax: 2 } })
    const ledger = await runtime.getActor('a', 'Ledger')
    Ledger.waits = []
    const running = ledger.call('addSlowly', 1)
    const waiting = [ledger.call('add', 1), ledger.call('add', 1)]
    expect((await errorOf(ledger.call('add', 1))).code).toBe('ERR_BUSY')
    Ledger.waits.shift()?.()
    expect(await Promise.all([running, ...waiting])).toEqual([1, 2, 3])
  })
})

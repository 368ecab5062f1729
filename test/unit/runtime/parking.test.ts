// Aim: a turn that is parked keeps every promise of one that is unwound, gives its memory up in time, and what was
// given up is never gone on with. Method: the waiter, whose answers the test gives; each method is called once
// first, because only methods that have waited before are parked. Without JSPI all turns are unwound, and what
// callers see must be the same.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { describe, expect, test } from 'vitest'
import { ParkedTurns } from '../../../host/actor/turn/parked-turns.ts'
import { hasParking } from '../../../host/component/instance/parking.ts'
import { createRuntime, fsBlobs, memory, VirtualClock } from '../../../host/index.ts'
import { errorOf, isPending, temporaryFolder } from '../../support/host.ts'
import {
  countInstances,
  openWaiter,
  type WaiterOptions,
  waiterJournal,
} from '../../support/waiter.ts'

async function macrotasks(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000 && !condition(); turn++) await macrotasks(1)
  expect(condition()).toBe(true)
}

/** A waiter that has waited once; from then on the test answers. */
async function openWarm(options: WaiterOptions = {}) {
  const answers: { answer: (text: string) => void; refuse: (error: Error) => void }[] = []
  let isWarm = false
  const ask = async (key: string): Promise<string> => {
    if (!isWarm) return key
    return await new Promise((resolve, reject) => answers.push({ answer: resolve, refuse: reject }))
  }
  const folder = temporaryFolder()
  const host = await openWaiter(folder, { ask, ...options })
  const actor = await host.runtime.getActor('w', 'Waiter')
  await actor.call('many', 'warm', 1)
  isWarm = true
  return { ...host, folder, actor, answers }
}

const asked = { method: 'many', args: ['x', 1], idempotencyKey: 'k' }

describe('a turn that is parked', () => {
  test('asks only when its open entry is durable', async () => {
    const { store, actor, answers } = await openWarm()
    const release = store.holdCommits()
    const call = actor.call('many', 'x', 1)
    expect(await isPending(call)).toBe(true)
    expect(answers).toHaveLength(0)
    release()
    await until(() => answers.length === 1)
    answers[0]?.answer('12')
    expect(await call).toBe(9)
  })

  test('takes no new instance, and holds back what is called meanwhile', async () => {
    const { runtime, actor, answers } = await openWarm()
    const instances = await countInstances(async () => {
      const call = actor.call('many', 'x', 2)
      const later = actor.call('sum')
      const state = runtime.describeActor('w', 'Waiter')
      await until(() => answers.length === 1)
      expect(await isPending(Promise.race([later, state]))).toBe(true)
      answers[0]?.answer('1')
      await until(() => answers.length === 2)
      answers[1]?.answer('1')
      expect(await call).toBe(await later)
      await state
    })
    expect(instances).toBe(hasParking() ? 0 : 2)
  })

  test('is unwound when it waits for long, and goes on as if nothing had been', async () => {
    const { runtime, store, clock, actor, answers } = await openWarm()
    const call = actor.execute(asked)
    await until(() => answers.length === 1)
    clock.advance(1_000)
    clock.advance(1_000)
    await macrotasks(2)
    const instances = await countInstances(async () => {
      answers[0]?.answer('abc')
      expect(await call).toBe(10)
    })
    expect(instances).toBe(1)
    expect(answers).toHaveLength(1)
    expect(await waiterJournal(store)).toHaveLength(5)
    expect(await runtime.describeActor('w', 'Waiter')).toMatchObject({ seqNext: 5 })
  })

  test('is one of a limited number; others are unwound', async () => {
    const { runtime, answers, actor } = await openWarm({ limits: { parkedCountMax: 1 } })
    const other = await runtime.getActor('other', 'Waiter')
    await other.call('sum')
    const instances = await countInstances(async () => {
      const calls = [actor.call('many', 'x', 1), other.call('many', 'x', 1)]
      await until(() => answers.length === 2)
      for (const { answer } of answers) answer('12')
      expect(await Promise.all(calls)).toEqual([9, 5])
    })
    expect(instances).toBe(hasParking() ? 1 : 2)
  })

  test('has not happened when its wait fails, and the actor goes on', async () => {
    const { actor, answers } = await openWarm()
    const before = await actor.call('sum')
    const call = actor.call('many', 'x', 2)
    await until(() => answers.length === 1)
    answers[0]?.answer('1234')
    await until(() => answers.length === 2)
    answers[1]?.refuse(new Error('nobody knows'))
    expect(await errorOf(call)).toMatchObject({
      code: 'ERR_HOST_CALL',
      message: expect.stringContaining('nobody knows'),
    })
    expect(await actor.call('sum')).toBe(before)
  })

  test('is cut off by a shutdown, and the next host runs it to its end', async () => {
    const { runtime, store, clock, folder, actor, answers } = await openWarm()
    const call = errorOf(actor.execute(asked))
    await until(() => answers.length === 1)
    const closed = runtime.close()
    await macrotasks(2)
    clock.advance(5_000)
    await closed
    expect(await call).toMatchObject({ code: 'ERR_CLOSING' })
    const journal = await waiterJournal(store)
    answers[0]?.answer('too late')
    await macrotasks(5)
    expect(await waiterJournal(store)).toEqual(journal)
    const next = await openWaiter(folder, { store, ask: async () => 'in time' })
    expect(await (await next.runtime.getActor('w', 'Waiter')).execute(asked)).toBe(13)
  })

  test('breaks with its actor when a commit fails, and its answer changes nothing', async () => {
    const { store, actor, answers, runtime } = await openWarm()
    const call = errorOf(actor.call('many', 'x', 2))
    await until(() => answers.length === 1)
    store.failNextAppend()
    answers[0]?.answer('1')
    expect(await call).toMatchObject({ code: 'ERR_COMMIT' })
    await macrotasks(5)
    expect(answers).toHaveLength(1)
    // The next activation goes on with the open turn, and asks again for what was not journaled.
    const again = (await runtime.getActor('w', 'Waiter')).call('sum')
    for (let index = 1; index <= 2; index++) {
      await until(() => answers.length > index)
      answers[index]?.answer('1')
    }
    expect(await again).toBeGreaterThan(0)
  })
})

test('the option `awaiting` is checked', async () => {
  const options = {
    store: memory(),
    blobs: fsBlobs(temporaryFolder()),
    awaiting: 'never' as 'auto',
  }
  expect(await errorOf(createRuntime(options))).toMatchObject({ code: 'ERR_OPTION' })
})

test('parked turns are given up between one and two timeouts, and counted', () => {
  const clock = new VirtualClock()
  const parked = new ParkedTurns({ clock, countMax: 2, timeoutMs: 100 })
  const dropped: string[] = []
  const drop = (name: string) => {
    const action = (): void => {
      parked.leave(action)
      dropped.push(name)
    }
    return action
  }
  const [first, second, third] = [drop('first'), drop('second'), drop('third')]
  expect(parked.enter(first)).toBe(true)
  clock.advance(60)
  expect(parked.enter(second)).toBe(true)
  expect(parked.enter(third)).toBe(false)
  parked.leave(second)
  expect(parked.enter(third)).toBe(true)
  clock.advance(139)
  expect(dropped).toEqual([])
  clock.advance(1)
  expect(dropped).toEqual(['first', 'third'])
  expect(parked.count).toBe(0)
})

test.runIf(hasParking())('what is given up while it is parked frees its memory', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { runtime, clock, answers } = await openWarm()
  const count = 50
  let freed = 0
  const registry = new FinalizationRegistry(() => {
    freed++
  })
  const { Instance } = WebAssembly
  class Watched extends Instance {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports)
      const { memory: created } = this.exports
      if (created !== undefined) registry.register(created, null)
    }
  }
  WebAssembly.Instance = Watched
  try {
    for (let index = 0; index < count; index++)
      (await runtime.getActor(`a${index}`, 'Waiter')).call('many', 'x', 1).catch(() => {})
    await until(() => answers.length === count)
  } finally {
    WebAssembly.Instance = Instance
  }
  const sweep = async (): Promise<void> => {
    for (let round = 0; round < 10; round++) {
      collect()
      await macrotasks(5)
    }
  }
  await sweep()
  expect(freed).toBe(0)
  clock.advance(2_000)
  await sweep()
  expect(freed).toBeGreaterThan(count - 5)
})

test('a component that waits while it is instantiated is refused in both ways', async () => {
  const component = await parse(`(component
    (import "test:waiter/host" (instance $h (export "tick" (func (result u32)))))
    (core func $tick (canon lower (func $h "tick")))
    (core module $m (import "" "tick" (func $tick (result i32))) (global $n (mut i32) (i32.const 0))
      (func $start (global.set $n (call $tick))) (start $start)
      (func (export "get") (result i32) (global.get $n)))
    (core instance $i (instantiate $m (with "" (instance (export "tick" (func $tick))))))
    (func (export "get") (result u32) (canon lift (core func $i "get"))))`)
  for (const awaiting of ['auto', 'unwind'] as const) {
    const runtime = await createRuntime({
      store: memory(),
      blobs: fsBlobs(temporaryFolder()),
      awaiting,
    })
    runtime.provide('test:waiter/host', { tick: async () => 1 })
    await runtime.registerActorType('Early', { type: 'wasm', component })
    const call = (await runtime.getActor('e', 'Early')).call('get')
    expect(await errorOf(call)).toMatchObject({
      code: 'ERR_HOST_CALL',
      message: expect.stringContaining('not possible while a component is instantiated'),
    })
    await runtime.close()
  }
})

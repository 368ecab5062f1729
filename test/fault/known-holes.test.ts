// Aim: the faults that earlier frameworks of this kind had are none of ours. Method: each one's shortest scenario.
//
// What other tests show is listed in shown-elsewhere.ts, and that they exist is checked here.
// Not here yet, so neither are their faults: queues, pipelines, compensation, secrets, authorization.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  Actor,
  fsBlobs,
  LoomError,
  memory,
  openInspector,
  type StoreDriver,
  VirtualClock,
} from '../../host/index.ts'
import type { ActorLog, Store } from '../../host/store/store.ts'
import { openComponentHost } from '../support/components.ts'
import { errorOf, macrotasks, openHost, temporaryFolder } from '../support/host.ts'
import { Ledger } from '../support/ledger-actor.ts'
import { RECOVERY_ROWS, SHOWN_ELSEWHERE } from './shown-elsewhere.ts'

const types = { Ledger: { type: 'typescript', actorClass: Ledger } } as const

/** Asks the world twice, and changes its state before, between and after. */
class Asker extends Actor<{ steps: readonly string[] }> {
  static readonly initialState = { steps: [] }

  async ask(what: string): Promise<readonly string[]> {
    const step = (text: string): void =>
      this.updateState(({ steps }) => ({ steps: [...steps, `${what} ${text}`] }))
    step('begins')
    step(`${await this.context.call({ type: 'Ledger', id: 'asked' }, 'add', 1)}`)
    step(`${await this.context.call({ type: 'Ledger', id: 'asked' }, 'add', 1)}`)
    step(`${this.context.random()}`)
    return this.state.steps
  }
}

describe('a fault of earlier frameworks that is none of ours:', () => {
  test('concurrent first calls make two actors', async () => {
    const runtime = await openHost()
    const handles = await Promise.all([1, 2, 3].map(() => runtime.getActor('a', 'Ledger')))
    expect(new Set(handles).size).toBe(1)
    const sums = await Promise.all(handles.map((handle) => handle.call('add', 1)))
    expect(sums).toEqual([1, 2, 3])
  })

  test("calls that wait lose each other's updates", async () => {
    const runtime = await openHost()
    const ledger = await runtime.getActor('a', 'Ledger')
    const calls = Promise.all(Array.from({ length: 20 }, () => ledger.call('addSlowly', 1)))
    let isDone = false
    const done = calls.then(() => {
      isDone = true
    })
    while (!isDone) {
      for (const release of Ledger.waits.splice(0)) release()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await done
    expect(await ledger.call('total')).toBe(20)
  })

  test('a clean restart goes back to an older snapshot', async () => {
    const store = memory()
    const options = { store, limits: { snapshotIntervalTurns: 100 } }
    const first = await openHost(options)
    for (let turn = 0; turn < 150; turn++)
      await (await first.getActor('a', 'Ledger')).call('add', 1)
    await first.close()
    const second = await openHost(options)
    expect(await (await second.getActor('a', 'Ledger')).call('total')).toBe(150)
  })

  test('replay applies what it finds twice, or the second answer of the world is refused', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const definition = { type: 'typescript', actorClass: Asker } as const
    const steps: unknown[] = []
    for (const what of ['one', 'two']) {
      const runtime = await openHost({ store, blobs })
      await runtime.registerActorType('Asker', definition)
      const asker = await runtime.getActor('a', 'Asker')
      steps.push(await asker.call('ask', what))
      const { stateHash } = await runtime.describeActor('a', 'Asker')
      const inspector = await openInspector({
        store,
        blobs,
        types: { ...types, Asker: definition },
      })
      const report = await inspector.replay({ type: 'Asker', id: 'a' })
      expect(report.stateHash).toBe(stateHash)
      expect(await (await runtime.getActor('asked', 'Ledger')).call('total')).toBe(steps.length * 2)
      store.crash()
    }
    expect(steps[1]).toHaveLength(8)
    expect((steps[1] as string[]).slice(0, 4)).toEqual(steps[0])
  })

  test('a store that does not write is not noticed, and good state is overwritten', async () => {
    const store = memory()
    const runtime = await openHost({ store })
    const ledger = await runtime.getActor('a', 'Ledger')
    await ledger.call('add', 1)
    store.failNextAppend()
    expect(await errorOf(ledger.call('add', 10))).toMatchObject({ code: 'ERR_COMMIT' })
    expect(await ledger.call('add', 100)).toBe(101)
  })

  test('one key is run for each delivery', async () => {
    const runtime = await openHost()
    const message = {
      actorId: 'a',
      actorType: 'Ledger',
      payload: { method: 'add', args: [5] },
      idempotencyKey: 'order-17',
    }
    expect(await runtime.routeMessage(message)).toBe(5)
    const two = [runtime.routeMessage(message), runtime.routeMessage(message)]
    expect(await Promise.all(two)).toEqual([5, 5])
    expect(await (await runtime.getActor('a', 'Ledger')).call('total')).toBe(5)
  })

  test('the journal grows with the state: every entry holds all of it', async () => {
    const store = memory()
    const runtime = await openHost({ store })
    const ledger = await runtime.getActor('a', 'Ledger')
    for (let turn = 0; turn < 200; turn++) await ledger.call('stamp')
    const reader = await store.open({ readOnly: true, wallMs: () => 0 })
    const log = await reader.openLog({ type: 'Ledger', id: 'a' })
    const rows = await log.read(1, 200)
    const [first, last] = [rows[0]?.bytes.length ?? 0, rows.at(-1)?.bytes.length ?? 0]
    expect(last).toBeLessThan(first * 1.5)
  })

  test('linear memory is no state: another host begins again', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const first = await openComponentHost({ store, blobs })
    for (let turn = 1; turn <= 7; turn++)
      await (await first.getActor('c', 'Counter')).call('increment', 1)
    await first.close()
    const second = await openComponentHost({ store, blobs })
    expect(await (await second.getActor('c', 'Counter')).call('increment', 1)).toBe(8n)
  })

  test('a trap leaves a half-changed memory behind', async () => {
    const runtime = await openComponentHost()
    const faulty = await runtime.getActor('f', 'Faulty')
    await faulty.call('add', 1)
    const before = await faulty.call('state')
    const error = await errorOf(faulty.call('add-then-unreachable', 5))
    expect(error).toMatchObject({ code: 'ERR_TRAP' })
    expect(await faulty.call('state')).toEqual(before)
  })

  test('an actor that cannot be written at its eviction is stuck for ever', async () => {
    const store = memory()
    const failing = driverWith(store, (log) => ({
      writeSnapshot: () => Promise.reject(new LoomError('ERR_STORE', `EIO: ${log.key.id}`)),
    }))
    const lines: string[] = []
    const log = ({ message }: { message: string }) => lines.push(message)
    const runtime = await openHost({ store: failing, log })
    const ledger = await runtime.getActor('a', 'Ledger')
    await ledger.call('add', 1)
    expect(await runtime.deactivate('a', 'Ledger')).toBe(true)
    expect(lines.join()).toContain('EIO: a')
    expect(await (await runtime.getActor('a', 'Ledger')).call('add', 10)).toBe(11)
    expect(await (await runtime.getActor('b', 'Ledger')).call('add', 1)).toBe(1)
  })

  test('a call of an unknown type locks the actor', async () => {
    const runtime = await openHost()
    const call = async () => (await runtime.getActor('a', 'Later')).call('add', 1)
    expect(await errorOf(call())).toMatchObject({ code: 'ERR_TYPE_UNKNOWN' })
    await runtime.registerActorType('Later', types.Ledger)
    expect(await call()).toBe(1)
  })

  test('a store that cannot be read passes for an empty one: the actor starts afresh', async () => {
    const store = memory()
    const first = await openHost({ store })
    await (await first.getActor('a', 'Ledger')).call('add', 5)
    store.crash()
    let isReadable = false
    const failing = driverWith(store, (log) => ({
      read: (from, count) =>
        isReadable
          ? log.read(from, count)
          : Promise.reject(new LoomError('ERR_STORE', 'EIO: i/o error')),
    }))
    const runtime = await openHost({ store: failing })
    const call = async () => (await runtime.getActor('a', 'Ledger')).call('add', 1)
    expect(await errorOf(call())).toMatchObject({ code: 'ERR_STORE' })
    isReadable = true
    expect(await call()).toBe(6)
  })

  test('an interval of zero means the default', async () => {
    const error = await errorOf(openHost({ limits: { snapshotIntervalTurns: 0 } }))
    expect(error).toMatchObject({ code: 'ERR_OPTION' })
    expect(error.message).toContain('limits.snapshotIntervalTurns')
  })

  test('the time of creation is set anew by whoever writes', async () => {
    const [store, clock] = [memory(), new VirtualClock()]
    const times = new Set<number>()
    for (let host = 0; host < 3; host++) {
      const runtime = await openHost({ store, clock })
      await (await runtime.getActor('a', 'Ledger')).call('add', 1)
      times.add((await runtime.describeActor('a', 'Ledger')).createdAtMs)
      await runtime.close()
      clock.advance(60_000)
    }
    expect(times.size).toBe(1)
  })

  test('a host without work asks its store all the time', async () => {
    let asked = 0
    const counting = driverWith(
      memory(),
      () => ({}),
      () => asked++,
    )
    const runtime = await openHost({ store: counting, clock: new VirtualClock() })
    await (await runtime.getActor('a', 'Ledger')).call('add', 1)
    await macrotasks(50)
    asked = 0
    await macrotasks(500)
    expect(asked).toBe(0)
  })

  test('each call leaves a timer behind', async () => {
    const clock = new CountingClock()
    const runtime = await openHost({ clock })
    const ledger = await runtime.getActor('a', 'Ledger')
    await ledger.execute({ method: 'add', args: [1], timeoutMs: 30_000 })
    await macrotasks(20)
    const before = clock.waiting.size
    for (let call = 0; call < 200; call++)
      await ledger.execute({ method: 'add', args: [1], timeoutMs: 30_000 })
    await macrotasks(20)
    expect(clock.waiting.size).toBeLessThanOrEqual(before)
  })
})

describe('a fault of earlier frameworks is shown elsewhere to be none of ours:', () => {
  test.each(SHOWN_ELSEWHERE)('%s', (_, file, title) => {
    expect(readFileSync(`test/${file}`, 'utf8').includes(title), `${file}: ${title}`).toBe(true)
  })
})

describe('the table of recovery', () => {
  const source = readFileSync('host/actor/journal/recovery.ts', 'utf8')
  const rows = [...source.matchAll(/^ \* {3}(\S.*?) +\| (.*?) +\| /gm)].map(
    ([, snapshot, suffix]) => `${snapshot} | ${suffix}`,
  )

  test('has no row that is not listed with its test', () => {
    expect(rows.slice(1)).toEqual(Object.keys(RECOVERY_ROWS))
  })

  test.each(Object.entries(RECOVERY_ROWS))('is tested: %s', (_, [file, title]) => {
    expect(readFileSync(`test/${file}`, 'utf8').includes(title), `${file}: ${title}`).toBe(true)
  })
})

/** A clock that knows who waits. */
class CountingClock extends VirtualClock {
  readonly waiting = new Set<object>()

  override after(delayMs: number, task: () => void) {
    const timer = super.after(delayMs, () => {
      this.waiting.delete(timer)
      task()
    })
    this.waiting.add(timer)
    return {
      cancel: () => {
        this.waiting.delete(timer)
        timer.cancel()
      },
    }
  }
}

/** A driver some of whose logs' methods are others; `asked` is told of every use of the store. */
function driverWith(
  inner: StoreDriver,
  change: (log: ActorLog) => Partial<ActorLog>,
  asked: () => void = () => {},
): StoreDriver {
  const wrap = <T extends object>(target: T, changes: Partial<T>): T =>
    new Proxy(target, {
      get: (_, property) => {
        asked()
        const value = (changes[property as keyof T] ?? Reflect.get(target, property)) as unknown
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  return {
    name: 'changed',
    open: async (options) => {
      const store = await inner.open(options)
      const openLog: Store['openLog'] = async (key) => {
        const log = await store.openLog(key)
        return wrap(log, change(log))
      }
      return wrap(store, { openLog })
    },
  }
}

// Aim: every tick of a reminder happens once and at its time, whatever happens to clocks and hosts.
// Method: a virtual clock; hosts are crashed at every commit in turn and restarted, on the memory store and on
// LMDB; journals are replayed from their first entry at the end.
import { beforeEach, describe, expect, test } from 'vitest'
import {
  fsBlobs,
  lmdb,
  memory,
  openInspector,
  type Runtime,
  type RuntimeOptions,
  type StoreDriver,
  VirtualClock,
} from '../../../host/index.ts'
import { errorOf, openHost, temporaryFolder } from '../../support/host.ts'
import { Deaf, Ticking } from '../../support/ticking-actor.ts'
import { deafComponent, tickingComponent } from '../../support/ticking-component.ts'

beforeEach(() => {
  Ticking.failures = 0
  Ticking.waits = null
  Ticking.ran = 0
})

async function openTicking(options: Partial<RuntimeOptions>): Promise<Runtime> {
  const runtime = await openHost(options)
  await runtime.registerActorType('Ticking', { type: 'typescript', actorClass: Ticking })
  await runtime.registerActorType('Deaf', { type: 'typescript', actorClass: Deaf })
  await settle()
  return runtime
}

async function settle(turns = 40): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
}

async function call(runtime: Runtime, method: string, ...args: unknown[]): Promise<unknown> {
  const actor = await runtime.getActor('a', 'Ticking')
  return await actor.call(method, ...args)
}

/** Lets time pass in steps, so that each tick runs at its time. */
async function pass(clock: VirtualClock, ms: number, stepMs = ms): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) {
    clock.advance(Math.min(stepMs, left))
    await settle()
  }
}

async function replayAll(store: StoreDriver): Promise<void> {
  const types = {
    Ticking: { type: 'typescript', actorClass: Ticking },
    Deaf: { type: 'typescript', actorClass: Deaf },
  } as const
  const inspector = await openInspector({ store, blobs: fsBlobs(temporaryFolder()), types })
  for await (const { type, id } of inspector.actors()) await inspector.replay({ type, id })
  await inspector.close()
}

describe('a reminder', () => {
  test('ticks once at its time, with its data', async () => {
    const [store, clock] = [memory(), new VirtualClock()]
    const runtime = await openTicking({ store, clock })
    await call(runtime, 'remind', 'r', { due: '1m', data: 7 })
    await pass(clock, 59_999)
    expect(await call(runtime, 'ticks')).toEqual([])
    await pass(clock, 1)
    expect(await call(runtime, 'ticks')).toEqual(['r:7'])
    expect(await call(runtime, 'reminders')).toEqual([])
    await pass(clock, 3_600_000, 60_000)
    expect(await call(runtime, 'ticks')).toEqual(['r:7'])
    await runtime.close()
    await replayAll(store)
  })

  test('ticks in its period until its repetitions are used up', async () => {
    const clock = new VirtualClock()
    const runtime = await openTicking({ clock })
    await call(runtime, 'remind', 'r', { period: 'R3/PT1M' })
    await settle()
    for (const count of [1, 2, 3, 3, 3]) {
      expect(await call(runtime, 'ticks')).toHaveLength(count)
      await pass(clock, 60_000)
    }
  })

  test('of a turn that fails, or that is cancelled, does not tick; one of the same name replaces it', async () => {
    const clock = new VirtualClock()
    const runtime = await openTicking({ clock })
    await errorOf(call(runtime, 'remindAndFail', 'failed'))
    await call(runtime, 'remind', 'cancelled', { due: '1s' })
    await call(runtime, 'forget', 'cancelled')
    await call(runtime, 'remind', 'r', { due: '1s', data: 'old' })
    await call(runtime, 'remind', 'r', { due: '2s', data: 'new' })
    await pass(clock, 10_000, 1_000)
    expect(await call(runtime, 'ticks')).toEqual(['r:new'])
  })

  test('may be set anew or cancelled by its own tick', async () => {
    const clock = new VirtualClock()
    const runtime = await openTicking({ clock })
    await call(runtime, 'remind', 'a', { period: '10m', data: 'again' })
    await call(runtime, 'remind', 's', { period: '1m', data: 'stop' })
    await pass(clock, 3_600_000, 60_000)
    expect(await call(runtime, 'ticks')).toEqual(['a:again', 's:stop', 'a:last'])
    expect(await call(runtime, 'reminders')).toEqual([])
  })

  test('is not run after a turn in the mailbox has cancelled it', async () => {
    const clock = new VirtualClock()
    const runtime = await openTicking({ clock })
    await call(runtime, 'remind', 'slow', { due: '1s' })
    await call(runtime, 'remind', 'gone', { due: '2s' })
    Ticking.waits = []
    await pass(clock, 1_000)
    const cancelled = call(runtime, 'forget', 'gone')
    await pass(clock, 1_000)
    for (const release of Ticking.waits.splice(0)) release()
    Ticking.waits = null
    await cancelled
    await settle()
    expect(await call(runtime, 'ticks')).toEqual(['slow'])
  })

  test('is listed with its schedule', async () => {
    const clock = new VirtualClock()
    const runtime = await openTicking({ clock })
    await call(runtime, 'remind', 'b', {
      due: '1m',
      period: '2m',
      ttl: '1h',
      missed: 'all',
      data: [1],
    })
    await call(runtime, 'remind', 'a', { due: '1s' })
    const b = { due: '1m', period: '2m', ttl: '1h', missed: 'all', data: [1] }
    const listed = [
      { name: 'a', dueAtMs: clock.wallMs() + 1_000, due: '1s', missed: 'once' },
      { name: 'b', dueAtMs: clock.wallMs() + 60_000, ...b },
    ]
    expect(await call(runtime, 'reminders')).toEqual(listed)
    expect(await runtime.reminders('a', 'Ticking')).toEqual(listed)
  })

  test('is refused at once when it is malformed, or when no method takes its ticks', async () => {
    const runtime = await openTicking({})
    expect(await errorOf(call(runtime, 'remind', 'r', { due: 'soon' }))).toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringMatching(/due "soon": expected a time/),
    })
    expect(await errorOf(call(runtime, 'remind', '', {}))).toMatchObject({ code: 'ERR_NAME' })
    const deaf = await runtime.getActor('d', 'Deaf')
    for (const method of ['remind', 'time'])
      expect(await errorOf(deaf.call(method))).toMatchObject({
        code: 'ERR_METHOD_UNKNOWN',
        message: expect.stringMatching(/receive(Reminder|Timer)\(name, data\)/),
      })
    expect(await errorOf(deaf.reminders.set('r'))).toMatchObject({ code: 'ERR_METHOD_UNKNOWN' })
  })
})

describe('from outside', () => {
  test('a reminder is set, listed and cancelled by turns', async () => {
    const [store, clock] = [memory(), new VirtualClock()]
    const runtime = await openTicking({ store, clock })
    const actor = await runtime.getActor('a', 'Ticking')
    await actor.reminders.set('r', { due: '1m', period: '1m', data: { x: 1n } })
    expect(await actor.reminders.list()).toMatchObject([{ name: 'r', data: { x: 1n } }])
    expect(await errorOf(actor.reminders.set('r', { overwrite: false }))).toMatchObject({
      code: 'ERR_ACTOR_REMINDER_ALREADY_EXISTS',
    })
    expect(
      await errorOf(actor.reminders.set('o', { due: '1h', ttl: '2001-01-01T00:00:00Z' })),
    ).toMatchObject({ code: 'ERR_OPTION' })
    await pass(clock, 60_000)
    expect(await actor.call('ticks')).toEqual(['r:[object Object]'])
    await actor.reminders.cancel('r')
    await pass(clock, 600_000, 60_000)
    expect(await actor.call('ticks')).toHaveLength(1)
    await actor.timers.set('t', { due: '1s' })
    await pass(clock, 1_000)
    expect(await actor.call('ticks')).toEqual(['r:[object Object]', 't'])
    expect(await errorOf(actor.call('@loom/set-reminder', 'r', {}, 0))).toMatchObject({
      code: 'ERR_METHOD_UNKNOWN',
    })
    await runtime.close()
    await replayAll(store)
  })

  test('a failed turn before leaves no trace in a state that the host itself touches', async () => {
    const store = memory()
    const runtime = await openTicking({ store })
    const actor = await runtime.getActor('a', 'Ticking')
    Ticking.failures = 1
    await errorOf(actor.call('receiveReminder', 'x', 'y'))
    await actor.reminders.set('r', { due: '1h' })
    expect(await actor.call('ticks')).toEqual([])
    await runtime.close()
    await replayAll(store)
  })
})

describe('a tick that fails', () => {
  test('is run again three times, a second apart, and then given up', async () => {
    const [store, clock, lines] = [memory(), new VirtualClock(), [] as string[]]
    const log = ({ message }: { message: string }): void => void lines.push(message)
    const runtime = await openTicking({ store, clock, log })
    await call(runtime, 'remind', 'r', { due: '1m', period: '1m' })
    Ticking.failures = 4
    await pass(clock, 60_000)
    for (const ran of [1, 2, 3, 4, 4]) {
      expect(Ticking.ran).toBe(ran)
      await pass(clock, 1_000)
    }
    expect(lines.filter((line) => /reminder "r": ERR_ACTOR_FAILED/.test(line))).toHaveLength(4)
    expect(await call(runtime, 'ticks')).toEqual([])
    await pass(clock, 60_000)
    expect(await call(runtime, 'ticks')).toEqual(['r'])
    await runtime.close()
    await replayAll(store)
  })

  test('counts its attempts over a restart', async () => {
    const [store, clock] = [memory(), new VirtualClock()]
    const first = await openTicking({ store, clock })
    await call(first, 'remind', 'r', { due: '1m' })
    Ticking.failures = 100
    await pass(clock, 61_000, 1_000)
    const before = Ticking.ran
    expect(before).toBe(2)
    store.crash()
    await openTicking({ store, clock })
    await pass(clock, 20_000, 1_000)
    expect(Ticking.ran).toBe(4)
  })
})

describe('ticks that were missed', () => {
  const downFor = async (missed: string, ms: number, period: string): Promise<unknown> => {
    const [store, clock] = [memory(), new VirtualClock()]
    const first = await openTicking({ store, clock })
    await call(first, 'remind', 'r', { due: '1m', period, missed })
    await first.close()
    clock.advance(ms)
    const second = await openTicking({ store, clock })
    await settle(200)
    const ticks = (await call(second, 'ticks')) as string[]
    await pass(clock, 60_000)
    const later = (await call(second, 'ticks')) as string[]
    await second.close()
    await replayAll(store)
    return [ticks.length, later.length]
  }

  test('are run once for all, each, or not at all', async () => {
    const tenAndAHalf = 10 * 60_000 + 30_000
    expect(await downFor('once', tenAndAHalf, '1m')).toEqual([1, 2])
    expect(await downFor('all', tenAndAHalf, '1m')).toEqual([10, 11])
    // The last one is half a minute late: not missed.
    expect(await downFor('skip', tenAndAHalf, '1m')).toEqual([1, 2])
    expect(await downFor('skip', 3_600_000, '1h')).toEqual([0, 1])
    expect(await downFor('skip', 3_600_000, 'R1/1h')).toEqual([0, 0])
    expect(await downFor('once', 3_600_000, 'R5/1m')).toEqual([1, 1])
    expect(await downFor('all', 3_600_000, 'R5/1m')).toEqual([5, 5])
  })
})

describe('a wall clock', () => {
  test('that jumps ahead and back neither loses nor doubles a tick', async () => {
    const clock = new VirtualClock()
    const runtime = await openTicking({ clock })
    await call(runtime, 'remind', 'r', { due: '1h', period: '1h', missed: 'all' })
    clock.jump(2 * 3_600_000)
    await pass(clock, 10_000)
    expect(await call(runtime, 'ticks')).toHaveLength(2)
    clock.jump(-2 * 3_600_000)
    await pass(clock, 10_000)
    await pass(clock, 2 * 3_600_000 - 30_000, 600_000)
    expect(await call(runtime, 'ticks')).toHaveLength(2)
    await pass(clock, 3_600_000 + 30_000, 600_000)
    expect(await call(runtime, 'ticks')).toHaveLength(3)
  })
})

describe('a crash', () => {
  const drivers = [
    ['at any commit, on the memory store', null],
    ['between ticks, on LMDB', (): StoreDriver => lmdb(temporaryFolder())],
  ] as const

  test(drivers[0][0], async () => {
    for (const data of ['plain', 'ask'])
      for (let crashAt = 1; crashAt <= 12; crashAt++) {
        const [store, clock] = [memory(), new VirtualClock()]
        const first = await openTicking({ store, clock })
        const other = await first.getActor('other', 'Ticking')
        await other.call('ticks')
        await call(first, 'remind', 'r', { due: '1m', period: 'R5/PT1M', missed: 'all', data })
        store.crashAfter(crashAt)
        await pass(clock, 300_000, 60_000)
        store.crash()
        const second = await openTicking({ store, clock })
        await settle(200)
        const where = `${data}, crashed at commit ${crashAt}`
        expect(await call(second, 'ticks'), where).toEqual(Array(5).fill(`r:${data}`))
        expect(await call(second, 'reminders'), where).toEqual([])
        await second.close()
        await replayAll(store)
      }
  })

  test(drivers[1][0], async () => {
    const [store, clock] = [drivers[1][1](), new VirtualClock()]
    for (let run = 1; run <= 3; run++) {
      const runtime = await openTicking({ store, clock })
      if (run === 1) await call(runtime, 'remind', 'r', { due: '1m', period: '1m', missed: 'all' })
      clock.advance(120_000)
      const deadline = performance.now() + 10_000
      while (((await call(runtime, 'ticks')) as string[]).length < run * 2)
        if (performance.now() > deadline) throw new Error(`only ${await call(runtime, 'ticks')}`)
      await runtime.close()
    }
    await replayAll(store)
  })
})

describe('a timer', () => {
  test('ticks while the actor is resident, also after a tick that failed, and not in its replay', async () => {
    const [store, clock] = [memory(), new VirtualClock()]
    const runtime = await openTicking({ store, clock })
    await call(runtime, 'time', 't', { due: '1s', period: '1s' })
    await call(runtime, 'time', 'f', { period: '1s', data: 'fail' })
    await pass(clock, 3_000, 1_000)
    expect(await call(runtime, 'ticks')).toEqual(['t', 't', 't'])
    await call(runtime, 'untime', 't')
    await pass(clock, 3_000, 1_000)
    expect(await call(runtime, 'ticks')).toEqual(['t', 't', 't'])
    await runtime.close()
    await replayAll(store)
  })

  test('keeps an actor resident that it uses, and is gone after a restart', async () => {
    const [store, clock] = [memory(), new VirtualClock()]
    const limits = { idleTimeoutMs: 60_000 }
    const first = await openTicking({ store, clock, limits })
    await call(first, 'time', 't', { period: '10s' })
    await pass(clock, 600_000, 10_000)
    expect(await call(first, 'ticks')).toHaveLength(60)
    await first.close()
    const second = await openTicking({ store, clock, limits })
    await pass(clock, 600_000, 10_000)
    expect(await call(second, 'ticks')).toHaveLength(60)
    await second.close()
    await replayAll(store)
  })

  test('is gone with an actor that it does not use for the idle time', async () => {
    const clock = new VirtualClock()
    const runtime = await openTicking({ clock, limits: { idleTimeoutMs: 60_000 } })
    await call(runtime, 'time', 't', { due: '10m' })
    await pass(clock, 1_200_000, 15_000)
    expect(await call(runtime, 'ticks')).toEqual([])
  })
})

describe('a component', () => {
  test('sets reminders and timers, and exports what takes their ticks', async () => {
    const [store, clock, blobs] = [memory(), new VirtualClock(), fsBlobs(temporaryFolder())]
    const runtime = await openTicking({ store, clock, blobs })
    await runtime.registerActorType('Wasm', { type: 'wasm', component: await tickingComponent() })
    const actor = await runtime.getActor('w', 'Wasm')
    expect(await actor.call('remind', '1m')).toBe(0)
    expect(await actor.call('time', '30s')).toBe(0)
    expect(await actor.call('remind', 'soon')).toBe(1)
    expect(await actor.reminders.list()).toMatchObject([{ name: 'r', due: '1m' }])
    await pass(clock, 60_000, 30_000)
    expect(await actor.call('count')).toBe(5)
    await actor.reminders.set('json', { due: '1s', data: { a: 1 } })
    await pass(clock, 1_000)
    expect(await actor.call('count')).toBe(5 + '{"a":1}'.length)
    const { stateHash } = await runtime.describeActor('w', 'Wasm')
    await runtime.close()
    const inspector = await openInspector({ store, blobs })
    expect((await inspector.replay({ type: 'Wasm', id: 'w' })).stateHash).toBe(stateHash)
    await inspector.close()
  })

  test('without a fitting export is told so at once', async () => {
    const runtime = await openTicking({})
    await runtime.registerActorType('Wasm', { type: 'wasm', component: await deafComponent() })
    const actor = await runtime.getActor('w', 'Wasm')
    expect((await errorOf(actor.call('remind', '1m'))).message).toMatch(
      /has receive-reminder: func\(\) -> u32; expected receive-reminder: func\(name: string, data: list<u8>\)/,
    )
    expect((await errorOf(actor.call('time', '1m'))).message).toMatch(/has no receive-timer/)
  })
})

// Aim: an actor in AssemblyScript reaches everything that the host serves, by modules of its SDK, and what it is told is
// replayed. Method: one actor that uses all of them, on the memory store and a virtual clock.
import { expect, test } from 'vitest'
import { buildActor } from '../../guest-sdk/assemblyscript/index.ts'
import { fsBlobs, memory, openInspector, VirtualClock } from '../../host/index.ts'
import { openHost, temporaryFolder } from '../support/host.ts'
import { withActor } from './actor-folder.ts'

const SOURCE = `import { Option, Result, Unit } from 'loom'
import { ActorId, call, send } from 'loom/actors'
import { fetch, Request } from 'loom/http'
import { Missed, ReminderHandler, Schedule, cancelReminder, listReminders, setReminder } from 'loom/reminders'
import { deleteValue, getValue, listKeys, setValue } from 'loom/state'
import { Missed as TimerMissed, Schedule as TimerSchedule, TimerHandler, setTimer } from 'loom/timers'

const ticks: string[] = []

@component('test:served/all@0.1.0')
export class All {
  arm(name: string, due: string): Result<Unit, string> {
    setTimer(name, new TimerSchedule(due, null, null, TimerMissed.Once), [1])
    return setReminder(name, new Schedule(due, null, null, Missed.Once), [1, 2])
  }
  armed(): string[] {
    return listReminders().map<string>((one) => one.name)
  }
  disarm(name: string): void {
    cancelReminder(name)
  }
  ticks(): string[] {
    return ticks
  }
  store(key: string, text: string): string[] {
    setValue(key, Uint8Array.wrap(String.UTF8.encode(text)))
    setValue('gone', new Uint8Array(1))
    deleteValue('gone')
    return listKeys('', null, 10)
  }
  load(key: string): string | null {
    const found = getValue(key)
    if (found === null) return null
    return String.UTF8.decodeUnsafe(found.dataStart, found.length)
  }
  ask(id: string, method: string): string {
    const answer = call(new ActorId('All', id), method, '[]')
    return answer.isErr ? answer.error.code : answer.value
  }
  poke(id: string): void {
    send(new ActorId('All', id), 'store', '["k","poked"]')
  }
  price(url: string): string {
    const answer = fetch(new Request('GET', url, [], null, Option.none<u32>()))
    return answer.isErr ? answer.error.message : answer.value.status.toString()
  }
}

@component()
export class Reminded extends ReminderHandler {
  receiveReminder(name: string, data: u8[]): void {
    ticks.push(name + ' reminded ' + data.length.toString())
  }
}

@component()
export class Timed extends TimerHandler {
  receiveTimer(name: string, data: u8[]): void {
    ticks.push(name + ' timed ' + data.length.toString())
  }
}
`

test('an actor uses reminders, timers, keyed state, other actors and HTTP', {
  timeout: 60_000,
}, async () => {
  const { component } = await withActor({ 'index.ts': SOURCE }, (dir) =>
    buildActor({ dir, write: false }),
  )
  const [store, blobs, clock] = [memory(), fsBlobs(temporaryFolder()), new VirtualClock(1_000_000)]
  const runtime = await openHost({ store, blobs, clock })
  await runtime.registerActorType('All', { type: 'wasm', component })
  const actor = await runtime.getActor('a', 'All')
  expect(await actor.call('arm', 'x', 'nonsense')).toMatchObject({ tag: 'err' })
  expect(await actor.call('arm', 'x', '5s')).toEqual({ tag: 'ok' })
  expect(await actor.call('arm', 'y', '1h')).toEqual({ tag: 'ok' })
  expect(await actor.call('armed')).toEqual(['x', 'y'])
  await actor.call('disarm', 'y')
  expect(await actor.call('armed')).toEqual(['x'])
  clock.advance(5_000)
  await expect
    .poll(async () => ((await actor.call('ticks')) as string[]).toSorted())
    .toEqual(['x reminded 2', 'x timed 1'])
  expect(await actor.call('store', 'k', 'v 🍵')).toEqual(['k'])
  expect(await actor.call('load', 'k')).toBe('v 🍵')
  expect(await actor.call('load', 'gone')).toBeUndefined()
  expect(await actor.call('ask', 'b', 'ticks')).toBe('[]')
  expect(await actor.call('ask', 'b', 'nothing')).toBe('ERR_METHOD_UNKNOWN')
  await actor.call('poke', 'b')
  const other = await runtime.getActor('b', 'All')
  await expect.poll(() => other.call('load', 'k')).toBe('poked')
  expect(await actor.call('price', 'https://example.com')).toContain('is not allowed')
  const { stateHash } = await runtime.describeActor('a', 'All')
  const inspector = await openInspector({ store, blobs })
  expect(await inspector.replay({ type: 'All', id: 'a' })).toMatchObject({ stateHash })
})

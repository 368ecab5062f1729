// Aim: the aggregator's figures are right, and it holds as many sensors as it says, whatever comes and goes.
import { expect, test } from 'vitest'
import { type ActorHandle, VirtualClock } from '../../../host/index.ts'
import { componentBytes } from '../../../test/support/components.ts'
import { openHost } from '../../../test/support/host.ts'

async function openSensors(options: Parameters<typeof openHost>[0] = {}): Promise<ActorHandle> {
  const runtime = await openHost(options)
  const component = componentBytes('sensors')
  await runtime.registerActorType('Sensors', { type: 'wasm', component })
  return runtime.getActor('plant', 'Sensors')
}

const refused = (tag: string, val?: number): unknown => ({
  tag: 'err',
  val: val === undefined ? { tag } : { tag, val },
})

test('figures of a sensor are those of its readings', async () => {
  const sensors = await openSensors({ clock: new VirtualClock(5_000) })
  const readings = [2, 4, 4, 4, 5, 5, 7, 9]
  for (const [index, value] of readings.entries())
    expect(await sensors.call('add', 'boiler', value)).toEqual({
      tag: 'ok',
      val: BigInt(index + 1),
    })
  expect(await sensors.call('summarize', 'boiler')).toEqual({
    count: 8n,
    min: 2,
    max: 9,
    mean: 5,
    standardDeviation: 2,
    last: 9,
    lastAt: 5_000n,
  })
  expect(await sensors.call('summarize', 'cooler')).toBeUndefined()
})

test('bad names and values are refused', async () => {
  const sensors = await openSensors()
  expect(await sensors.call('add', '', 1)).toEqual(refused('bad-name'))
  expect(await sensors.call('add', 'x'.repeat(65), 1)).toEqual(refused('bad-name'))
  expect(await sensors.call('add', 'a', Number.NaN)).toEqual(refused('bad-value'))
  expect(await sensors.call('add', 'a', Number.POSITIVE_INFINITY)).toEqual(refused('bad-value'))
  expect(await sensors.call('sensors')).toEqual([])
})

test('sensors are kept in their order, up to a thousand, and forgotten when asked', async () => {
  const sensors = await openSensors()
  const names = Array.from({ length: 1_000 }, (_, index) => `sensor ${index}`)
  await Promise.all(names.map((name) => sensors.call('add', name, 1)))
  expect(await sensors.call('sensors')).toEqual(names)
  expect(await sensors.call('add', 'one more', 1)).toEqual(refused('too-many-sensors', 1_000))
  expect(await sensors.call('remove', 'sensor 500')).toBe(true)
  expect(await sensors.call('remove', 'sensor 500')).toBe(false)
  expect(await sensors.call('add', 'one more', 1)).toEqual({ tag: 'ok', val: 1n })
  expect(await sensors.call('sensors')).toEqual(
    [...names, 'one more'].filter((name) => name !== 'sensor 500'),
  )
})

// Aim: a class called through its component answers as the same class does through AssemblyScript's own loader.
// Method: random arguments for both, the state of both compared by what they return.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildYardstick } from '../../bench/support/yardstick.ts'
import { openHost } from '../support/host.ts'
import { seedOf } from '../support/seed.ts'

const call = fc.oneof(
  fc.record({ method: fc.constant('increment'), args: fc.tuple(fc.nat()) }),
  fc.record({ method: fc.constant('scale'), args: fc.tuple(fc.double(), fc.double()) }),
  fc.record({
    method: fc.constant('label'),
    args: fc.tuple(
      fc.string({ unit: 'binary', maxLength: 200 }).filter((one) => one.isWellFormed()),
    ),
  }),
  fc.record({
    method: fc.constant('sum'),
    args: fc.tuple(fc.float64Array({ maxLength: 50, noNaN: true })),
  }),
  fc.record({ method: fc.constant('range'), args: fc.tuple(fc.integer({ min: 0, max: 500 })) }),
)

test('every value is the same through the loader and through the component', async () => {
  const { component, loader } = await buildYardstick()
  const runtime = await openHost()
  await runtime.registerActorType('Yardstick', { type: 'wasm', component })
  const actor = await runtime.getActor('y', 'Yardstick')
  const methods = loader as unknown as Record<string, (...args: unknown[]) => unknown>
  await fc.assert(
    fc.asyncProperty(call, async ({ method, args }) => {
      expect(await actor.call(method, ...args)).toEqual(methods[method]?.(...args))
    }),
    { numRuns: 400, seed: seedOf('loader') },
  )
  expect(await actor.call('increment', 0)).toBe(loader.increment(0))
})

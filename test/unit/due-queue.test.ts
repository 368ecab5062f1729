import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DueQueue } from '../../host/base/due-queue.ts'

test('gives what is due, soonest first, as a sorted list would', () => {
  const change = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd', 'e'), atMs: fc.nat(50) })
  const step = fc.oneof(
    change.map((of) => ({ kind: 'set' as const, ...of })),
    fc.record({ kind: fc.constant('take' as const), nowMs: fc.nat(60) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new DueQueue<number>()
      const model = new Map<string, number>()
      const soonest = (): number => Math.min(...model.values(), Infinity)
      for (const [index, given] of steps.entries()) {
        if (given.kind === 'set') {
          queue.set(given.name, given.atMs, index)
          model.set(given.name, given.atMs)
        } else {
          const taken = queue.take(given.nowMs)
          expect(taken !== null).toBe(soonest() <= given.nowMs)
          if (taken !== null) {
            expect(model.get(taken.name)).toBe(soonest())
            model.delete(taken.name)
          }
        }
        expect(queue.soonestMs()).toBe(soonest())
        for (const [name, atMs] of model) expect(queue.get(name)?.atMs).toBe(atMs)
      }
    }),
  )
})

// Aim: no more go through at once than there are places, in their order, and none is lost when one of them fails.
import { expect, test } from 'vitest'
import { type Deferred, deferred } from '../../host/base/promises.ts'
import { Turnstile } from '../../host/base/turnstile.ts'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('those behind wait for those before, also when these fail', async () => {
  const turnstile = new Turnstile(2)
  const started: number[] = []
  const ends: Deferred<number>[] = []
  const passes = [0, 1, 2, 3, 4].map((who) =>
    turnstile.pass(() => {
      started.push(who)
      const end = deferred<number>()
      ends[who] = end
      return end.promise
    }),
  )
  await settled()
  expect(started).toEqual([0, 1])
  ends[1]?.reject(new Error('failed inside'))
  await expect(passes[1]).rejects.toThrow('failed inside')
  await settled()
  expect(started).toEqual([0, 1, 2])
  ends[0]?.resolve(10)
  ends[2]?.resolve(12)
  expect([await passes[0], await passes[2]]).toEqual([10, 12])
  await settled()
  expect(started).toEqual([0, 1, 2, 3, 4])
  ends[3]?.resolve(13)
  ends[4]?.resolve(14)
  expect([await passes[3], await passes[4]]).toEqual([13, 14])
  expect(await turnstile.pass(async () => 'free again')).toBe('free again')
})

test('an action that throws at once leaves its place', async () => {
  const turnstile = new Turnstile(1)
  const thrown = turnstile.pass(() => {
    throw new Error('at once')
  })
  await expect(thrown).rejects.toThrow('at once')
  expect(await turnstile.pass(async () => 1)).toBe(1)
})

// Aim: many journals that wait for one commit are told once each, in order, whenever they began to wait. Method: promises
// that the test settles.
import { expect, test } from 'vitest'
import { type Follower, follow } from '../../../host/actor/journal/followers.ts'
import { deferred } from '../../../host/base/promises.ts'

function recorder(): { told: string[]; named: (name: string) => Follower } {
  const told: string[] = []
  return {
    told,
    named: (name) => ({
      durable: () => void told.push(name),
      lost: (error) => void told.push(`${name} lost: ${String(error)}`),
    }),
  }
}

test('followers of one promise are told in their order', async () => {
  const { told, named } = recorder()
  const { promise, resolve } = deferred<void>()
  for (const name of ['a', 'b', 'c']) follow(promise, named(name))
  expect(told).toEqual([])
  resolve()
  await promise
  expect(told).toEqual(['a', 'b', 'c'])
})

test('followers of several promises are told of their own', async () => {
  const { told, named } = recorder()
  const [first, second] = [deferred<void>(), deferred<void>()]
  follow(first.promise, named('a'))
  follow(second.promise, named('b'))
  follow(first.promise, named('c'))
  second.resolve()
  await second.promise
  expect(told).toEqual(['b'])
  first.resolve()
  await first.promise
  expect(told).toEqual(['b', 'a', 'c'])
})

test('who follows a promise that is settled, or whose followers are being told, is told as well', async () => {
  const { told, named } = recorder()
  const { promise, resolve } = deferred<void>()
  follow(promise, {
    durable: () => {
      told.push('a')
      follow(promise, named('from within'))
    },
    lost: () => {},
  })
  resolve()
  follow(promise, named('settled'))
  await promise
  follow(promise, named('late'))
  await Promise.resolve()
  expect(told).toEqual(['a', 'settled', 'from within', 'late'])
})

test('followers of a commit that failed are told why', async () => {
  const { told, named } = recorder()
  const { promise, reject } = deferred<void>()
  follow(promise, named('a'))
  follow(promise, named('b'))
  reject('disk full')
  await promise.catch(() => {})
  expect(told).toEqual(['a lost: disk full', 'b lost: disk full'])
})

test('one that throws keeps nobody from being told, and is heard of', async () => {
  const { told, named } = recorder()
  const { promise, resolve } = deferred<void>()
  const failures: unknown[] = []
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  const heard = new Promise<void>((done) => {
    process.once('unhandledRejection', (error) => {
      failures.push(error)
      done()
    })
  })
  follow(promise, {
    durable: () => {
      throw new Error('a bug')
    },
    lost: () => {},
  })
  follow(promise, named('b'))
  resolve()
  await heard
  for (const listener of others) process.on('unhandledRejection', listener)
  expect(told).toEqual(['b'])
  expect(failures).toEqual([new Error('a bug')])
})

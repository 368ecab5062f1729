import { expect, it } from 'vitest'
import { memory } from '../../host/store/memory/index.ts'
import { commitOf, options, rejects, text, texts } from '../support/store-fixtures.ts'
import { describeStoreBlobs } from './store-blobs-contract.ts'
import { describeStoreContract } from './store-contract.ts'
import { describeStoreEffects } from './store-effects-contract.ts'
import { describeEffectsModel } from './store-effects-model.ts'
import { describeStoreLives } from './store-lives-contract.ts'
import { describeStoreModel } from './store-model.ts'
import { describeStoreWaits } from './store-waits-contract.ts'

describeStoreContract('memory', () => memory())
describeStoreEffects('memory', () => memory())
describeStoreLives('memory', () => memory())
describeEffectsModel('memory', () => memory())
describeStoreModel('memory', () => memory())
describeStoreBlobs('memory', () => memory())
describeStoreWaits('memory', () => memory())

const key = { type: 'Counter', id: 'a' }

it('fails the next commit when told to, and all that follow in that log', async () => {
  const driver = memory()
  const store = await driver.open(options)
  const log = await store.openLog(key)
  driver.failNextAppend('EIO: injected')
  const first = log.append(commitOf('a', 0, 'one'))
  const second = log.append(commitOf('a', 1, 'two'))
  expect((await rejects(first, 'ERR_STORE')).message).toBe('EIO: injected')
  await rejects(second, 'ERR_STORE')
  const again = await store.openLog(key)
  expect(again.seqNext).toBe(0)
  await again.append(commitOf('a', 0, 'one'))
})

it('S7: fails what waits behind a failed commit, of other actors too, and nothing before it', async () => {
  const driver = memory()
  const store = await driver.open(options)
  const a = await store.openLog(key)
  const b = await store.openLog({ type: 'Counter', id: 'b' })
  const first = b.append(commitOf('b', 0, 'one'))
  await first
  driver.failNextAppend('EIO: injected')
  const state = [{ key: 'k', value: text('x') }]
  const reminders = [{ name: 'r', dueAtMs: 1, bytes: text('x') }]
  const outbox = [{ seq: 0, index: 0, bytes: text('x') }]
  const failed = a.append({ ...commitOf('a', 0, 'one'), state, reminders, outbox })
  const behind = b.append({ ...commitOf('b', 1, 'two'), state, reminders })
  await rejects(failed, 'ERR_STORE')
  await rejects(behind, 'ERR_STORE')
  const again = await store.openLog({ type: 'Counter', id: 'b' })
  expect(texts(await again.read(0, 9))).toEqual(['one'])
  expect(await again.readState('k')).toBeNull()
  expect(await store.nextReminderAtMs()).toBeNull()
  expect(await store.outbox(null, 9)).toEqual([])
  await again.append(commitOf('b', 1, 'two'))
})

it('holds commits until they are released', async () => {
  const driver = memory()
  const store = await driver.open(options)
  const log = await store.openLog(key)
  const release = driver.holdCommits()
  let isDone = false
  const pending = log.append(commitOf('a', 0, 'one')).then(() => {
    isDone = true
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(isDone).toBe(false)
  release()
  await pending
})

it('loses in a crash exactly what was not committed', async () => {
  const driver = memory()
  const store = await driver.open(options)
  const log = await store.openLog(key)
  await log.append(commitOf('a', 0, 'one'))
  driver.holdCommits()
  void log.append(commitOf('a', 1, 'lost'))
  driver.crash()
  const after = await driver.open(options)
  const again = await after.openLog(key)
  expect(texts(await again.read(0, 9))).toEqual(['one'])
  await again.append({ seq: 1, entries: [text('two')] })
})

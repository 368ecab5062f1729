// Aim: a turn cannot wait, ask or be told without end, and is stopped at the same call with the same error however it
// waits, also when its host crashed on the way. Method: the waiter asked to wait 2^32 times, parked and unwound.
import { describe, expect, test } from 'vitest'
import type { ActorLimits } from '../../../host/index.ts'
import { fsBlobs, memory, openInspector } from '../../../host/index.ts'
import { errorOf, temporaryFolder } from '../../support/host.ts'
import { openWaiter, type WaiterOptions, waiterJournal } from '../../support/waiter.ts'

const FOREVER = 0

interface Run {
  readonly error: unknown
  readonly asked: number
  readonly journal: readonly string[]
  readonly sum: unknown
}

/** A waiter that has waited before, so that it is parked where it can be; then one that never stops asking. */
async function run(limits: Partial<ActorLimits>, options: WaiterOptions = {}): Promise<Run> {
  let asked = 0
  const folder = temporaryFolder()
  const { runtime, store } = await openWaiter(folder, {
    guestLimits: limits,
    ask: async (key) => {
      asked++
      return key.repeat(3)
    },
    ...options,
  })
  const actor = await runtime.getActor('w', 'Waiter')
  await actor.call('once', 'warm')
  asked = 0
  const request = { method: 'many', args: ['key', FOREVER], idempotencyKey: 'k' }
  const error = await errorOf(actor.execute(request))
  const count = asked
  expect(await errorOf(actor.execute(request))).toMatchObject({ code: 'ERR_HOST_CALLS' })
  expect(asked, 'a retry is answered from the journal').toBe(count)
  const sum = await actor.call('sum')
  await runtime.close()
  const inspector = await openInspector({ store, blobs: fsBlobs(folder) })
  await inspector.replay({ type: 'Waiter', id: 'w' })
  await inspector.close()
  return { error, asked: count, journal: await waiterJournal(store), sum }
}

const CASES: readonly (readonly [keyof ActorLimits, number, number, RegExp])[] = [
  // Each round asks once and ticks once: 21 calls are 11 questions.
  ['awaitedCallsPerTurnMax', 21, 11, /waits after more host calls than .*\(21\)/],
  ['hostCallsPerTurnMax', 20, 10, /calls the host more often than .*\(20\)/],
  // Nine characters an answer, and one for a number.
  ['recordedBytesPerTurnMax', 100, 11, /was told more bytes than .*\(100\)/],
]

describe.each(CASES)('limits.%s of %i', (limit, allowed, questions, message) => {
  test('stops a guest that waits without end, the same whether parked or unwound', async () => {
    const parked = await run({ [limit]: allowed })
    const unwound = await run({ [limit]: allowed }, { awaiting: 'unwind' })
    expect(parked.error).toMatchObject({
      code: 'ERR_HOST_CALLS',
      message: expect.stringMatching(message),
    })
    expect(String(unwound.error)).toBe(String(parked.error))
    expect(parked.asked).toBe(questions)
    expect(unwound.asked).toBe(questions)
    expect(unwound.journal).toEqual(parked.journal)
    expect(unwound.sum).toBe(parked.sum)
  })
})

test('a turn that was cut off by a crash has made the calls that it made before', async () => {
  const folder = temporaryFolder()
  const store = memory()
  const limits = { awaitedCallsPerTurnMax: 21 }
  let asked = 0
  const never = new Promise<string>(() => {})
  const ask = async (key: string): Promise<string> => (++asked > 7 ? never : key.repeat(3))
  const first = await openWaiter(folder, { store, guestLimits: limits, ask })
  const request = { method: 'many', args: ['key', FOREVER], idempotencyKey: 'k' }
  void errorOf((await first.runtime.getActor('w', 'Waiter')).execute(request))
  while (asked < 8) await new Promise((resolve) => setImmediate(resolve))
  const answer = async (key: string): Promise<string> => {
    asked++
    return key.repeat(3)
  }
  const second = await openWaiter(folder, {
    store,
    guestLimits: limits,
    ask: answer,
    takeOver: true,
  })
  const error = await errorOf((await second.runtime.getActor('w', 'Waiter')).execute(request))
  expect(error).toMatchObject({ code: 'ERR_HOST_CALLS' })
  expect(asked, 'the one that was under way is asked again').toBe(12)
  await second.runtime.close()
})

test('what a turn did under larger limits is replayed under smaller ones', async () => {
  const folder = temporaryFolder()
  const store = memory()
  const first = await openWaiter(folder, { store })
  const sum = await (await first.runtime.getActor('w', 'Waiter')).call('many', 'key', 5)
  await first.runtime.close()
  const tiny = { hostCallsPerTurnMax: 1, awaitedCallsPerTurnMax: 1, recordedBytesPerTurnMax: 1 }
  const second = await openWaiter(folder, { store, guestLimits: tiny })
  const actor = await second.runtime.getActor('w', 'Waiter')
  expect(await actor.call('sum')).toBe(sum)
  expect(await errorOf(actor.call('once', 'key'))).toMatchObject({ code: 'ERR_HOST_CALLS' })
  expect(await actor.call('sum')).toBe(sum)
  await second.runtime.close()
})

test.each([
  ['hostCallsPerTurnMax', 0],
  ['awaitedCallsPerTurnMax', 2 ** 40],
  ['recordedBytesPerTurnMax', 1.5],
])('limits.%s of %d is refused', async (limit, value) => {
  const opening = openWaiter(temporaryFolder(), { guestLimits: { [limit]: value } })
  expect(await errorOf(opening)).toMatchObject({ code: 'ERR_OPTION' })
})

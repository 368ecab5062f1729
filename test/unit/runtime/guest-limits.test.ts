// Aim: a bad guest harms only itself: it is stopped by a limit, nothing of its turn is left, others answer,
// and the journal replays. Method: the committed components with small limits on the memory store.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { expect, test } from 'vitest'
import {
  fsBlobs,
  type GuestLimits,
  memory,
  openInspector,
  type Runtime,
} from '../../../host/index.ts'
import { componentBytes, openComponentHost } from '../../support/components.ts'
import { errorOf, openHost, temporaryFolder } from '../../support/host.ts'

const FUEL = 20_000_000

async function openLimited(
  limits: Partial<GuestLimits> = { fuelPerTurn: FUEL },
  options: Parameters<typeof openHost>[0] = {},
): Promise<Runtime> {
  const runtime = await openComponentHost(options)
  const component = componentBytes('faulty')
  await runtime.registerActorType('Limited', { type: 'wasm', component, limits })
  return runtime
}

test('a guest that never returns is stopped, changes nothing, and others answer', async () => {
  const store = memory()
  const blobs = fsBlobs(temporaryFolder())
  const runtime = await openLimited(undefined, { store, blobs })
  const faulty = await runtime.getActor('f1', 'Limited')
  const counter = await runtime.getActor('c1', 'Counter')
  await faulty.call('add', 5)
  const { stateHash } = await runtime.describeActor('f1', 'Limited')
  const spinning = errorOf(faulty.call('spin'))
  expect(await counter.call('increment', 1)).toBe(1n)
  expect(await spinning).toMatchObject({
    code: 'ERR_FUEL',
    message: expect.stringContaining(`limits.fuelPerTurn (${FUEL})`),
  })
  expect(await counter.call('increment', 1)).toBe(2n)
  expect((await runtime.describeActor('f1', 'Limited')).stateHash).toBe(stateHash)
  expect(await faulty.call('add', 1)).toBe(6n)
  const live = await runtime.describeActor('f1', 'Limited')
  const report = await (await openInspector({ store, blobs })).replay({ type: 'Limited', id: 'f1' })
  expect(report).toMatchObject({ turns: 2, failed: 1, stateHash: live.stateHash })
})

test('a retry with the key of a stopped turn gets the same error and runs nothing', async () => {
  const runtime = await openLimited()
  const faulty = await runtime.getActor('f1', 'Limited')
  const request = { method: 'spin', idempotencyKey: 'once' }
  expect(await errorOf(faulty.execute(request))).toMatchObject({ code: 'ERR_FUEL' })
  const { seqNext } = await runtime.describeActor('f1', 'Limited')
  expect(await errorOf(faulty.execute(request))).toMatchObject({ code: 'ERR_FUEL' })
  expect((await runtime.describeActor('f1', 'Limited')).seqNext).toBe(seqNext)
})

test('turns that returned replay under limits that would not let them return', async () => {
  const store = memory()
  const blobs = fsBlobs(temporaryFolder())
  const first = await openLimited({ fuelPerTurn: FUEL }, { store, blobs })
  const faulty = await first.getActor('f1', 'Limited')
  await faulty.call('add', 5)
  await faulty.call('hoard', 1_024)
  const { stateHash } = await first.describeActor('f1', 'Limited')
  store.crash()
  const second = await openLimited({ fuelPerTurn: 1, memoryPagesMax: 8 }, { store, blobs })
  expect((await second.describeActor('f1', 'Limited')).stateHash).toBe(stateHash)
  const again = await second.getActor('f1', 'Limited')
  expect(await errorOf(again.call('add', 1))).toMatchObject({ code: 'ERR_FUEL' })
})

test('a guest that hoards memory is stopped at its limit, and keeps what it had', async () => {
  const runtime = await openLimited({ memoryPagesMax: 64 })
  const faulty = await runtime.getActor('f1', 'Limited')
  await faulty.call('hoard', 1_024)
  const { stateHash } = await runtime.describeActor('f1', 'Limited')
  expect(await errorOf(faulty.call('hoard', 16_384))).toMatchObject({
    code: 'ERR_TRAP',
    message: expect.stringContaining('limits.memoryPagesMax (64)'),
  })
  expect((await runtime.describeActor('f1', 'Limited')).stateHash).toBe(stateHash)
  expect(await faulty.call('add', 1)).toBe(1n)
})

test('a guest that overflows its stack traps, and goes on from before', async () => {
  const runtime = await openLimited({ fuelPerTurn: 2_000_000_000 })
  const faulty = await runtime.getActor('f1', 'Limited')
  expect(await errorOf(faulty.call('overflow', 0))).toMatchObject({
    code: 'ERR_TRAP',
    message: expect.stringContaining('used up the stack'),
  })
  expect(await faulty.call('add', 1)).toBe(1n)
})

test.each<[string, Partial<GuestLimits>, string]>([
  ['no fuel', { fuelPerTurn: 0 }, 'limits.fuelPerTurn: expected a positive integer'],
  ['half a page', { memoryPagesMax: 0.5 }, 'limits.memoryPagesMax: expected a positive integer'],
  ['too many pages', { memoryPagesMax: 65_537 }, 'expected at most 65536'],
  ['a limit that is none', { pages: 1 } as Partial<GuestLimits>, 'limits.pages: no such limit'],
])('%s is refused when the type is registered', async (_, limits, message) => {
  expect(await errorOf(openLimited(limits))).toMatchObject({
    code: 'ERR_OPTION',
    message: expect.stringContaining(message),
  })
})

test('a component that begins with more memory than its type allows is refused', async () => {
  const runtime = await openHost()
  const component = await parse(
    '(component (core module $m (memory 65)) (core instance (instantiate $m)))',
  )
  const type = { type: 'wasm', component, limits: { memoryPagesMax: 64 } } as const
  expect(await errorOf(runtime.registerActorType('Large', type))).toMatchObject({
    code: 'ERR_COMPONENT_FEATURE',
    message: expect.stringContaining('65 pages of memory; limits.memoryPagesMax is 64'),
  })
  await runtime.registerActorType('Large', { ...type, limits: { memoryPagesMax: 65 } })
})

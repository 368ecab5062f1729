// Aim: a hostile guest harms only its own turn. Method: an actor that tries one crime after the other, beside
// victims whose memories are hashed before and after: one of another component, one of the same component.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { describe, expect, test } from 'vitest'
import {
  type ActorHandle,
  fsBlobs,
  memory,
  type ProvidedInterface,
  type Runtime,
  type RuntimeOptions,
  seededRandom,
} from '../../host/index.ts'
import { openComponentHost } from '../support/components.ts'
import { conformanceGuest, conformanceHost, conformanceInterface } from '../support/conformance.ts'
import { errorOf, temporaryFolder } from '../support/host.ts'
import { HOSTILE_HOST, hostileComponent, REALLOC_MODES } from '../support/hostile-component.ts'
import { seedsOf } from '../support/seed.ts'

const component = await parse(hostileComponent())

async function openHostile(options: Partial<RuntimeOptions> = {}): Promise<Runtime> {
  const runtime = await openComponentHost(options)
  runtime.provide(HOSTILE_HOST, {
    '[constructor]thing': (rep: number) => rep,
    take: () => undefined,
    both: () => undefined,
    tell: () => undefined,
    tick: () => undefined,
  })
  const limits = { fuelPerTurn: 20_000_000 }
  await runtime.registerActorType('Hostile', { type: 'wasm', component, limits })
  return runtime
}

const hashOf = async (runtime: Runtime, type: string, id: string): Promise<string> =>
  (await runtime.describeActor(id, type)).stateHash

/** Hashes of everybody but the villain, who is hashed alone. */
async function hashes(runtime: Runtime): Promise<Record<string, string>> {
  return {
    villain: await hashOf(runtime, 'Hostile', 'villain'),
    twin: await hashOf(runtime, 'Hostile', 'twin'),
    counter: await hashOf(runtime, 'Counter', 'c1'),
    quoter: await hashOf(runtime, 'Quoter', 'q1'),
  }
}

/** Method, then the code and the words of what its caller is told. */
const CRIMES: readonly (readonly [string, string, RegExp])[] = [
  ['huge-text', 'ERR_TRAP', /string: .* exceed 16777216 bytes \(limits\.resultBytesMax\)/],
  ['huge-bytes', 'ERR_TRAP', /list: .* exceed 16777216 bytes/],
  ['huge-tuples', 'ERR_TRAP', /list: .* exceed 16777216 bytes/],
  ['huge-overlap', 'ERR_TRAP', /list: .* exceed 16777216 bytes/],
  ['huge-length', 'ERR_TRAP', /list at 0 of 34359738360 bytes ends beyond memory/],
  ['huge-call', 'ERR_TRAP', /import test:hostile\/host#tell: string: .* exceed 16777216 bytes/],
  ['bad-text', 'ERR_TRAP', /is not UTF-8/],
  ['bad-pointer', 'ERR_TRAP', /ends beyond memory/],
  ['spin', 'ERR_FUEL', /limits\.fuelPerTurn/],
  ['recurse', 'ERR_TRAP', /used up the stack/],
  ['bomb', 'ERR_TRAP', /limits\.memoryPagesMax \(4096\)/],
  ['overwrite', 'ERR_TRAP', /unreachable/],
  ['handle-bomb', 'ERR_FUEL', /^resource\.new of .*limits\.fuelPerTurn/],
  ['drop-itself', 'ERR_TRAP', /handle 1 of a resource \d+ is none/],
  ['drop-each-other', 'ERR_TRAP', /handle 1 of a resource \d+ is none/],
  ['drop-for-ever', 'ERR_TRAP', /used up the stack/],
  ['forged-handle', 'ERR_TRAP', /handle 7 of a resource \d+ is none/],
  ['give-twice', 'ERR_TRAP', /handle 1 of a thing is none/],
  ['lend-and-give', 'ERR_TRAP', /is lent to a call that has not ended/],
]

const REALLOCS: readonly (readonly [keyof typeof REALLOC_MODES, string, RegExp])[] = [
  ['misaligned', 'ERR_TRAP', /realloc returned 65537, which is not aligned to 4 bytes/],
  ['beyond', 'ERR_TRAP', /realloc returned 131068 for 400 bytes, beyond memory of 131072/],
  ['negative', 'ERR_TRAP', /realloc returned 4294967288 for 400 bytes, beyond memory/],
  ['trapping', 'ERR_TRAP', /unreachable/],
  ['endless', 'ERR_FUEL', /limits\.fuelPerTurn/],
  ['recursive', 'ERR_TRAP', /used up the stack/],
  ['growing', 'ERR_TRAP', /limits\.memoryPagesMax/],
  ['calling', 'ERR_TRAP', /import test:hostile\/host#tick: the guest must not call imports/],
]

/** Tries to harm, sees that nobody was, and returns what the caller was told. */
type Crime = (method: string, ...args: unknown[]) => Promise<Error>

/** Runs `crimes` beside the victims; then everybody goes on, here and after a crash of the host. Returns the hashes. */
async function beside(
  crimes: (villain: ActorHandle, crime: Crime) => Promise<void>,
): Promise<Record<string, string>> {
  const store = memory()
  const blobs = fsBlobs(temporaryFolder())
  const runtime = await openHostile({ store, blobs, limits: { snapshotIntervalTurns: 5 } })
  const villain = await runtime.getActor('villain', 'Hostile')
  const twin = await runtime.getActor('twin', 'Hostile')
  const counter = await runtime.getActor('c1', 'Counter')
  const quoter = await runtime.getActor('q1', 'Quoter')
  for (const actor of [villain, twin]) await actor.call('fine')
  await counter.call('increment', 5)
  await quoter.call('offer', 'LOOM', 2)
  await crimes(villain, async (method, ...args) => {
    const before = await hashes(runtime)
    const error = await errorOf(villain.call(method, ...args))
    expect(await hashes(runtime), method).toEqual(before)
    return error
  })
  expect(await villain.call('fine')).toBe(2)
  expect(await twin.call('fine')).toBe(2)
  expect(await counter.call('increment', 1)).toBe(6n)
  expect(await quoter.call('offers')).toHaveLength(1)
  const last = await hashes(runtime)
  store.crash()
  expect(await hashes(await openHostile({ store, blobs }))).toEqual(last)
  return last
}

describe('a hostile guest', () => {
  test('commits every crime and harms nobody, not even itself', async () => {
    const last = await beside(async (_, crime) => {
      for (const [method, code, words] of CRIMES)
        expect(await crime(method), method).toMatchObject({
          code,
          message: expect.stringMatching(words),
        })
    })
    expect(last.villain).toBe(last.twin)
  })

  test('answers with every kind of bad memory, and its next turn is as if it had not', async () => {
    await beside(async (villain, crime) => {
      for (const [mode, code, words] of REALLOCS) {
        await villain.call('mode', REALLOC_MODES[mode])
        expect(await crime('give', new Uint32Array(100)), mode).toMatchObject({
          code,
          message: expect.stringMatching(words),
        })
        await villain.call('mode', 0)
        expect(await villain.call('give', Uint32Array.of(1, 2, 3))).toBe(3)
      }
    })
  })
})

/** What a caller of a damaged component may be told. */
const DAMAGED =
  /^ERR_(COMPONENT_FORMAT|COMPONENT_FEATURE|COMPONENT_IMPORT|TRAP|FUEL|HOST_CALL|ARGUMENT_TYPE|ARGUMENT_COUNT|METHOD_UNKNOWN)$/

describe('components that were damaged on their way', () => {
  test.each(seedsOf('damaged types'))(
    'are refused when they are registered, or are actors that harm nobody (seed %i)',
    async (seed) => {
      const runtime = await openHostile()
      const name = conformanceInterface('strings')
      const provided = ['turn', 'join', 'split', 'measure'].map(
        (func) => [func, conformanceHost('strings', func)] as const,
      )
      runtime.provide(name, Object.fromEntries(provided) as ProvidedInterface)
      const counter = await runtime.getActor('c1', 'Counter')
      await counter.call('increment', 5)
      const before = await hashOf(runtime, 'Counter', 'c1')
      const whole = conformanceGuest('strings')
      const random = seededRandom(seed)
      const codes: (string | undefined)[] = []
      for (let round = 0; round < 60; round++) {
        const bytes = Uint8Array.from(whole)
        const at = 8 + Number(random.u64() % BigInt(bytes.length - 8))
        if (round > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << (round % 8))
        const limits = { fuelPerTurn: 300_000, memoryPagesMax: 64 }
        const type = `Damaged${round}`
        const registered = runtime.registerActorType(type, {
          type: 'wasm',
          component: bytes,
          limits,
        })
        const called = registered
          .then(() => runtime.getActor('d', type))
          .then((actor) => actor.call('turn', 'text'))
        const code = await called.then(
          () => 'none',
          (error: { code?: string }) => error.code,
        )
        codes.push(code)
        if (code !== 'none') expect(code, `seed ${seed}, round ${round}`).toMatch(DAMAGED)
      }
      expect(codes[0]).toBe('none')
      expect(codes).toContain('ERR_COMPONENT_FORMAT')
      expect(await hashOf(runtime, 'Counter', 'c1')).toBe(before)
      expect(await counter.call('increment', 1)).toBe(6n)
    },
  )
})

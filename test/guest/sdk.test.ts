// Aim: what an SDK offers beside an actor's interface is the same in every language: identity, clocks, random
// bits, log, and what the caller hears of a panic.
import { describe, expect, test } from 'vitest'
import {
  type ActorHandle,
  fsBlobs,
  memory,
  openInspector,
  type RuntimeOptions,
  seededRandom,
  VirtualClock,
} from '../../host/index.ts'
import { componentBytes } from '../support/components.ts'
import { LANGUAGES } from '../support/guests.ts'
import { errorOf, openHost, temporaryFolder } from '../support/host.ts'
import { STARLINGMONKEY, sayAbsence } from '../support/starlingmonkey.ts'

sayAbsence('sdk')

describe.each([...LANGUAGES, ...STARLINGMONKEY])('the SDK of $language', ({ probe }) => {
  const open = async (options: Partial<RuntimeOptions> = {}): Promise<ActorHandle> => {
    const runtime = await openHost(options)
    await runtime.registerActorType('Probe', { type: 'wasm', component: componentBytes(probe) })
    return runtime.getActor('p é', 'Probe')
  }

  test('knows who is running', async () => {
    const actor = await open()
    expect(await actor.call('identity')).toEqual(['Probe', 'p é'])
    const life = { method: 'life', args: [], idempotencyKey: 'order-17' }
    const [incarnation, invocation] = (await actor.execute(life)) as string[]
    expect(invocation).toBe('order-17')
    expect(incarnation).toBe(((await actor.call('life')) as string[])[0])
  })

  test('reads clocks and draws random bits, recorded', async () => {
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const clock = new VirtualClock(1_234_567)
    const actor = await open({ store, blobs, clock, random: seededRandom(3) })
    const [wall, monotonic] = (await actor.call('clocks')) as bigint[]
    expect(wall).toBe(1_234_567n)
    clock.advance(5)
    const [later, after] = (await actor.call('clocks')) as bigint[]
    expect(later).toBe(1_234_572n)
    expect((after ?? 0n) - (monotonic ?? 0n)).toBe(5_000_000n)
    expect(await actor.call('draw')).not.toBe(await actor.call('draw'))
    const inspector = await openInspector({ store, blobs })
    const report = await inspector.replay({ type: 'Probe', id: 'p é' })
    expect(report).toMatchObject({ turns: 4, failed: 0 })
  })

  test('writes to the log, in every level', async () => {
    const lines: string[] = []
    const actor = await open({ log: ({ level, message }) => lines.push(`${level} ${message}`) })
    await actor.call('say', 'hello 🦀')
    expect(lines).toEqual(
      ['trace', 'debug', 'info', 'warn', 'error'].map((level) => `${level} hello 🦀`),
    )
  })

  test('tells the caller why it failed, and keeps what was before', async () => {
    const actor = await open()
    expect(await actor.call('keep', 'ape')).toEqual(['ape'])
    const error = await errorOf(actor.call('fail', 'no more apes'))
    expect(error).toMatchObject({ code: 'ERR_TRAP' })
    expect(error.message).toMatch(/no more apes/)
    expect(error.message).toMatch(/(probe\.c|probe\.ts|lib\.rs|probe-js\.js):\d+/)
    expect(await actor.call('keep', 'bee')).toEqual(['ape', 'bee'])
  })

  test('keeps texts of any kind and size', async () => {
    const actor = await open()
    const texts = ['', 'a', 'é', '🦀'.repeat(40_000), 'x'.repeat(300), '\0']
    for (const [index, text] of texts.entries())
      expect(await actor.call('keep', text)).toEqual(texts.slice(0, index + 1))
  })
})

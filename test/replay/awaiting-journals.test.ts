// Aim: however a turn waits, parked on its own stack or unwound and run again, its journal is the same to the
// last byte, and either kind goes on with what the other began. Method: one scenario, with several waits in a
// turn, a wait that fails, traps after waits and ids drawn late, in both modes, on every Node, against one
// committed journal, which was recorded by unwinding on Node 20. Where the engine has no JSPI, both modes unwind.
import { readFileSync } from 'node:fs'
import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { describe, expect, test } from 'vitest'
import { hasParking } from '../../host/component/instance/parking.ts'
import { fsBlobs, memory, openInspector, type Runtime } from '../../host/index.ts'
import { decodeEntry } from '../../host/journal/codec.ts'
import { errorOf, temporaryFolder } from '../support/host.ts'
import { countInstances, openWaiter, WAITER_WASM, waiterJournal } from '../support/waiter.ts'

interface Recorded {
  readonly stateHash: string
  readonly entries: readonly string[]
}

const FIXTURE = JSON.parse(
  readFileSync('test/fixtures/journals/v1-awaiting/waiter.json', 'utf8'),
) as Recorded

/** Fails every second time that it is asked for `bad`. */
function someAnswers(): (key: string) => Promise<string> {
  let bad = 0
  return async (key) => {
    if (key === 'bad' && ++bad % 2 === 0) throw new Error('nobody knows')
    return key.repeat(3)
  }
}

/** The first call of each method is unwound in every mode: from the second on it may be parked. */
async function play(runtime: Runtime): Promise<void> {
  const actor = await runtime.getActor('w', 'Waiter')
  expect(await actor.call('once', 'a')).toBe(6)
  expect(await actor.execute({ method: 'once', args: ['bc'], idempotencyKey: 'k1' })).toBe(19)
  await actor.call('many', 'x', 3)
  await actor.call('many', 'yz', 4)
  expect(await errorOf(actor.call('many', 'bad', 3))).toMatchObject({ code: 'ERR_HOST_CALL' })
  const keyed = { method: 'many', args: ['bad', 2], idempotencyKey: 'k2' }
  expect(await errorOf(actor.execute(keyed))).toMatchObject({ code: 'ERR_HOST_CALL' })
  for (let turn = 0; turn < 2; turn++)
    expect(await errorOf(actor.call('failAfter', 'f'))).toMatchObject({ code: 'ERR_TRAP' })
  for (let turn = 0; turn < 2; turn++) await actor.call('identify', 'i')
  expect(await actor.execute({ method: 'identify', args: ['i'], idempotencyKey: 'k3' })).toBe('k3')
  await actor.call('sum')
}

async function record(awaiting: 'auto' | 'unwind'): Promise<Recorded & { instances: number }> {
  const { runtime, store } = await openWaiter(temporaryFolder(), { awaiting, ask: someAnswers() })
  const instances = await countInstances(() => play(runtime))
  const { stateHash } = await runtime.describeActor('w', 'Waiter')
  await runtime.close()
  return { stateHash, entries: await waiterJournal(store), instances }
}

test('the component is what its source gives', async () => {
  const folder = 'test/fixtures/guests/waiter'
  const binary = await parse(readFileSync(`${folder}/waiter.wat`, 'utf8'))
  const witSource = readFileSync(`${folder}/waiter.wit`, 'utf8')
  const component = await componentNew(await componentEmbed({ binary, witSource, world: 'waiter' }))
  expect(Buffer.compare(component, readFileSync(WAITER_WASM))).toBe(0)
})

describe('the journal of turns that wait', () => {
  test.each(['unwind', 'auto'] as const)('is the committed one when they %s', async (awaiting) => {
    const { stateHash, entries } = await record(awaiting)
    const readable = entries.map((text, seq) => decodeEntry(seq, Buffer.from(text, 'base64')))
    expect(readable).toEqual(
      FIXTURE.entries.map((text, seq) => decodeEntry(seq, Buffer.from(text, 'base64'))),
    )
    expect(entries).toEqual(FIXTURE.entries)
    expect(stateHash).toBe(FIXTURE.stateHash)
  })

  test('is made with fewer instances where turns can be parked', async () => {
    const unwound = (await record('unwind')).instances
    const parked = (await record('auto')).instances
    if (hasParking()) expect(parked).toBeLessThan(unwound / 2)
    else expect(parked).toBe(unwound)
  })

  test.each([
    ['unwind', 'auto'],
    ['auto', 'unwind'],
    ['auto', 'auto'],
  ] as const)(
    'is the same when a host that waits by %s dies and one by %s goes on',
    async (first, second) => {
      const folder = temporaryFolder()
      const store = memory()
      const whole = await openWaiter(folder, { awaiting: 'unwind', ask: async (key) => key })
      const calls = async (runtime: Runtime): Promise<void> => {
        const actor = await runtime.getActor('w', 'Waiter')
        await actor.call('many', 'warm', 1)
      }
      await calls(whole.runtime)
      await (await whole.runtime.getActor('w', 'Waiter')).call('many', 'cut off', 3)
      const expected = await waiterJournal(whole.store)

      let asked = 0
      const ask = async (key: string): Promise<string> =>
        ++asked === 3 ? await new Promise<never>(() => {}) : key
      const before = await openWaiter(folder, { store, awaiting: first, ask })
      await calls(before.runtime)
      const lost = (await before.runtime.getActor('w', 'Waiter')).call('many', 'cut off', 3)
      lost.catch(() => {})
      for (let turn = 0; turn < 1_000 && asked < 3; turn++)
        await new Promise((resolve) => setImmediate(resolve))
      expect(asked).toBe(3)
      store.crash()

      const after = await openWaiter(folder, { store, awaiting: second, ask: async (key) => key })
      await after.runtime.describeActor('w', 'Waiter')
      const entries = await waiterJournal(store)
      const untimed = (texts: readonly string[]) =>
        texts.map((text, seq) => {
          const entry = decodeEntry(seq, Buffer.from(text, 'base64'))
          return JSON.stringify({ ...entry, atMs: 0, incarnation: '' }, (_, value) =>
            typeof value === 'bigint' ? `${value}n` : value,
          )
        })
      // Ticks start again on the second host, so what they gave is left out.
      const noTicks = (text: string): string =>
        text.replace(/"result":\d+/g, '').replace(/"value":\d+/, '')
      expect(untimed(entries).map(noTicks)).toEqual(untimed(expected).map(noTicks))
      const inspector = await openInspector({ store, blobs: fsBlobs(folder) })
      const { stateHash } = await inspector.replay({ type: 'Waiter', id: 'w' })
      expect((await after.runtime.describeActor('w', 'Waiter')).stateHash).toBe(stateHash)
    },
  )
})

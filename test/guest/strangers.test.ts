// Aim: components of other people's JavaScript toolchains, which know nothing of Loom, are actors as they are: clocks
// and random numbers are recorded, standard output is the log, a crash says why, and a replay ends in the same memory.
// Method: one source through plain componentize-qjs, here, and through componentize-js (StarlingMonkey), which
// scripts/get-starlingmonkey.ts builds: 12 MB that are not committed.
import { readFileSync } from 'node:fs'
import { componentize } from 'componentize-qjs'
import { describe, expect, test } from 'vitest'
import {
  fsBlobs,
  memory,
  openInspector,
  publishComponent,
  seededRandom,
  VirtualClock,
} from '../../host/index.ts'
import { errorOf, openHost, temporaryFolder } from '../support/host.ts'
import { absence, sayAbsence, starlingMonkeyComponent } from '../support/starlingmonkey.ts'

const FOLDER = 'test/fixtures/guests/stranger'
const source = readFileSync(`${FOLDER}/stranger.js`, 'utf8')
const START_MS = 1_700_000_000_000

sayAbsence('strangers')

async function quickJs(sync: boolean): Promise<Uint8Array> {
  const { component } = await componentize({ witPath: FOLDER, jsSource: source, sync })
  return component
}

async function behaves(bytes: Uint8Array, hasConsole: boolean): Promise<void> {
  const store = memory()
  const blobs = fsBlobs(temporaryFolder())
  await publishComponent({ blobs, bytes, typeName: 'Words' })
  const clock = new VirtualClock(START_MS)
  const lines: string[] = []
  const open = () =>
    openHost({
      store,
      blobs,
      clock,
      random: seededRandom(9),
      log: ({ level, message }) => lines.push(`${level} ${message}`),
    })
  const actor = await (await open()).getActor('w', 'Words')
  const ok = (words: number, longest: string) => ({ tag: 'ok', val: { words, longest } })
  expect(await actor.call('add', 'ein Wörterbuch, ein Buch')).toEqual(ok(3, 'Wörterbuch'))
  expect(await actor.call('add', '…')).toEqual({ tag: 'err', val: "no words in '…'" })
  const [now] = (await actor.call('ambient')) as number[]
  expect(now).toBe(START_MS)
  clock.advance(1_234)
  const [later, random] = (await actor.call('ambient')) as number[]
  expect(later).toBe(START_MS + 1_234)
  expect(random).toBeGreaterThanOrEqual(0)
  await actor.call('say', 'hello 🦀')
  expect(lines).toEqual(hasConsole ? ['info hello 🦀'] : [])
  const crashed = await errorOf(actor.call('crash', 'no more apes'))
  expect(crashed).toMatchObject({ code: 'ERR_TRAP' })
  expect(crashed.message).toMatch(/no more apes/)
  expect(await actor.call('add', 'Buch')).toEqual(ok(3, 'Wörterbuch'))

  store.crash()
  const again = await open()
  const restored = await again.getActor('w', 'Words')
  expect(await restored.call('add', 'Rhabarberbarbara')).toEqual(ok(4, 'Rhabarberbarbara'))
  const { stateHash } = await again.describeActor('w', 'Words')
  const inspector = await openInspector({ store, blobs })
  expect(await inspector.replay({ type: 'Words', id: 'w' })).toMatchObject({ stateHash, failed: 1 })
}

const TIMEOUT = { timeout: 300_000 }

describe('a component of componentize-qjs', () => {
  test('is an actor as it is', TIMEOUT, async () => {
    await behaves(await quickJs(true), false)
  })

  test('for hosts with component-model async is refused by that name', TIMEOUT, async () => {
    const runtime = await openHost()
    const component = await quickJs(false)
    const refused = runtime.registerActorType('Words', { type: 'wasm', component })
    const error = await errorOf(Promise.resolve(refused))
    expect(error).toMatchObject({ code: 'ERR_COMPONENT_FEATURE' })
    expect(error.message).toMatch(/async/)
  })
})

test.runIf(absence === null)('a component of StarlingMonkey is an actor as it is', TIMEOUT, () =>
  behaves(readFileSync(starlingMonkeyComponent('stranger')), true),
)

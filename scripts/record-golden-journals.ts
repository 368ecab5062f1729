/**
 * Records the golden journals of the current entry format, into test/fixtures/journals/v<version>/.
 *
 * A golden journal is made once, by the first release of its format, and replays for ever
 * (test/replay/golden-journals.test.ts). So this refuses to overwrite one. Run it after raising the
 * format's version: node dist/scripts/record-golden-journals.js
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  type ActorHandle,
  createRuntime,
  fsBlobs,
  memory,
  type Runtime,
  seededRandom,
  VirtualClock,
} from '../host/index.ts'
import { encodeEntry } from '../host/journal/codec.ts'

const PAGE_ENTRIES = 10_000

interface Scenario {
  readonly type: string
  readonly run: (actor: ActorHandle) => Promise<unknown>
}

const ignoreFailure = (call: Promise<unknown>): Promise<unknown> => call.catch(() => {})

const SCENARIOS: readonly Scenario[] = [
  {
    type: 'Counter',
    run: async (actor) => {
      for (let turn = 1; turn <= 50; turn++)
        await actor.execute({ method: 'increment', args: [turn], idempotencyKey: `key-${turn}` })
    },
  },
  {
    type: 'Quoter',
    run: async (actor) => {
      for (let turn = 1; turn <= 20; turn++) {
        const offered = (await actor.call('offer', 'X'.repeat(turn), turn)) as {
          val: { id: bigint }
        }
        if (turn % 4 === 0) await actor.call('accept', offered.val.id)
      }
    },
  },
  {
    type: 'Faulty',
    run: async (actor) => {
      for (let turn = 1; turn <= 10; turn++) {
        await actor.call('add', turn)
        await ignoreFailure(actor.call('addThenAbort', turn, 'no more'))
        await actor.call('random')
      }
    },
  },
]

async function openRecorder(store: ReturnType<typeof memory>, blobs: string): Promise<Runtime> {
  const clock = new VirtualClock()
  const runtime = await createRuntime({
    store,
    blobs: fsBlobs(blobs),
    clock,
    random: seededRandom(20_261_122),
  })
  // Every other price is awaited, so that the journal holds turns of one and of several entries.
  let asked = 0
  const latest = (): number | Promise<number> => {
    clock.advance(1_500)
    return ++asked % 2 === 0 ? Promise.resolve(asked / 8) : asked / 8
  }
  runtime.provide('acme:pricing/quotes', { latest })
  return runtime
}

async function record(scenario: Scenario, folder: string, blobs: string): Promise<void> {
  const { type, run } = scenario
  const store = memory()
  const runtime = await openRecorder(store, blobs)
  const component = readFileSync(`test/fixtures/components/${type.toLowerCase()}.wasm`)
  await runtime.registerActorType(type, { type: 'wasm', component })
  await run(await runtime.getActor('golden', type))
  const { stateHash } = await runtime.describeActor('golden', type)
  await runtime.close()
  const reader = await store.open({ readOnly: true, wallMs: () => 0 })
  const log = await reader.openLog({ type, id: 'golden' })
  const rows = await log.read(0, PAGE_ENTRIES)
  const entries = rows.map(({ bytes }) => Buffer.from(bytes).toString('base64'))
  const golden = { record: log.record, stateHash, entries }
  const name = type.toLowerCase()
  writeFileSync(path.join(folder, `${name}.json`), `${JSON.stringify(golden, null, 1)}\n`)
  writeFileSync(path.join(folder, `${name}.wasm`), component)
}

const probe = encodeEntry(1, { kind: 'continued', atMs: 0, calls: [] })
const folder = path.resolve(`test/fixtures/journals/v${probe[0]}`)
if (existsSync(folder)) {
  console.error(`${folder} exists: golden journals are never recorded again`)
  process.exit(1)
}
mkdirSync(folder, { recursive: true })
const blobs = mkdtempSync(path.join(tmpdir(), 'loom-golden-'))
try {
  for (const scenario of SCENARIOS) await record(scenario, folder, blobs)
} finally {
  rmSync(blobs, { recursive: true, force: true })
}
console.log(`recorded ${SCENARIOS.length} journals in ${folder}`)

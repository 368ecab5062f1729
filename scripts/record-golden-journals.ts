/**
 * Records the golden journals of each entry format, into test/fixtures/journals/v<version>/.
 *
 * A golden journal is made once, by the first release of its format, and replays for ever
 * (test/replay/golden-journals.test.ts). So this leaves alone what is there. Run it after raising the
 * format's version: node dist/scripts/record-golden-journals.js
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  type ActorHandle,
  type BlobStore,
  createRuntime,
  fsBlobs,
  memory,
  type Runtime,
  seededRandom,
  VirtualClock,
} from '../host/index.ts'
import { blobOf, isDetached } from '../host/journal/detached.ts'
import type { JournalRow } from '../host/store/store.ts'

const PAGE_ENTRIES = 10_000

interface Scenario {
  readonly type: string
  readonly component: string
  readonly run: (actor: ActorHandle, runtime: Runtime) => Promise<unknown>
  /** Entries that are larger have their payloads in blobs. Default: the host's. */
  readonly payloadInlineMaxBytes?: number
}

const ignoreFailure = (call: Promise<unknown>): Promise<unknown> => call.catch(() => {})

/** What entries of format 2 hold and those of format 1 do not: effects and callers. */
async function deliver(courier: ActorHandle, runtime: Runtime): Promise<void> {
  const other = ['Courier', 'other'] as const
  for (let turn = 0; turn < 5; turn++) {
    await courier.call('keep', `key-${turn % 2}`, `value ${turn} ünïcode`)
    await courier.call('tell', ...other, 'keep', JSON.stringify(['told', `${turn}`]))
    await courier.call('ask', ...other, 'calls', '[]')
    await courier.call('ask', 'Courier', 'golden', 'calls', '[]')
    await ignoreFailure(courier.call('tell-and-trap', ...other, 'lose', '["told"]'))
  }
  await courier.call('lose', 'key-0')
  const caller = await runtime.getActor('caller', 'Courier')
  await caller.call('ask', 'Courier', 'golden', 'keep', '["asked","for"]')
}

const FORMAT_1: readonly Scenario[] = [
  {
    type: 'Counter',
    component: 'test/fixtures/components/counter.wasm',
    run: async (actor) => {
      for (let turn = 1; turn <= 50; turn++)
        await actor.execute({ method: 'increment', args: [turn], idempotencyKey: `key-${turn}` })
    },
  },
  {
    type: 'Quoter',
    component: 'test/fixtures/components/quoter.wasm',
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
    component: 'test/fixtures/components/faulty.wasm',
    run: async (actor) => {
      for (let turn = 1; turn <= 10; turn++) {
        await actor.call('add', turn)
        await ignoreFailure(actor.call('addThenAbort', turn, 'no more'))
        await actor.call('random')
      }
    },
  },
]

const FORMATS: Readonly<Record<number, readonly Scenario[]>> = {
  1: FORMAT_1,
  2: [{ type: 'Courier', component: 'test/fixtures/guests/courier/courier.wasm', run: deliver }],
  3: [
    {
      type: 'Courier',
      component: 'test/fixtures/guests/courier/courier.wasm',
      run: deliver,
      payloadInlineMaxBytes: 80,
    },
  ],
}

async function openRecorder(
  store: ReturnType<typeof memory>,
  blobs: BlobStore,
  { payloadInlineMaxBytes }: Scenario,
): Promise<Runtime> {
  const clock = new VirtualClock()
  const runtime = await createRuntime({
    store,
    blobs,
    clock,
    random: seededRandom(20_261_122),
    limits: payloadInlineMaxBytes === undefined ? {} : { payloadInlineMaxBytes },
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

/** Blobs that entries of format 3 name. */
async function blobsOf(rows: readonly JournalRow[], blobs: BlobStore): Promise<string[]> {
  const found: string[] = []
  for (const { seq, bytes } of rows)
    if (isDetached(bytes))
      found.push(Buffer.from(await blobs.get(blobOf(seq, bytes))).toString('base64'))
  return found
}

async function record(scenario: Scenario, folder: string, blobs: BlobStore): Promise<void> {
  const { type, run, component: file } = scenario
  const store = memory()
  const runtime = await openRecorder(store, blobs, scenario)
  const component = readFileSync(file)
  await runtime.registerActorType(type, { type: 'wasm', component })
  await run(await runtime.getActor('golden', type), runtime)
  const { stateHash } = await runtime.describeActor('golden', type)
  await runtime.close()
  const reader = await store.open({ readOnly: true, wallMs: () => 0 })
  const log = await reader.openLog({ type, id: 'golden' })
  const rows = await log.read(0, PAGE_ENTRIES)
  const entries = rows.map(({ bytes }) => Buffer.from(bytes).toString('base64'))
  const payloads = await blobsOf(rows, blobs)
  const golden = {
    record: log.record,
    stateHash,
    entries,
    ...(payloads.length > 0 && { blobs: payloads }),
  }
  const name = type.toLowerCase()
  writeFileSync(path.join(folder, `${name}.json`), `${JSON.stringify(golden, null, 1)}\n`)
  writeFileSync(path.join(folder, `${name}.wasm`), component)
}

const blobs = mkdtempSync(path.join(tmpdir(), 'loom-golden-'))
try {
  for (const [version, scenarios] of Object.entries(FORMATS)) {
    const folder = path.resolve(`test/fixtures/journals/v${version}`)
    if (existsSync(folder)) {
      console.log(`${folder} exists: golden journals are never recorded again`)
      continue
    }
    mkdirSync(folder, { recursive: true })
    for (const scenario of scenarios) await record(scenario, folder, fsBlobs(blobs))
    console.log(`recorded ${scenarios.length} journals in ${folder}`)
  }
} finally {
  rmSync(blobs, { recursive: true, force: true })
}

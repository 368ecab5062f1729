// Aim: an actor does the same in every language: same answers, same lines in the log, same host calls, same
// journal. Method: the same calls on the same interface in each language, on a runtime with a virtual clock; a
// model in TypeScript says what is right, and the journals are compared with each other. Bank accounts transfer to
// another account of their language, through its typed client, which is refused until that account is open.
import { describe, expect, test } from 'vitest'
import {
  fsBlobs,
  memory,
  openInspector,
  type Runtime,
  seededRandom,
  VirtualClock,
  type WitValue,
} from '../../host/index.ts'
import { ofAnyBuild } from '../support/any-build.ts'
import { BankModel } from '../support/bank-model.ts'
import { componentBytes } from '../support/components.ts'
import { bankCall, type Call, Choices, counterCall, LANGUAGES, OTHER } from '../support/guests.ts'
import { errorOf, openHost, temporaryFolder } from '../support/host.ts'
import { seedOf } from '../support/seed.ts'
import { STARLINGMONKEY, sayAbsence } from '../support/starlingmonkey.ts'

const CALLS = 300
/** Components on StarlingMonkey have 12 MB, which take seconds to compile after each crash. */
const TIMEOUT = { timeout: 300_000 }
const START_MS = 1_700_000_000_000
const SEED = seedOf('languages')

interface Transcript {
  readonly results: readonly WitValue[]
  readonly lines: readonly string[]
  /** Of every actor, everything but what says how the component was built. */
  readonly journals: readonly (readonly unknown[])[]
}

interface Model {
  call(method: string, args: readonly unknown[], nowMs: bigint): WitValue
  readonly lines: string[]
}

/** A call of the actor, unless it is of the other one. */
interface Step {
  readonly id: string
  readonly call: Call
}

const ACTOR = 'g'
const OTHER_OPENS_AT = 100

class CounterModel implements Model {
  readonly lines: string[] = []
  #total = 0n

  call(method: string, [by]: readonly unknown[]): WitValue {
    if (method === 'increment') this.#total = BigInt.asUintN(64, this.#total + BigInt(Number(by)))
    return this.#total
  }
}

function stepsOf(next: (choices: Choices) => Call): Step[] {
  const choices = new Choices(SEED)
  const steps = Array.from({ length: CALLS }, () => ({ id: ACTOR, call: next(choices) }))
  if (next !== bankCall) return steps
  const first = EVERY_REFUSAL.map((call) => ({ id: ACTOR, call }))
  const open: Step = { id: OTHER, call: ['open', 'other'] }
  return [...first, ...steps.toSpliced(OTHER_OPENS_AT, 0, open)]
}

/** So that no refusal is untested, whatever the seed. */
const EVERY_REFUSAL: readonly Call[] = [
  ['transfer', 'Guest', OTHER, 1n],
  ['open', 'ann'],
  ['open', 'bob'],
  ['deposit', 0n],
  ['deposit', 5n],
  ['transfer', 'Guest', OTHER, 6n],
  ['transfer', 'Guest', OTHER, 5n],
]

/** One account that transfers to another. */
function bankModel(): Model & { readonly other: BankModel } {
  const other = new BankModel()
  return Object.assign(new BankModel(() => other), { other })
}

interface World {
  readonly runtime: Runtime
  readonly clock: VirtualClock
  readonly lines: string[]
  crash(): Promise<World>
  inspect(): ReturnType<typeof openInspector>
}

async function openWorld(file: string): Promise<World> {
  const store = memory()
  const blobs = fsBlobs(temporaryFolder())
  const clock = new VirtualClock(START_MS)
  const lines: string[] = []
  const open = async (): Promise<World> => {
    const runtime = await openHost({
      store,
      blobs,
      clock,
      random: seededRandom(SEED),
      log: ({ level, message }) => lines.push(`${level} ${message}`),
      limits: { snapshotIntervalTurns: 40 },
    })
    await runtime.registerActorType('Guest', { type: 'wasm', component: componentBytes(file) })
    const crash = (): Promise<World> => {
      store.crash()
      return open()
    }
    return { runtime, clock, lines, crash, inspect: () => openInspector({ store, blobs }) }
  }
  return open()
}

async function transcribe(
  file: string,
  steps: readonly Step[],
  crashes = false,
): Promise<Transcript> {
  let world = await openWorld(file)
  const results: WitValue[] = []
  for (const [index, { id, call }] of steps.entries()) {
    if (crashes && index % 100 === 50) world = await world.crash()
    world.clock.advance(7)
    const [method, ...args] = call
    const guest = await world.runtime.getActor(id, 'Guest')
    results.push(await guest.execute({ method, args, idempotencyKey: `call-${index}` }))
  }
  const inspector = await world.inspect()
  const journals: unknown[][] = []
  for (const id of new Set(steps.map((step) => step.id))) {
    const key = { type: 'Guest', id }
    const journal: unknown[] = []
    for await (const { entry } of inspector.journal(key)) journal.push(ofAnyBuild(entry))
    journals.push(journal)
    const { stateHash } = await world.runtime.describeActor(id, 'Guest')
    expect(await inspector.replay(key)).toMatchObject({ stateHash, failed: 0 })
  }
  return { results, lines: world.lines, journals }
}

const REFUSALS = ['already-open', 'bad-amount', 'insufficient', 'no-receiver', 'not-open']

function refusalsIn({ results }: Transcript): string[] {
  const names = results.flatMap((result) => {
    const { tag, val } = result as {
      readonly tag: string
      readonly val?: { readonly tag?: string }
    }
    return tag === 'err' && val?.tag !== undefined ? [val.tag] : []
  })
  return [...new Set(names)].sort()
}

sayAbsence('languages')
const GUESTS = [...LANGUAGES, ...STARLINGMONKEY]

const KINDS = [
  { kind: 'counter' as const, next: counterCall, model: () => new CounterModel() },
  { kind: 'bank' as const, next: bankCall, model: bankModel },
]

describe.each(KINDS)('the $kind', ({ kind, next, model }) => {
  const steps = stepsOf(next)
  let reference: Promise<Transcript> | null = null

  test.each(GUESTS)('in $language does what the model says', TIMEOUT, async (guest) => {
    const right: Model & { readonly other?: Model } = model()
    const transcript = await transcribe(guest[kind], steps)
    steps.forEach(({ id, call: [method, ...args] }, index) => {
      const nowMs = BigInt(START_MS + 7 * (index + 1))
      const expected = (id === ACTOR ? right : right.other)?.call(method, args, nowMs)
      expect(transcript.results[index], `seed ${SEED}, call ${index}`).toEqual(expected)
    })
    expect(transcript.lines).toEqual(right.lines)
    if (kind === 'bank') expect(refusalsIn(transcript)).toEqual(REFUSALS)
  })

  test.each(GUESTS)(
    'in $language leaves the same journal, past crashes too',
    TIMEOUT,
    async (guest) => {
      reference ??= transcribe(LANGUAGES[0]?.[kind] ?? '', steps)
      const { results, lines, journals } = await transcribe(guest[kind], steps, true)
      const expected = await reference
      expect(results).toEqual(expected.results)
      expect(lines).toEqual(expected.lines)
      expect(journals[0]?.length).toBeGreaterThan(steps.length)
      expect(journals).toEqual(expected.journals)
    },
  )

  test.each(GUESTS)('in $language refuses what the interface does not have', async (guest) => {
    const { runtime } = await openWorld(guest[kind])
    const actor = await runtime.getActor('g', 'Guest')
    const [method = '', ...args] = kind === 'bank' ? ['deposit', 5n] : ['increment', 5]
    expect(await errorOf(actor.call('no-such-method'))).toMatchObject({
      code: 'ERR_METHOD_UNKNOWN',
    })
    expect(await errorOf(actor.call(method, 'five'))).toMatchObject({ code: 'ERR_ARGUMENT_TYPE' })
    expect(await errorOf(actor.call(method, ...args, 1))).toMatchObject({
      code: 'ERR_ARGUMENT_COUNT',
    })
  })
})

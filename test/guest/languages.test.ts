// Aim: an actor does the same in every language: same answers, same lines in the log, same host calls, same
// journal. Method: the same calls on the same interface in each language, on a runtime with a virtual clock; a
// model in TypeScript says what is right, and the journals are compared with each other.
import { describe, expect, test } from 'vitest'
import {
  fsBlobs,
  type JournalEntry,
  memory,
  openInspector,
  type Runtime,
  seededRandom,
  VirtualClock,
  type WitValue,
} from '../../host/index.ts'
import { componentBytes } from '../support/components.ts'
import { bankCall, type Call, Choices, counterCall, LANGUAGES } from '../support/guests.ts'
import { errorOf, openHost, temporaryFolder } from '../support/host.ts'
import { seedOf } from '../support/seed.ts'

const CALLS = 300
const START_MS = 1_700_000_000_000
const SEED = seedOf('languages')

interface Transcript {
  readonly results: readonly WitValue[]
  readonly lines: readonly string[]
  /** Everything but what names the component. */
  readonly journal: readonly unknown[]
}

interface Model {
  call(method: string, args: readonly unknown[], nowMs: bigint): WitValue
  readonly lines: string[]
}

class CounterModel implements Model {
  readonly lines: string[] = []
  #total = 0n

  call(method: string, [by]: readonly unknown[]): WitValue {
    if (method === 'increment') this.#total = BigInt.asUintN(64, this.#total + BigInt(Number(by)))
    return this.#total
  }
}

const HELD_MAX = 2n ** 63n - 1n

class BankModel implements Model {
  readonly lines: string[] = []
  #owner: string | null = null
  #balance = 0n
  #movements: { at: bigint; amount: bigint; balance: bigint }[] = []

  call(method: string, [argument]: readonly unknown[], at: bigint): WitValue {
    const refused = (name: string, val?: WitValue): WitValue => ({
      tag: 'err',
      val: val === undefined ? { tag: name } : { tag: name, val },
    })
    if (method === 'open') {
      if (this.#owner !== null) {
        this.lines.push(`warn already open: ${this.#owner}`)
        return refused('already-open', this.#owner)
      }
      this.#owner = String(argument)
      return { tag: 'ok' }
    }
    if (this.#owner === null) return refused('not-open')
    if (method === 'balance') return { tag: 'ok', val: this.#balance }
    if (method === 'statement') return { tag: 'ok', val: [...this.#movements] }
    const amount = argument as bigint
    if (amount === 0n || amount > HELD_MAX) return refused('bad-amount')
    const signed = method === 'deposit' ? amount : -amount
    const balance = this.#balance + signed
    if (balance < 0n) {
      this.lines.push(`warn insufficient: ${-balance} missing`)
      return refused('insufficient', -balance)
    }
    if (balance > HELD_MAX) return refused('bad-amount')
    this.#balance = balance
    this.#movements = [...this.#movements, { at, amount: signed, balance }].slice(-10)
    return { tag: 'ok' }
  }
}

function withoutDigest(entry: JournalEntry): unknown {
  return entry.kind === 'created' ? { ...entry, digest: '' } : entry
}

function callsOf(next: (choices: Choices) => Call): Call[] {
  const choices = new Choices(SEED)
  return Array.from({ length: CALLS }, () => next(choices))
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
  calls: readonly Call[],
  crashes = false,
): Promise<Transcript> {
  let world = await openWorld(file)
  const results: WitValue[] = []
  for (const [index, [method, ...args]] of calls.entries()) {
    if (crashes && index % 100 === 50) world = await world.crash()
    world.clock.advance(7)
    const request = { method, args, idempotencyKey: `call-${index}` }
    const guest = await world.runtime.getActor('g', 'Guest')
    results.push(await guest.execute(request))
  }
  const inspector = await world.inspect()
  const key = { type: 'Guest', id: 'g' }
  const journal: unknown[] = []
  for await (const { entry } of inspector.journal(key)) journal.push(withoutDigest(entry))
  const { stateHash } = await world.runtime.describeActor('g', 'Guest')
  const report = await inspector.replay(key)
  expect(report).toMatchObject({ stateHash, turns: calls.length, failed: 0 })
  return { results, lines: world.lines, journal }
}

const KINDS = [
  { kind: 'counter' as const, next: counterCall, model: () => new CounterModel() },
  { kind: 'bank' as const, next: bankCall, model: () => new BankModel() },
]

describe.each(KINDS)('the $kind', ({ kind, next, model }) => {
  const calls = callsOf(next)
  let reference: Promise<Transcript> | null = null

  test.each(LANGUAGES)('in $language does what the model says', async (guest) => {
    const right = model()
    const transcript = await transcribe(guest[kind], calls)
    calls.forEach(([method, ...args], index) => {
      const nowMs = BigInt(START_MS + 7 * (index + 1))
      const expected = right.call(method, args, nowMs)
      expect(transcript.results[index], `seed ${SEED}, call ${index}`).toEqual(expected)
    })
    expect(transcript.lines).toEqual(right.lines)
  })

  test.each(LANGUAGES)('in $language leaves the same journal, past crashes too', async (guest) => {
    reference ??= transcribe(LANGUAGES[0]?.[kind] ?? '', calls)
    const { results, lines, journal } = await transcribe(guest[kind], calls, true)
    const expected = await reference
    expect(results).toEqual(expected.results)
    expect(lines).toEqual(expected.lines)
    expect(journal.length).toBeGreaterThan(calls.length)
    expect(journal).toEqual(expected.journal)
  })

  test.each(LANGUAGES)('in $language refuses what the interface does not have', async (guest) => {
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

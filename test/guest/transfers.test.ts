// Aim: actors of different languages call each other through typed clients, and what they do together survives.
// Method: bank accounts in two languages transfer to each other on the memory store, which crashes after every
// single write in turn; all calls are asked again with their keys. No money is made or lost, and the journals are
// the same whatever the languages are. Then what may go wrong with a client.
import { describe, expect, test } from 'vitest'
import {
  Actor,
  fsBlobs,
  type JournalEntry,
  memory,
  openInspector,
  publishComponent,
  type Runtime,
  seededRandom,
  VirtualClock,
} from '../../host/index.ts'
import { ofAnyBuild } from '../support/any-build.ts'
import { componentBytes } from '../support/components.ts'
import { LANGUAGES } from '../support/guests.ts'
import { errorOf, openHost, temporaryFolder } from '../support/host.ts'
import { times } from '../support/long.ts'

const START_MS = 1_700_000_000_000
const ACCOUNTS = [
  { type: 'Left', id: 'ann' },
  { type: 'Right', id: 'bob' },
] as const
const [LEFT, RIGHT] = ACCOUNTS

type Account = (typeof ACCOUNTS)[number]
type Step = readonly [Account, method: string, ...args: unknown[]]

const transfer = (from: Account, to: Account, amount: bigint): Step => [
  from,
  'transfer',
  to.type,
  to.id,
  amount,
]

/** The middle ones move money there and back, one is refused here and one there. */
const STEPS: readonly Step[] = [
  [LEFT, 'open', 'Ann'],
  [LEFT, 'deposit', 100n],
  transfer(LEFT, RIGHT, 10n),
  [RIGHT, 'open', 'Bob'],
  transfer(LEFT, RIGHT, 60n),
  transfer(RIGHT, LEFT, 25n),
  transfer(RIGHT, LEFT, 36n),
  transfer(LEFT, RIGHT, 1n),
]
const ANSWERS = ['ok', 'ok', 'no-receiver', 'ok', 'ok', 'ok', 'insufficient', 'ok']
const HELD = [64n, 36n]

type Blobs = ReturnType<typeof fsBlobs>

interface Bank {
  readonly store: ReturnType<typeof memory>
  readonly blobs: Blobs
}

/** Pushed, not registered: a turn that goes on when the host starts finds both types. */
async function push(left: string, right: string): Promise<Blobs> {
  const blobs = fsBlobs(temporaryFolder())
  for (const [typeName, file] of [
    [LEFT.type, left],
    [RIGHT.type, right],
  ] as const)
    await publishComponent({ blobs, bytes: componentBytes(file), typeName })
  return blobs
}

function openBank({ store, blobs }: Bank): Promise<Runtime> {
  const clock = new VirtualClock(START_MS)
  return openHost({ store, blobs, clock, random: seededRandom(1) })
}

function answerOf(result: unknown): string {
  const { tag, val } = result as { readonly tag: string; readonly val?: { readonly tag: string } }
  return val?.tag ?? tag
}

/** Runs all steps; false when the store crashed meanwhile. */
async function runSteps(bank: Bank, crashed: Promise<false>): Promise<string[] | false> {
  const runtime = await openBank(bank)
  const answers: string[] = []
  for (const [index, [{ type, id }, method, ...args]] of STEPS.entries()) {
    const account = await runtime.getActor(id, type)
    const request = { method, args, idempotencyKey: `step-${index}` }
    const result = await Promise.race([account.execute(request), crashed])
    if (result === false) return false
    answers.push(answerOf(result))
  }
  return answers
}

/** What is left, by account, after the steps; with a crash after so many writes. */
async function play(blobs: Blobs, writesUntilCrash: number) {
  const bank: Bank = { store: memory(), blobs }
  let hasCrashed = false
  const crashed = new Promise<false>((resolve) => {
    const { crash } = bank.store
    bank.store.crash = () => {
      crash.call(bank.store)
      hasCrashed = true
      resolve(false)
    }
  })
  bank.store.crashAfter(writesUntilCrash)
  const never = new Promise<false>(() => {})
  const answers = (await runSteps(bank, crashed)) || (await runSteps(bank, never))
  expect(answers).toEqual(ANSWERS)
  const outcome = { hasCrashed }
  bank.store.crash()
  return { ...outcome, ...(await look(bank)) }
}

async function look(bank: Bank) {
  const { store, blobs } = bank
  const runtime = await openBank(bank)
  const inspector = await openInspector({ store, blobs })
  const journals: JournalEntry[][] = []
  const held: unknown[] = []
  for (const key of ACCOUNTS) {
    const { stateHash } = await runtime.describeActor(key.id, key.type)
    expect((await inspector.replay(key)).stateHash).toBe(stateHash)
    const journal: JournalEntry[] = []
    for await (const { entry } of inspector.journal(key)) journal.push(ofAnyBuild(entry))
    journals.push(journal)
    held.push(await (await runtime.getActor(key.id, key.type)).call('balance'))
  }
  await inspector.close()
  return { journals, held }
}

const WRITES_MAX = 60
const FIRST = LANGUAGES[0] as (typeof LANGUAGES)[number]
const PAIRS = LANGUAGES.flatMap((left) =>
  LANGUAGES.filter((right) => right !== left).map((right) => ({ left, right })),
)

describe.each(PAIRS)('$left.language and $right.language', ({ left, right }) => {
  test('transfer to each other and back, past a crash after any write', async () => {
    const blobs = await push(left.bank, right.bank)
    const whole = await play(blobs, WRITES_MAX)
    expect(whole.hasCrashed).toBe(false)
    expect(whole.held).toEqual(HELD.map((val) => ({ tag: 'ok', val })))
    const same = await play(await push(FIRST.bank, FIRST.bank), WRITES_MAX)
    expect(whole.journals).toEqual(same.journals)
    // Every write for the first pair, and for all of them in the long form.
    const step = left === FIRST || times(1) > 1 ? 1 : 5
    let crashes = 0
    for (let writes = 0; writes < WRITES_MAX; writes += step) {
      const cut = await play(blobs, writes)
      expect([writes, cut.held]).toEqual([writes, whole.held])
      if (!cut.hasCrashed) break
      crashes += 1
    }
    expect(crashes).toBeGreaterThan(10 / step)
    expect(crashes * step).toBeLessThan(WRITES_MAX - step)
  })
})

class Purse extends Actor<{ held: number }> {
  static readonly initialState = { held: 0 }

  deposit(amount: bigint): unknown {
    if (amount === 13n) throw new Error('unlucky')
    if (amount === 14n) return 'not a result'
    this.updateState(({ held }) => ({ held: held + Number(amount) }))
    return { tag: 'ok' }
  }
}

describe.each(LANGUAGES)('a client in $language', ({ bank, counter }) => {
  async function rich(): Promise<{
    runtime: Runtime
    pay: (type: string, amount: bigint) => Promise<unknown>
    held: () => Promise<unknown>
  }> {
    const runtime = await openHost()
    await runtime.registerActorType('Bank', { type: 'wasm', component: componentBytes(bank) })
    await runtime.registerActorType('Counter', { type: 'wasm', component: componentBytes(counter) })
    await runtime.registerActorType('Purse', { type: 'typescript', actorClass: Purse })
    const ann = await runtime.getActor('ann', 'Bank')
    await ann.call('open', 'Ann')
    await ann.call('deposit', 100n)
    const pay = (type: string, amount: bigint) => ann.call('transfer', type, 'x', amount)
    return { runtime, pay, held: () => ann.call('balance') }
  }

  test('calls a TypeScript actor of the same methods', async () => {
    const { pay, held } = await rich()
    expect(await pay('Purse', 30n)).toEqual({ tag: 'ok' })
    expect(await held()).toEqual({ tag: 'ok', val: 70n })
  })

  test.each([
    ['a callee that fails', 'Purse', 13n, /account\.deposit: ERR_ACTOR_FAILED: .*unlucky/],
    ['a result of another type', 'Purse', 14n, /ERR_ARGUMENT_TYPE: the result of .* expected/],
    ['an actor without the interface', 'Counter', 1n, /ERR_METHOD_UNKNOWN: Counter\/x has no/],
    ['a type that is not there', 'Nobody', 1n, /ERR_TYPE_UNKNOWN/],
    ['a name that cannot be', 'no type', 1n, /ERR_NAME/],
  ])('fails the turn, without a trace, for %s', async (_what, type, amount, message) => {
    const { pay, held } = await rich()
    const error = await errorOf(pay(type, amount))
    expect(error).toMatchObject({ code: 'ERR_HOST_CALL' })
    expect(error.message).toMatch(message)
    expect(await held()).toEqual({ tag: 'ok', val: 100n })
  })

  test('fails the turn when the call comes back to its caller', async () => {
    const { runtime, held } = await rich()
    const ann = await runtime.getActor('ann', 'Bank')
    const error = await errorOf(ann.call('transfer', 'Bank', 'ann', 1n))
    expect(error).toMatchObject({ code: 'ERR_HOST_CALL' })
    expect(error.message).toMatch(/ERR_DEADLOCK/)
    expect(await held()).toEqual({ tag: 'ok', val: 100n })
  })
})

test('nobody else can provide a client', async () => {
  const runtime = await openHost()
  const provide = () => runtime.provide('a:b/c-client', { '[constructor]c': () => 1 })
  expect(provide).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }))
  runtime.provide('a:b/rest-client', { '[constructor]session': () => 1 })
})

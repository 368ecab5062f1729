/**
 * Fault model of this test: the process of a whole host dies at any instruction (SIGKILL), while it opens its folder
 * or while client processes call it, again and again; clients ask again with their keys until they are answered.
 *
 * What must hold: every answer is in its actor's journal once and with that result, and nothing else is; no turn is
 * there twice, those of messages and of calls between actors included; each client's calls are in its order; money
 * that moves between actors, by calls and by messages, is conserved; every journal replays from its first entry to
 * the live state.
 *
 * Not in the model: loss of power and bad disks (store-disk.test.ts), frozen hosts (store-takeover.test.ts).
 */
import path from 'node:path'
import { expect, test } from 'vitest'
import { INTERNAL_KEY_PREFIX } from '../../host/base/names.ts'
import { lmdb } from '../../host/store/lmdb/index.ts'
import { pushCounter } from '../support/actors.ts'
import { call, request } from '../support/http.ts'
import { type Answer, type CheckedActor, KillWorld } from '../support/kill-world.ts'
import { isLong, times } from '../support/long.ts'
import { temporaryFolder, until } from '../support/processes.ts'
import { choices, seedOf } from '../support/seed.ts'
import { checkTransfers } from '../support/transfers.ts'

const KILL_COUNT = isLong ? Math.max(500, times(12)) : 12
const CLIENT_COUNT = 3

/** Lets a host live for a while, and kills it. Returns what it was doing. */
async function killOne(world: KillWorld, pick: (count: number) => number): Promise<string> {
  const kind = pick(6) === 0 ? 'serve' : 'embedded'
  const host = world.startHost(kind)
  const moment = pick(20)
  // A random moment of its start: this is no wait for anything.
  if (moment < 3) await new Promise((resolve) => setTimeout(resolve, pick(600)))
  else if (moment < 5 && kind === 'embedded') expect(await host.line()).toBe('open')
  else {
    await world.listening()
    await world.answers(pick(3) === 0 ? pick(8) : pick(150))
    await new Promise((resolve) => setTimeout(resolve, pick(5)))
  }
  await host.kill()
  expect(host.signal, host.errors).toBe('SIGKILL')
  return moment < 5 ? 'while it opened' : kind
}

/** Turns that a crash cut off are run when their actor is called; then messages come to their end. */
async function drain(world: KillWorld): Promise<void> {
  const actors = JSON.parse((await request(world.address, '/v1.0/actors')).text) as CheckedActor[]
  for (const { type, id } of actors) await describe(world, { type, id })
  const store = await lmdb(path.join(world.data, 'store')).open({ readOnly: true, wallMs: () => 0 })
  let left = Number.POSITIVE_INFINITY
  // The deadline counts from the last message that was settled.
  for (;;) {
    const fewer = await until('messages to be settled', async () => {
      const { length } = await store.outbox(null, 1_000_000)
      return length === 0 || length < left ? length : null
    })
    if (fewer === 0) break
    left = fewer
  }
  await store.close()
}

async function describe(
  world: KillWorld,
  { type, id }: Pick<CheckedActor, 'type' | 'id'>,
): Promise<string> {
  const { status, text } = await request(world.address, `/v1.0/actors/${type}/${id}`)
  expect([status, text]).toEqual([200, expect.any(String)])
  return JSON.parse(text).stateHash
}

async function ask(world: KillWorld, actor: string, method: string): Promise<unknown> {
  const { status, text } = await call(world.address, actor, method)
  expect([status, text]).toEqual([200, expect.any(String)])
  return JSON.parse(text)
}

/** The turns that clients asked for are the answered ones, once, with their results and in each lane's order. */
function checkAnswers(actors: readonly CheckedActor[], answers: readonly Answer[]): void {
  const expected = new Map<string, Map<string, Answer>>()
  for (const answer of answers) {
    const name = `${answer.type}/${answer.id}`
    const known = expected.get(name) ?? new Map<string, Answer>()
    const twin = known.get(answer.key)
    // Several clients may ask with one key: all get the same answer.
    if (twin !== undefined) expect([answer.key, answer.result]).toEqual([twin.key, twin.result])
    expected.set(name, known.set(answer.key, answer))
  }
  for (const { type, id, turns } of actors) {
    const name = `${type}/${id}`
    const keys = turns.flatMap(({ key }) => (key === null ? [] : [key]))
    expect(new Set(keys).size, `${name}: a turn is there twice`).toBe(keys.length)
    const known = expected.get(name) ?? new Map<string, Answer>()
    const lanes = new Map<string, number>()
    let found = 0
    for (const { key, method, args, outcome } of turns) {
      if (key === null || key.startsWith(INTERNAL_KEY_PREFIX)) continue
      const answer = known.get(key)
      if (answer === undefined) throw new Error(`${name}: nobody was answered ${key}`)
      const { result } = answer
      expect([name, key, method, args, outcome]).toEqual([
        name,
        key,
        answer.method,
        answer.args,
        { kind: 'returned', value: result },
      ])
      const number = Number(key.split('-')[1])
      const lane = key.split('-')[0] ?? ''
      expect(number, `${name}: order of ${lane}`).toBeGreaterThan(lanes.get(lane) ?? 0)
      lanes.set(lane, number)
      found++
    }
    expect([name, found]).toEqual([name, known.size])
    expected.delete(name)
  }
  expect([...expected.keys()], 'answered, and lost').toEqual([])
}

/** The sum is that of the beginning, and each account's books agree with its balance. */
async function checkBalances(world: KillWorld, actors: readonly CheckedActor[]): Promise<void> {
  let sum = 0
  for (const { type, id } of actors) {
    if (type !== 'Account') continue
    const balance = await ask(world, `Account/${id}`, 'balance')
    expect(await ask(world, `Account/${id}`, 'booked')).toMatchObject({ sum: balance })
    sum += balance as number
  }
  expect(sum, 'money is conserved').toBe(0)
}

const seed = seedOf('host kills')

test(
  `a host that is killed ${KILL_COUNT} times under load keeps every answered turn, once (LOOM_SEED=${seed})`,
  async () => {
    const pick = choices(seed)
    const data = temporaryFolder()
    await pushCounter(data)
    const world = new KillWorld(data, temporaryFolder())
    for (let client = 0; client < CLIENT_COUNT; client++)
      world.startClient(`client${client}`, pick(2 ** 31))
    const kills: Record<string, number> = {}
    for (let kill = 0; kill < KILL_COUNT; kill++) {
      const what = await killOne(world, pick)
      kills[what] = (kills[what] ?? 0) + 1
      if ((kill + 1) % 50 === 0) process.stderr.write(`host kills: ${kill + 1} so far\n`)
    }
    const last = world.startHost('embedded')
    await world.listening()
    // Also where all others were killed early, there is something to check.
    await world.answers(200)
    const answers = await world.stopClients()
    await drain(world)
    const before = await world.check()
    checkAnswers(before, answers)
    const transfers = checkTransfers(before)
    await checkBalances(world, before)
    for (const { type, id } of before)
      if (type === 'Log') expect(await ask(world, `Log/${id}`, 'disorder')).toBeNull()
    const live = new Map<string, string>()
    for (const actor of before) live.set(`${actor.type}/${actor.id}`, await describe(world, actor))
    last.send('SIGTERM')
    await last.exited()
    expect([last.exitCode, last.errors]).toEqual([0, ''])
    for (const { type, id, stateHash } of await world.check())
      expect([type, id, stateHash]).toEqual([type, id, live.get(`${type}/${id}`)])
    expect(transfers).toBeGreaterThan(KILL_COUNT)
    process.stderr.write(
      `host kills: ${JSON.stringify(kills)}, ${answers.length} answers, ${transfers} transfers\n`,
    )
  },
  isLong ? 7_200_000 : 300_000,
)

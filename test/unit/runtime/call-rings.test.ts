// Aim: of calls that close a ring one is refused, and only one that has not begun: whoever is told that its call was
// refused can rely on it, also when a crash has cut all of them off and they are made again in another order.
// Method: rings of TypeScript actors, whose names say in which order a host resumes them, crashed at every commit.
import { describe, expect, test } from 'vitest'
import { Actor, memory, type Runtime, type RuntimeOptions } from '../../../host/index.ts'
import { errorOf, macrotasks, openHost } from '../../support/host.ts'

const hopper = (id: string) => ({ type: 'Hopper', id })

class Hopper extends Actor<{ hops: number }> {
  static readonly initialState = { hops: 0 }
  static waits: (() => void)[] | null = null

  /** Through all actors; the answer says how far it came, and who was refused. */
  async hop(ids: readonly string[]): Promise<string> {
    const { actorId } = this.context
    this.updateState(({ hops }) => ({ hops: hops + 1 }))
    const [next, ...rest] = ids
    if (next === undefined) return `${actorId}.`
    try {
      return `${actorId} ${await this.context.call<string>(hopper(next), 'hop', rest)}`
    } catch (error) {
      return `${actorId}! ${(error as { code?: string }).code}`
    }
  }

  async askBack(of: string): Promise<number> {
    return await this.context.call<number>(hopper(of), 'total')
  }

  async askThrough(by: string): Promise<number> {
    return await this.context.call<number>(hopper(by), 'askBack', this.context.actorId)
  }

  total(): number {
    return this.state.hops
  }
}

async function openHoppers(options: Partial<RuntimeOptions> = {}): Promise<Runtime> {
  const runtime = await openHost(options)
  const definition = { type: 'typescript', actorClass: Hopper, queries: ['total'] } as const
  await runtime.registerActorType('Hopper', definition)
  return runtime
}

const RINGS = [
  { first: 'a', ids: ['b', 'a'], answer: 'a b! ERR_DEADLOCK' },
  { first: 'z', ids: ['b', 'z'], answer: 'z b! ERR_DEADLOCK' },
  { first: 'z', ids: ['c', 'b', 'z'], answer: 'z c b! ERR_DEADLOCK' },
  { first: 'b', ids: ['z', 'c', 'b'], answer: 'b z c! ERR_DEADLOCK' },
  { first: 'z', ids: ['c', 'b', 'c'], answer: 'z c b! ERR_DEADLOCK' },
  { first: 'a', ids: ['a'], answer: 'a! ERR_DEADLOCK' },
]

describe('calls that close a ring', () => {
  for (const { first, ids, answer } of RINGS)
    for (const awaiting of ['auto', 'unwind'] as const)
      test(`${[first, ...ids].join(' -> ')}: the last is refused, whenever a crash comes (${awaiting})`, async () => {
        for (let crashAt = 0; crashAt < 9; crashAt++) {
          const store = memory()
          const runtime = await openHoppers({ store, awaiting })
          const request = { method: 'hop', args: [ids], idempotencyKey: 'once' }
          store.crashAfter(crashAt)
          const asked = (await runtime.getActor(first, 'Hopper')).execute(request)
          asked.catch(() => {})
          await macrotasks(40)
          store.crash()
          const next = await openHoppers({ store, awaiting })
          // What was open goes on before anybody asks.
          await macrotasks(40)
          const again = (await next.getActor(first, 'Hopper')).execute(request)
          expect(await again, `crashed at commit ${crashAt}`).toBe(answer)
          for (const id of new Set([first, ...ids]))
            expect([crashAt, id, await (await next.getActor(id, 'Hopper')).call('total')]).toEqual([
              crashAt,
              id,
              1,
            ])
        }
      })

  test('two that meet: one is refused, the other goes through', async () => {
    const runtime = await openHoppers()
    const [a, b] = [await runtime.getActor('a', 'Hopper'), await runtime.getActor('b', 'Hopper')]
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all([a.call('hop', ['b', 'c']), b.call('hop', ['a', 'c'])])
      for (const answer of answers) expect(answer).toMatch(/^[ab]( [ab])?( c\.|! ERR_DEADLOCK)$/)
    }
  })

  test('a query closes none: it waits for no turn', async () => {
    const runtime = await openHoppers()
    const a = await runtime.getActor('a', 'Hopper')
    await a.call('hop', [])
    expect(await a.call('askThrough', 'b')).toBe(1)
  })

  test('a turn that is lost waits no more: who is called by it may call its actor', async () => {
    const store = memory()
    const runtime = await openHoppers({ store })
    const a = await runtime.getActor('a', 'Hopper')
    store.failNextAppend()
    expect(await errorOf(a.call('hop', ['b', 'c']))).toMatchObject({ code: 'ERR_COMMIT' })
    const b = await runtime.getActor('b', 'Hopper')
    expect(await b.call('hop', ['a', 'c'])).toBe('b a c.')
  })
})

/**
 * Aim: whatever a method of a TypeScript actor does at once (Promise.all, race, allSettled, catching, forgetting to await),
 * and however often it is unwound meanwhile, its replay is the same. Method: an actor that interprets random programs; its
 * callees are cold or hot as a tiny pool leaves them; the host dies in the middle, and in the end every journal is replayed.
 */
import { expect, test } from 'vitest'
import { Actor, memory, openInspector, type Runtime } from '../../host/index.ts'
import { macrotasks, openHost } from '../support/host.ts'
import { times } from '../support/long.ts'
import { MemoryBlobs } from '../support/memory-blobs.ts'
import { choices, seedsOf } from '../support/seed.ts'

interface Program {
  readonly op: string
  readonly key: string
  readonly parts: readonly Program[]
}

const LEAVES = ['get', 'set', 'echo', 'echo', 'call', 'now', 'random', 'send', 'list', 'fail']
const NODES = ['seq', 'seq', 'all', 'all', 'race', 'settled', 'try', 'forget']
const PROGRAM_COUNT = 25

class Interpreter extends Actor<{ trace: readonly unknown[] }> {
  static readonly initialState = { trace: [] }

  async run(program: Program): Promise<unknown> {
    const result = await this.#run(program)
    this.#note('end', result)
    return this.state.trace.length
  }

  echo(key: string): unknown {
    this.#note('echo', key)
    return { keys: [key] }
  }

  #note(...what: readonly unknown[]): void {
    this.updateState(({ trace }) => ({ trace: [...trace, what] }))
  }

  async #run({ op, key, parts }: Program): Promise<unknown> {
    const result = await this.#perform(op, key, parts)
    this.#note(op, key, result)
    return result
  }

  async #perform(op: string, key: string, parts: readonly Program[]): Promise<unknown> {
    const { context, simpleState } = this
    const started = () => parts.map((part) => this.#run(part))
    if (op === 'all') return await Promise.all(started())
    if (op === 'race') return await Promise.race(handled(started()))
    if (op === 'settled') return (await Promise.allSettled(started())).map(({ status }) => status)
    if (op === 'forget') return handled(started()).length
    if (op === 'try') return await this.#attempt(parts)
    if (op === 'seq') for (const part of parts) await this.#run(part)
    if (op === 'get') return await simpleState.get(key)
    if (op === 'set') return simpleState.set(key, { key, list: [parts.length] })
    if (op === 'list') return await simpleState.keys()
    if (op === 'now') return context.now()
    if (op === 'random') return context.random()
    if (op === 'send') return context.send({ type: 'Interpreter', id: key }, 'echo', 'sent')
    if (op === 'echo' || op === 'call') {
      const given = await context.call<{ keys: string[] }>(
        { type: 'Interpreter', id: key },
        'echo',
        key,
      )
      given.keys.push('mine')
      return given
    }
    if (op === 'fail') throw new Error(key)
    return undefined
  }

  async #attempt(parts: readonly Program[]): Promise<unknown> {
    const [first, ...others] = parts
    try {
      return first === undefined ? null : await this.#run(first)
    } catch (error) {
      for (const part of others) await this.#run(part)
      return (error as { code?: string }).code ?? 'caught'
    }
  }
}

/** Nobody awaits them all: those that fail late are no failures of the process. */
function handled(promises: readonly Promise<unknown>[]): readonly Promise<unknown>[] {
  for (const promise of promises) promise.catch(() => {})
  return promises
}

function programOf(pick: (count: number) => number, depth: number): Program {
  const isLeaf = depth === 0 || pick(3) === 0
  const names = isLeaf ? LEAVES : NODES
  const op = names[pick(names.length)] ?? ''
  const parts = isLeaf ? [] : Array.from({ length: 1 + pick(3) }, () => programOf(pick, depth - 1))
  return { op, key: `e${pick(4)}`, parts }
}

const DEFINITION = { type: 'typescript', actorClass: Interpreter } as const

for (const seed of seedsOf('random methods', times(1)))
  test(`methods that do several things at once replay (LOOM_SEED=${seed})`, async () => {
    const [store, blobs, pick] = [memory(), new MemoryBlobs(), choices(seed)]
    const quarantined: string[] = []
    const open = async (): Promise<Runtime> => {
      const runtime = await openHost({
        store,
        blobs,
        limits: { residentCountMax: 2, snapshotIntervalTurns: 5, coolTimeoutMs: 1 },
        log: ({ message }) => {
          if (message.startsWith('quarantined')) quarantined.push(message)
        },
      })
      await runtime.registerActorType('Interpreter', DEFINITION)
      return runtime
    }
    let runtime = await open()
    for (let number = 0; number < PROGRAM_COUNT; number++) {
      const call = {
        method: 'run',
        args: [programOf(pick, 3)],
        idempotencyKey: `${number}`,
      }
      for (const id of ['e0', 'e1', 'e2', 'e3'])
        if (pick(2) === 0) await runtime.deactivate(id, 'Interpreter')
      const actor = await runtime.getActor(`r${pick(2)}`, 'Interpreter')
      const running = actor.execute(call).catch((error) => error)
      if (pick(4) === 0) {
        await macrotasks(pick(6))
        store.crash()
        runtime = await open()
        const again = await runtime.getActor(actor.actorId, 'Interpreter')
        await again.execute(call).catch((error) => error)
      } else await running
    }
    await macrotasks(20)
    const inspector = await openInspector({ store, blobs, types: { Interpreter: DEFINITION } })
    let turns = 0
    for await (const { type, id } of inspector.actors()) {
      const { stateHash } = await runtime.describeActor(id, type)
      const report = await inspector.replay({ type, id })
      expect([id, report.stateHash]).toEqual([id, stateHash])
      turns += report.turns
    }
    expect(quarantined).toEqual([])
    expect(turns).toBeGreaterThan(PROGRAM_COUNT / 2)
  })

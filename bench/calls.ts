/**
 * Calls between actors of one host.
 *
 * Measures, in CPU time of the whole process, through the LMDB driver and on the memory store: a turn that calls another
 * actor, less the same turn without the call, for each call; and what that is made of, in the same run:
 *   callee    the callee's turn when somebody outside asks for it, its commit included
 *   commits   what the call has appended beside that (support/call-commits.ts): the caller's turn is in two or more
 *             entries instead of one, and the callee's has a key. Encoded and appended without turns
 *   the call  the rest: finding the callee, its arguments and its result, who waits for whom, recording
 * Callers are TypeScript, and a component (the courier of test/fixtures); each has a callee of its own, which is hot and
 * free. Of several rounds the best counts.
 * Does not measure: callees that are cold or busy, calls of other hosts.
 *
 * Run: npm run bench -- calls
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import {
  Actor,
  type ActorHandle,
  createRuntime,
  fsBlobs,
  lmdb,
  memory,
  type Runtime,
  type StoreDriver,
} from '../host/index.ts'
import { callCommits } from './support/call-commits.ts'
import { type Load, printTable, runLoad, withFolder } from './support/measure.ts'

const PAIRS = 64
const IN_FLIGHT = 64
const ROUNDS = 8
/** Rounds that only warm up. */
const WARM_ROUNDS = 3
const ROUND_MS = 400
/** Calls of a TypeScript turn that makes many. */
const CALLS = 8

class Caller extends Actor<{ count: number }> {
  static readonly initialState = { count: 0 }

  /** The same turn, with as many calls as it is told. */
  async ask(id: string, calls: number): Promise<number> {
    let last = 0
    for (let call = 0; call < calls; call++)
      last = await this.context.call<number>({ type: 'Callee', id }, 'increment', 1)
    this.updateState(({ count }) => ({ count: count + 1 }))
    return last
  }
}

class Callee extends Actor<{ count: number }> {
  static readonly initialState = { count: 0 }

  increment(by: number): number {
    this.updateState(({ count }) => ({ count: count + by }))
    return this.state.count
  }
}

type Task = (index: number) => Promise<unknown>

async function handlesOf(runtime: Runtime, type: string): Promise<(index: number) => ActorHandle> {
  const ids = Array.from({ length: PAIRS }, (_, index) => `${type}-${index}`)
  const handles = await Promise.all(ids.map((id) => runtime.getActor(id, type)))
  return (index) => handles[index % PAIRS] as ActorHandle
}

/** A turn with a call, the same without, and the callee's turn asked for from outside. */
interface Case {
  readonly what: string
  readonly calls: number
  readonly withCalls: Task
  readonly without: Task
  readonly outside: Task
}

async function casesOf(runtime: Runtime): Promise<Case[]> {
  await runtime.registerActorType('Caller', { type: 'typescript', actorClass: Caller })
  await runtime.registerActorType('Callee', { type: 'typescript', actorClass: Callee })
  const courier = readFileSync('test/fixtures/guests/courier/courier.wasm')
  await runtime.registerActorType('Courier', { type: 'wasm', component: courier })
  const counter = readFileSync('test/fixtures/components/counter.wasm')
  await runtime.registerActorType('Counter', { type: 'wasm', component: counter })
  const [caller, callee, asking, counting] = [
    await handlesOf(runtime, 'Caller'),
    await handlesOf(runtime, 'Callee'),
    await handlesOf(runtime, 'Courier'),
    await handlesOf(runtime, 'Counter'),
  ]
  const typescript = (calls: number): Case => ({
    what: `TypeScript, ${calls} in a turn`,
    calls,
    withCalls: (index) => caller(index).call('ask', `Callee-${index % PAIRS}`, calls),
    without: (index) => caller(index).call('ask', `Callee-${index % PAIRS}`, 0),
    outside: (index) => callee(index).call('increment', 1),
  })
  const component: Case = {
    what: 'component, 1 in a turn',
    calls: 1,
    withCalls: (index) =>
      asking(index).call('ask', 'Counter', `Counter-${index % PAIRS}`, 'increment', '[1]'),
    without: (index) => asking(index).call('calls'),
    outside: (index) => counting(index).call('increment', 1),
  }
  return [typescript(1), typescript(CALLS), component]
}

/** The best round of each task, which take turns. Units: microseconds of CPU time. */
async function best(tasks: readonly Task[]): Promise<number[]> {
  const found = tasks.map(() => Number.POSITIVE_INFINITY)
  for (let round = 1 - WARM_ROUNDS; round <= ROUNDS; round++)
    for (const [index, task] of tasks.entries()) {
      const { cpuUs }: Load = await runLoad(IN_FLIGHT, ROUND_MS, task)
      if (round > 0) found[index] = Math.min(found[index] ?? cpuUs, cpuUs)
    }
  return found
}

/** For one call: what is committed beside a turn of the caller and one of the callee. */
async function commitsOf(driver: StoreDriver, calls: number): Promise<number> {
  const store = await driver.open({ wallMs: () => Date.now() })
  const commits = await callCommits(store, PAIRS)
  const [calling = 0, plain = 0] = await best([
    (index) => commits.calling(index, calls),
    (index) => commits.plain(index),
  ])
  await store.close()
  return (calling - plain) / calls - plain
}

const us = (value: number): string => `${value.toFixed(1)} us`
const rows: string[][] = []
for (const kind of ['lmdb', 'memory'] as const)
  await withFolder(async (folder) => {
    const driverOf = (name: string): StoreDriver =>
      kind === 'lmdb' ? lmdb(path.join(folder, name)) : memory()
    const runtime = await createRuntime({
      store: driverOf('store'),
      blobs: fsBlobs(path.join(folder, 'blobs')),
    })
    for (const { what, calls, withCalls, without, outside } of await casesOf(runtime)) {
      const [full = 0, bare = 0, callee = 0] = await best([withCalls, without, outside])
      const commits = await commitsOf(driverOf(`commits-${what}`), calls)
      const each = (full - bare) / calls
      const costs = [full, bare, each, callee, commits, each - callee - commits]
      rows.push([kind, what, ...costs.map(us)])
    }
    await runtime.close()
  })
console.log(`Node ${process.version}, ${IN_FLIGHT} in flight, CPU time\n`)
printTable(
  ['store', 'caller', 'turn with calls', 'without', 'per call', 'callee', 'commits', 'the call'],
  rows,
)
process.exit(0)

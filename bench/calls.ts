/**
 * Calls between actors of one host.
 *
 * Measures, in CPU time of the whole process: a turn that calls another actor, less the same turn, with the same
 * arguments, without the call, for each call.
 *
 * First with a store that keeps nothing (support/unkept-store.ts): what a call costs beside commits, the callee's turn and
 * the encoding of all entries included. Then through the LMDB driver and on the memory store, and what that is made of,
 * in the same run:
 *   callee    the callee's turn when somebody outside asks for it, its commit included
 *   commits   what the call has appended beside that (support/call-commits.ts): the caller's turn is in two or more
 *             entries instead of one, and the callee's has a key. Encoded and appended without turns
 *   the rest  finding the callee, its arguments and its result, who waits for whom, recording
 * Callers are TypeScript, and a component (support/asking-component.ts); each has a callee of its own, which is hot and
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
import { buildAsking } from './support/asking-component.ts'
import { callCommits } from './support/call-commits.ts'
import { type Load, printTable, runLoad, withFolder } from './support/measure.ts'
import { unkept } from './support/unkept-store.ts'

const PAIRS = 64
const IN_FLIGHT = 64
const ROUNDS = 8
/** Rounds that only warm up. */
const WARM_ROUNDS = 3
const ROUND_MS = 400
/** Calls of a turn that makes many. */
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
  await runtime.registerActorType('Asking', { type: 'wasm', component: await buildAsking() })
  const counter = readFileSync('test/fixtures/components/counter.wasm')
  await runtime.registerActorType('Counter', { type: 'wasm', component: counter })
  const [caller, callee, asking, counting] = [
    await handlesOf(runtime, 'Caller'),
    await handlesOf(runtime, 'Callee'),
    await handlesOf(runtime, 'Asking'),
    await handlesOf(runtime, 'Counter'),
  ]
  const typescript = (calls: number): Case => ({
    what: `TypeScript, ${calls} in a turn`,
    calls,
    withCalls: (index) => caller(index).call('ask', `Callee-${index % PAIRS}`, calls),
    without: (index) => caller(index).call('ask', `Callee-${index % PAIRS}`, 0),
    outside: (index) => callee(index).call('increment', 1),
  })
  const ask = (calls: number, index: number): Promise<unknown> =>
    asking(index).call('ask', calls, 'Counter', `Counter-${index % PAIRS}`, 'increment', '[1]')
  const component = (calls: number): Case => ({
    what: `component, ${calls} in a turn`,
    calls,
    withCalls: (index) => ask(calls, index),
    without: (index) => ask(0, index),
    outside: (index) => counting(index).call('increment', 1),
  })
  return [typescript(1), typescript(CALLS), component(1), component(CALLS)]
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

interface Cost {
  readonly what: string
  readonly calls: number
  readonly full: number
  readonly bare: number
  readonly callee: number
}

const perCall = ({ full, bare, calls }: Cost): number => (full - bare) / calls

async function costsWith(store: StoreDriver, folder: string): Promise<Cost[]> {
  const runtime = await createRuntime({ store, blobs: fsBlobs(path.join(folder, 'blobs')) })
  const costs: Cost[] = []
  for (const { what, calls, withCalls, without, outside } of await casesOf(runtime)) {
    const [full = 0, bare = 0, callee = 0] = await best([withCalls, without, outside])
    costs.push({ what, calls, full, bare, callee })
  }
  await runtime.close()
  return costs
}

const us = (value: number): string => `${value.toFixed(1)} us`
console.log(`Node ${process.version}, ${IN_FLIGHT} in flight, CPU time\n`)
const beside: string[][] = []
await withFolder(async (folder) => {
  for (const cost of await costsWith(unkept(memory()), folder)) {
    const { what, full, bare, callee } = cost
    beside.push([what, us(full), us(bare), us(perCall(cost)), us(callee)])
  }
})
printTable(
  ['beside commits', 'turn with calls', 'without', 'per call', "the callee's turn from outside"],
  beside,
)
const rows: string[][] = []
for (const kind of ['lmdb', 'memory'] as const)
  await withFolder(async (folder) => {
    const driverOf = (name: string): StoreDriver =>
      kind === 'lmdb' ? lmdb(path.join(folder, name)) : memory()
    for (const cost of await costsWith(driverOf('store'), folder)) {
      const { what, calls, full, bare, callee } = cost
      const commits = await commitsOf(driverOf(`commits-${what}`), calls)
      const each = perCall(cost)
      rows.push([
        kind,
        what,
        ...[full, bare, each, callee, commits, each - callee - commits].map(us),
      ])
    }
  })
console.log('')
printTable(
  ['store', 'caller', 'turn with calls', 'without', 'per call', 'callee', 'commits', 'the rest'],
  rows,
)
process.exit(0)

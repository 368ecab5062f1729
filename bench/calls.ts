/**
 * Calls between actors of one host.
 *
 * Measures, in CPU time of the whole process and by the wall, through the LMDB driver and on the memory store: a turn
 * that calls another actor, less the same turn without the call; beside it, in the same run, the callee's turn when
 * somebody outside asks for it under an idempotency key, as a call between actors does. What is left between the two
 * is the call; the rest is the callee's own turn and its commit. Callers are TypeScript, and a component (the courier
 * of test/fixtures); each has a callee of its own, which is hot and free. Of several rounds the best counts.
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
} from '../host/index.ts'
import { type Load, printTable, runLoad, withFolder } from './support/measure.ts'

const PAIRS = 64
const IN_FLIGHT = 64
const ROUNDS = 8
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

let keys = 0
const newKey = (): string => `key-${++keys}`

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
  const keyed = (handle: ActorHandle): Promise<unknown> =>
    handle.execute({ method: 'increment', args: [1], idempotencyKey: newKey() })
  const typescript = (calls: number): Case => ({
    what: `TypeScript, ${calls} in a turn`,
    calls,
    withCalls: (index) => caller(index).call('ask', `Callee-${index % PAIRS}`, calls),
    without: (index) => caller(index).call('ask', `Callee-${index % PAIRS}`, 0),
    outside: (index) => keyed(callee(index)),
  })
  const component: Case = {
    what: 'component, 1 in a turn',
    calls: 1,
    withCalls: (index) =>
      asking(index).call('ask', 'Counter', `Counter-${index % PAIRS}`, 'increment', '[1]'),
    without: (index) => asking(index).call('calls'),
    outside: (index) => keyed(counting(index)),
  }
  return [typescript(1), typescript(CALLS), component]
}

/** The best round of each task, which take turns. */
async function best(tasks: readonly Task[]): Promise<Load[]> {
  const found: Load[] = []
  for (let round = 0; round <= ROUNDS; round++)
    for (const [index, task] of tasks.entries()) {
      const load = await runLoad(IN_FLIGHT, ROUND_MS, task)
      // The first round warms up.
      if (round > 0 && load.cpuUs < (found[index]?.cpuUs ?? Number.POSITIVE_INFINITY))
        found[index] = load
    }
  return found
}

const us = (value: number): string => `${value.toFixed(1)} us`
const rows: string[][] = []
for (const store of ['lmdb', 'memory'] as const)
  await withFolder(async (folder) => {
    const runtime = await createRuntime({
      store: store === 'lmdb' ? lmdb(path.join(folder, 'store')) : memory(),
      blobs: fsBlobs(path.join(folder, 'blobs')),
    })
    for (const { what, calls, withCalls, without, outside } of await casesOf(runtime)) {
      const loads = await best([withCalls, without, outside])
      const [full = 0, bare = 0, callee = 0] = loads.map(({ cpuUs }) => cpuUs)
      const call = (full - bare) / calls
      rows.push([store, what, us(full), us(bare), us(call), us(callee), us(call - callee)])
    }
    await runtime.close()
  })
console.log(`Node ${process.version}, ${IN_FLIGHT} in flight, CPU time\n`)
printTable(
  [
    'store',
    'caller',
    'turn with calls',
    'turn without',
    'per call',
    "callee's turn from outside",
    'the call alone',
  ],
  rows,
)
process.exit(0)

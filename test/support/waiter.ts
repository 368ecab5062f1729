// The waiter (test/fixtures/guests/waiter): a component whose methods wait for a function of the embedder. How
// it waits, parked or unwound, is chosen by the runtime's option `awaiting`.
import { readFileSync } from 'node:fs'
import {
  type ActorLimits,
  createRuntime,
  fsBlobs,
  memory,
  type Runtime,
  type RuntimeOptions,
  seededRandom,
  VirtualClock,
} from '../../host/index.ts'

export const WAITER_WASM = 'test/fixtures/journals/v1-awaiting/waiter.wasm'

export interface WaiterHost {
  readonly runtime: Runtime
  readonly clock: VirtualClock
  readonly store: ReturnType<typeof memory>
}

export interface WaiterOptions extends Partial<RuntimeOptions> {
  readonly guestLimits?: Partial<ActorLimits>
  /** What `ask` gives; default: the key thrice, at once. */
  readonly ask?: (key: string) => Promise<string>
}

/** Everything that could differ between two runs is given: time, randomness, ticks. */
export async function openWaiter(
  folder: string,
  { ask, guestLimits = {}, ...options }: WaiterOptions = {},
): Promise<WaiterHost> {
  const clock = new VirtualClock()
  const store = (options.store as ReturnType<typeof memory> | undefined) ?? memory()
  const runtime = await createRuntime({
    blobs: fsBlobs(folder),
    clock,
    random: seededRandom(20_261_122),
    ...options,
    store,
  })
  let ticks = 0
  runtime.provide('test:waiter/host', {
    ask: async (key: string) => {
      clock.advance(7)
      return ask === undefined ? key.repeat(3) : await ask(key)
    },
    tick: () => ++ticks,
  })
  const component = readFileSync(WAITER_WASM)
  await runtime.registerActorType('Waiter', { type: 'wasm', component, limits: guestLimits })
  return { runtime, clock, store }
}

/** The journal of `Waiter/w`, entry by entry, in base64. */
export async function waiterJournal(store: ReturnType<typeof memory>): Promise<string[]> {
  const reader = await store.open({ readOnly: true, wallMs: () => 0 })
  const log = await reader.openLog({ type: 'Waiter', id: 'w' })
  const rows = await log.read(0, 10_000)
  return rows.map(({ bytes }) => Buffer.from(bytes).toString('base64'))
}

/** Runs `action` and counts the memories that are made meanwhile: one for each instance of the waiter. */
export async function countInstances(action: () => Promise<unknown>): Promise<number> {
  const { Instance } = WebAssembly
  let count = 0
  class Counted extends Instance {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports)
      if ('memory' in this.exports) count++
    }
  }
  WebAssembly.Instance = Counted
  try {
    await action()
  } finally {
    WebAssembly.Instance = Instance
  }
  return count
}

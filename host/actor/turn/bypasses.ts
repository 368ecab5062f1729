/**
 * Bypasses: which functions of the engine a run has called that no journal records, so that a difference between
 * a turn and its replay can be explained. In development only.
 *
 * Owns: watching the globals that authors use by mistake. Does not own: finding differences (development.ts).
 *
 * Invariants:
 *   BY1. The globals are as they were when nothing is watched.
 *   BY2. Calls are told apart by their asynchronous context: what others do meanwhile is not blamed on the run.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

const WATCHED: readonly (readonly [object: string, method: string])[] = [
  ['Math', 'random'],
  ['Date', 'now'],
  ['performance', 'now'],
  ['crypto', 'randomUUID'],
  ['crypto', 'getRandomValues'],
  ['globalThis', 'fetch'],
  ['globalThis', 'setTimeout'],
]

const running = new AsyncLocalStorage<Set<string>>()
let watchers = 0
let restore: (() => void)[] = []

/** Runs `task`; `called` holds the names of what it has called, once it has ended. */
export async function watch(task: () => Promise<void>, called: Set<string>): Promise<void> {
  if (watchers++ === 0) install()
  try {
    await running.run(called, task)
  } finally {
    if (--watchers === 0) for (const undo of restore.splice(0)) undo()
  }
}

function install(): void {
  restore = WATCHED.map(([object, method]) => {
    const owner = object === 'globalThis' ? globalThis : (Reflect.get(globalThis, object) as object)
    const name = object === 'globalThis' ? method : `${object}.${method}`
    return replace(owner, method, (original) => noting(original, name))
  })
  restore.push(replace(globalThis, 'Date', clockless))
}

function replace(owner: object, key: string, make: (original: object) => object): () => void {
  const own = Object.getOwnPropertyDescriptor(owner, key)
  const value = make(Reflect.get(owner, key) as object)
  Object.defineProperty(owner, key, { value, configurable: true, writable: true })
  return () => {
    if (own === undefined) Reflect.deleteProperty(owner, key)
    else Object.defineProperty(owner, key, own)
  }
}

function noting(original: object, name: string): object {
  return new Proxy(original, {
    apply(target, self, args) {
      running.getStore()?.add(`${name}()`)
      return Reflect.apply(target as () => unknown, self, args)
    },
  })
}

/** `new Date()` reads the clock; with arguments it does not. */
function clockless(original: object): object {
  return new Proxy(original, {
    construct(target, args, newTarget) {
      if (args.length === 0) running.getStore()?.add('new Date()')
      return Reflect.construct(target as new () => object, args, newTarget)
    },
  })
}

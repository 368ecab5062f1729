/**
 * A promise with its resolvers, and small questions about promises.
 */
export interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

let resolveMade: (value: never) => void
let rejectMade: (error: unknown) => void

/** One for all promises: there is a promise per call, and a closure for each would cost more than it. */
function keepResolvers(resolve: (value: never) => void, reject: (error: unknown) => void): void {
  resolveMade = resolve
  rejectMade = reject
}

export function deferred<T>(): Deferred<T> {
  const promise = new Promise<T>(keepResolvers)
  return { promise, resolve: resolveMade as (value: T) => void, reject: rejectMade }
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise
}

/** For a promise whose outcome is handled elsewhere, or does not matter. */
export function ignoreOutcome(promise: Promise<unknown>): void {
  promise.then(undefined, () => {})
}

/** True for promises of any kind, also those of other libraries. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  )
}

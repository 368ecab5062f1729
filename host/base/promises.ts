/**
 * A promise with its resolvers, and small questions about promises.
 */
export interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise
}

/** For a promise whose outcome is handled elsewhere, or does not matter. */
export function ignoreOutcome(promise: Promise<unknown>): void {
  promise.then(undefined, () => {})
}

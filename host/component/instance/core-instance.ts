/**
 * Core instances: what the engine says when one cannot be made.
 */
import { LoomError } from '../../base/errors.ts'
import { fail, type Run, toFailure } from '../abi/failure.ts'
import { formatError } from '../refuse.ts'

/** @throws ERR_COMPONENT_FORMAT, ERR_BUSY, and what a start function threw. */
export function coreInstance(
  module: WebAssembly.Module,
  imports: WebAssembly.Imports,
  run: Run,
): WebAssembly.Instance {
  let instance: WebAssembly.Instance
  try {
    instance = new WebAssembly.Instance(module, imports)
  } catch (error) {
    if (run.failure !== null) throw run.failure.error
    if (error instanceof WebAssembly.LinkError)
      throw formatError(`core modules do not fit together: ${error.message}`)
    if (error instanceof RangeError && error.message.includes('memory'))
      throw new LoomError('ERR_BUSY', `instantiation: ${error.message}`, { cause: error })
    throw fail(run, toFailure(error, 'instantiation'))
  }
  if (run.failure !== null) throw run.failure.error
  return instance
}

/** Runs what the start function of a core instance that is left out would have been (elide.ts). */
export function startInstance(start: () => unknown, run: Run): void {
  try {
    start()
  } catch (error) {
    throw run.failure === null ? fail(run, toFailure(error, 'instantiation')) : run.failure.error
  }
  if (run.failure !== null) throw run.failure.error
}

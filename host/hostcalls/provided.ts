/**
 * Interfaces that the embedder provides: every function of them is recorded.
 */
import { LoomError } from '../base/errors.ts'
import { kebabCase } from '../base/names.ts'
import type { WitValue } from '../component/wit/wit.ts'
import { isClientConstructor } from './actor-clients.ts'
import type { HostFunctionSpec, HostInterfaceSpec } from './host-interface.ts'

type ProvidedFunction = (...args: never[]) => unknown

const INTERFACE_PATTERN = /^[a-z][a-z0-9-]*:[a-z][a-z0-9-]*\/[a-z][a-z0-9-]*(@\d+\.\d+\.\d+)?$/

/** What an `async` function is made by: it must not start before its turn's open entry is durable. */
const AsyncFunction = (async () => {}).constructor

function specOf(name: string, provided: unknown): HostFunctionSpec {
  if (typeof provided !== 'function')
    throw new LoomError('ERR_OPTION', `${name}: expected a function, got ${typeof provided}`)
  const call = provided as (...args: readonly WitValue[]) => WitValue | PromiseLike<unknown>
  return {
    kind: provided instanceof AsyncFunction ? 'awaiting' : 'recorded',
    perform: (_context, args) => call(...args),
  }
}

/** @throws ERR_OPTION naming what is malformed. */
export function providedInterface(
  interfaceName: string,
  functions: Readonly<Record<string, ProvidedFunction>>,
): HostInterfaceSpec {
  if (!INTERFACE_PATTERN.test(interfaceName))
    throw new LoomError(
      'ERR_OPTION',
      `interface ${JSON.stringify(interfaceName)}: expected namespace:package/interface, with or without @version`,
    )
  const own = Object.keys(functions).find((name) => isClientConstructor(interfaceName, name))
  if (own !== undefined)
    throw new LoomError('ERR_OPTION', `${interfaceName}: the host serves clients of actors itself`)
  const rows = Object.entries(functions).map(
    ([name, provided]) =>
      [kebabCase(name), specOf(`${interfaceName}#${kebabCase(name)}`, provided)] as const,
  )
  return Object.fromEntries(rows)
}

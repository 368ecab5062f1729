/**
 * Interfaces that the embedder provides: every function of them is recorded.
 */
import { LoomError } from '../base/errors.ts'
import type { WitValue } from '../component/wit.ts'
import type { HostFunctionSpec, HostInterfaceSpec } from './host-interface.ts'

type ProvidedFunction = (...args: never[]) => unknown

const INTERFACE_PATTERN = /^[a-z][a-z0-9-]*:[a-z][a-z0-9-]*\/[a-z][a-z0-9-]*(@\d+\.\d+\.\d+)?$/

function kebab(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value
}

function specOf(name: string, provided: unknown): HostFunctionSpec {
  if (typeof provided !== 'function')
    throw new LoomError('ERR_OPTION', `${name}: expected a function, got ${typeof provided}`)
  return {
    kind: 'recorded',
    perform: (_context, args) => {
      const result = (provided as (...args: readonly WitValue[]) => unknown)(...args)
      if (isThenable(result))
        throw new LoomError(
          'ERR_HOST_CALL',
          `${name} returned a promise: host functions must answer at once in this version`,
        )
      return result as WitValue
    },
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
  const rows = Object.entries(functions).map(
    ([name, provided]) =>
      [kebab(name), specOf(`${interfaceName}#${kebab(name)}`, provided)] as const,
  )
  return Object.fromEntries(rows)
}

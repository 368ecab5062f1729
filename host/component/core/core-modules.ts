/**
 * Core modules: those of one binary, each read once.
 *
 * Owns: how many there may be. Does not own: what is read (module.ts).
 */

import { formatError } from '../refuse.ts'
import { type CoreModule, readCoreModule } from './module.ts'

/** Each is compiled, whether or not an instance needs it. */
const CORE_MODULE_COUNT_MAX = 1_000

export interface ModuleRange {
  readonly start: number
  readonly end: number
}

export class CoreModules {
  readonly #bytes: Uint8Array
  readonly #modules = new Map<number, { readonly range: ModuleRange; readonly core: CoreModule }>()

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** @throws ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE */
  read(start: number, end: number): CoreModule {
    const known = this.#modules.get(start)
    if (known !== undefined) return known.core
    if (this.#modules.size >= CORE_MODULE_COUNT_MAX)
      throw formatError(`more than ${CORE_MODULE_COUNT_MAX} core modules`, start)
    const core = readCoreModule(this.#bytes, start, end)
    this.#modules.set(start, { range: { start, end }, core })
    return core
  }

  /** Where the modules stand that are none of `cores`. */
  besides(cores: readonly CoreModule[]): ModuleRange[] {
    const others = new Set(cores)
    return [...this.#modules.values()]
      .filter(({ core }) => !others.has(core))
      .map(({ range }) => range)
  }
}

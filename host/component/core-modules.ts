/**
 * Core modules: those of one binary, each read once.
 *
 * Does not own: what is read (module.ts).
 */
import { type CoreModule, readCoreModule } from './module.ts'

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

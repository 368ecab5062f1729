/**
 * The core modules of a component, instantiated without the binder: what raw instantiation costs.
 */
import { instrument } from '../../host/component/core/instrument.ts'
import { type ReadComponent, readComponent } from '../../host/component/read.ts'

type ImportGroup = Record<string, WebAssembly.ImportValue>

/** The core modules of a component, wired by hand. Imports of the host do nothing. */
export class RawComponent {
  readonly #link: ReadComponent['link']
  readonly #modules: readonly WebAssembly.Module[]
  readonly #main: WebAssembly.Module
  readonly #mainImports: readonly WebAssembly.ModuleImportDescriptor[]

  /** Instrumented as the host does it, or as the toolchain made them. */
  constructor(bytes: Uint8Array, isInstrumented: boolean) {
    this.#link = readComponent(bytes).link
    this.#modules = this.#link.modules.map(({ core }) => {
      const start = (core.sections[0]?.start ?? 8) - 8
      const plain = bytes.subarray(start, core.sections.at(-1)?.end ?? start)
      const instrumented = isInstrumented ? instrument(bytes, core, { ownsCounters: true }) : null
      return new WebAssembly.Module(instrumented?.bytes ?? plain)
    })
    const main = this.#modules.find((each) =>
      WebAssembly.Module.exports(each).some(({ kind }) => kind === 'memory'),
    )
    if (main === undefined) throw new Error('no core module has a memory')
    this.#main = main
    this.#mainImports = WebAssembly.Module.imports(main)
  }

  /** All core instances, the one with the memory first. */
  instantiate(): readonly WebAssembly.Instance[] {
    const made: WebAssembly.Instance[] = []
    for (const step of this.#link.steps) {
      if (step.kind !== 'instantiate') continue
      const imports: Record<string, ImportGroup> = {}
      for (const { module, name, source } of step.imports) {
        imports[module] ??= {}
        const exports = source.kind === 'export' ? made[source.instance]?.exports : undefined
        imports[module][name] = exports?.[source.kind === 'export' ? source.name : ''] ?? nothing
      }
      const module = this.#modules[step.module]
      if (module !== undefined) made.push(new WebAssembly.Instance(module, imports))
    }
    return made
  }

  /** The core module with the guest's code alone, whose other ones only pass calls on. */
  instantiateMain(): WebAssembly.Instance {
    const imports: Record<string, ImportGroup> = {}
    for (const { module: from, name } of this.#mainImports) {
      imports[from] ??= {}
      imports[from][name] = nothing
    }
    return new WebAssembly.Instance(this.#main, imports)
  }
}

function nothing(): void {}

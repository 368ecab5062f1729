/**
 * The core modules of a component, instantiated without the binder: what raw instantiation costs.
 */
import { decodeComponent } from '../../host/component/decode.ts'
import { instrument, METER_MODULE } from '../../host/component/instrument.ts'
import { Linker } from '../../host/component/link.ts'
import { Meter } from '../../host/component/meter.ts'

type ImportGroup = Record<string, WebAssembly.ImportValue>

/** The core modules of a component, wired by hand. Imports of the host do nothing. */
export class RawComponent {
  readonly #link: ReturnType<Linker['link']>
  readonly #modules: readonly WebAssembly.Module[]
  readonly #meter: ImportGroup = { ...new Meter().imports() }

  /** Instrumented as the host does it, or as the toolchain made them. */
  constructor(bytes: Uint8Array, isInstrumented: boolean) {
    this.#link = new Linker(bytes).link(decodeComponent(bytes))
    this.#modules = this.#link.modules.map(({ core }) => {
      const start = (core.sections[0]?.start ?? 8) - 8
      const plain = bytes.subarray(start, core.sections.at(-1)?.end ?? start)
      return new WebAssembly.Module(isInstrumented ? instrument(bytes, core).bytes : plain)
    })
  }

  /** All core instances, the one with the memory first. */
  instantiate(): readonly WebAssembly.Instance[] {
    const made: WebAssembly.Instance[] = []
    for (const step of this.#link.steps) {
      if (step.kind !== 'instantiate') continue
      const imports: Record<string, ImportGroup> = { [METER_MODULE]: this.#meter }
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
    const module = this.#modules.find((each) =>
      WebAssembly.Module.exports(each).some(({ kind }) => kind === 'memory'),
    )
    if (module === undefined) throw new Error('no core module has a memory')
    const imports: Record<string, ImportGroup> = {}
    for (const { module: from, name } of WebAssembly.Module.imports(module))
      imports[from] = { ...imports[from], [name]: nothing }
    return new WebAssembly.Instance(module, { ...imports, [METER_MODULE]: this.#meter })
  }
}

function nothing(): void {}

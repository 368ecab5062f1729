/**
 * Elements: the contents of tables that a component's code changes, as plain data.
 *
 * Owns: a number for each function that can get into a table, and what a table's bytes mean.
 * Does not own: which functions those are (table-functions.ts), images (host/image).
 *
 * A table's bytes: per element a u32, little-endian: 0 for null, else the function's number + 1. References from
 * outside (externref) are always null: the canonical ABI hands none to a guest.
 *
 * Invariants:
 *   EL1. A function has the number of its definition: a function of a core instance, an import or a built-in,
 *        through however many modules it was passed on. So numbers depend on the binary alone, not on the
 *        engine, nor on whether an import can be parked, which wraps it differently.
 *   EL2. A table never shrinks. One with more elements than the bytes cannot take them.
 */
import { LoomError } from '../../base/errors.ts'
import type { CoreTable } from '../component.ts'
import { FUNCTIONS_NAME, type InstrumentedModule } from '../core/instrument.ts'
import type { CoreModule } from '../core/module.ts'
import type { LinkPlan, LinkStep } from '../link/link.ts'
import type { CoreSource } from '../link/scope.ts'

/** Functions of all core instances; more are more work than a snapshot is worth. */
const FUNCTION_COUNT_MAX = 100_000
const ELEMENT_SIZE_BYTES = 4

type Instantiation = Extract<LinkStep, { kind: 'instantiate' }>

export interface NumberedFunction {
  readonly instance: number
  /** Its place in the table that was added to the instance's module. */
  readonly at: number
  readonly number: number
}

/** Null where no code changes tables; words where their contents cannot be held (`Component.hidden`). */
export function planElements(
  link: LinkPlan,
  instrumented: readonly InstrumentedModule[],
): readonly NumberedFunction[] | string | null {
  if (!instrumented.some(({ changesTables }) => changesTables)) return null
  const instances = link.steps.filter((step): step is Instantiation => step.kind === 'instantiate')
  let count = 0
  for (const { module } of instances) count += instrumented[module]?.functions.length ?? 0
  if (count > FUNCTION_COUNT_MAX)
    return `changes a table, and has more than ${FUNCTION_COUNT_MAX} functions for it`
  const origins = new Origins(link, instances)
  const numbers = new Map<string, number>()
  return instances.flatMap(({ module }, instance) =>
    (instrumented[module]?.functions ?? []).map((index, at) => {
      const origin = origins.of(instance, index)
      const number = numbers.get(origin) ?? numbers.size
      numbers.set(origin, number)
      return { instance, at, number }
    }),
  )
}

/** Made once for each module: there may be tens of thousands of them. */
interface NamedFunctions {
  /** By index of an imported function, which import it is. */
  readonly imported: readonly number[]
  readonly exported: ReadonlyMap<string, number>
}

/** Where a function was defined, as a text (EL1). */
class Origins {
  readonly #link: LinkPlan
  readonly #instances: readonly Instantiation[]
  readonly #known = new Map<string, string>()
  readonly #modules = new Map<CoreModule, NamedFunctions>()

  constructor(link: LinkPlan, instances: readonly Instantiation[]) {
    this.#link = link
    this.#instances = instances
  }

  of(instance: number, index: number): string {
    const key = `function ${instance} ${index}`
    let origin = this.#known.get(key)
    if (origin === undefined) {
      origin = this.#find(instance, index) ?? key
      this.#known.set(key, origin)
    }
    return origin
  }

  /** Null for a function that the instance's module defines. */
  #find(instance: number, index: number): string | null {
    const step = this.#instances[instance]
    const core = this.#core(instance)
    if (step === undefined || core === undefined) return null
    const at = this.#functionsOf(core).imported[index]
    const source = at === undefined ? undefined : step.imports[at]?.source
    return source === undefined ? null : this.#source(source)
  }

  #source(source: CoreSource): string | null {
    if (source.kind !== 'export') return `${source.kind} ${source.index}`
    const core = this.#core(source.instance)
    const found = core === undefined ? undefined : this.#functionsOf(core).exported.get(source.name)
    return found === undefined ? null : this.of(source.instance, found)
  }

  #core(instance: number): CoreModule | undefined {
    const step = this.#instances[instance]
    return step === undefined ? undefined : this.#link.modules[step.module]?.core
  }

  #functionsOf(core: CoreModule): NamedFunctions {
    let functions = this.#modules.get(core)
    if (functions === undefined) {
      functions = {
        imported: core.imports.flatMap(({ kind }, at) => (kind === 'func' ? [at] : [])),
        exported: new Map(
          core.exports.flatMap(({ name, kind, index }) => (kind === 'func' ? [[name, index]] : [])),
        ),
      }
      this.#modules.set(core, functions)
    }
    return functions
  }
}

/** The functions of one instance by number and back; looked up when a table is first saved or loaded. */
export class FunctionNumbers {
  readonly #plan: readonly NumberedFunction[]
  readonly #instances: readonly (WebAssembly.Instance['exports'] | undefined)[]
  #numbers: Map<unknown, number> | null = null
  readonly #functions: unknown[] = []

  constructor(
    plan: readonly NumberedFunction[],
    instances: readonly (WebAssembly.Instance['exports'] | undefined)[],
  ) {
    this.#plan = plan
    this.#instances = instances
  }

  /** Adds the tables of one core instance. */
  collect(
    to: CoreTable[],
    exports: WebAssembly.Instance['exports'],
    names: readonly string[],
  ): void {
    for (const name of names) to.push(new ElementTable(exports[name] as WebAssembly.Table, this))
  }

  #look(): Map<unknown, number> {
    if (this.#numbers !== null) return this.#numbers
    const numbers = new Map<unknown, number>()
    for (const { instance, at, number } of this.#plan) {
      const table = this.#instances[instance]?.[FUNCTIONS_NAME] as WebAssembly.Table | undefined
      const found = table?.get(at)
      numbers.set(found, number)
      this.#functions[number] ??= found
    }
    this.#numbers = numbers
    return numbers
  }

  numberOf(element: unknown): number {
    const number = this.#look().get(element)
    if (number === undefined)
      throw new LoomError('ERR_INVARIANT', 'a table holds what its component cannot have put there')
    return number
  }

  function(number: number): unknown {
    this.#look()
    return this.#functions[number]
  }
}

export class ElementTable implements CoreTable {
  readonly #table: WebAssembly.Table
  readonly #functions: FunctionNumbers

  constructor(table: WebAssembly.Table, functions: FunctionNumbers) {
    this.#table = table
    this.#functions = functions
  }

  get sizeBytes(): number {
    return ELEMENT_SIZE_BYTES * this.#table.length
  }

  save(): Uint8Array {
    const bytes = Buffer.alloc(this.sizeBytes)
    for (let index = 0; index < this.#table.length; index++) {
      const element = this.#table.get(index)
      const value = element === null ? 0 : this.#functions.numberOf(element) + 1
      bytes.writeUInt32LE(value, ELEMENT_SIZE_BYTES * index)
    }
    return bytes
  }

  load(saved: Uint8Array): void {
    const bytes = Buffer.from(saved.buffer, saved.byteOffset, saved.byteLength)
    const elements: unknown[] = []
    for (let at = 0; at + ELEMENT_SIZE_BYTES <= bytes.length; at += ELEMENT_SIZE_BYTES)
      elements.push(this.#element(bytes.readUInt32LE(at)))
    const table = this.#table
    const missing = elements.length - table.length
    if (missing < 0 || bytes.length % ELEMENT_SIZE_BYTES !== 0)
      throw damaged(`${elements.length} elements for a table of ${table.length}`)
    try {
      if (missing > 0) table.grow(missing, elements[table.length])
      elements.forEach((element, index) => {
        table.set(index, element)
      })
    } catch (error) {
      throw damaged(error instanceof Error ? error.message : String(error))
    }
  }

  #element(value: number): unknown {
    if (value === 0) return null
    const found = this.#functions.function(value - 1)
    return found === undefined ? damaged(`function ${value - 1} does not exist`) : found
  }
}

function damaged(reason: string): never {
  throw new LoomError('ERR_SNAPSHOT_CORRUPT', `image: a table cannot be restored: ${reason}`)
}

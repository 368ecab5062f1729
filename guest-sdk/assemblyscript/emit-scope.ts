/**
 * The module that is being generated.
 *
 * Owns: its imports, its helper functions (one per type and direction), fresh names, the size of the
 * static area for results.
 * Does not own: what the helpers do (emit-lift.ts, emit-lower.ts).
 *
 * Invariants:
 *   G1. Every name from another module is imported as `$Name`, so it never meets a name of this one.
 *   G2. Two types share a helper only when both their AssemblyScript and their WIT spelling agree.
 */
import { asType, SDK_NAMES } from './as-type.ts'
import type { ClassRef, Type } from './model.ts'
import { witType } from './wit-print.ts'

const LIBRARY = `import { enter, leave, freeArgs, freeTemps, temp, blank, liftString, lowerString, liftArray, lowerArray, liftStatic, lowerStatic, liftView, lowerView } from "loom/abi";
import { ${SDK_NAMES.join(', ')} } from "loom";
`

export class EmitScope {
  readonly #module: string
  readonly #helpers = new Map<string, { name: string; source: string }>()
  readonly #aliases = new Map<string, string>()
  readonly #imports = new Map<string, string[]>()
  #locals = 0
  #areaSize = 8

  /** `module`: how others import what is being generated. */
  constructor(module: string) {
    this.#module = module
  }

  /** The name of a class in this module, imported when it is of another one. */
  className(source: ClassRef): string {
    if (source.module === this.#module) return source.className
    const key = `${source.module}#${source.className}`
    const known = this.#aliases.get(key)
    if (known !== undefined) return known
    const used = new Set(this.#aliases.values())
    let alias = `$${source.className}`
    while (used.has(alias)) alias += '_'
    this.#aliases.set(key, alias)
    const names = this.#imports.get(source.module) ?? []
    this.#imports.set(source.module, [...names, `${source.className} as ${alias}`])
    return alias
  }

  type(type: Type): string {
    return asType(type, (source) => this.className(source))
  }

  /** Type arguments of `Result`. */
  side(type: Type | null): string {
    return type === null ? 'Unit' : this.type(type)
  }

  local(): string {
    this.#locals += 1
    return `t${this.#locals}`
  }

  /** Name of the helper for `type`; `make` writes it when it is asked for the first time (G2). */
  helper(purpose: string, type: Type, make: (name: string) => string): string {
    const key = `${purpose} ${this.type(type)} ${witType(type)}`
    const known = this.#helpers.get(key)
    if (known) return known.name
    const entry = { name: `${purpose}${this.#helpers.size}`, source: '' }
    this.#helpers.set(key, entry)
    entry.source = make(entry.name)
    return entry.name
  }

  /** Asks for a static area of at least `size` bytes, named AREA. */
  area(size: number): string {
    this.#areaSize = Math.max(this.#areaSize, size)
    return 'AREA'
  }

  /** The whole module around `body`. */
  module(title: string, declarations: string, body: string): string {
    const imports = [...this.#imports].map(
      ([module, names]) => `import { ${names.join(', ')} } from "${module}";\n`,
    )
    const helpers = [...this.#helpers.values()].map((helper) => helper.source)
    return [
      `// ${title}\n`,
      LIBRARY,
      ...imports,
      `const AREA = memory.data(${this.#areaSize}, 8);\n\n`,
      declarations,
      ...helpers,
      body,
    ].join('')
  }
}

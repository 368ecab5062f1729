/**
 * Editing a core module.
 *
 * Owns: its sections, adding types, globals and functions, calling other functions than before.
 * Does not own: what is changed (engine-patch.ts), the lengths of instructions (instruction.ts).
 *
 * Invariants:
 *   CM1. Indices of what was there stay: everything new goes behind it.
 *   CM2. Sections that are not edited keep their bytes.
 */
import { BinaryReader, HEADER_SIZE } from '../assemblyscript/binary-reader.ts'
import { concat, name, signed, unsigned, vector } from './encode.ts'
import { callTargets } from './instruction.ts'

const SECTION = { type: 1, import: 2, func: 3, global: 6, export: 7, code: 10 } as const
const FUNCTION = 0
const GLOBAL = 3
const I32 = 0x7f
const FUNCTION_TYPE = 0x60

/** A function's type: bytes of value types. */
export interface Signature {
  readonly params: readonly number[]
  readonly results: readonly number[]
}

interface Section {
  readonly id: number
  contents: Uint8Array
}

/** An entry of the export section. */
interface Export {
  readonly kind: number
  index: number
}

export interface NewFunction {
  readonly signature: Signature
  /** Types of its local variables. */
  readonly locals: readonly number[]
  /** Its instructions, without the end. */
  readonly code: readonly number[]
}

function readImports(section: Uint8Array): { names: string[]; globals: string[] } {
  const reader = new BinaryReader(section)
  const names: string[] = []
  const globals: string[] = []
  reader.vector(() => {
    const id = `${reader.name()}#${reader.name()}`
    const kind = reader.byte()
    if (kind === FUNCTION) {
      names.push(id)
      reader.unsigned()
    } else if (kind === GLOBAL) {
      globals.push(id)
      reader.take(2)
    } else {
      if (kind === 1) reader.byte()
      const flags = reader.byte()
      reader.unsigned()
      if ((flags & 1) !== 0) reader.unsigned()
    }
  })
  return { names, globals }
}

export class CoreModule {
  readonly #header: Uint8Array
  readonly #sections: Section[] = []
  readonly #exports = new Map<string, Export>()
  readonly #types: Uint8Array[] = []
  readonly #functions: Uint8Array[] = []
  readonly #bodies: Uint8Array[] = []
  readonly #globals: Uint8Array[] = []
  readonly #redirects = new Map<number, number>()
  /** Imported functions, `module#name`, in order. */
  readonly imports: readonly string[]
  readonly #globalImports: readonly string[]
  readonly #counts: { types: number; functions: number; globals: number }

  constructor(bytes: Uint8Array) {
    this.#header = bytes.subarray(0, HEADER_SIZE)
    const reader = new BinaryReader(bytes, HEADER_SIZE)
    while (!reader.atEnd) {
      const id = reader.byte()
      this.#sections.push({ id, contents: reader.take(reader.unsigned()) })
    }
    const { names, globals } = readImports(this.#section(SECTION.import))
    this.imports = names
    this.#globalImports = globals
    const count = (id: number): number => new BinaryReader(this.#section(id)).unsigned()
    this.#counts = {
      types: count(SECTION.type),
      functions: names.length + count(SECTION.func),
      globals: globals.length + count(SECTION.global),
    }
    const exports = new BinaryReader(this.#section(SECTION.export))
    exports.vector(() => {
      const exported = exports.name()
      this.#exports.set(exported, { kind: exports.byte(), index: exports.unsigned() })
    })
  }

  #section(id: number): Uint8Array {
    const found = this.#sections.find((section) => section.id === id)
    if (found === undefined) throw new Error(`the module has no section ${id}`)
    return found.contents
  }

  /** Names of everything that it exports. */
  get exports(): ReadonlySet<string> {
    return new Set(this.#exports.keys())
  }

  /** Index of an exported function. */
  exported(wanted: string): number {
    const found = this.#exports.get(wanted)
    if (found?.kind !== FUNCTION) throw new Error(`the module exports no function '${wanted}'`)
    return found.index
  }

  importedGlobal(id: string): number {
    const index = this.#globalImports.indexOf(id)
    if (index < 0) throw new Error(`the module imports no global '${id}'`)
    return index
  }

  /** A new global of 32 bits, zero at first; its index. */
  addGlobal(): number {
    this.#globals.push(Uint8Array.of(I32, 1, 0x41, 0, 0x0b))
    return this.#counts.globals + this.#globals.length - 1
  }

  /** Index of the new function. */
  addFunction({ signature, locals, code }: NewFunction): number {
    const { params, results } = signature
    const type = [FUNCTION_TYPE, ...vector(params), ...vector(results)]
    this.#types.push(Uint8Array.from(type))
    this.#functions.push(Uint8Array.from(unsigned(this.#counts.types + this.#types.length - 1)))
    const body = [...unsigned(locals.length), ...locals.flatMap((one) => [1, one]), ...code, 0x0b]
    this.#bodies.push(Uint8Array.from([...unsigned(body.length), ...body]))
    return this.#counts.functions + this.#functions.length - 1
  }

  /** Exports function `index` as `wanted`, which stood for another one. */
  replaceExport(wanted: string, index: number): void {
    const found = this.#exports.get(wanted)
    if (found === undefined) throw new Error(`the module exports no '${wanted}'`)
    this.#exports.set(wanted, { kind: FUNCTION, index })
  }

  /** Every call of the imported function `id` in the code that was there calls `index`. */
  redirectImport(id: string, index: number): void {
    const from = this.imports.indexOf(id)
    if (from < 0) throw new Error(`the module imports no function '${id}'`)
    this.#redirects.set(from, index)
  }

  encode(): Uint8Array {
    const edited: Record<number, () => Uint8Array> = {
      [SECTION.type]: () => this.#appended(SECTION.type, this.#types),
      [SECTION.func]: () => this.#appended(SECTION.func, this.#functions),
      [SECTION.global]: () => this.#appended(SECTION.global, this.#globals),
      [SECTION.export]: () => this.#encodeExports(),
      [SECTION.code]: () => this.#encodeCode(),
    }
    const parts = this.#sections.flatMap(({ id, contents }) => {
      const bytes = edited[id]?.() ?? contents
      return [Uint8Array.from([id, ...unsigned(bytes.length)]), bytes]
    })
    return concat([this.#header, ...parts])
  }

  #appended(id: number, more: readonly Uint8Array[]): Uint8Array {
    const contents = this.#section(id)
    const reader = new BinaryReader(contents)
    const count = reader.unsigned() + more.length
    return concat([Uint8Array.from(unsigned(count)), contents.subarray(reader.offset), ...more])
  }

  #encodeExports(): Uint8Array {
    const all = [...this.#exports].map(([exported, { kind, index }]) =>
      Uint8Array.from([...name(exported), kind, ...unsigned(index)]),
    )
    return concat([Uint8Array.from(unsigned(all.length)), ...all])
  }

  #encodeCode(): Uint8Array {
    const reader = new BinaryReader(this.#section(SECTION.code))
    const bodies = reader.vector(() => this.#redirected(reader.take(reader.unsigned())))
    const all = bodies.map((body) => concat([Uint8Array.from(unsigned(body.length)), body]))
    const count = Uint8Array.from(unsigned(all.length + this.#bodies.length))
    return concat([count, ...all, ...this.#bodies])
  }

  #redirected(body: Uint8Array): Uint8Array {
    if (this.#redirects.size === 0) return body
    const parts: Uint8Array[] = []
    let done = 0
    for (const { target, from, to } of callTargets(body)) {
      const other = this.#redirects.get(target)
      if (other === undefined) continue
      parts.push(body.subarray(done, from), Uint8Array.from(unsigned(other)))
      done = to
    }
    return parts.length === 0 ? body : concat([...parts, body.subarray(done)])
  }
}

/** An `i32.const` and its value. */
export function constant(value: number): number[] {
  return [0x41, ...signed(value)]
}

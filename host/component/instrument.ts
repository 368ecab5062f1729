/**
 * Instrument: a core module is rewritten so that its whole mutable state can be reached from outside, and
 * so that it pays for what it does.
 *
 * Owns: which state counts, and the names under which it is exported; all sections but the code.
 * Does not own: capture (host/image), where fuel is charged (fuel.ts).
 *
 * Invariants:
 *   IN1. Every memory and every mutable global that the module defines is exported, under a name of its
 *        own or under `loom:m<index>` and `loom:g<index>`.
 *   IN2. A module with mutable state that cannot be captured is refused (globals that hold references or
 *        vectors) or named in `hidden` (segments that code drops).
 *   IN4. Where code of the component changes tables, each table that the module defines is exported as
 *        `loom:t<index>`, and a table is added, `loom:functions`, that holds each function that the module can
 *        put into one (table-functions.ts): an element takes some 50 bytes of an instance, an export 250.
 *        Where no code does, tables are what they were after instantiation.
 *   IN3. A module with code imports two globals from `loom:meter`, after its own imports; the indices of
 *        its own globals grow by two wherever they stand. Nothing else of the module changes, except
 *        that custom sections other than names, which speak of offsets in the code, are left out.
 *
 * Source: WebAssembly Core Specification, "Binary Format", "Modules".
 */
import { Reader } from './bytes.ts'
import { meterCode } from './fuel.ts'
import type { StateChanges } from './fuel-scan.ts'
import { ADDED_GLOBAL_COUNT } from './fuel-write.ts'
import { type CoreModule, KINDS, readCoreType, type Section, skipConstant } from './module.ts'
import { featureError, formatError } from './refuse.ts'
import { NO_TABLES, readTables, skipElements } from './table-functions.ts'
import { Writer } from './writer.ts'

const PREFIX = 'loom:'
const RESERVED = /^loom:([gmt][0-9]+|functions)$/

/** The export name of the added table (IN4). */
export const FUNCTIONS_NAME = 'loom:functions'
const CUSTOM = 0
const IMPORTS = 2
const TABLES = 4
const GLOBALS = 6
const EXPORTS = 7
const ELEMENTS = 9
const CODE = 10
const DATA = 11
/** Sections in the order in which they stand: "Binary Format", "Modules"; 13 is the tag section. */
const ORDER = [1, IMPORTS, 3, TABLES, 5, 13, GLOBALS, EXPORTS, 8, ELEMENTS, 12, CODE, DATA]
const KIND_TABLE = 0x01
const KIND_MEMORY = 0x02
const KIND_GLOBAL = 0x03

const ADDED = {
  table: { letter: 't', code: KIND_TABLE },
  memory: { letter: 'm', code: KIND_MEMORY },
  global: { letter: 'g', code: KIND_GLOBAL },
} as const

/** Where the counters of a metered module are imported from. */
export const METER_MODULE = 'loom:meter'
export const FUEL_NAME = 'fuel'
export const ROOM_NAME = 'room'

export interface InstrumentedModule {
  readonly bytes: Uint8Array
  /** Export names of the module's own memories, by index. */
  readonly memories: readonly string[]
  /** Export names of the module's own mutable globals, by index. */
  readonly globals: readonly string[]
  /** Export names of the module's own tables, by index; none where no code changes tables (IN4). */
  readonly tables: readonly string[]
  /** Functions that tables may hold, in the order of the added table; none where no code changes tables (IN4). */
  readonly functions: readonly number[]
  /** Its code changes tables, its own or imported ones. */
  readonly changesTables: boolean
  /** Mutable state that an image cannot hold today, in words. */
  readonly hidden: readonly string[]
  /** True when it imports the counters (IN3). */
  readonly metered: boolean
}

interface Addition {
  readonly name: string
  readonly kind: number
  readonly index: number
}

/**
 * Rewrites the modules of one component. Tables are a matter of all: what one defines, another may change.
 * @throws ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE
 */
export function instrumentAll(
  binary: Uint8Array,
  modules: readonly CoreModule[],
): InstrumentedModule[] {
  const instrumented = modules.map((module) => instrument(binary, module))
  if (!instrumented.some(({ changesTables }) => changesTables)) return instrumented
  return modules.map((module) => instrument(binary, module, true))
}

/** `tables`: some code changes tables (IN4). @throws ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE */
export function instrument(
  binary: Uint8Array,
  module: CoreModule,
  tables = false,
): InstrumentedModule {
  for (const { module: from } of module.imports)
    if (from === METER_MODULE) throw formatError(`core module imports the reserved "${from}"`)
  const names = new Map<string, string>()
  for (const { name, kind, index } of module.exports) {
    if (RESERVED.test(name)) throw formatError(`core module exports the reserved "${name}"`)
    names.set(`${kind} ${index}`, name)
  }
  const additions: Addition[] = []
  const nameOf = (kind: keyof typeof ADDED, index: number): string => {
    const known = names.get(`${kind} ${index}`)
    if (known !== undefined) return known
    const { letter, code } = ADDED[kind]
    const name = `${PREFIX}${letter}${index}`
    additions.push({ name, kind: code, index })
    return name
  }
  const memories: string[] = []
  for (let index = module.memoryImportCount; index < module.memoryCount; index++)
    memories.push(nameOf('memory', index))
  const globals: string[] = []
  for (const { index, type, mutable } of module.globals) {
    if (!mutable) continue
    if (type === 'ref' || type === 'v128')
      throw featureError(`mutable global ${index} of type ${type === 'ref' ? 'reference' : type}`)
    globals.push(nameOf('global', index))
  }
  const own = tables ? readTables(binary, module) : NO_TABLES
  const tableNames = own.tables.map((index) => nameOf('table', index))
  const { functions } = own
  if (functions.length > 0)
    additions.push({ name: FUNCTIONS_NAME, kind: KIND_TABLE, index: module.tableCount })
  const rewritten = new Rewriter(binary, module, additions, functions).run()
  const hidden = [...rewritten.hidden, ...own.hidden]
  return { ...rewritten, hidden, memories, globals, tables: tableNames, functions }
}

class Rewriter {
  readonly #binary: Uint8Array
  readonly #module: CoreModule
  readonly #additions: readonly Addition[]
  /** Contents of the added table; empty for none. */
  readonly #functions: readonly number[]
  readonly #metered: boolean
  readonly #out: Writer
  #changes: StateChanges = { hidden: new Set(), changesTables: false }

  constructor(
    binary: Uint8Array,
    module: CoreModule,
    additions: readonly Addition[],
    functions: readonly number[],
  ) {
    this.#functions = functions
    this.#binary = binary
    this.#module = module
    this.#additions = additions
    this.#metered = module.sections.some(({ id }) => id === CODE)
    const size = module.sections.reduce((sum, { start, end }) => sum + end - start, 0)
    this.#out = new Writer(2 * size)
  }

  run(): Pick<InstrumentedModule, 'bytes' | 'hidden' | 'metered' | 'changesTables'> {
    this.#out.code(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00)
    const missing = this.#missing()
    for (const section of this.#module.sections) {
      if (section.id === CUSTOM) {
        if (this.#isNames(section)) this.#copy(section)
        continue
      }
      for (const id of missing.splice(0))
        if (ORDER.indexOf(id) < ORDER.indexOf(section.id)) this.#section(id, null)
        else missing.push(id)
      this.#section(section.id, section)
    }
    for (const id of missing) this.#section(id, null)
    const { hidden, changesTables } = this.#changes
    const bytes = this.#out.written.slice()
    return { bytes, hidden: [...hidden], changesTables, metered: this.#metered }
  }

  /** Sections that have to be added. */
  #missing(): number[] {
    const has = (wanted: number): boolean => this.#module.sections.some(({ id }) => id === wanted)
    const missing: number[] = []
    if (this.#metered && !has(IMPORTS)) missing.push(IMPORTS)
    if (this.#functions.length > 0 && !has(TABLES)) missing.push(TABLES)
    if (this.#additions.length > 0 && !has(EXPORTS)) missing.push(EXPORTS)
    if (this.#functions.length > 0 && !has(ELEMENTS)) missing.push(ELEMENTS)
    return missing
  }

  #isNames({ payload, end }: Section): boolean {
    return new Reader(this.#binary, payload, end).name('custom section') === 'name'
  }

  #copy({ start, end }: Section): void {
    this.#out.bytes(this.#binary.subarray(start, end))
  }

  #section(id: number, section: Section | null): void {
    const payload = this.#payload(id, section)
    if (payload === null) {
      if (section !== null) this.#copy(section)
      return
    }
    this.#out.byte(id)
    this.#out.u32(payload.length)
    this.#out.bytes(payload)
  }

  /** The new payload of a section; null to copy it. */
  #payload(id: number, section: Section | null): Uint8Array | null {
    if (id === EXPORTS && (this.#metered || this.#additions.length > 0))
      return this.#exports(section)
    if (this.#functions.length > 0 && (id === TABLES || id === ELEMENTS))
      return this.#extended(id, section)
    if (!this.#metered) return null
    if (id === IMPORTS) return this.#imports(section)
    if (section === null) return null
    if (id === CODE) {
      const { payload, changes } = meterCode(this.#binary, this.#module, section)
      this.#changes = changes
      return payload
    }
    const read = CONSTANT_READERS[id]
    return read === undefined ? null : this.#patched(section, read)
  }

  /** The tables or element segments of the module, and the added one behind them. */
  #extended(id: typeof TABLES | typeof ELEMENTS, section: Section | null): Uint8Array {
    const out = new Writer()
    const { length } = this.#functions
    if (section === null) out.u32(1)
    else {
      const read = CONSTANT_READERS[id]
      const patched = read === undefined ? null : this.#patched(section, read)
      const old = patched ?? this.#binary.subarray(section.payload, section.end)
      const reader = new Reader(old)
      out.u32(reader.u32('count') + 1)
      out.bytes(old.subarray(reader.position))
    }
    if (id === TABLES) {
      out.code(0x70, 0x01)
      out.u32(length)
      out.u32(length)
    } else {
      out.byte(0x02) // active, in a table by its index
      out.u32(this.#module.tableCount)
      out.code(0x41, 0x00, 0x0b, 0x00)
      out.u32(length)
      for (const index of this.#functions) out.u32(index)
    }
    return out.written
  }

  #imports(section: Section | null): Uint8Array {
    const { imports } = this.#module
    const out = new Writer()
    out.u32(imports.length + ADDED_GLOBAL_COUNT)
    if (section !== null) out.bytes(this.#items(section))
    for (const name of [FUEL_NAME, ROOM_NAME]) {
      out.name(METER_MODULE)
      out.name(name)
      out.code(KIND_GLOBAL, 0x7e, 0x01) // a mutable i64
    }
    return out.written
  }

  #exports(section: Section | null): Uint8Array {
    const out = new Writer()
    out.u32(this.#module.exports.length + this.#additions.length)
    if (section !== null && !this.#metered) out.bytes(this.#items(section))
    else
      for (const { name, kind, index } of this.#module.exports)
        this.#export(out, name, KINDS.indexOf(kind), index)
    for (const { name, kind, index } of this.#additions) this.#export(out, name, kind, index)
    return out.written
  }

  #export(out: Writer, name: string, kind: number, index: number): void {
    out.name(name)
    out.byte(kind)
    out.u32(kind === KIND_GLOBAL ? this.#shifted(index) : index)
  }

  #shifted(global: number): number {
    const isOwn = this.#metered && global >= this.#module.globalImportCount
    return isOwn ? global + ADDED_GLOBAL_COUNT : global
  }

  /** A section's items, without their count. */
  #items({ payload, end }: Section): Uint8Array {
    const reader = new Reader(this.#binary, payload, end)
    reader.u32('count')
    return this.#binary.subarray(reader.position, end)
  }

  /** A section with the globals in its constant expressions renamed. */
  #patched({ payload, end }: Section, read: ConstantReader): Uint8Array | null {
    const reader = new Reader(this.#binary, payload, end)
    const out = new Writer(end - payload)
    let from = payload
    read(reader, (at, index) => {
      if (this.#shifted(index) === index) return
      out.bytes(this.#binary.subarray(from, at))
      out.u32(this.#shifted(index))
      from = reader.position
    })
    if (from === payload) return null
    out.bytes(this.#binary.subarray(from, end))
    return out.written
  }
}

type OnGlobal = (at: number, index: number) => void
type ConstantReader = (reader: Reader, onGlobal: OnGlobal) => void

/** Sections with constant expressions. Those with a global that is not the module's own are rare. */
const CONSTANT_READERS: Readonly<Record<number, ConstantReader>> = {
  [TABLES]: (reader, onGlobal) => {
    reader.vector('table', () => {
      const hasInitializer = reader.peek() === 0x40
      if (hasInitializer) reader.skip(2, 'table')
      readCoreType(reader)
      const hasMaximum = (reader.byte('limits') & 0x01) !== 0
      reader.u32('minimum')
      if (hasMaximum) reader.u32('maximum')
      if (hasInitializer) skipConstant(reader, onGlobal)
    })
  },
  [GLOBALS]: (reader, onGlobal) => {
    reader.vector('global', () => {
      readCoreType(reader)
      reader.byte('mutability')
      skipConstant(reader, onGlobal)
    })
  },
  [ELEMENTS]: (reader, onGlobal) => {
    reader.vector('element segment', () => skipElements(reader, onGlobal))
  },
  [DATA]: (reader, onGlobal) => {
    reader.vector('data segment', () => {
      const flags = reader.u32('data segment')
      if (flags === 2) reader.u32('memory index')
      if (flags !== 1) skipConstant(reader, onGlobal)
      reader.skip(reader.count('data'), 'data')
    })
  },
}

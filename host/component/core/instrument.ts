/**
 * Instrument: a core module is rewritten so that its whole mutable state can be reached from outside, and
 * so that it pays for what it does.
 *
 * Owns: which state counts, and the names under which it is exported; all sections but the code.
 * Does not own: capture (host/image), where fuel is charged (fuel.ts), how globals are reached (global-access.ts).
 *
 * Invariants:
 *   IN1. Every memory that the module defines is exported, under a name of its own or under `loom:m<index>`; every
 *        mutable global that it defines is reached through a function that is added behind its own.
 *   IN2. A module with mutable state that cannot be captured is refused (globals that hold references or
 *        vectors) or named in `hidden` (segments that code drops).
 *   IN4. Where code of the component changes tables, each table that the module defines is exported as
 *        `loom:t<index>`, and a table is added, `loom:functions`, that holds each function that the module can
 *        put into one (table-functions.ts): an element takes some 50 bytes of an instance, an export 250.
 *        Where no code does, tables are what they were after instantiation.
 *   IN3. A module with code gets two globals, its counters, behind those that it imports; the indices of its own
 *        globals grow by two wherever they stand. It imports them from `loom:meter`, or defines them (IN5). Nothing
 *        else of the module changes, except that custom sections other than names, which speak of offsets in the
 *        code, are left out.
 *   IN5. Where one core instance alone is metered, its module defines the counters: objects for two imported globals
 *        cost as much as all else that is added. Not where it has a start function, which would run without limits.
 *
 * Source: WebAssembly Core Specification, "Binary Format", "Modules".
 */
import { Reader } from '../bytes.ts'
import { featureError, formatError } from '../refuse.ts'
import { Writer } from '../writer.ts'
import { type MeteredCode, meterModule } from './fuel.ts'
import { ADDED_GLOBAL_COUNT, UNLIMITED } from './fuel-write.ts'
import { ACCESS_NAME, ACCESS_TYPE, type AccessedGlobal, writeAccess } from './global-access.ts'
import {
  type CoreModule,
  type CoreType,
  isReference,
  KINDS,
  readCoreType,
  type Section,
  skipConstant,
} from './module.ts'
import { NO_TABLES, readTables, skipElements } from './table-functions.ts'

const PREFIX = 'loom:'
const RESERVED = /^loom:([mt][0-9]+|functions|globals)$/

/** The export name of the added table (IN4). */
export const FUNCTIONS_NAME = 'loom:functions'
const CUSTOM = 0
const TYPES = 1
const IMPORTS = 2
const FUNCTIONS = 3
const TABLES = 4
const GLOBALS = 6
const EXPORTS = 7
const START = 8
const ELEMENTS = 9
const CODE = 10
const DATA = 11
/** Sections in the order in which they stand: "Binary Format", "Modules"; 13 is the tag section. */
const ORDER = [
  TYPES,
  IMPORTS,
  FUNCTIONS,
  TABLES,
  5,
  13,
  GLOBALS,
  EXPORTS,
  START,
  ELEMENTS,
  12,
  CODE,
  DATA,
]
const KIND_FUNCTION = 0x00
const KIND_TABLE = 0x01
const KIND_MEMORY = 0x02
const KIND_GLOBAL = 0x03

const ADDED = {
  table: { letter: 't', code: KIND_TABLE },
  memory: { letter: 'm', code: KIND_MEMORY },
} as const

/** Where the counters of a metered module are imported from. */
export const METER_MODULE = 'loom:meter'
export const FUEL_NAME = 'fuel'
export const ROOM_NAME = 'room'

export interface InstrumentedModule {
  readonly bytes: Uint8Array
  /** Export names of the module's own memories, by index. */
  readonly memories: readonly string[]
  /** Types of the module's own mutable globals, by index. */
  readonly globals: readonly CoreType[]
  /** Export names of the module's own tables, by index; none where no code changes tables (IN4). */
  readonly tables: readonly string[]
  /** Functions that tables may hold, in the order of the added table; none where no code changes tables (IN4). */
  readonly functions: readonly number[]
  /** Its code changes tables, its own or imported ones. */
  readonly changesTables: boolean
  /** Mutable state that an image cannot hold today, in words. */
  readonly hidden: readonly string[]
  /** Whose counters it counts on; null when it has no code (IN3, IN5). */
  readonly counters: 'own' | 'imported' | null
}

interface Addition {
  readonly name: string
  readonly kind: number
  readonly index: number
}

interface InstrumentOptions {
  /** Some code of the component changes tables (IN4). */
  readonly tables?: boolean
  /** IN5. */
  readonly ownsCounters?: boolean
  readonly metered?: MeteredCode
}

/**
 * Rewrites the modules of one component. `made`: the module of each core instance, by index. Tables are a matter of
 * all: what one defines, another may change.
 * @throws ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE
 */
export function instrumentAll(
  binary: Uint8Array,
  modules: readonly CoreModule[],
  metered: readonly MeteredCode[],
  made: readonly number[],
): InstrumentedModule[] {
  const tables = metered.some(({ changesTables }) => changesTables)
  const counting = made.filter((index) => metered[index]?.functions !== null)
  return modules.map((module, index) => {
    const isAlone = counting.length === 1 && counting[0] === index
    const ownsCounters = isAlone && !module.sections.some(({ id }) => id === START)
    const code = metered[index]
    return instrument(binary, module, { tables, ownsCounters, ...(code && { metered: code }) })
  })
}

/** @throws ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE */
export function instrument(
  binary: Uint8Array,
  module: CoreModule,
  {
    tables = false,
    ownsCounters = false,
    metered = meterModule(binary, module),
  }: InstrumentOptions = {},
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
  const globals = mutableGlobals(module)
  const own = tables ? readTables(binary, module) : NO_TABLES
  const tableNames = own.tables.map((index) => nameOf('table', index))
  const { functions } = own
  if (functions.length > 0)
    additions.push({ name: FUNCTIONS_NAME, kind: KIND_TABLE, index: module.tableCount })
  const kind = ownsCounters ? 'own' : 'imported'
  const counters: Rewriting['counters'] = metered.functions === null ? null : kind
  const access = counters === 'own' || globals.length > 0 ? globals : null
  if (access !== null)
    additions.push({ name: ACCESS_NAME, kind: KIND_FUNCTION, index: module.functions.length })
  const plan = { additions, functions, metered, counters, access }
  const bytes = new Rewriter(binary, module, plan).run()
  const { changesTables } = metered
  const hidden = [...metered.hidden, ...own.hidden]
  const types = globals.map(({ type }) => type)
  return {
    bytes,
    memories,
    globals: types,
    tables: tableNames,
    functions,
    changesTables,
    hidden,
    counters,
  }
}

/** IN2. */
function mutableGlobals(module: CoreModule): AccessedGlobal[] {
  return module.globals.flatMap(({ index, type, mutable }) => {
    if (!mutable) return []
    if (isReference(type) || type === 'v128')
      throw featureError(
        `mutable global ${index} of type ${isReference(type) ? 'reference' : type}`,
      )
    return [{ index, type }]
  })
}

interface Rewriting {
  readonly additions: readonly Addition[]
  /** Contents of the added table; empty for none. */
  readonly functions: readonly number[]
  readonly metered: MeteredCode
  readonly counters: InstrumentedModule['counters']
  /** What the added function reaches besides counters; null where none is added. */
  readonly access: readonly AccessedGlobal[] | null
}

class Rewriter {
  readonly #binary: Uint8Array
  readonly #module: CoreModule
  readonly #plan: Rewriting
  readonly #metered: boolean
  readonly #out: Writer

  constructor(binary: Uint8Array, module: CoreModule, plan: Rewriting) {
    this.#binary = binary
    this.#module = module
    this.#plan = plan
    this.#metered = plan.counters !== null
    const size = module.sections.reduce((sum, { start, end }) => sum + end - start, 0)
    this.#out = new Writer(2 * size)
  }

  run(): Uint8Array {
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
    return this.#out.written.slice()
  }

  /** Sections that have to be added, in their order. */
  #missing(): number[] {
    const { counters, functions, access, additions } = this.#plan
    const needs: readonly (readonly [number, boolean])[] = [
      [TYPES, access !== null],
      [IMPORTS, counters === 'imported'],
      [FUNCTIONS, access !== null],
      [TABLES, functions.length > 0],
      [GLOBALS, counters === 'own'],
      [EXPORTS, additions.length > 0],
      [ELEMENTS, functions.length > 0],
      [CODE, access !== null],
    ]
    const has = (wanted: number): boolean => this.#module.sections.some(({ id }) => id === wanted)
    return needs.flatMap(([id, needed]) => (needed && !has(id) ? [id] : []))
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
    const { counters, functions, access, additions } = this.#plan
    if (id === EXPORTS && (this.#metered || additions.length > 0)) return this.#exports(section)
    if (id === IMPORTS && counters === 'imported') return this.#imports(section)
    if (id === CODE && (this.#metered || access !== null)) return this.#code()
    const old = section === null ? null : this.#renamed(id, section)
    if (id === TYPES && access !== null) return extended(old, ACCESS_TYPE)
    if (id === FUNCTIONS && access !== null) return extended(old, this.#accessType())
    if (id === GLOBALS && counters === 'own') return this.#globals(old)
    if (functions.length > 0 && id === TABLES) return extended(old, this.#table())
    if (functions.length > 0 && id === ELEMENTS) return extended(old, this.#elements())
    return old
  }

  /** The index of the added type (global-access.ts). */
  #accessType(): Uint8Array {
    const { typeCount } = this.#module
    if (typeCount === null) throw featureError('a core type of a form that is not known')
    const out = new Writer()
    out.u32(typeCount)
    return out.written
  }

  /** The added table (IN4), and the segment that fills it. */
  #table(): Uint8Array {
    const { length } = this.#plan.functions
    const out = new Writer()
    out.code(0x70, 0x01)
    out.u32(length)
    out.u32(length)
    return out.written
  }

  #elements(): Uint8Array {
    const { functions } = this.#plan
    const out = new Writer()
    out.byte(0x02) // active, in a table by its index
    out.u32(this.#module.tableCount)
    out.code(0x41, 0x00, 0x0b, 0x00)
    out.u32(functions.length)
    for (const index of functions) out.u32(index)
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

  /** The counters stand where imported ones would, ahead of the module's own globals (IN5). */
  #globals(old: Uint8Array | null): Uint8Array {
    const out = new Writer()
    out.u32(this.#module.globals.length + ADDED_GLOBAL_COUNT)
    for (let left = ADDED_GLOBAL_COUNT; left > 0; left--) {
      out.code(0x7e, 0x01, 0x42)
      out.signed(UNLIMITED)
      out.byte(0x0b)
    }
    if (old !== null) out.bytes(withoutCount(old))
    return out.written
  }

  #code(): Uint8Array {
    const { metered, access } = this.#plan
    const out = new Writer((metered.functions?.length ?? 0) + 1_024)
    out.u32(metered.count + (access === null ? 0 : 1))
    if (metered.functions !== null) out.bytes(metered.functions)
    if (access !== null) {
      const body = new Writer()
      const globals = access.map(({ index, type }) => ({ index: this.#shifted(index), type }))
      writeAccess(body, this.#metered ? this.#module.globalImportCount : null, globals)
      out.u32(body.written.length)
      out.bytes(body.written)
    }
    return out.written
  }

  #exports(section: Section | null): Uint8Array {
    const { additions } = this.#plan
    const out = new Writer()
    out.u32(this.#module.exports.length + additions.length)
    if (section !== null && !this.#metered) out.bytes(this.#items(section))
    else
      for (const { name, kind, index } of this.#module.exports)
        this.#export(out, name, KINDS.indexOf(kind), index)
    for (const { name, kind, index } of additions) this.#export(out, name, kind, index)
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
    return withoutCount(this.#binary.subarray(payload, end))
  }

  /** A section's payload with the globals in its constant expressions renamed. */
  #renamed(id: number, { payload, end }: Section): Uint8Array {
    const read = this.#metered ? CONSTANT_READERS[id] : undefined
    if (read === undefined) return this.#binary.subarray(payload, end)
    const reader = new Reader(this.#binary, payload, end)
    const out = new Writer(end - payload)
    let from = payload
    read(reader, (at, index) => {
      if (this.#shifted(index) === index) return
      out.bytes(this.#binary.subarray(from, at))
      out.u32(this.#shifted(index))
      from = reader.position
    })
    out.bytes(this.#binary.subarray(from, end))
    return out.written
  }
}

function withoutCount(payload: Uint8Array): Uint8Array {
  const reader = new Reader(payload)
  reader.u32('count')
  return payload.subarray(reader.position)
}

/** A section with one item more. */
function extended(payload: Uint8Array | null, item: Uint8Array): Uint8Array {
  const out = new Writer((payload?.length ?? 0) + item.length + 5)
  out.u32(payload === null ? 1 : new Reader(payload).u32('count') + 1)
  if (payload !== null) out.bytes(withoutCount(payload))
  out.bytes(item)
  return out.written
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

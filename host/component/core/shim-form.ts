/**
 * Shim form: core modules that only pass calls on, known by their bytes.
 *
 * Owns: the exact forms of the two modules that toolchains (wit-component) put around a guest's module, because
 * that imports functions which need its memory:
 *
 *   shim    one table of functions; function i passes its parameters to element s(i), and does nothing else:
 *           local.get 0 ... local.get n-1; i32.const s(i); call_indirect of its own type; end
 *   fixup   imports functions and perhaps one table; no code; perhaps one active segment that fills the table
 *           with imported functions; perhaps a start function, which is imported
 *
 * Does not own: whether the modules of a component may be left out (elide.ts).
 *
 * Invariant SF1. A module of another form, or with one byte more than these, is none: null.
 */
import { Reader } from '../bytes.ts'
import type { CoreModule, Section, Signature } from './module.ts'

const CUSTOM = 0
const TYPES = 1
const IMPORTS = 2
const FUNCTIONS = 3
const TABLES = 4
const EXPORTS = 7
const START = 8
const ELEMENTS = 9
const CODE = 10
const FUNCREF = 0x70
const LOCAL_GET = 0x20
const I32_CONST = 0x41
const CALL_INDIRECT = 0x11
const END = 0x0b

/** Limits of a table; no maximum is infinity. */
interface TableLimits {
  readonly minimum: number
  readonly maximum: number
}

export interface ShimForm {
  readonly table: TableLimits
  /** The element that each function calls. */
  readonly slots: readonly number[]
}

export interface FixupForm {
  /** Limits that the imported table must fit; null where none is imported. */
  readonly table: TableLimits | null
  /** Elements and the imported functions, by index, that come to stand there. */
  readonly elements: readonly { readonly slot: number; readonly func: number }[]
  /** The imported function that runs at the start; null for none. */
  readonly start: number | null
}

function sectionsOf(
  { sections }: CoreModule,
  allowed: readonly number[],
): Map<number, Section> | null {
  const found = new Map<number, Section>()
  for (const section of sections) {
    if (section.id === CUSTOM) continue
    if (!allowed.includes(section.id) || found.has(section.id)) return null
    found.set(section.id, section)
  }
  return found
}

export function isSameSignature(a: Signature | null, b: Signature | null): boolean {
  if (a === null || b === null) return false
  const text = ({ params, results }: Signature): string => `${params.join()}:${results.join()}`
  // References are told apart from numbers only (module.ts), so they are never known to be the same.
  return text(a) === text(b) && !text(a).includes('ref')
}

function readLimits(reader: Reader): TableLimits | null {
  const flags = reader.byte('limits')
  if (flags > 1) return null
  const minimum = reader.u32('minimum')
  return { minimum, maximum: flags === 0 ? Number.POSITIVE_INFINITY : reader.u32('maximum') }
}

/** Unsigned value of a constant that is small enough to be an index; -1 for any other. */
function smallConstant(reader: Reader): number {
  const from = reader.position
  reader.skipLeb('constant')
  let value = 0
  for (let at = from; at < reader.position; at++)
    value += ((reader.bytes[at] ?? 0) & 0x7f) * 2 ** (7 * (at - from))
  const width = 7 * (reader.position - from)
  return value < 2 ** (width - 1) ? value : -1
}

export function readShim(binary: Uint8Array, module: CoreModule): ShimForm | null {
  const sections = sectionsOf(module, [TYPES, FUNCTIONS, TABLES, EXPORTS, CODE])
  const tables = sections?.get(TABLES)
  const code = sections?.get(CODE)
  if (tables === undefined || code === undefined) return null
  const reader = new Reader(binary, tables.payload, tables.end)
  if (reader.u32('count') !== 1 || reader.byte('reference type') !== FUNCREF) return null
  const table = readLimits(reader)
  if (table === null || !reader.done) return null
  const slots = readBodies(new Reader(binary, code.payload, code.end), binary, module)
  return slots === null ? null : { table, slots }
}

function readBodies(reader: Reader, binary: Uint8Array, module: CoreModule): number[] | null {
  const slots: number[] = []
  const types = signatures(binary, module)
  const count = reader.count('functions')
  for (let index = 0; index < count; index++) {
    const body = reader.section(reader.u32('size'), 'function')
    const signature = module.functions[index]
    if (signature === null || signature === undefined) return null
    if (body.byte('locals') !== 0) return null
    for (let param = 0; param < signature.params.length; param++)
      if (body.byte('instruction') !== LOCAL_GET || body.u32('local') !== param) return null
    if (body.byte('instruction') !== I32_CONST) return null
    const slot = smallConstant(body)
    if (slot < 0 || body.byte('instruction') !== CALL_INDIRECT) return null
    if (!isSameSignature(types[body.u32('type')] ?? null, signature)) return null
    if (body.u32('table') !== 0 || body.byte('instruction') !== END || !body.done) return null
    slots.push(slot)
  }
  return reader.done ? slots : null
}

/** Function types of numbers; null for any other. Read anew, as only shims need them by index. */
function signatures(binary: Uint8Array, module: CoreModule): (Signature | null)[] {
  const section = module.sections.find(({ id }) => id === TYPES)
  if (section === undefined) return []
  const reader = new Reader(binary, section.payload, section.end)
  const names = { 127: 'i32', 126: 'i64', 125: 'f32', 124: 'f64' } as const
  const types: (Signature | null)[] = []
  for (let left = reader.count('types'); left > 0; left--) {
    if (reader.byte('type') !== 0x60) return types
    let isKnown = true
    const list = (): (typeof names)[keyof typeof names][] =>
      reader.vector('type', () => {
        const name = names[reader.byte('type') as keyof typeof names]
        isKnown &&= name !== undefined
        return name
      })
    const signature = { params: list(), results: list() }
    if (!isKnown) return types
    types.push(signature)
  }
  return types
}

export function readFixup(binary: Uint8Array, module: CoreModule): FixupForm | null {
  const sections = sectionsOf(module, [TYPES, IMPORTS, START, ELEMENTS])
  const imports = sections?.get(IMPORTS)
  if (sections === null || imports === undefined) return null
  const tables = module.imports.filter(({ kind }) => kind === 'table')
  const others = module.imports.some(({ kind }) => kind !== 'table' && kind !== 'func')
  if (tables.length > 1 || others) return null
  const table =
    tables.length === 0 ? null : importedTable(new Reader(binary, imports.payload, imports.end))
  if (tables.length > 0 && table === null) return null
  const elements = readSegment(binary, sections.get(ELEMENTS))
  if (elements === null || (elements.length > 0 && table === null)) return null
  const start = sections.get(START)
  if (start === undefined) return { table, elements, start: null }
  const reader = new Reader(binary, start.payload, start.end)
  const index = reader.u32('start function')
  return reader.done ? { table, elements, start: index } : null
}

/** Limits of the one table among imports of functions. */
function importedTable(reader: Reader): TableLimits | null {
  for (let left = reader.count('imports'); left > 0; left--) {
    reader.name('module')
    reader.name('name')
    if (reader.byte('kind') !== 0x00)
      return reader.byte('reference type') === FUNCREF ? readLimits(reader) : null
    reader.u32('type')
  }
  return null
}

/** What one active segment of the first table holds; empty without one, null for any other. */
function readSegment(
  binary: Uint8Array,
  section: Section | undefined,
): FixupForm['elements'] | null {
  if (section === undefined) return []
  const reader = new Reader(binary, section.payload, section.end)
  if (reader.u32('count') !== 1 || reader.u32('flags') !== 0) return null
  if (reader.byte('offset') !== I32_CONST) return null
  const from = smallConstant(reader)
  if (from < 0 || reader.byte('offset') !== END) return null
  const elements = reader.vector('element', (index) => ({
    slot: from + index,
    func: reader.u32('function'),
  }))
  return reader.done ? elements : null
}

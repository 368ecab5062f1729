/**
 * Module: what the linker and the instrumentation must know of a core module.
 *
 * Owns: the sections, signatures, imports, exports, memories and globals. Does not own: validation, which
 * is the engine's when it compiles; code (instructions.ts), rewriting (instrument.ts).
 *
 * Invariant M1. Only what was read here is trusted before the engine has compiled the module.
 *
 * Source: WebAssembly Core Specification, "Binary Format", "Modules".
 */
import { hex, Reader } from '../bytes.ts'
import { featureError } from '../refuse.ts'

/** `ref` is any reference that the function and external ones without a type index are not. */
export type CoreType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'funcref' | 'externref' | 'ref'

export interface Signature {
  readonly params: readonly CoreType[]
  readonly results: readonly CoreType[]
}

/** How many values a function type takes and gives; none for types that are no functions'. */
export interface TypeSize {
  readonly params: number
  readonly results: number
}

export type CoreKind = 'func' | 'table' | 'memory' | 'global' | 'tag'

export interface CoreLimits {
  readonly minimum: number
  readonly maximum: number | null
}

/** `core:externtype`; a signature is null when it is none that this reader knows. */
export type CoreExtern =
  | { readonly kind: 'func' | 'tag'; readonly signature: Signature | null }
  | { readonly kind: 'table'; readonly element: CoreType; readonly limits: CoreLimits }
  | { readonly kind: 'memory'; readonly limits: CoreLimits }
  | { readonly kind: 'global'; readonly type: CoreType; readonly mutable: boolean }

interface CoreImport {
  readonly module: string
  readonly name: string
  readonly kind: CoreKind
  /** For functions only; null when the type is none that this reader knows. */
  readonly signature: Signature | null
  readonly type: CoreExtern
}

interface CoreExport {
  readonly name: string
  readonly kind: CoreKind
  readonly index: number
}

interface CoreGlobal {
  readonly index: number
  readonly type: CoreType
  readonly mutable: boolean
}

/** Limits of a memory in pages; 65,536 where it declares no maximum. */
export interface CoreMemory {
  readonly pagesMin: number
  readonly pagesMax: number
}

export interface Section {
  readonly id: number
  /** From the id to the end of the payload, as offsets in the whole binary. */
  readonly start: number
  readonly payload: number
  readonly end: number
}

export interface CoreModule {
  readonly sections: readonly Section[]
  /** Types that the module defines; null where one is of a form that is not known here. */
  readonly typeCount: number | null
  /** By type index; ends where a form is not known. */
  readonly typeSizes: readonly TypeSize[]
  readonly imports: readonly CoreImport[]
  readonly exports: readonly CoreExport[]
  /** Signatures of all functions, imported ones first. */
  readonly functions: readonly (Signature | null)[]
  /** Globals that the module defines itself. */
  readonly globals: readonly CoreGlobal[]
  readonly globalImportCount: number
  /** Mutable globals that hold floats, imported ones too. */
  readonly floats: ReadonlyMap<number, 'f32' | 'f64'>
  readonly memoryImportCount: number
  readonly memoryCount: number
  /** All memories, imported ones first. */
  readonly memories: readonly CoreMemory[]
  readonly tableImportCount: number
  readonly tableCount: number
  /** The most values that an exception carries that the module knows. */
  readonly tagParamMax: number
  /** Elements that the module's own tables begin with. */
  readonly tableElementCount: number
  /** All that an index may stand for, by kind, imported ones first. */
  readonly externs: Readonly<Record<CoreKind, readonly CoreExtern[]>>
}

const PAGE_COUNT_MAX = 65_536

/** By the byte that stands for each in imports and exports. */
export const KINDS: readonly CoreKind[] = ['func', 'table', 'memory', 'global', 'tag']
const NUMERIC: Readonly<Record<number, CoreType>> = {
  127: 'i32',
  126: 'i64',
  125: 'f32',
  124: 'f64',
  123: 'v128',
}
const SHARED = 0x65
const ABSTRACT: Readonly<Record<number, CoreType>> = { 112: 'funcref', 111: 'externref' }

interface Draft {
  sections: Section[]
  typeCount: number | null
  typeSizes: TypeSize[]
  types: (Signature | null)[]
  imports: CoreImport[]
  exports: CoreExport[]
  functions: (Signature | null)[]
  globals: CoreGlobal[]
  globalCount: number
  globalImportCount: number
  floats: Map<number, 'f32' | 'f64'>
  memoryImportCount: number
  memoryCount: number
  memories: CoreMemory[]
  tableImportCount: number
  tableCount: number
  tagParamMax: number
  tableElementCount: number
  externs: Record<CoreKind, CoreExtern[]>
}

/** @throws ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE */
export function readCoreModule(bytes: Uint8Array, start: number, end: number): CoreModule {
  const reader = new Reader(bytes, start, end)
  for (const byte of [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00])
    if (reader.byte('preamble of a core module') !== byte)
      reader.fail('the preamble of a core module is wrong', start)
  const draft: Draft = {
    sections: [],
    typeCount: 0,
    typeSizes: [],
    types: [],
    imports: [],
    exports: [],
    functions: [],
    globals: [],
    globalCount: 0,
    globalImportCount: 0,
    floats: new Map(),
    memoryImportCount: 0,
    memoryCount: 0,
    memories: [],
    tableImportCount: 0,
    tableCount: 0,
    tagParamMax: 0,
    tableElementCount: 0,
    externs: { func: [], table: [], memory: [], global: [], tag: [] },
  }
  while (!reader.done) {
    const from = reader.position
    const id = reader.byte('core section id')
    const section = reader.section(reader.u32('core section size'), `core section ${id}`)
    draft.sections.push({ id, start: from, payload: section.position, end: section.end })
    SECTION_READERS[id]?.(section, draft)
  }
  return draft
}

const SECTION_READERS: Readonly<Record<number, (reader: Reader, draft: Draft) => void>> = {
  1: readTypes,
  2: readImports,
  3: (reader, draft) => {
    reader.vector('core function', () => {
      addFunction(draft, draft.types[reader.u32('core type index')] ?? null)
    })
  },
  4: (reader, draft) => {
    reader.vector('table', () => {
      const hasInitializer = reader.peek() === 0x40
      if (hasInitializer) reader.skip(2, 'table')
      const table = readTable(reader)
      draft.externs.table.push(table)
      draft.tableElementCount += table.limits.minimum
      if (hasInitializer) skipConstant(reader)
      draft.tableCount++
    })
  },
  5: (reader, draft) => {
    reader.vector('memory', () => {
      addMemory(draft, readMemory(reader))
    })
  },
  6: (reader, draft) => {
    reader.vector('global', () => {
      const global = readGlobalType(reader, draft)
      const { position } = reader
      skipConstant(reader)
      if (draft.floats.has(global.index)) checkFirstFloat(reader, global, position)
      draft.globals.push(global)
      addGlobal(draft, global)
    })
  },
  7: (reader, draft) => {
    reader.vector('core export', () => {
      const name = reader.name('core export name')
      draft.exports.push({ name, kind: readKind(reader), index: reader.u32('core export index') })
    })
  },
  13: (reader, draft) => {
    reader.vector('tag', () => draft.externs.tag.push(readTag(reader, draft)))
  },
}

function addFunction(draft: Draft, signature: Signature | null): void {
  draft.functions.push(signature)
  draft.externs.func.push({ kind: 'func', signature })
}

function addMemory(draft: Draft, limits: CoreLimits): void {
  const { minimum, maximum } = limits
  draft.memories.push({ pagesMin: minimum, pagesMax: maximum ?? PAGE_COUNT_MAX })
  draft.externs.memory.push({ kind: 'memory', limits })
  draft.memoryCount++
}

function addGlobal(draft: Draft, { type, mutable }: CoreGlobal): void {
  draft.externs.global.push({ kind: 'global', type, mutable })
  draft.globalCount++
}

function readTable(reader: Reader): Extract<CoreExtern, { kind: 'table' }> {
  return { kind: 'table', element: readCoreType(reader), limits: readLimits(reader) }
}

function readTag(reader: Reader, draft: Draft): CoreExtern {
  reader.byte('tag attribute')
  const signature = draft.types[reader.u32('core type index')] ?? null
  draft.tagParamMax = Math.max(draft.tagParamMax, signature?.params.length ?? 0)
  return { kind: 'tag', signature }
}

function readKind(reader: Reader): CoreKind {
  const code = reader.byte('core kind')
  return KINDS[code] ?? reader.fail(`unknown core kind ${hex(code)}`, reader.position - 1)
}

/** Of references only those that any module may know are told apart; the engine knows all of them. */
export function readCoreType(reader: Reader): CoreType {
  const code = reader.byte('core value type')
  if (code !== 0x63 && code !== 0x64) return NUMERIC[code] ?? ABSTRACT[code] ?? 'ref'
  if (reader.peek() === SHARED) throw featureError('shared reference (threads)', reader.position)
  const heap = ABSTRACT[reader.peek()]
  reader.skipLeb('heap type')
  return (code === 0x63 ? heap : undefined) ?? 'ref'
}

export function isReference(type: CoreType): boolean {
  return type.endsWith('ref')
}

/** Functions of types of the GC proposal, and of those after them, have no known signature. */
function readTypes(reader: Reader, draft: Draft): void {
  const count = reader.count('core type')
  let index = 0
  for (; index < count && reader.peek() === 0x60; index++) {
    reader.position++
    const params = reader.vector('core parameter', () => readCoreType(reader))
    const results = reader.vector('core result', () => readCoreType(reader))
    draft.types.push({ params, results })
    draft.typeSizes.push({ params: params.length, results: results.length })
  }
  let isKnown = true
  for (; index < count && isKnown; index++) isKnown = skipType(reader, draft.typeSizes)
  draft.typeCount = isKnown ? draft.typeSizes.length : null
}

/** Passes over one item of the type section; false where its form is not known. "Types", "Recursive Types". */
function skipType(reader: Reader, sizes: TypeSize[]): boolean {
  if (reader.peek() !== 0x4e) return skipSubtype(reader, sizes)
  reader.position++
  const known = reader.vector('core type', () => skipSubtype(reader, sizes))
  return !known.includes(false)
}

function skipSubtype(reader: Reader, sizes: TypeSize[]): boolean {
  const form = reader.byte('core type')
  const isSub = form === 0x4f || form === 0x50
  if (isSub) reader.vector('supertype', () => reader.u32('core type index'))
  const kind = isSub ? reader.byte('core type') : form
  const skipField = (): void => {
    readCoreType(reader)
    reader.byte('mutability')
  }
  let size: TypeSize = { params: 0, results: 0 }
  if (kind === 0x5e) skipField()
  else if (kind === 0x5f) reader.vector('field', skipField)
  else if (kind === 0x60) {
    const params = reader.vector('core parameter', () => readCoreType(reader))
    const results = reader.vector('core result', () => readCoreType(reader))
    size = { params: params.length, results: results.length }
  } else return false
  sizes.push(size)
  return true
}

function readImports(reader: Reader, draft: Draft): void {
  reader.vector('core import', () => {
    const module = reader.name('core import module')
    const name = reader.name('core import name')
    const kind = readKind(reader)
    readImport(reader, kind, draft)
    const type = draft.externs[kind].at(-1) ?? reader.fail('core import')
    const signature = type.kind === 'func' ? type.signature : null
    draft.imports.push({ module, name, kind, signature, type })
  })
}

function readImport(reader: Reader, kind: CoreKind, draft: Draft): void {
  switch (kind) {
    case 'func':
      addFunction(draft, draft.types[reader.u32('core type index')] ?? null)
      return
    case 'table':
      draft.externs.table.push(readTable(reader))
      draft.tableImportCount++
      draft.tableCount++
      return
    case 'memory':
      addMemory(draft, readMemory(reader))
      draft.memoryImportCount++
      return
    case 'global':
      addGlobal(draft, readGlobalType(reader, draft))
      draft.globalImportCount++
      return
    case 'tag':
      draft.externs.tag.push(readTag(reader, draft))
  }
}

/** "Types", "Limits"; those of 64-bit memories and tables are refused. */
function readLimits(reader: Reader): CoreLimits {
  const offset = reader.position
  const flags = reader.byte('limits')
  if ((flags & 0x04) !== 0) throw featureError('64-bit table', offset)
  const minimum = reader.u32('minimum')
  return { minimum, maximum: (flags & 0x01) === 0 ? null : reader.u32('maximum') }
}

/** Bits of the limits' flags: 1 maximum, 2 shared, 4 64-bit addresses, 8 custom page size. */
export function readMemory(reader: Reader): CoreLimits {
  const offset = reader.position
  const flags = reader.peek()
  if ((flags & 0x02) !== 0) throw featureError('shared memory (threads)', offset)
  if ((flags & 0x04) !== 0) throw featureError('64-bit memory', offset)
  if ((flags & 0x08) !== 0) throw featureError('custom page size', offset)
  return readLimits(reader)
}

function readGlobalType(reader: Reader, { globalCount: index, floats }: Draft): CoreGlobal {
  const type = readCoreType(reader)
  const mutability = reader.byte('mutability')
  if (mutability > 1) throw featureError('shared global (threads)', reader.position - 1)
  const mutable = mutability === 1
  if (mutable && (type === 'f32' || type === 'f64')) floats.set(index, type)
  return { index, type, mutable }
}

/** The canonical NaNs, as bytes of a constant. */
export const CANONICAL_NAN = {
  f32: [0x00, 0x00, 0xc0, 0x7f],
  f64: [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf8, 0x7f],
} as const

/** A mutable global holds no NaN but the canonical one (fuel.ts FU6), from the beginning. */
function checkFirstFloat(reader: Reader, { index, type }: CoreGlobal, at: number): void {
  const size = type === 'f32' ? 4 : 8
  const constant = reader.bytes.subarray(at, reader.position)
  const name = `mutable global ${index} of type ${type} that begins`
  if (constant.length !== size + 2) throw featureError(`${name} as another global`, at)
  const view = new DataView(constant.buffer, constant.byteOffset + 1, size)
  const value = type === 'f32' ? view.getFloat32(0, true) : view.getFloat64(0, true)
  const isCanonical = CANONICAL_NAN[type as 'f32' | 'f64'].every(
    (byte, place) => view.getUint8(place) === byte,
  )
  if (Number.isNaN(value) && !isCanonical)
    throw featureError(`${name} as another NaN than the canonical one`, at)
}

/** Passes over a constant expression: "Instructions", "Constant Expressions". */
export function skipConstant(
  reader: Reader,
  onGlobal: (from: number, index: number) => void = () => {},
  onFunction: (index: number) => void = () => {},
): void {
  for (;;) {
    const offset = reader.position
    const code = reader.byte('constant expression')
    switch (code) {
      case 0x0b:
        return
      case 0x41: // i32.const
      case 0x42: // i64.const
      case 0xd0: // ref.null
        reader.skipLeb('constant')
        break
      case 0xd2: // ref.func
        onFunction(reader.u32('function index'))
        break
      case 0x23: {
        const from = reader.position
        onGlobal(from, reader.u32('global index'))
        break
      }
      case 0x43:
        reader.skip(4, 'f32 constant')
        break
      case 0x44:
        reader.skip(8, 'f64 constant')
        break
      case 0x6a: // i32.add, sub, mul; i64.add, sub, mul
      case 0x6b:
      case 0x6c:
      case 0x7c:
      case 0x7d:
      case 0x7e:
        break
      case 0xfd:
        if (reader.u32('vector instruction') !== 12)
          reader.fail('vector instruction in a constant expression', offset)
        reader.skip(16, 'v128 constant')
        break
      case 0xfb:
        throw featureError('garbage-collected reference in a global', offset)
      default:
        reader.fail(`unknown instruction ${hex(code)} in a constant expression`, offset)
    }
  }
}

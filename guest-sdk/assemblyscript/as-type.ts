/**
 * AssemblyScript spelling of the model's types.
 *
 * Owns: which AssemblyScript type stands for which WIT type.
 * Does not own: how an author's class becomes a model type (class-types.ts).
 */
import type { ClassRef, ListType, NamedType, Primitive, ResultType, Type } from './model.ts'
import { isPrimitive } from './model.ts'

/** What memory and core values hold. */
export const SCALARS: Record<Primitive, string> = {
  bool: 'bool',
  u8: 'u8',
  s8: 'i8',
  u16: 'u16',
  s16: 'i16',
  u32: 'u32',
  s32: 'i32',
  u64: 'u64',
  s64: 'i64',
  f32: 'f32',
  f64: 'f64',
  char: 'u32',
}

/** Typed array classes and their elements. */
export const VIEWS: Readonly<Record<string, Primitive>> = {
  Uint8Array: 'u8',
  Uint8ClampedArray: 'u8',
  Int8Array: 's8',
  Uint16Array: 'u16',
  Int16Array: 's16',
  Uint32Array: 'u32',
  Int32Array: 's32',
  Uint64Array: 'u64',
  Int64Array: 's64',
  Float32Array: 'f32',
  Float64Array: 'f64',
}

/** Properties of the SDK's tuple classes `Tuple1` to `Tuple8`. */
export const TUPLE_PROPERTIES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const
export const TUPLE_SIZE_MAX = TUPLE_PROPERTIES.length

export type Qualify = (source: ClassRef) => string

/** What generated modules import from the SDK's main module. */
export const SDK_NAMES = [
  'Option',
  'Result',
  'Unit',
  'char',
  ...TUPLE_PROPERTIES.map((_name, index) => `Tuple${index + 1}`),
]

/** True for a list whose elements lie in AssemblyScript's memory as they do in the canonical ABI. */
export function isScalarList(type: ListType): boolean {
  return isPrimitive(type.element)
}

export function asType(type: Type, qualify: Qualify): string {
  const spell = (part: Type | null) => (part === null ? 'Unit' : asType(part, qualify))
  switch (type.kind) {
    case 'string':
      return 'string'
    case 'list':
      return asList(type, spell)
    case 'option':
      return type.form === 'null'
        ? `${spell(type.element)} | null`
        : `Option<${spell(type.element)}>`
    case 'result':
      return `Result<${resultArguments(type, spell)}>`
    case 'tuple':
      return `Tuple${type.elements.length}<${type.elements.map(spell).join(', ')}>`
    case 'record':
    case 'variant':
    case 'enum':
    case 'flags':
      return qualify((type as NamedType).source)
    case 'own':
    case 'borrow':
      return qualify(type.resource.source)
    case 'char':
      return 'char'
    default:
      return SCALARS[type.kind]
  }
}

function asList(type: ListType, spell: (part: Type) => string): string {
  if (type.form === 'Map' && type.element.kind === 'tuple') {
    return `Map<${type.element.elements.map(spell).join(', ')}>`
  }
  return type.form in VIEWS ? type.form : `${type.form}<${spell(type.element)}>`
}

/** Type arguments of `Result`; a missing side is the SDK's `Unit`. */
function resultArguments(type: ResultType, spell: (part: Type | null) => string): string {
  return `${spell(type.ok)}, ${spell(type.err)}`
}

/**
 * The interface model: what an actor exports and imports.
 *
 * Owns: the shape shared by everything that reads an interface (class-reader.ts, wit-decode.ts) and
 * everything that writes one (wit-print.ts, emit-*.ts).
 * Does not own: memory layout (layout.ts), spelling of names (names.ts).
 *
 * Invariants:
 *   M1. Named types (record, variant, enum, flags) are compared by object identity.
 *   M2. `name` of a type, field, case or function is WIT kebab-case; `property`, `method` and
 *       `className` are AssemblyScript identifiers.
 *   M3. Before code is emitted every named type has a `source`: class-reader sets it to the author's
 *       class, wit-types.ts to the class that it declares.
 */

export type Primitive =
  | 'bool'
  | 'u8'
  | 's8'
  | 'u16'
  | 's16'
  | 'u32'
  | 's32'
  | 'u64'
  | 's64'
  | 'f32'
  | 'f64'
  | 'char'

/** A class or enum, and the module that exports it (`''`: the module being generated). */
export interface ClassRef {
  readonly module: string
  readonly className: string
}

export interface PrimitiveType {
  readonly kind: Primitive
}

interface StringType {
  readonly kind: 'string'
}

export interface ListType {
  readonly kind: 'list'
  readonly element: Type
  /** `Array`, `StaticArray`, `Map`, or the name of a typed array class. */
  readonly form: string
}

interface OptionType {
  readonly kind: 'option'
  readonly element: Type
  /** `T | null`, or the SDK's `Option<T>`. */
  form: 'null' | 'Option'
}

export interface ResultType {
  readonly kind: 'result'
  readonly ok: Type | null
  readonly err: Type | null
}

export interface TupleType {
  readonly kind: 'tuple'
  readonly elements: readonly Type[]
}

export interface Field {
  readonly name: string
  readonly property: string
  readonly type: Type
  readonly readonly: boolean
  readonly doc: string
}

export interface RecordType {
  readonly kind: 'record'
  name: string
  readonly fields: readonly Field[]
  source: ClassRef
  readonly doc: string
}

/** How a case's class holds its payload: not at all, in one property, or by being the payload record. */
type CasePayload =
  | { readonly kind: 'none' }
  | { readonly kind: 'property'; readonly property: string; readonly readonly: boolean }
  | { readonly kind: 'self' }

export interface VariantCase {
  readonly name: string
  readonly type: Type | null
  source: ClassRef
  payload: CasePayload
  readonly doc: string
}

/** A case of an enum or a flag. */
interface Label {
  readonly name: string
  readonly doc: string
}

export interface VariantType {
  readonly kind: 'variant'
  name: string
  readonly cases: readonly VariantCase[]
  source: ClassRef
  readonly doc: string
}

export interface EnumType {
  readonly kind: 'enum'
  name: string
  readonly cases: readonly Label[]
  source: ClassRef
  readonly doc: string
}

export interface FlagsType {
  readonly kind: 'flags'
  name: string
  readonly labels: readonly Label[]
  source: ClassRef
  readonly doc: string
}

export type NamedType = RecordType | VariantType | EnumType | FlagsType

export type Type =
  | PrimitiveType
  | StringType
  | ListType
  | OptionType
  | ResultType
  | TupleType
  | NamedType

export interface Param {
  readonly name: string
  readonly type: Type
}

export interface Func {
  readonly name: string
  readonly method: string
  readonly params: readonly Param[]
  readonly result: Type | null
  readonly doc: string
}

export interface Interface {
  /** `namespace:package/interface@version`. */
  readonly id: string
  readonly funcs: readonly Func[]
  readonly doc: string
}

/** What the component imports and exports. */
export interface World {
  readonly name: string
  readonly imports: readonly Interface[]
  readonly exported: Interface
}

const PRIMITIVES: ReadonlySet<string> = new Set<Primitive>([
  'bool',
  'u8',
  's8',
  'u16',
  's16',
  'u32',
  's32',
  'u64',
  's64',
  'f32',
  'f64',
  'char',
])

export function isPrimitive(type: Type): type is PrimitiveType {
  return PRIMITIVES.has(type.kind)
}

export function isNamed(type: Type): type is NamedType {
  return (
    type.kind === 'record' ||
    type.kind === 'variant' ||
    type.kind === 'enum' ||
    type.kind === 'flags'
  )
}

/** True when AssemblyScript holds the value as a pointer to an object. */
export function isReference(type: Type): boolean {
  return !isPrimitive(type) && type.kind !== 'enum' && type.kind !== 'flags'
}

/** The types that `type` is directly made of. */
export function children(type: Type): readonly Type[] {
  switch (type.kind) {
    case 'list':
    case 'option':
      return [type.element]
    case 'result':
      return [type.ok, type.err].filter((part) => part !== null)
    case 'tuple':
      return type.elements
    case 'record':
      return type.fields.map((field) => field.type)
    case 'variant':
      return type.cases.map((one) => one.type).filter((part) => part !== null)
    default:
      return []
  }
}

function collectNamed(type: Type, found: Set<NamedType>, seen: Set<Type>): void {
  if (seen.has(type)) return
  seen.add(type)
  for (const child of children(type)) collectNamed(child, found, seen)
  if (isNamed(type)) found.add(type)
}

/** The named types that the functions use, each after the types that it is made of. */
export function namedTypes(funcs: readonly Func[]): NamedType[] {
  const found = new Set<NamedType>()
  const seen = new Set<Type>()
  for (const func of funcs) {
    for (const param of func.params) collectNamed(param.type, found, seen)
    if (func.result) collectNamed(func.result, found, seen)
  }
  return [...found]
}

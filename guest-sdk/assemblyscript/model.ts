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
 *   M3. Before code is emitted every named type has a `source`: class-shapes.ts sets it to the author's
 *       class, wit-classes.ts to the class that it declares.
 *   M4. Before WIT is printed every named type has an `owner`: the interface that defines it. Others
 *       `use` it from there.
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

/** A class or enum, and the module that exports it, as an import names it. */
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
  doc: string
}

/** What named types have in common. */
interface Named {
  name: string
  source: ClassRef
  /** Id of the interface that defines it; empty until it is known (M4). */
  owner: string
  doc: string
}

export interface RecordType extends Named {
  readonly kind: 'record'
  readonly fields: readonly Field[]
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
  doc: string
}

/** A case of an enum or a flag. */
interface Label {
  readonly name: string
  doc: string
}

export interface VariantType extends Named {
  readonly kind: 'variant'
  readonly cases: readonly VariantCase[]
}

export interface EnumType extends Named {
  readonly kind: 'enum'
  readonly cases: readonly Label[]
}

export interface FlagsType extends Named {
  readonly kind: 'flags'
  readonly labels: readonly Label[]
}

/** A resource that the host serves. Its class holds the handle. */
export interface ResourceType extends Named {
  readonly kind: 'resource'
}

/** A handle: `own` is given away with the value, `borrow` is lent for the call. */
export interface HandleType {
  readonly kind: 'own' | 'borrow'
  readonly resource: ResourceType
}

/** Named types of values. */
export type NamedType = RecordType | VariantType | EnumType | FlagsType

/** Whatever an interface defines under a name. */
export type Definition = NamedType | ResourceType

export type Type =
  | PrimitiveType
  | StringType
  | ListType
  | OptionType
  | ResultType
  | TupleType
  | HandleType
  | NamedType

export interface Param {
  readonly name: string
  readonly type: Type
}

/** A function that belongs to a resource. A method's first parameter is the borrowed resource. */
export interface Member {
  readonly kind: 'constructor' | 'method' | 'static'
  readonly resource: ResourceType
  /** WIT name within the resource. */
  readonly name: string
}

export interface Func {
  /** WIT name; of a member as core modules import it, such as `[method]blob.read`. */
  readonly name: string
  readonly method: string
  readonly member: Member | null
  readonly params: readonly Param[]
  readonly result: Type | null
  doc: string
}

export interface Interface {
  /** `namespace:package/interface@version`. */
  readonly id: string
  /** What it defines, each after the types that it is made of. */
  readonly types: readonly Definition[]
  readonly funcs: readonly Func[]
  readonly doc: string
}

/** What the component imports and exports. */
export interface World {
  readonly name: string
  readonly imports: readonly Interface[]
  readonly exports: readonly Interface[]
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

export function isNamed(type: Type | ResourceType): type is NamedType {
  return (
    type.kind === 'record' ||
    type.kind === 'variant' ||
    type.kind === 'enum' ||
    type.kind === 'flags'
  )
}

export function isHandle(type: Type): type is HandleType {
  return type.kind === 'own' || type.kind === 'borrow'
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

function collect(type: Type, found: Set<Definition>, seen: Set<Type>): void {
  if (seen.has(type)) return
  seen.add(type)
  for (const child of children(type)) collect(child, found, seen)
  if (isHandle(type)) found.add(type.resource)
  if (isNamed(type)) found.add(type)
}

/** `types` and what the functions use besides them, each after the types that it is made of. */
export function definitions(
  funcs: readonly Func[],
  types: readonly Definition[] = [],
): Definition[] {
  const found = new Set<Definition>()
  const seen = new Set<Type>()
  for (const type of types) {
    if (type.kind === 'resource') found.add(type)
    else collect(type, found, seen)
  }
  for (const func of funcs) {
    for (const param of func.params) collect(param.type, found, seen)
    if (func.result) collect(func.result, found, seen)
    if (func.member) found.add(func.member.resource)
  }
  return [...found]
}

/**
 * WIT types as C types.
 *
 * Owns: how a type is spelled, and the declarations of the types of a world.
 * Does not own: moving values between C and the Canonical ABI's flat form (flat.ts).
 *
 * Invariant CT1: a C type has the layout that the Canonical ABI gives the WIT type, so that lists and
 * results need no copy. Checked by an assertion for each type when the actor is compiled.
 *
 *   variant { a(u64), b }     struct { uint8_t tag; union { uint64_t a; } val; }
 *   option<u64>               struct { bool some; uint64_t value; }
 *   own<file>, borrow<file>   struct { uint32_t handle; }
 *   result<u64, string>       struct { bool is_err; union { uint64_t ok; loom_string err; }; }
 */
import { alignmentOf, discriminantSize, flagsSize, sizeOf } from '../assemblyscript/layout.ts'
import type { Interface, Type } from '../assemblyscript/model.ts'
import { children } from '../assemblyscript/model.ts'
import { member, type Names } from './names.ts'

const PRIMITIVES: Readonly<Record<string, string>> = {
  bool: 'bool',
  u8: 'uint8_t',
  s8: 'int8_t',
  u16: 'uint16_t',
  s16: 'int16_t',
  u32: 'uint32_t',
  s32: 'int32_t',
  u64: 'uint64_t',
  s64: 'int64_t',
  f32: 'float',
  f64: 'double',
  char: 'uint32_t',
  string: 'loom_string',
}

export function cType(type: Type, names: Names): string {
  return PRIMITIVES[type.kind] ?? `${names.stem(type)}_t`
}

/** The types that the functions use and that need a declaration, each after those that it is made of. */
export function declaredTypes(interfaces: readonly Interface[], names: Names): Type[] {
  const found = new Map<string, Type>()
  const seen = new Set<Type>()
  const visit = (type: Type): void => {
    if (seen.has(type)) return
    seen.add(type)
    for (const child of children(type)) visit(child)
    if (PRIMITIVES[type.kind] === undefined && !found.has(names.stem(type)))
      found.set(names.stem(type), type)
  }
  for (const func of interfaces.flatMap(({ funcs }) => funcs)) {
    for (const param of func.params) visit(param.type)
    if (func.result !== null) visit(func.result)
  }
  return [...found.values()]
}

function constants(type: Type, names: Names, valueAt: (index: number) => string): string {
  if (type.kind !== 'enum' && type.kind !== 'flags' && type.kind !== 'variant') return ''
  const labels = type.kind === 'flags' ? type.labels : type.cases
  const lines = labels.map(
    ({ name }, index) => `  ${names.constant(type, name)} = ${valueAt(index)},\n`,
  )
  return `enum {\n${lines.join('')}};\n`
}

function unsigned(sizeBytes: number): string {
  return `uint${8 * sizeBytes}_t`
}

/** What stands between `typedef` and the name. */
function body(type: Type, names: Names): string {
  const field = (of: Type, name: string): string => `  ${cType(of, names)} ${name};\n`
  switch (type.kind) {
    case 'list':
      return `struct {\n  ${cType(type.element, names)} *ptr;\n  size_t len;\n}`
    case 'option':
      return `struct {\n  bool some;\n${field(type.element, 'value')}}`
    case 'result': {
      const sides = [
        type.ok === null ? '' : `  ${field(type.ok, 'ok')}`,
        type.err === null ? '' : `  ${field(type.err, 'err')}`,
      ].join('')
      return `struct {\n  bool is_err;\n${sides === '' ? '' : `  union {\n${sides}  };\n`}}`
    }
    case 'tuple':
      return `struct {\n${type.elements.map((of, index) => field(of, `f${index}`)).join('')}}`
    case 'record':
      return `struct {\n${type.fields.map((one) => field(one.type, member(one.name))).join('')}}`
    case 'variant': {
      const cases = type.cases.map((one) =>
        one.type === null ? '' : `  ${field(one.type, member(one.name))}`,
      )
      const payload = cases.join('') === '' ? '' : `  union {\n${cases.join('')}  } val;\n`
      return `struct {\n  ${unsigned(discriminantSize(type.cases.length))} tag;\n${payload}}`
    }
    case 'own':
    case 'borrow':
      return 'struct {\n  uint32_t handle;\n}'
    case 'enum':
      return unsigned(discriminantSize(type.cases.length))
    case 'flags':
      return unsigned(flagsSize(type.labels.length))
    default:
      throw new Error(`${type.kind} needs no declaration`)
  }
}

/** The declaration of one type, its constants and the assertion of its layout. */
export function declareType(type: Type, names: Names): string {
  const name = cType(type, names)
  const valueAt = (index: number): string => (type.kind === 'flags' ? `1u << ${index}` : `${index}`)
  return `typedef ${body(type, names)} ${name};
${constants(type, names, valueAt)}_Static_assert(sizeof(${name}) == ${sizeOf(type)} && _Alignof(${name}) == ${alignmentOf(type)}, "layout");
`
}

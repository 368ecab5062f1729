/**
 * Lowering: AssemblyScript values -> canonical ABI.
 *
 * Owns: statements that write a value to memory or to flat core variables.
 * Does not own: strings and lists of scalars (assembly/abi.ts), the opposite direction (emit-lift.ts).
 */
import { isScalarList, SCALARS, TUPLE_PROPERTIES, VIEWS } from './as-type.ts'
import type { Slot } from './emit-lift.ts'
import { lowerHandle } from './emit-resource.ts'
import type { EmitScope } from './emit-scope.ts'
import type { CoreType } from './layout.ts'
import {
  discriminantSize,
  flatten,
  members,
  offsetsOf,
  payloadOffset,
  payloads,
  sizeOf,
} from './layout.ts'
import type { ListType, RecordType, TupleType, Type, VariantType } from './model.ts'

/** Statements that store `value` at `pointer + offset`. */
export function lowerMemory(
  scope: EmitScope,
  type: Type,
  value: string,
  pointer: string,
  offset: number,
): string {
  const at = offset === 0 ? pointer : `${pointer} + ${offset}`
  switch (type.kind) {
    case 'bool':
      return `store<u8>(${pointer}, <u8>(${value}), ${offset});`
    case 'enum':
    case 'flags': {
      const width = `u${sizeOf(type) * 8}`
      return `store<${width}>(${pointer}, <${width}><i32>(${value}), ${offset});`
    }
    case 'own':
    case 'borrow':
      return `store<i32>(${pointer}, ${lowerHandle(type.kind, type.resource, value)}, ${offset});`
    case 'string':
      return `lowerString(${value}, ${at});`
    case 'list':
      if (isScalarList(type)) return lowerScalars(type, value, at)
      return `${lowerHelper(scope, type)}(${value}, ${at});`
    case 'record':
    case 'tuple':
    case 'variant':
    case 'option':
    case 'result':
      return `${lowerHelper(scope, type)}(${value}, ${at});`
    default:
      return `store<${SCALARS[type.kind]}>(${pointer}, ${value}, ${offset});`
  }
}

function lowerScalars(type: ListType, value: string, at: string): string {
  const scalar = SCALARS[type.element.kind as keyof typeof SCALARS]
  if (type.form === 'StaticArray') return `lowerStatic<${scalar}>(${value}, ${at});`
  if (type.form in VIEWS) return `lowerView<${type.form}, ${scalar}>(${value}, ${at});`
  return `lowerArray<${scalar}>(${value}, ${at});`
}

function lowerHelper(scope: EmitScope, type: Type): string {
  return scope.helper('lower', type, (name) => {
    const body = lowerBody(scope, type)
    return `function ${name}(v: ${scope.type(type)}, p: usize): void {\n${body}}\n`
  })
}

function lowerBody(scope: EmitScope, type: Type): string {
  switch (type.kind) {
    case 'list':
      return type.form === 'Map' ? mapBody(scope, type) : listBody(scope, type)
    case 'record':
    case 'tuple': {
      const offsets = offsetsOf(members(type))
      return members(type)
        .map((member, index) => {
          const value = `v.${property(type, index)}`
          return `  ${lowerMemory(scope, member, value, 'p', offsets[index] ?? 0)}\n`
        })
        .join('')
    }
    default: {
      const width = discriminantSize(payloads(type).length) * 8
      const cases = branch(scope, type, 'v', (index, payload) => {
        const inner = payloads(type)[index]
        const store = `store<u${width}>(p, ${index});`
        if (payload === null || !inner) return store
        return `${store} ${lowerMemory(scope, inner, payload, 'p', payloadOffset(type))}`
      })
      return `  ${cases}\n`
    }
  }
}

function property(type: RecordType | TupleType, index: number): string {
  const name = type.kind === 'record' ? type.fields[index]?.property : TUPLE_PROPERTIES[index]
  if (name === undefined) throw new Error(`no member ${index}`)
  return name
}

function listBody(scope: EmitScope, type: ListType): string {
  const size = sizeOf(type.element)
  return `  const n = v.length, b = temp(n * ${size});
  for (let i = 0, q = b; i < n; i++, q += ${size}) { ${lowerMemory(scope, type.element, 'unchecked(v[i])', 'q', 0)} }
  store<usize>(p, b); store<i32>(p, n, 4);
`
}

function mapBody(scope: EmitScope, type: ListType): string {
  const size = sizeOf(type.element)
  const [keyType, valueType] = members(type.element)
  const [keyOffset = 0, valueOffset = 0] = offsetsOf(members(type.element))
  if (!keyType || !valueType) throw new Error('a map has keys and values')
  const key = lowerMemory(scope, keyType, 'unchecked(ks[i])', 'q', keyOffset)
  const value = lowerMemory(scope, valueType, 'unchecked(vs[i])', 'q', valueOffset)
  return `  const n = v.size, b = temp(n * ${size}), ks = v.keys(), vs = v.values();
  for (let i = 0, q = b; i < n; i++, q += ${size}) { ${key} ${value} }
  store<usize>(p, b); store<i32>(p, n, 4);
`
}

/** Branching statements over `value`; `write` gives those of one case and its payload expression. */
function branch(
  scope: EmitScope,
  type: Type,
  value: string,
  write: (index: number, payload: string | null) => string,
): string {
  const x = scope.local()
  const bind = `const ${x} = ${value};`
  switch (type.kind) {
    case 'option': {
      const inner = scope.type(type.element)
      const [isNone, payload] =
        type.form === 'null'
          ? [`${x} === null`, `changetype<${inner}>(${x})`]
          : [`!${x}.isSome`, `${x}.value`]
      return `${bind} if (${isNone}) { ${write(0, null)} } else { ${write(1, payload)} }`
    }
    case 'result': {
      const err = write(1, type.err ? `${x}.error` : null)
      const ok = write(0, type.ok ? `${x}.value` : null)
      return `${bind} if (${x}.isErr) { ${err} } else { ${ok} }`
    }
    case 'variant':
      return `${bind} ${branchVariant(scope, type, x, write)}`
    default:
      throw new Error(`${type.kind} has no cases`)
  }
}

function branchVariant(
  scope: EmitScope,
  type: VariantType,
  x: string,
  write: (index: number, payload: string | null) => string,
): string {
  const cases = type.cases.map((one, index) => {
    const className = scope.className(one.source)
    const cast = `changetype<${className}>(${x})`
    const payload =
      one.payload.kind === 'none'
        ? null
        : one.payload.kind === 'self'
          ? cast
          : `${cast}.${one.payload.property}`
    return `if (${x} instanceof ${className}) { ${write(index, payload)} }`
  })
  return `${cases.join(' else ')} else unreachable();`
}

/** Statements that assign `value` to the flat variables `slots`. */
export function lowerFlat(
  scope: EmitScope,
  type: Type,
  value: string,
  slots: readonly Slot[],
): string {
  const wanted = flatten(type)
  const put = (index: number, expression: string) =>
    assignSlot(slots[index], wanted[index], expression, /^s\d/.test(type.kind))
  switch (type.kind) {
    case 'f32':
    case 'f64':
      return put(0, value)
    case 'own':
    case 'borrow':
      return put(0, lowerHandle(type.kind, type.resource, value))
    case 'string': {
      const x = scope.local()
      return `const ${x} = ${value}; ${put(0, `changetype<i32>(${x})`)} ${put(1, `${x}.length`)}`
    }
    case 'list': {
      const x = scope.local()
      const store = lowerMemory(scope, type, value, x, 0)
      const loads = `${put(0, `load<i32>(${x})`)} ${put(1, `load<i32>(${x}, 4)`)}`
      return `const ${x} = temp(8); ${store} ${loads}`
    }
    case 'record':
    case 'tuple':
      return lowerFlatMembers(scope, type, value, slots)
    case 'variant':
    case 'option':
    case 'result':
      return branch(scope, type, value, (index, payload) => {
        const tag = `${slots[0]?.expression} = ${index};`
        const inner = payloads(type)[index]
        if (payload === null || !inner) return tag
        return `${tag} ${lowerFlat(scope, inner, payload, slots.slice(1))}`
      })
    default:
      return put(0, `<${wanted[0]}>(${value})`)
  }
}

function lowerFlatMembers(
  scope: EmitScope,
  type: RecordType | TupleType,
  value: string,
  slots: readonly Slot[],
): string {
  const x = scope.local()
  let start = 0
  const lines = members(type).map((member, index) => {
    const line = lowerFlat(scope, member, `${x}.${property(type, index)}`, slots.slice(start))
    start += flatten(member).length
    return line
  })
  return `const ${x} = ${value}; ${lines.join(' ')}`
}

/**
 * Assigns a core value to a variable that may be joined, hence wider. A signed i32 is sign-extended:
 * the specification wraps it when it lifts, but some hosts check the range before they wrap.
 */
function assignSlot(
  slot: Slot | undefined,
  core: CoreType | undefined,
  expression: string,
  isSigned: boolean,
): string {
  if (!slot || !core) throw new Error('too few slots')
  const { expression: variable, core: target } = slot
  if (target === core) return `${variable} = ${expression};`
  if (core === 'f64') return `${variable} = reinterpret<i64>(${expression});`
  const bits = core === 'f32' ? `reinterpret<i32>(${expression})` : `(${expression})`
  if (target === 'i32') return `${variable} = ${bits};`
  return `${variable} = <i64>${isSigned ? '' : '<u32>'}${bits};`
}

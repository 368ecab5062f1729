/**
 * Lifting: canonical ABI -> AssemblyScript values.
 *
 * Owns: expressions that build a value from memory or from flat core values.
 * Does not own: strings and lists of scalars (assembly/abi.ts), the opposite direction (emit-lower.ts).
 */
import { isScalarList, SCALARS, TUPLE_PROPERTIES, VIEWS } from './as-type.ts'
import { liftHandle } from './emit-resource.ts'
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
import type {
  HandleType,
  ListType,
  RecordType,
  ResultType,
  TupleType,
  Type,
  VariantType,
} from './model.ts'
import { isReference } from './model.ts'

/** A core value at hand: an expression and its core type. */
export interface Slot {
  readonly expression: string
  readonly core: CoreType
}

/** How a compound gets its parts: the i-th member, the case number, the payload of the i-th case. */
interface Source {
  readonly member: (index: number) => string
  readonly tag: string
  readonly payload: (index: number) => string
}

/** An expression for the value that lies at `pointer + offset`. */
export function liftMemory(scope: EmitScope, type: Type, pointer: string, offset: number): string {
  switch (type.kind) {
    case 'string':
    case 'list':
      return liftPair(
        scope,
        type,
        `load<usize>(${pointer}, ${offset})`,
        `load<usize>(${pointer}, ${offset + 4})`,
      )
    case 'enum':
    case 'flags':
      return `<${scope.type(type)}><i32>load<u${sizeOf(type) * 8}>(${pointer}, ${offset})`
    case 'record':
    case 'tuple':
    case 'variant':
    case 'option':
    case 'result': {
      const helper = scope.helper('lift', type, (name) => memoryHelper(scope, type, name))
      return `${helper}(${offset === 0 ? pointer : `${pointer} + ${offset}`})`
    }
    case 'bool':
      return `load<u8>(${pointer}, ${offset}) != 0`
    case 'own':
    case 'borrow':
      return liftHandle(type.resource, `load<i32>(${pointer}, ${offset})`)
    default:
      return `load<${SCALARS[type.kind]}>(${pointer}, ${offset})`
  }
}

type Compound = Exclude<Type, { kind: 'string' } | ListType | HandleType>

function memoryHelper(scope: EmitScope, type: Compound, name: string): string {
  const isProduct = type.kind === 'record' || type.kind === 'tuple'
  const offsets = isProduct ? offsetsOf(members(type)) : []
  const body = build(scope, type, {
    member: (index) => liftMemory(scope, part(members(type), index), 'p', offsets[index] ?? 0),
    tag: isProduct ? '' : `load<u${discriminantSize(payloads(type).length) * 8}>(p)`,
    payload: (index) => liftMemory(scope, part(payloads(type), index), 'p', payloadOffset(type)),
  })
  return `function ${name}(p: usize): ${scope.type(type)} {\n${body}}\n`
}

/** An expression for the value that the flat `slots` hold; joined slots are converted back. */
export function liftFlat(scope: EmitScope, type: Type, slots: readonly Slot[]): string {
  const wanted = flatten(type)
  const values = wanted.map((core, index) => convert(part(slots, index), core))
  const [first = '', second = ''] = values
  switch (type.kind) {
    case 'string':
    case 'list':
      return liftPair(scope, type, `<usize>${first}`, `<usize>${second}`)
    case 'enum':
    case 'flags':
      return `<${scope.type(type)}>${first}`
    case 'record':
    case 'tuple':
    case 'variant':
    case 'option':
    case 'result': {
      const helper = scope.helper('flat', type, (name) => flatHelper(scope, type, name, wanted))
      return `${helper}(${values.join(', ')})`
    }
    case 'bool':
      return `${first} != 0`
    case 'own':
    case 'borrow':
      return liftHandle(type.resource, first)
    default:
      return `<${SCALARS[type.kind]}>${first}`
  }
}

function convert(slot: Slot, core: CoreType): string {
  if (slot.core === core) return slot.expression
  if (core === 'f64') return `reinterpret<f64>(${slot.expression})`
  if (core === 'i32') return `<i32>${slot.expression}`
  const bits = slot.core === 'i32' ? slot.expression : `<i32>${slot.expression}`
  return `reinterpret<f32>(${bits})`
}

function flatHelper(
  scope: EmitScope,
  type: Compound,
  name: string,
  wanted: readonly CoreType[],
): string {
  const slots = wanted.map((core, index) => ({ expression: `a${index}`, core }))
  const params = slots.map((slot) => `${slot.expression}: ${slot.core}`)
  const isProduct = type.kind === 'record' || type.kind === 'tuple'
  const starts: number[] = []
  if (isProduct) {
    let start = 0
    for (const member of members(type)) {
      starts.push(start)
      start += flatten(member).length
    }
  }
  const body = build(scope, type, {
    member: (index) => liftFlat(scope, part(members(type), index), slots.slice(starts[index])),
    tag: 'a0',
    payload: (index) => liftFlat(scope, part(payloads(type), index), slots.slice(1)),
  })
  return `function ${name}(${params.join(', ')}): ${scope.type(type)} {\n${body}}\n`
}

function part<T>(list: readonly (T | null)[], index: number): T {
  const found = list[index]
  if (found === undefined || found === null) throw new Error(`no part ${index}`)
  return found
}

function build(scope: EmitScope, type: Compound, source: Source): string {
  switch (type.kind) {
    case 'record':
      return buildRecord(scope, type, source)
    case 'tuple':
      return buildTuple(scope, type, source)
    case 'option': {
      const inner = scope.type(type.element)
      const [some, none] =
        type.form === 'null'
          ? [source.payload(1), 'null']
          : [`Option.some<${inner}>(${source.payload(1)})`, `Option.none<${inner}>()`]
      return `  return ${source.tag} ? ${some} : ${none};\n`
    }
    case 'result':
      return buildResult(scope, type, source)
    case 'variant':
      return buildVariant(scope, type, source)
    default:
      throw new Error(`${type.kind} is not a compound`)
  }
}

function buildRecord(scope: EmitScope, type: RecordType, source: Source): string {
  const className = scope.type(type)
  const lines = type.fields.map((field, index) => {
    const target = { className, property: field.property, readonly: field.readonly }
    return `  ${assign(scope, target, field.type, source.member(index))}\n`
  })
  return `  const r = blank<${className}>();\n${lines.join('')}  return r;\n`
}

function buildTuple(scope: EmitScope, type: TupleType, source: Source): string {
  const lines = type.elements.map(
    (_element, index) => `  r.${TUPLE_PROPERTIES[index]} = ${source.member(index)};\n`,
  )
  return `  const r = blank<${scope.type(type)}>();\n${lines.join('')}  return r;\n`
}

function buildResult(scope: EmitScope, type: ResultType, source: Source): string {
  const sides = `${scope.side(type.ok)}, ${scope.side(type.err)}`
  const ok = type.ok ? source.payload(0) : 'true'
  const err = type.err ? source.payload(1) : 'true'
  return `  return ${source.tag} ? Result.err<${sides}>(${err}) : Result.ok<${sides}>(${ok});\n`
}

function buildVariant(scope: EmitScope, type: VariantType, source: Source): string {
  const cases = type.cases.map((one, index) => {
    const className = scope.className(one.source)
    if (one.payload.kind === 'self') return `    case ${index}: return ${source.payload(index)};\n`
    const set =
      one.payload.kind === 'property' && one.type
        ? assign(scope, { className, ...one.payload }, one.type, source.payload(index))
        : ''
    return `    case ${index}: { const r = blank<${className}>(); ${set} return r; }\n`
  })
  const never = `  return changetype<${scope.type(type)}>(0);\n`
  return `  switch (${source.tag}) {\n${cases.join('')}    default: unreachable();\n  }\n${never}`
}

interface Target {
  readonly className: string
  readonly property: string
  readonly readonly: boolean
}

/** Sets a property of the blank `r`; a readonly one is written where its constructor would have. */
function assign(scope: EmitScope, target: Target, type: Type, value: string): string {
  if (!target.readonly) return `r.${target.property} = ${value};`
  const at = `offsetof<${target.className}>("${target.property}")`
  if (!isReference(type)) {
    return `store<${scope.type(type)}>(changetype<usize>(r), ${value}, ${at});`
  }
  const local = scope.local()
  return [
    `const ${local} = ${value};`,
    `store<usize>(changetype<usize>(r), changetype<usize>(${local}), ${at});`,
    `__link(changetype<usize>(r), changetype<usize>(${local}), false);`,
  ].join(' ')
}

function liftPair(
  scope: EmitScope,
  type: { kind: 'string' } | ListType,
  pointer: string,
  length: string,
): string {
  if (type.kind === 'string') return `liftString(${pointer}, ${length})`
  if (isScalarList(type)) return liftScalars(type, pointer, length)
  const helper = scope.helper('list', type, (name) =>
    type.form === 'Map' ? mapHelper(scope, type, name) : listHelper(scope, type, name),
  )
  return `${helper}(${pointer}, ${length})`
}

function liftScalars(type: ListType, pointer: string, length: string): string {
  const scalar = SCALARS[type.element.kind as keyof typeof SCALARS]
  if (type.form === 'StaticArray') return `liftStatic<${scalar}>(${pointer}, ${length})`
  if (type.form in VIEWS) return `liftView<${type.form}, ${scalar}>(${pointer}, ${length})`
  return `liftArray<${scalar}>(${pointer}, ${length})`
}

function listHelper(scope: EmitScope, type: ListType, name: string): string {
  const array = scope.type(type)
  const element = liftMemory(scope, type.element, 'p', 0)
  return `function ${name}(p: usize, n: usize): ${array} {
  const r = new ${array}(<i32>n);
  for (let i: usize = 0; i < n; i++, p += ${sizeOf(type.element)}) unchecked(r[<i32>i] = ${element});
  return r;
}
`
}

function mapHelper(scope: EmitScope, type: ListType, name: string): string {
  const map = scope.type(type)
  const [keyOffset = 0, valueOffset = 0] = offsetsOf(members(type.element))
  const key = liftMemory(scope, part(members(type.element), 0), 'p', keyOffset)
  const value = liftMemory(scope, part(members(type.element), 1), 'p', valueOffset)
  return `function ${name}(p: usize, n: usize): ${map} {
  const r = new ${map}();
  for (let i: usize = 0; i < n; i++, p += ${sizeOf(type.element)}) r.set(${key}, ${value});
  return r;
}
`
}

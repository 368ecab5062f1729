/**
 * Canonical ABI layout.
 *
 * Owns: sizes, alignments, offsets and flattening of the model's types.
 * Does not own: the code that reads and writes them (emit-lift.ts, emit-lower.ts).
 *
 *   option<u64> in memory, 16 bytes      flattened
 *   +0 discriminant u8                   i32 discriminant
 *   +1 padding, 7 bytes                  i64 payload
 *   +8 payload u64
 */
import type { Primitive, Type } from './model.ts'

export type CoreType = 'i32' | 'i64' | 'f32' | 'f64'

/** A function with more flat parameters takes one pointer to a tuple of them. */
export const FLAT_PARAMS_MAX = 16
/** A function with more flat results returns a pointer to them. */
export const FLAT_RESULTS_MAX = 1

const SIZES: Record<Primitive, number> = {
  bool: 1,
  u8: 1,
  s8: 1,
  u16: 2,
  s16: 2,
  u32: 4,
  s32: 4,
  u64: 8,
  s64: 8,
  f32: 4,
  f64: 8,
  char: 4,
}

const HANDLE_SIZE = 4

function alignTo(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment
}

/** The payloads of a type that is a variant in the ABI: variant, option, result, enum. */
export function payloads(type: Type): readonly (Type | null)[] {
  switch (type.kind) {
    case 'option':
      return [null, type.element]
    case 'result':
      return [type.ok, type.err]
    case 'variant':
      return type.cases.map((one) => one.type)
    case 'enum':
      return type.cases.map(() => null)
    default:
      throw new Error(`${type.kind} has no cases`)
  }
}

function somePayloads(type: Type): Type[] {
  return payloads(type).filter((payload) => payload !== null)
}

/** The members of a record or tuple. */
export function members(type: Type): readonly Type[] {
  if (type.kind === 'tuple') return type.elements
  if (type.kind === 'record') return type.fields.map((field) => field.type)
  throw new Error(`${type.kind} has no members`)
}

export function discriminantSize(caseCount: number): 1 | 2 | 4 {
  if (caseCount <= 0x100) return 1
  return caseCount <= 0x10000 ? 2 : 4
}

export function flagsSize(labelCount: number): 1 | 2 | 4 {
  if (labelCount <= 8) return 1
  return labelCount <= 16 ? 2 : 4
}

export function alignmentOf(type: Type): number {
  switch (type.kind) {
    case 'string':
    case 'list':
      return 4
    case 'record':
    case 'tuple':
      return Math.max(1, ...members(type).map(alignmentOf))
    case 'flags':
      return flagsSize(type.labels.length)
    case 'own':
    case 'borrow':
      return HANDLE_SIZE
    case 'variant':
    case 'option':
    case 'result':
    case 'enum':
      return Math.max(
        discriminantSize(payloads(type).length),
        ...somePayloads(type).map(alignmentOf),
      )
    default:
      return SIZES[type.kind]
  }
}

export function payloadOffset(type: Type): number {
  return alignTo(
    discriminantSize(payloads(type).length),
    Math.max(1, ...somePayloads(type).map(alignmentOf)),
  )
}

export function sizeOf(type: Type): number {
  switch (type.kind) {
    case 'string':
    case 'list':
      return 8
    case 'record':
    case 'tuple':
      return endOf(members(type), alignmentOf(type))
    case 'flags':
      return flagsSize(type.labels.length)
    case 'own':
    case 'borrow':
      return HANDLE_SIZE
    case 'variant':
    case 'option':
    case 'result':
    case 'enum': {
      const largest = Math.max(0, ...somePayloads(type).map(sizeOf))
      return alignTo(payloadOffset(type) + largest, alignmentOf(type))
    }
    default:
      return SIZES[type.kind]
  }
}

function endOf(types: readonly Type[], alignment: number): number {
  let offset = 0
  for (const type of types) offset = alignTo(offset, alignmentOf(type)) + sizeOf(type)
  return alignTo(offset, alignment)
}

/** Byte offset of each type when they lie one after another, as in a record. */
export function offsetsOf(types: readonly Type[]): number[] {
  let offset = 0
  return types.map((type) => {
    const start = alignTo(offset, alignmentOf(type))
    offset = start + sizeOf(type)
    return start
  })
}

function join(a: CoreType, b: CoreType): CoreType {
  if (a === b) return a
  const both = new Set([a, b])
  return both.has('i32') && both.has('f32') ? 'i32' : 'i64'
}

/** The core types that a value becomes when it is passed without memory. */
export function flatten(type: Type): CoreType[] {
  switch (type.kind) {
    case 'string':
    case 'list':
      return ['i32', 'i32']
    case 'record':
    case 'tuple':
      return members(type).flatMap(flatten)
    case 'variant':
    case 'option':
    case 'result':
    case 'enum':
      return flattenCases(type)
    case 'u64':
    case 's64':
      return ['i64']
    case 'f32':
    case 'f64':
      return [type.kind]
    default:
      return ['i32']
  }
}

function flattenCases(type: Type): CoreType[] {
  const joined: CoreType[] = []
  for (const payload of somePayloads(type)) {
    flatten(payload).forEach((core, index) => {
      const before = joined[index]
      joined[index] = before === undefined ? core : join(before, core)
    })
  }
  return ['i32', ...joined]
}

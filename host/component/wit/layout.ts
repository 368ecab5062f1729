/**
 * Layout: where a value of a WIT type lies in linear memory and in core values.
 *
 * Owns: size, alignment, discriminants, flattening, and the bounds on types that follow from them.
 * Does not own: reading and writing values (lift-*.ts, lower-*.ts).
 *
 * Invariants:
 *   LA1. A type's layout is computed from its members' layouts, once; so `layoutOf` never recurses deeply
 *        as long as types are measured when they are built (types.ts does).
 *   LA2. Every measured type nests at most DEPTH_MAX deep and has at most NODE_COUNT_MAX nodes when its
 *        shared parts are written out, so that whoever walks a type ends.
 *
 * Source: CanonicalABI.md, "Alignment", "Element Size", "Flattening".
 */
import { formatError } from '../refuse.ts'
import type { WitFunction, WitType } from './wit.ts'

export type FlatType = 'i32' | 'i64' | 'f32' | 'f64'

export const MAX_FLAT_PARAMS = 16
export const MAX_FLAT_RESULTS = 1

/** Deeper than any type that people write, shallow enough for every recursive walk. */
const TYPE_DEPTH_MAX = 100
/** The journal has no larger records, and nobody writes such types. */
const NODE_COUNT_MAX = 65_535
/** "Element Size": the size of every value type stays below 2^28. */
const ELEMENT_SIZE_MAX_BYTES = 2 ** 28

export interface Layout {
  readonly align: number
  readonly size: number
  /** Core types of the value when passed flat; null when they are more than MAX_FLAT_PARAMS. */
  readonly flat: readonly FlatType[] | null
  /** Holds a string or list somewhere, so memory is needed to pass it. */
  readonly hasPointers: boolean
  readonly hasHandles: boolean
  readonly hasBorrows: boolean
  /** About how much heap one lifted value takes, not counting what its lists and strings hold. */
  readonly hostSize: number
  readonly depth: number
  readonly nodeCount: number
}

const known = new WeakMap<WitType, Layout>()

/** @throws ERR_COMPONENT_FORMAT when the type is too large (LA2). */
export function layoutOf(type: WitType): Layout {
  let layout = known.get(type)
  if (layout === undefined) {
    layout = measure(type)
    if (layout.size >= ELEMENT_SIZE_MAX_BYTES)
      throw formatError(`a ${type.kind} type of ${layout.size} bytes is too large`)
    if (layout.depth > TYPE_DEPTH_MAX) throw formatError(`types nest deeper than ${TYPE_DEPTH_MAX}`)
    if (layout.nodeCount > NODE_COUNT_MAX)
      throw formatError(`a ${type.kind} type has more than ${NODE_COUNT_MAX} members`)
    known.set(type, layout)
  }
  return layout
}

function scalar(size: number, flat: FlatType): Layout {
  return {
    align: size,
    size,
    flat: [flat],
    hasPointers: false,
    hasHandles: false,
    hasBorrows: false,
    hostSize: 8,
    depth: 1,
    nodeCount: 1,
  }
}

const SCALARS: Readonly<Record<string, Layout>> = {
  bool: scalar(1, 'i32'),
  u8: scalar(1, 'i32'),
  s8: scalar(1, 'i32'),
  u16: scalar(2, 'i32'),
  s16: scalar(2, 'i32'),
  u32: scalar(4, 'i32'),
  s32: scalar(4, 'i32'),
  u64: { ...scalar(8, 'i64'), hostSize: 24 },
  s64: { ...scalar(8, 'i64'), hostSize: 24 },
  f32: { ...scalar(4, 'f32'), hostSize: 16 },
  f64: { ...scalar(8, 'f64'), hostSize: 16 },
  char: { ...scalar(4, 'i32'), hostSize: 16 },
  string: { ...scalar(4, 'i32'), size: 8, flat: ['i32', 'i32'], hasPointers: true, hostSize: 32 },
}

function measure(type: WitType): Layout {
  switch (type.kind) {
    case 'list': {
      const element = layoutOf(type.element)
      return {
        ...scalar(4, 'i32'),
        size: 8,
        flat: ['i32', 'i32'],
        hasPointers: true,
        hasHandles: element.hasHandles,
        hasBorrows: element.hasBorrows,
        hostSize: 48,
        depth: element.depth + 1,
        nodeCount: element.nodeCount + 1,
      }
    }
    case 'record':
      return measureRecord(type.fields.map((field) => layoutOf(field.type)))
    case 'tuple':
      return measureRecord(type.elements.map(layoutOf))
    case 'variant':
      return measureVariant(type.cases.map((item) => item.type))
    case 'enum':
      return measureVariant(type.cases.map(() => null))
    case 'option':
      return measureVariant([null, type.element])
    case 'result':
      return measureVariant([type.ok, type.err])
    case 'flags': {
      const { length } = type.labels
      const size = length <= 8 ? 1 : length <= 16 ? 2 : 4
      return { ...scalar(size, 'i32'), hostSize: 24 + 8 * length }
    }
    case 'own':
    case 'borrow':
      return {
        ...scalar(4, 'i32'),
        hasHandles: true,
        hasBorrows: type.kind === 'borrow',
        hostSize: 16,
      }
    default:
      return SCALARS[type.kind] ?? scalar(4, 'i32')
  }
}

export function alignTo(offset: number, align: number): number {
  return Math.ceil(offset / align) * align
}

function combine(
  members: readonly Layout[],
): Pick<Layout, 'hasPointers' | 'hasHandles' | 'hasBorrows' | 'depth' | 'nodeCount'> {
  let depth = 0
  let nodeCount = 1
  for (const member of members) {
    depth = Math.max(depth, member.depth)
    nodeCount += member.nodeCount
  }
  return {
    hasPointers: members.some((member) => member.hasPointers),
    hasHandles: members.some((member) => member.hasHandles),
    hasBorrows: members.some((member) => member.hasBorrows),
    depth: depth + 1,
    nodeCount,
  }
}

function measureRecord(members: readonly Layout[]): Layout {
  let align = 1
  let size = 0
  let hostSize = 24
  let flat: FlatType[] | null = []
  for (const member of members) {
    align = Math.max(align, member.align)
    size = alignTo(size, member.align) + member.size
    hostSize += 8 + member.hostSize
    flat = flat === null || member.flat === null ? null : cap([...flat, ...member.flat])
  }
  return { ...combine(members), align, size: alignTo(size, align), flat, hostSize }
}

function cap(flat: FlatType[]): FlatType[] | null {
  return flat.length > MAX_FLAT_PARAMS ? null : flat
}

/** Offsets of the members of a record or tuple. */
export function offsetsOf(types: readonly WitType[]): number[] {
  let end = 0
  return types.map((type) => {
    const { align, size } = layoutOf(type)
    const offset = alignTo(end, align)
    end = offset + size
    return offset
  })
}

/** `discriminant_type`: the smallest unsigned integer that counts the cases. */
export function discriminantSize(caseCount: number): 1 | 2 | 4 {
  return caseCount <= 0x100 ? 1 : caseCount <= 0x1_0000 ? 2 : 4
}

/** Where the payload of a variant starts. */
export function payloadOffset(cases: readonly (WitType | null)[]): number {
  let align = 1
  for (const type of cases) if (type !== null) align = Math.max(align, layoutOf(type).align)
  return alignTo(discriminantSize(cases.length), align)
}

/** `join`: the tightest core type that holds both. */
function join(a: FlatType, b: FlatType): FlatType {
  if (a === b) return a
  return (a === 'i32' && b === 'f32') || (a === 'f32' && b === 'i32') ? 'i32' : 'i64'
}

function measureVariant(cases: readonly (WitType | null)[]): Layout {
  const discriminant = discriminantSize(cases.length)
  const members = cases.filter((type) => type !== null).map(layoutOf)
  let align: number = discriminant
  let size = 0
  let hostSize = 0
  let flat: FlatType[] | null = []
  for (const member of members) {
    align = Math.max(align, member.align)
    size = Math.max(size, member.size)
    hostSize = Math.max(hostSize, member.hostSize)
    if (member.flat === null) flat = null
    member.flat?.forEach((type, index) => {
      if (flat === null) return
      const other = flat[index]
      flat[index] = other === undefined ? type : join(other, type)
    })
  }
  return {
    ...combine(members),
    align,
    size: alignTo(payloadOffset(cases) + size, align),
    flat: flat === null ? null : cap(['i32', ...flat]),
    hostSize: 40 + hostSize,
    nodeCount: combine(members).nodeCount + cases.length,
  }
}

/** Whether a parameter or the result is a resource's handle, or holds one. */
export function passesHandles({ params, result }: WitFunction): boolean {
  const types = params.map(({ type }) => type)
  return [...types, ...(result === null ? [] : [result])].some((type) => layoutOf(type).hasHandles)
}

/** The cases of a type that the Canonical ABI treats as a variant, in order. */
export function casesOf(type: WitType): readonly (WitType | null)[] {
  switch (type.kind) {
    case 'variant':
      return type.cases.map((item) => item.type)
    case 'enum':
      return type.cases.map(() => null)
    case 'option':
      return [null, type.element]
    case 'result':
      return [type.ok, type.err]
    default:
      return []
  }
}

/** Core types of several values in sequence; null when they are more than `countMax`. */
export function flattenAll(types: readonly WitType[], countMax: number): FlatType[] | null {
  const all: FlatType[] = []
  for (const type of types) {
    const { flat } = layoutOf(type)
    if (flat === null) return null
    all.push(...flat)
    if (all.length > countMax) return null
  }
  return all
}

/** How many core values `type` takes; of types that have a flat form only. */
export function flatCountOf(type: WitType): number {
  return layoutOf(type).flat?.length ?? 0
}

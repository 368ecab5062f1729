/**
 * Lift from memory: readers of WIT values that lie in linear memory.
 *
 * Owns: `load` for every value type, one closure per type and encoding.
 * Does not own: values that are passed flat (lift-flat.ts), strings (strings.ts).
 *
 * Invariants:
 *   LM1. A reader runs no guest code, so the views of its `Abi` stay current throughout.
 *   LM2. Whoever calls a reader has checked that the type's size and alignment fit at the pointer; a reader
 *        checks the ranges that the value itself names.
 *   LM3. Readers are made once per type and encoding, and shared by all instances.
 *
 * Source: CanonicalABI.md, "Loading".
 */

import type { StringEncoding } from '../binary/ast.ts'
import { arrayKindOf, canonicalizeNaNs } from '../values/numbers.ts'
import { camelCase } from '../wit/labels.ts'
import { casesOf, discriminantSize, layoutOf, offsetsOf, payloadOffset } from '../wit/layout.ts'
import type { WitType, WitValue } from '../wit/wit.ts'
import { type Abi, trap } from './abi.ts'
import { LOAD_STRING } from './strings.ts'

export type Load = (abi: Abi, pointer: number) => WitValue

/** Makes and keeps the readers of one encoding. */
export class MemoryLifter {
  readonly #encoding: StringEncoding
  readonly #known = new Map<WitType, Load>()

  constructor(encoding: StringEncoding) {
    this.#encoding = encoding
  }

  loader(type: WitType): Load {
    let load = this.#known.get(type)
    if (load === undefined) {
      load = this.#make(type)
      this.#known.set(type, load)
    }
    return load
  }

  #make(type: WitType): Load {
    const scalar = SCALARS[type.kind]
    if (scalar !== undefined) return scalar
    switch (type.kind) {
      case 'string': {
        const loadString = LOAD_STRING[this.#encoding]
        return (abi, at) =>
          loadString(abi, abi.view.getUint32(at, true), abi.view.getUint32(at + 4, true))
      }
      case 'list': {
        const loadList = this.listLoader(type.element)
        return (abi, at) =>
          loadList(abi, abi.view.getUint32(at, true), abi.view.getUint32(at + 4, true))
      }
      case 'record':
        return this.#record(
          type.fields.map((field) => camelCase(field.name)),
          type.fields.map((field) => field.type),
        )
      case 'tuple':
        return this.#tuple(type.elements)
      case 'flags': {
        const unpack = flagsReader(type.labels)
        const { size } = layoutOf(type)
        return (abi, at) => unpack(readUnsigned(abi, at, size))
      }
      case 'own': {
        const { resource } = type
        return (abi, at) => abi.handles.takeOwn(resource, abi.view.getUint32(at, true))
      }
      case 'borrow': {
        const { resource } = type
        return (abi, at) => abi.handles.lend(resource, abi.view.getUint32(at, true))
      }
      default:
        return this.#variant(type)
    }
  }

  /** `load_list_from_range`. */
  listLoader(element: WitType): (abi: Abi, pointer: number, length: number) => WitValue {
    const { size, align, hostSize } = layoutOf(element)
    const kind = arrayKindOf(element)
    if (kind !== undefined)
      return (abi, pointer, length) => {
        abi.checkRange('list', pointer, align, length * size)
        abi.spend('list', length * size)
        abi.countList(0)
        const from = pointer / size
        const copy = abi.array(kind).slice(from, from + length)
        if (kind.isFloat) canonicalizeNaNs(copy)
        return copy
      }
    const load = this.loader(element)
    return (abi, pointer, length) => {
      abi.checkRange('list', pointer, align, length * size)
      abi.spend('list', length * hostSize)
      abi.countList(length * hostSize)
      const items: WitValue[] = []
      for (let index = 0; index < length; index++) items.push(load(abi, pointer + index * size))
      return items
    }
  }

  #record(keys: readonly string[], types: readonly WitType[]): Load {
    const offsets = offsetsOf(types)
    const fields = types.map((type, index) => ({
      key: keys[index] ?? '',
      offset: offsets[index] ?? 0,
      load: this.loader(type),
    }))
    return (abi, at) => {
      const record: Record<string, WitValue> = {}
      for (const { key, offset, load } of fields) record[key] = load(abi, at + offset)
      return record
    }
  }

  #tuple(types: readonly WitType[]): Load {
    const offsets = offsetsOf(types)
    const elements = types.map((type, index) => ({
      offset: offsets[index] ?? 0,
      load: this.loader(type),
    }))
    return (abi, at) => elements.map(({ offset, load }) => load(abi, at + offset))
  }

  /** `load_variant`. */
  #variant(type: WitType): Load {
    const cases = casesOf(type)
    const size = discriminantSize(cases.length)
    const offset = payloadOffset(cases)
    const loads = cases.map((item) => (item === null ? null : this.loader(item)))
    const wrap = caseWrapper(type)
    return (abi, at) => {
      const index = readUnsigned(abi, at, size)
      const load = loads[index]
      if (load === undefined) return trapCase(type, index, cases.length)
      return wrap(index, load === null ? undefined : load(abi, at + offset))
    }
  }
}

export function trapCase(type: WitType, index: number, count: number): never {
  return trap(`discriminant ${index} of ${type.kind} is out of range; it has ${count} cases`)
}

function readUnsigned(abi: Abi, at: number, size: number): number {
  if (size === 1) return abi.u8[at] ?? 0
  return size === 2 ? abi.view.getUint16(at, true) : abi.view.getUint32(at, true)
}

/** "Loading", `convert_i32_to_char`. */
export function charFromCode(code: number): string {
  if (code >= 0x11_0000 || (code >= 0xd800 && code <= 0xdfff))
    trap(`char ${code} is not a Unicode scalar value`)
  return String.fromCodePoint(code)
}

const SCALARS: Readonly<Partial<Record<WitType['kind'], Load>>> = {
  bool: (abi, at) => abi.u8[at] !== 0,
  u8: (abi, at) => abi.u8[at] ?? 0,
  s8: (abi, at) => abi.view.getInt8(at),
  u16: (abi, at) => abi.view.getUint16(at, true),
  s16: (abi, at) => abi.view.getInt16(at, true),
  u32: (abi, at) => abi.view.getUint32(at, true),
  s32: (abi, at) => abi.view.getInt32(at, true),
  u64: (abi, at) => abi.view.getBigUint64(at, true),
  s64: (abi, at) => abi.view.getBigInt64(at, true),
  f32: (abi, at) => {
    const value = abi.view.getFloat32(at, true)
    return Number.isNaN(value) ? Number.NaN : value
  },
  f64: (abi, at) => {
    const value = abi.view.getFloat64(at, true)
    return Number.isNaN(value) ? Number.NaN : value
  },
  char: (abi, at) => charFromCode(abi.view.getUint32(at, true)),
}

/** `unpack_flags_from_int`, with camelCase keys. */
export function flagsReader(labels: readonly string[]): (bits: number) => WitValue {
  const keys = labels.map(camelCase)
  return (bits) => {
    const flags: Record<string, boolean> = {}
    for (let index = 0; index < keys.length; index++)
      flags[keys[index] ?? ''] = ((bits >>> index) & 1) === 1
    return flags
  }
}

/** Makes the JavaScript value (wit.ts) of a case of any type that the Canonical ABI treats as a variant. */
export function caseWrapper(type: WitType): (index: number, payload: WitValue) => WitValue {
  switch (type.kind) {
    case 'enum': {
      const { cases } = type
      return (index) => cases[index]
    }
    case 'option':
      if (type.element.kind === 'option')
        return (index, payload) => (index === 0 ? { tag: 'none' } : { tag: 'some', val: payload })
      return (index, payload) => (index === 0 ? undefined : payload)
    case 'result':
      return tagger([
        { tag: 'ok', hasPayload: type.ok !== null },
        { tag: 'err', hasPayload: type.err !== null },
      ])
    case 'variant':
      return tagger(type.cases.map((item) => ({ tag: item.name, hasPayload: item.type !== null })))
    default:
      return trap(`${type.kind} has no cases`)
  }
}

function tagger(
  cases: readonly { tag: string; hasPayload: boolean }[],
): (index: number, payload: WitValue) => WitValue {
  return (index, payload) => {
    const item = cases[index]
    const tag = item?.tag ?? ''
    return item?.hasPayload ? { tag, val: payload } : { tag }
  }
}

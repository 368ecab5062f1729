/**
 * Lower to memory: writers of WIT values into linear memory.
 *
 * Owns: `store` for every value type, one closure per type and encoding; lists.
 * Does not own: values that are passed flat (lower-flat.ts), strings (strings.ts).
 *
 * Invariants:
 *   SM1. Values have been checked (arguments.ts), so nothing here meets a value that its type forbids.
 *   SM2. A writer may call the guest's `realloc`, so it never keeps a view across another writer's call;
 *        it uses those of its `Abi`, which `allocate` keeps current.
 *   SM3. Writers are made once per type and encoding, and shared by all instances.
 *
 * Source: CanonicalABI.md, "Storing".
 */

import type { StringEncoding } from '../binary/ast.ts'
import {
  arrayKindOf,
  CANONICAL_NAN32,
  CANONICAL_NAN64,
  canonicalizeNaNs,
  type NumberArray,
} from '../values/numbers.ts'
import { camelCase } from '../wit/labels.ts'
import { casesOf, discriminantSize, layoutOf, offsetsOf, payloadOffset } from '../wit/layout.ts'
import type { WitType, WitValue } from '../wit/wit.ts'
import { type Abi, trap } from './abi.ts'
import { STORE_STRING } from './strings.ts'

export type Store = (abi: Abi, pointer: number, value: WitValue) => void

/** A record, flags or tagged case, whose keys have been checked. */
export type Keyed = { readonly [key: string]: WitValue }

/** Makes and keeps the writers of one encoding. */
export class MemoryLowerer {
  readonly #encoding: StringEncoding
  readonly #known = new Map<WitType, Store>()

  constructor(encoding: StringEncoding) {
    this.#encoding = encoding
  }

  storer(type: WitType): Store {
    let store = this.#known.get(type)
    if (store === undefined) {
      store = this.#make(type)
      this.#known.set(type, store)
    }
    return store
  }

  #make(type: WitType): Store {
    const scalar = SCALARS[type.kind]
    if (scalar !== undefined) return scalar
    switch (type.kind) {
      case 'string': {
        const storeString = STORE_STRING[this.#encoding]
        return (abi, at, value) => storeRange(abi, at, storeString(abi, value as string))
      }
      case 'list': {
        const storeList = this.listStorer(type.element)
        return (abi, at, value) => storeRange(abi, at, storeList(abi, value))
      }
      case 'record':
        return this.#record(
          type.fields.map((field) => camelCase(field.name)),
          type.fields.map((field) => field.type),
        )
      case 'tuple':
        return this.#record(
          type.elements.map((_, index) => String(index)),
          type.elements,
        )
      case 'flags': {
        const pack = flagsPacker(type.labels)
        const { size } = layoutOf(type)
        return (abi, at, value) => writeUnsigned(abi, at, size, pack(value))
      }
      case 'own': {
        const { resource } = type
        return (abi, at, value) =>
          abi.view.setUint32(at, abi.handles.addOwn(resource, value as number), true)
      }
      case 'borrow': {
        const { resource } = type
        return (abi, at, value) =>
          abi.view.setUint32(at, abi.handles.addBorrow(resource, value as number), true)
      }
      default:
        return this.#variant(type)
    }
  }

  /** `store_list_into_range`; leaves the length in `abi.length`. */
  listStorer(element: WitType): (abi: Abi, value: WitValue) => number {
    const { size, align } = layoutOf(element)
    const kind = arrayKindOf(element)
    if (kind !== undefined)
      return (abi, value) => {
        const source = value as NumberArray
        const { length } = source
        const pointer = abi.allocate(align, length * size)
        const target = abi.array(kind)
        const from = pointer / size
        // Both are of one class; the types of `set` differ between arrays of number and of bigint only.
        ;(target as Uint8Array).set(source as Uint8Array, from)
        if (kind.isFloat) canonicalizeNaNs(target.subarray(from, from + length))
        abi.length = length
        return pointer
      }
    const store = this.storer(element)
    return (abi, value) => {
      const items = value as readonly WitValue[]
      const { length } = items
      const pointer = abi.allocate(align, length * size)
      for (let index = 0; index < length; index++) store(abi, pointer + index * size, items[index])
      abi.length = length
      return pointer
    }
  }

  #record(keys: readonly string[], types: readonly WitType[]): Store {
    const offsets = offsetsOf(types)
    const fields = types.map((type, index) => ({
      key: keys[index] ?? '',
      offset: offsets[index] ?? 0,
      store: this.storer(type),
    }))
    return (abi, at, value) => {
      for (const { key, offset, store } of fields) store(abi, at + offset, (value as Keyed)[key])
    }
  }

  /** `store_variant`. */
  #variant(type: WitType): Store {
    const cases = casesOf(type)
    const size = discriminantSize(cases.length)
    const offset = payloadOffset(cases)
    const stores = cases.map((item) => (item === null ? null : this.storer(item)))
    const { indexOf, payloadOf } = caseReader(type)
    return (abi, at, value) => {
      const index = indexOf(value)
      writeUnsigned(abi, at, size, index)
      const store = stores[index]
      if (store) store(abi, at + offset, payloadOf(value))
    }
  }
}

/** `store_string`, `store_list`: pointer, then length. */
function storeRange(abi: Abi, at: number, pointer: number): void {
  abi.view.setUint32(at, pointer, true)
  abi.view.setUint32(at + 4, abi.length, true)
}

function writeUnsigned(abi: Abi, at: number, size: number, value: number): void {
  if (size === 1) abi.u8[at] = value
  else if (size === 2) abi.view.setUint16(at, value, true)
  else abi.view.setUint32(at, value, true)
}

const SCALARS: Readonly<Partial<Record<WitType['kind'], Store>>> = {
  bool: (abi, at, value) => {
    abi.u8[at] = value ? 1 : 0
  },
  u8: (abi, at, value) => {
    abi.u8[at] = value as number
  },
  s8: (abi, at, value) => abi.view.setInt8(at, value as number),
  u16: (abi, at, value) => abi.view.setUint16(at, value as number, true),
  s16: (abi, at, value) => abi.view.setInt16(at, value as number, true),
  u32: (abi, at, value) => abi.view.setUint32(at, value as number, true),
  s32: (abi, at, value) => abi.view.setInt32(at, value as number, true),
  u64: (abi, at, value) => abi.view.setBigUint64(at, value as bigint, true),
  s64: (abi, at, value) => abi.view.setBigInt64(at, value as bigint, true),
  f32: (abi, at, value) => {
    if (Number.isNaN(value)) abi.view.setUint32(at, CANONICAL_NAN32, true)
    else abi.view.setFloat32(at, value as number, true)
  },
  f64: (abi, at, value) => {
    if (Number.isNaN(value)) abi.view.setBigUint64(at, CANONICAL_NAN64, true)
    else abi.view.setFloat64(at, value as number, true)
  },
  char: (abi, at, value) => abi.view.setUint32(at, (value as string).codePointAt(0) ?? 0, true),
}

/** `pack_flags_into_int`. */
export function flagsPacker(labels: readonly string[]): (value: WitValue) => number {
  const keys = labels.map(camelCase)
  return (value) => {
    let bits = 0
    for (let index = 0; index < keys.length; index++)
      if ((value as Keyed)[keys[index] ?? '']) bits |= 1 << index
    return bits >>> 0
  }
}

export interface CaseReader {
  readonly indexOf: (value: WitValue) => number
  readonly payloadOf: (value: WitValue) => WitValue
}

const payloadOfTagged = (value: WitValue): WitValue => (value as Keyed).val

/** `match_case` on the JavaScript value (wit.ts) of any type treated as a variant. */
export function caseReader(type: WitType): CaseReader {
  switch (type.kind) {
    case 'enum': {
      const indices = new Map(type.cases.map((name, index) => [name, index]))
      return { indexOf: (value) => indices.get(value as string) ?? 0, payloadOf: () => undefined }
    }
    case 'option':
      if (type.element.kind === 'option')
        return {
          indexOf: (value) => ((value as Keyed).tag === 'some' ? 1 : 0),
          payloadOf: payloadOfTagged,
        }
      return { indexOf: (value) => (value === undefined ? 0 : 1), payloadOf: (value) => value }
    case 'result':
      return {
        indexOf: (value) => ((value as Keyed).tag === 'ok' ? 0 : 1),
        payloadOf: payloadOfTagged,
      }
    case 'variant': {
      const indices = new Map(type.cases.map((item, index) => [item.name, index]))
      return {
        indexOf: (value) => indices.get((value as Keyed).tag as string) ?? 0,
        payloadOf: payloadOfTagged,
      }
    }
    default:
      return trap(`${type.kind} has no cases`)
  }
}

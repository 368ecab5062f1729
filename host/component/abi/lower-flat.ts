/**
 * Lower to core values: writers of WIT values that are passed flat.
 *
 * Owns: `lower_flat` for every value type. Does not own: values in memory (lower-memory.ts).
 *
 * Invariant LW1. A writer is made for one position, as in lift-flat.ts (LF1), and always writes every core
 * value of its type, so that one array serves all calls.
 *
 * Source: CanonicalABI.md, "Flat Lowering".
 */

import type { StringEncoding } from '../binary/ast.ts'
import { bitsOfF32, bitsOfF64 } from '../values/numbers.ts'
import { camelCase } from '../wit/labels.ts'
import { casesOf, type FlatType, flatCountOf } from '../wit/layout.ts'
import type { WitType, WitValue } from '../wit/wit.ts'
import { type Abi, trap } from './abi.ts'
import type { CoreValue } from './lift-flat.ts'
import { caseReader, flagsPacker, type Keyed, type MemoryLowerer } from './lower-memory.ts'
import { STORE_STRING } from './strings.ts'

export type LowerFlat = (abi: Abi, flat: CoreValue[], value: WitValue) => void

/** A type whose value is one core value, written without memory; `identity` when it is that already. */
export function scalarLowerer(
  type: WitType,
): { readonly identity: boolean; readonly lower: (value: WitValue) => CoreValue } | null {
  switch (type.kind) {
    case 'u8':
    case 's8':
    case 'u16':
    case 's16':
    case 'u32':
    case 's32':
    case 'u64':
    case 's64':
      return { identity: true, lower: (value) => value as CoreValue }
    case 'bool':
      return { identity: false, lower: (value) => (value ? 1 : 0) }
    case 'f32':
    case 'f64':
      return {
        identity: false,
        lower: (value) => (Number.isNaN(value) ? Number.NaN : (value as number)),
      }
    case 'char':
      return { identity: false, lower: (value) => (value as string).codePointAt(0) ?? 0 }
    case 'flags':
      return { identity: false, lower: flagsPacker(type.labels) }
    case 'enum':
      return { identity: false, lower: caseReader(type).indexOf }
    default:
      return null
  }
}

/** Writes an i32 where `have` stands; zero-extended, as `lower_flat_variant` does. */
function wordWriter(
  at: number,
  have: FlatType | undefined,
): (flat: CoreValue[], word: number) => void {
  if (have === 'i64')
    return (flat, word) => {
      flat[at] = BigInt(word >>> 0)
    }
  return (flat, word) => {
    flat[at] = word
  }
}

/** The writers of one encoding. */
export class FlatLowerer {
  readonly #encoding: StringEncoding
  readonly #memory: MemoryLowerer

  constructor(encoding: StringEncoding, memory: MemoryLowerer) {
    this.#encoding = encoding
    this.#memory = memory
  }

  lowerer(type: WitType, at: number, have: readonly FlatType[]): LowerFlat {
    switch (type.kind) {
      case 'u64':
      case 's64':
        return (_, flat, value) => {
          flat[at] = value as bigint
        }
      case 'f32':
      case 'f64':
        return this.#float(type, at, have[at])
      case 'string': {
        const storeString = STORE_STRING[this.#encoding]
        return this.#range(at, have, (abi, value) => storeString(abi, value as string))
      }
      case 'list':
        return this.#range(at, have, this.#memory.listStorer(type.element))
      case 'record':
        return this.#members(
          type.fields.map((field) => camelCase(field.name)),
          type.fields.map((field) => field.type),
          at,
          have,
        )
      case 'tuple':
        return this.#members(
          type.elements.map((_, index) => String(index)),
          type.elements,
          at,
          have,
        )
      case 'variant':
      case 'option':
      case 'result':
        return this.#variant(type, at, have)
      case 'own': {
        const { resource } = type
        const write = wordWriter(at, have[at])
        return (abi, flat, value) => write(flat, abi.handles.addOwn(resource, value as number))
      }
      case 'borrow': {
        const { resource } = type
        const write = wordWriter(at, have[at])
        return (abi, flat, value) => write(flat, abi.handles.addBorrow(resource, value as number))
      }
      default: {
        const scalar = scalarLowerer(type)
        if (scalar === null) return trap(`${type.kind} cannot be passed flat`)
        const { lower } = scalar
        const write = wordWriter(at, have[at])
        return (_, flat, value) => write(flat, lower(value) as number)
      }
    }
  }

  /** The pairs (f32, i32), (f32, i64) and (f64, i64) of `lower_flat_variant`. */
  #float(type: WitType, at: number, have: FlatType | undefined): LowerFlat {
    if (have === 'f32' || have === 'f64')
      return (_, flat, value) => {
        flat[at] = Number.isNaN(value) ? Number.NaN : (value as number)
      }
    if (type.kind === 'f64')
      return (_, flat, value) => {
        flat[at] = bitsOfF64(value as number)
      }
    const write = wordWriter(at, have)
    return (_, flat, value) => write(flat, bitsOfF32(value as number))
  }

  #range(
    at: number,
    have: readonly FlatType[],
    store: (abi: Abi, value: WitValue) => number,
  ): LowerFlat {
    const writePointer = wordWriter(at, have[at])
    const writeLength = wordWriter(at + 1, have[at + 1])
    return (abi, flat, value) => {
      writePointer(flat, store(abi, value))
      writeLength(flat, abi.length)
    }
  }

  #members(
    keys: readonly string[],
    types: readonly WitType[],
    at: number,
    have: readonly FlatType[],
  ): LowerFlat {
    let position = at
    const members = types.map((type, index) => {
      const member = { key: keys[index] ?? '', lower: this.lowerer(type, position, have) }
      position += flatCountOf(type)
      return member
    })
    return (abi, flat, value) => {
      for (const { key, lower } of members) lower(abi, flat, (value as Keyed)[key])
    }
  }

  /** `lower_flat_variant`: core values that the case does not use are zero. */
  #variant(type: WitType, at: number, have: readonly FlatType[]): LowerFlat {
    const end = at + flatCountOf(type)
    const cases = casesOf(type).map((item) => ({
      lower: item === null ? null : this.lowerer(item, at + 1, have),
      padFrom: at + 1 + (item === null ? 0 : flatCountOf(item)),
    }))
    const zeros = have.map((core) => (core === 'i64' ? 0n : 0))
    const writeCase = wordWriter(at, have[at])
    const { indexOf, payloadOf } = caseReader(type)
    return (abi, flat, value) => {
      const index = indexOf(value)
      const item = cases[index]
      if (item === undefined) return trap(`${type.kind} has no case ${index}`)
      writeCase(flat, index)
      item.lower?.(abi, flat, payloadOf(value))
      for (let slot = item.padFrom; slot < end; slot++) flat[slot] = zeros[slot] ?? 0
    }
  }
}

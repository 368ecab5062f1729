/**
 * Lift from core values: readers of WIT values that are passed flat.
 *
 * Owns: `lift_flat` for every value type. Does not own: values in memory (lift-memory.ts).
 *
 * Invariants:
 *   LF1. A reader is made for one position: it knows the index of its first core value and the core types
 *        that stand there (`have`), so the coercions of joined variants are decided when it is made.
 *   LF2. Core values arrive as the engine gives them: i32 as signed number, i64 as signed bigint.
 *
 * Source: CanonicalABI.md, "Flat Lifting".
 */

import type { StringEncoding } from '../binary/ast.ts'
import { f32FromBits, f64FromBits } from '../values/numbers.ts'
import { camelCase } from '../wit/labels.ts'
import { casesOf, type FlatType, flatCountOf } from '../wit/layout.ts'
import type { WitType, WitValue } from '../wit/wit.ts'
import { type Abi, trap } from './abi.ts'
import {
  caseWrapper,
  charFromCode,
  flagsReader,
  type MemoryLifter,
  trapCase,
} from './lift-memory.ts'
import { LOAD_STRING } from './strings.ts'

export type CoreValue = number | bigint
export type LiftFlat = (abi: Abi, flat: readonly CoreValue[]) => WitValue

/** A type whose value is one core value, read without memory: for signatures of scalars only. */
export function scalarLifter(type: WitType): ((core: CoreValue) => WitValue) | null {
  switch (type.kind) {
    case 'bool':
      return (core) => core !== 0
    case 'u8':
      return (core) => (core as number) & 0xff
    case 's8':
      return (core) => ((core as number) << 24) >> 24
    case 'u16':
      return (core) => (core as number) & 0xffff
    case 's16':
      return (core) => ((core as number) << 16) >> 16
    case 'u32':
      return (core) => (core as number) >>> 0
    case 's32':
      return (core) => (core as number) | 0
    case 's64':
      return (core) => core
    case 'u64':
      return (core) => BigInt.asUintN(64, core as bigint)
    case 'f32':
    case 'f64':
      return (core) => (Number.isNaN(core) ? Number.NaN : core)
    case 'char':
      return (core) => charFromCode((core as number) >>> 0)
    case 'flags': {
      const unpack = flagsReader(type.labels)
      return (core) => unpack((core as number) >>> 0)
    }
    case 'enum': {
      const { cases } = type
      return (core) =>
        cases[(core as number) >>> 0] ?? trapCase(type, (core as number) >>> 0, cases.length)
    }
    default:
      return null
  }
}

/** Reads an i32 where `have` stands; unsigned. */
function word(at: number, have: FlatType | undefined): (flat: readonly CoreValue[]) => number {
  if (have === 'i64') return (flat) => Number(BigInt.asUintN(32, flat[at] as bigint))
  return (flat) => (flat[at] as number) >>> 0
}

/** The readers of one encoding. */
export class FlatLifter {
  readonly #encoding: StringEncoding
  readonly #memory: MemoryLifter

  constructor(encoding: StringEncoding, memory: MemoryLifter) {
    this.#encoding = encoding
    this.#memory = memory
  }

  /** A reader of `type` whose first core value is at `at`, where the core types are `have` (LF1). */
  lifter(type: WitType, at: number, have: readonly FlatType[]): LiftFlat {
    switch (type.kind) {
      case 'u64':
      case 's64':
        return this.#wide(type, at)
      case 'f32':
      case 'f64':
        return this.#float(type, at, have[at])
      case 'string': {
        const loadString = LOAD_STRING[this.#encoding]
        const pointer = word(at, have[at])
        const length = word(at + 1, have[at + 1])
        return (abi, flat) => loadString(abi, pointer(flat), length(flat))
      }
      case 'list': {
        const loadList = this.#memory.listLoader(type.element)
        const pointer = word(at, have[at])
        const length = word(at + 1, have[at + 1])
        return (abi, flat) => loadList(abi, pointer(flat), length(flat))
      }
      case 'record':
        return this.#record(type.fields, at, have)
      case 'tuple':
        return this.#tuple(type.elements, at, have)
      case 'variant':
      case 'option':
      case 'result':
        return this.#variant(type, at, have)
      case 'own': {
        const { resource } = type
        const index = word(at, have[at])
        return (abi, flat) => abi.handles.takeOwn(resource, index(flat))
      }
      case 'borrow': {
        const { resource } = type
        const index = word(at, have[at])
        return (abi, flat) => abi.handles.lend(resource, index(flat))
      }
      default: {
        const lift = scalarLifter(type)
        if (lift === null) return trap(`${type.kind} cannot be passed flat`)
        const read = word(at, have[at])
        return (_, flat) => lift(read(flat))
      }
    }
  }

  #wide(type: WitType, at: number): LiftFlat {
    if (type.kind === 's64') return (_, flat) => flat[at]
    return (_, flat) => BigInt.asUintN(64, flat[at] as bigint)
  }

  /** The pairs of `CoerceValueIter`. */
  #float(type: WitType, at: number, have: FlatType | undefined): LiftFlat {
    if (have === 'f32' || have === 'f64')
      return (_, flat) => {
        const value = flat[at]
        return Number.isNaN(value) ? Number.NaN : value
      }
    if (type.kind === 'f64') return (_, flat) => f64FromBits(BigInt.asUintN(64, flat[at] as bigint))
    const bits = word(at, have)
    return (_, flat) => f32FromBits(bits(flat))
  }

  #members(types: readonly WitType[], at: number, have: readonly FlatType[]): LiftFlat[] {
    let position = at
    return types.map((type) => {
      const lift = this.lifter(type, position, have)
      position += flatCountOf(type)
      return lift
    })
  }

  #record(
    fields: readonly { readonly name: string; readonly type: WitType }[],
    at: number,
    have: readonly FlatType[],
  ): LiftFlat {
    const lifts = this.#members(
      fields.map((field) => field.type),
      at,
      have,
    )
    const members = lifts.map((lift, index) => ({
      key: camelCase(fields[index]?.name ?? ''),
      lift,
    }))
    return (abi, flat) => {
      const record: Record<string, WitValue> = {}
      for (const { key, lift } of members) record[key] = lift(abi, flat)
      return record
    }
  }

  #tuple(types: readonly WitType[], at: number, have: readonly FlatType[]): LiftFlat {
    const lifts = this.#members(types, at, have)
    return (abi, flat) => lifts.map((lift) => lift(abi, flat))
  }

  /** `lift_flat_variant`. */
  #variant(type: WitType, at: number, have: readonly FlatType[]): LiftFlat {
    const cases = casesOf(type)
    const discriminant = word(at, have[at])
    const lifts = cases.map((item) => (item === null ? null : this.lifter(item, at + 1, have)))
    const wrap = caseWrapper(type)
    return (abi, flat) => {
      const index = discriminant(flat)
      const lift = lifts[index]
      if (lift === undefined) return trapCase(type, index, cases.length)
      return wrap(index, lift === null ? undefined : lift(abi, flat))
    }
  }
}

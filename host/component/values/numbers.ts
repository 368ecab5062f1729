/**
 * Numbers: lists of numbers as typed arrays, and floats as the Canonical ABI passes them.
 *
 * Owns: which array class stands for which element type; canonical NaNs.
 *
 * Invariant NU1. A NaN that crosses the boundary in either direction has the canonical bits, so that
 * what a guest does cannot depend on the payload of a NaN ("deterministic profile").
 *
 * Source: CanonicalABI.md, "Loading" (`canonicalize_nan32`) and "Storing".
 */
import type { WitType } from '../wit/wit.ts'

export type NumberArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array

interface NumberArrayClass {
  new (length: number): NumberArray
  new (buffer: ArrayBufferLike): NumberArray
  readonly BYTES_PER_ELEMENT: number
}

/** How a list of one element type is kept: its class, and its place among the views of an `Abi`. */
export interface ArrayKind {
  readonly slot: number
  readonly Class: NumberArrayClass
  readonly isFloat: boolean
}

const CLASSES: readonly (readonly [kind: WitType['kind'], Class: NumberArrayClass])[] = [
  ['u8', Uint8Array],
  ['s8', Int8Array],
  ['u16', Uint16Array],
  ['s16', Int16Array],
  ['u32', Uint32Array],
  ['s32', Int32Array],
  ['u64', BigUint64Array],
  ['s64', BigInt64Array],
  ['f32', Float32Array],
  ['f64', Float64Array],
]

const KINDS: ReadonlyMap<WitType['kind'], ArrayKind> = new Map(
  CLASSES.map(([kind, Class], slot) => [
    kind,
    { slot, Class, isFloat: kind === 'f32' || kind === 'f64' },
  ]),
)

/** How lists of `element` are kept; undefined when they are plain arrays. */
export function arrayKindOf(element: WitType): ArrayKind | undefined {
  return KINDS.get(element.kind)
}

export const CANONICAL_NAN32 = 0x7fc0_0000
export const CANONICAL_NAN64 = 0x7ff8_0000_0000_0000n

/** Rewrites every NaN of `values` to the canonical one. */
export function canonicalizeNaNs(values: NumberArray): void {
  if (!(values instanceof Float32Array || values instanceof Float64Array)) return
  for (let index = 0; index < values.length; index++) {
    const value = values[index]
    if (Number.isNaN(value)) values[index] = Number.NaN
  }
}

const scratch = new DataView(new ArrayBuffer(8))

export function f32FromBits(bits: number): number {
  scratch.setUint32(0, bits, true)
  const value = scratch.getFloat32(0, true)
  return Number.isNaN(value) ? Number.NaN : value
}

export function bitsOfF32(value: number): number {
  if (Number.isNaN(value)) return CANONICAL_NAN32
  scratch.setFloat32(0, value, true)
  return scratch.getUint32(0, true)
}

export function f64FromBits(bits: bigint): number {
  scratch.setBigUint64(0, bits, true)
  const value = scratch.getFloat64(0, true)
  return Number.isNaN(value) ? Number.NaN : value
}

export function bitsOfF64(value: number): bigint {
  if (Number.isNaN(value)) return CANONICAL_NAN64
  scratch.setFloat64(0, value, true)
  return scratch.getBigUint64(0, true)
}

/**
 * WIT types at run time.
 *
 * Owns: the shape of types and functions as read from a component binary.
 * Does not own: their memory layout (layout.ts), lifting and lowering, JSON (json.ts).
 *
 * JavaScript values of WIT types (the same mapping that jco uses, so that it can be the oracle):
 *   bool: boolean; u8..u32, s8..s32, f32, f64: number; u64, s64: bigint; char, string: string
 *   list<u8>: Uint8Array, and the fitting typed array for every other list of integers or floats
 *   other lists, tuples: arrays; record: object with camelCase keys; enum: the case's WIT name
 *   option<T>: T or undefined; option<option<T>>: { tag: 'some', val } or { tag: 'none' }
 *   variant, result: { tag, val? } with the case's WIT name ('ok' and 'err' for results);
 *   flags: object with camelCase keys and boolean values
 *   own, borrow: the representation, a number of 32 bits. It is trusted: only the host, never a caller of
 *   the API, passes one in.
 * Unlike jco, a result in return position is { tag, val } too and is never thrown.
 */

export type WitPrimitive =
  | 'bool'
  | 'u8'
  | 's8'
  | 'u16'
  | 's16'
  | 'u32'
  | 's32'
  | 'u64'
  | 's64'
  | 'f32'
  | 'f64'
  | 'char'
  | 'string'

export interface WitField {
  /** Kebab-case, as in the WIT text. */
  readonly name: string
  readonly type: WitType
}

export interface WitCase {
  readonly name: string
  readonly type: WitType | null
}

export type WitType =
  | { readonly kind: WitPrimitive }
  | { readonly kind: 'list'; readonly element: WitType }
  | { readonly kind: 'record'; readonly name: string | null; readonly fields: readonly WitField[] }
  | { readonly kind: 'tuple'; readonly elements: readonly WitType[] }
  | { readonly kind: 'variant'; readonly name: string | null; readonly cases: readonly WitCase[] }
  | { readonly kind: 'enum'; readonly name: string | null; readonly cases: readonly string[] }
  | { readonly kind: 'option'; readonly element: WitType }
  | { readonly kind: 'result'; readonly ok: WitType | null; readonly err: WitType | null }
  | { readonly kind: 'flags'; readonly name: string | null; readonly labels: readonly string[] }
  | { readonly kind: 'own'; readonly resource: WitResource }
  | { readonly kind: 'borrow'; readonly resource: WitResource }

/** Compared by identity. */
export interface WitResource {
  readonly name: string
  /** Among the resource types of the whole component: what tables of handles know it by. */
  readonly index: number
  /** The component instance that defines it; -1 is the host. */
  readonly owner: number
}

export interface WitFunction {
  /** Kebab-case, as in the WIT text. */
  readonly name: string
  readonly params: readonly WitField[]
  readonly result: WitType | null
}

export interface WitInterface {
  /** `namespace:package/interface@version`; empty for functions of the world itself. */
  readonly name: string
  readonly functions: readonly WitFunction[]
}

export type WitValue =
  | boolean
  | number
  | bigint
  | string
  | undefined
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
  | readonly WitValue[]
  | { readonly [key: string]: WitValue }

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue }

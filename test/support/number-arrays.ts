// Which typed array a list of numbers is, said apart from the host's own table, so that models can differ from it.
import type { WitType, WitValue } from '../../host/component/wit/wit.ts'

const ARRAYS: ReadonlyMap<WitType['kind'], { from(values: Iterable<never>): WitValue }> = new Map<
  WitType['kind'],
  { from(values: Iterable<never>): WitValue }
>([
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
])

/** A list of `element` as it crosses the boundary: a typed array for numbers, the items themselves for the rest. */
export function listValue(element: WitType, items: readonly WitValue[]): WitValue {
  return ARRAYS.get(element.kind)?.from(items as never[]) ?? items
}

/**
 * Global access: one function, added to a core module, through which its counters and mutable globals are read and
 * written from outside.
 *
 * The engine makes an object of each exported global in each instance, half a microsecond and some hundred bytes;
 * this is one object for all of them.
 *
 *   (func (export "loom:globals") (param $index i32) (param $value i64) (param $writes i32) (result i64)
 *     index 0   fuel             index 2   the first mutable global that the module defines
 *           1   room                   3   the second, and so on
 *
 * It returns what the global is, after it became `value` where `writes` is not 0. An i32 is passed with its sign, a
 * float as its bits.
 *
 * Owns: the function, how values pass through it. Does not own: where it stands in a module (instrument.ts), counters
 * (meter.ts), images (host/image).
 *
 * Invariants:
 *   GA1. The function costs no fuel, and no code of the guest can call it.
 *   GA2. A NaN that is read or written is the canonical one: globals hold no other (fuel.ts FU6).
 */
import { LoomError } from '../../base/errors.ts'
import type { GlobalValue, StateGlobals } from '../component.ts'
import { featureError } from '../refuse.ts'
import type { Writer } from '../writer.ts'
import type { CoreType } from './module.ts'

export const ACCESS_NAME = 'loom:globals'
/** Its type, as the type section has it. */
export const ACCESS_TYPE = Uint8Array.of(0x60, 3, 0x7f, 0x7e, 0x7f, 1, 0x7e)

export type GlobalAccess = (index: number, value: bigint, writes: number) => bigint

export const FUEL_INDEX = 0
export const ROOM_INDEX = 1
const COUNTER_COUNT = 2

/** The engine takes no longer `br_table`: WebAssembly JavaScript Interface, "Implementation-defined Limits". */
const GLOBAL_COUNT_MAX = 50_000

const INDEX = [0x20, 0] as const
const VALUE = [0x20, 1] as const
const WRITES = [0x20, 2] as const

interface Passed {
  /** From the i64 on the stack to the global's type, and back. */
  readonly wrap: readonly number[]
  readonly extend: readonly number[]
}

const PASSED: { readonly [Type in CoreType]?: Passed } = {
  i32: { wrap: [0xa7], extend: [0xac] },
  i64: { wrap: [], extend: [] },
  f32: { wrap: [0xa7, 0xbe], extend: [0xbc, 0xad] },
  f64: { wrap: [0xbf], extend: [0xbd] },
}

export interface AccessedGlobal {
  /** In the module that has the function. */
  readonly index: number
  readonly type: CoreType
}

/** Writes the function's body. `fuel`: the global of that counter, room being the next; null where there are none. */
export function writeAccess(
  out: Writer,
  fuel: number | null,
  globals: readonly AccessedGlobal[],
): void {
  const counters: (AccessedGlobal | null)[] =
    fuel === null
      ? [null, null]
      : [
          { index: fuel, type: 'i64' },
          { index: fuel + 1, type: 'i64' },
        ]
  const all = [...counters, ...globals]
  if (all.length > GLOBAL_COUNT_MAX)
    throw featureError(`more than ${GLOBAL_COUNT_MAX} mutable globals in a module`)
  out.byte(0)
  // One block for each, and one around them for what there is none of.
  for (let left = all.length; left >= 0; left--) out.code(0x02, 0x40)
  out.code(...INDEX, 0x0e)
  out.u32(all.length)
  for (let at = 0; at <= all.length; at++) out.u32(at)
  for (const global of all) {
    out.byte(0x0b)
    if (global === null) out.byte(0x00)
    else writeCase(out, global)
  }
  out.code(0x0b, 0x00, 0x0b)
}

function writeCase(out: Writer, { index, type }: AccessedGlobal): void {
  const passed = PASSED[type]
  if (passed === undefined) throw featureError(`mutable global of type ${type}`)
  out.code(...WRITES, 0x04, 0x40, ...VALUE, ...passed.wrap, 0x24)
  out.u32(index)
  out.code(0x0b, 0x23)
  out.u32(index)
  out.code(...passed.extend, 0x0f)
}

const CANONICAL_NAN_64 = 0x7ff8_0000_0000_0000n
const CANONICAL_NAN_32 = 0x7fc0_0000n

const bits = new BigInt64Array(1)
const double = new Float64Array(bits.buffer)
const single = new Float32Array(bits.buffer)

function toValue(type: CoreType, raw: bigint): GlobalValue {
  if (type === 'i64') return raw
  if (type === 'i32') return Number(raw)
  bits[0] = raw
  const value = (type === 'f32' ? single[0] : double[0]) ?? 0
  return Number.isNaN(value) ? Number.NaN : value
}

function toRaw(type: CoreType, value: GlobalValue): bigint {
  if ((typeof value === 'bigint') !== (type === 'i64'))
    throw new LoomError('ERR_SNAPSHOT_CORRUPT', `image: a ${typeof value} for a global of ${type}`)
  if (typeof value === 'bigint') return value
  if (type === 'i32') return BigInt(value | 0)
  if (Number.isNaN(value)) return type === 'f32' ? CANONICAL_NAN_32 : CANONICAL_NAN_64
  bits[0] = 0n
  if (type === 'f32') single[0] = value
  else double[0] = value
  return bits[0]
}

/** Of one core instance after the other: the types of its globals. */
export type GlobalTypes = readonly (readonly CoreType[])[]

/** The mutable globals of one component instance, in the order of its core instances. */
export class InstanceGlobals implements StateGlobals {
  readonly length: number
  readonly #types: GlobalTypes
  readonly #accesses: GlobalAccess[] = []

  /** `types` of the core instances that have any; `add` gives it their functions, in the same order. */
  constructor(types: GlobalTypes, length: number) {
    this.#types = types
    this.length = length
  }

  add(access: GlobalAccess): void {
    this.#accesses.push(access)
  }

  read(): GlobalValue[] {
    const values: GlobalValue[] = []
    this.#accesses.forEach((access, part) => {
      this.#types[part]?.forEach((type, index) => {
        values.push(toValue(type, access(COUNTER_COUNT + index, 0n, 0)))
      })
    })
    return values
  }

  write(values: readonly GlobalValue[]): void {
    let at = 0
    this.#accesses.forEach((access, part) => {
      this.#types[part]?.forEach((type, index) => {
        access(COUNTER_COUNT + index, toRaw(type, values[at++] ?? 0), 1)
      })
    })
  }
}

/**
 * Stack effects: by how much an instruction changes the number of operands on the stack.
 *
 * Owns: those that do the same in every module. Does not own: calls, branches and blocks (engine-work.ts), which
 * instructions there are (instructions.ts).
 *
 * Invariant SE1. What is not listed counts as 0, which is too much for what takes more than it gives: what is bounded by
 * the height of the stack is never bounded too loosely.
 *
 * Source: WebAssembly Core Specification 3.0, "Index of Instructions".
 */
import { ATOMIC, BULK, VECTOR } from './instructions.ts'

const EFFECTS: readonly (readonly [from: number, to: number, effect: number])[] = [
  [0x1a, 0x1a, -1], // drop
  [0x1b, 0x1c, -2], // select
  [0x20, 0x20, 1], // local.get
  [0x21, 0x21, -1],
  [0x23, 0x23, 1], // global.get
  [0x24, 0x24, -1],
  [0x26, 0x26, -2], // table.set
  [0x36, 0x3e, -2], // stores
  [0x3f, 0x3f, 1], // memory.size
  [0x41, 0x44, 1], // constants
  [0x46, 0x4f, -1], // comparisons
  [0x51, 0x66, -1],
  [0x6a, 0x78, -1], // i32: add and the like
  [0x7c, 0x8a, -1], // i64
  [0x92, 0x98, -1], // f32
  [0xa0, 0xa6, -1], // f64
  [0xd0, 0xd0, 1], // ref.null
  [0xd2, 0xd2, 1], // ref.func
  [0xd3, 0xd3, -1], // ref.eq
  [BULK + 8, BULK + 8, -3],
  [BULK + 10, BULK + 12, -3],
  [BULK + 14, BULK + 14, -3],
  [BULK + 15, BULK + 15, -1], // table.grow
  [BULK + 16, BULK + 16, 1], // table.size
  [BULK + 17, BULK + 17, -3],
  [VECTOR + 11, VECTOR + 11, -2], // v128.store
  [VECTOR + 12, VECTOR + 12, 1], // v128.const
  [VECTOR + 13, VECTOR + 14, -1],
  [VECTOR + 35, VECTOR + 76, -1], // comparisons
  [VECTOR + 78, VECTOR + 81, -1],
  [VECTOR + 82, VECTOR + 82, -2], // bitselect
  [VECTOR + 84, VECTOR + 87, -1], // load lane
  [VECTOR + 88, VECTOR + 91, -2], // store lane
  [VECTOR + 94, VECTOR + 247, -1],
  [ATOMIC + 0, ATOMIC + 0, -1],
  [ATOMIC + 1, ATOMIC + 2, -2],
  [ATOMIC + 0x17, ATOMIC + 0x1d, -2],
  [ATOMIC + 0x1e, ATOMIC + 0x47, -1],
  [ATOMIC + 0x48, ATOMIC + 0x4e, -2],
]

/** Replacements of a lane take one more than they give. */
const REPLACES = [0x17, 0x1a, 0x1c, 0x1e, 0x20, 0x22]

/** Of the vector instructions from 94 on, those that take one vector alone. */
const UNARY = [
  0x5e, 0x5f, 0x60, 0x61, 0x62, 0x63, 0x64, 0x67, 0x68, 0x69, 0x6a, 0x74, 0x75, 0x7a, 0x7c, 0x7d,
  0x7e, 0x7f, 0x80, 0x81, 0x83, 0x84, 0x87, 0x88, 0x89, 0x8a, 0x94, 0xa0, 0xa1, 0xa3, 0xa4, 0xa7,
  0xa8, 0xa9, 0xaa, 0xc0, 0xc1, 0xc3, 0xc4, 0xc7, 0xc8, 0xc9, 0xca, 0xe0, 0xe1, 0xe3, 0xec, 0xed,
  0xef,
]

/** One byte for each code, and for each behind the prefixes 0xfb to 0xfe: code is looked up millions of times. */
const TABLE = new Int8Array(5 * 256)
const FIRST_PREFIXED = 0xfa00

function place(code: number): number {
  return code < 0x100 ? code : code - FIRST_PREFIXED
}

function list(from: number, to: number, effect: number): void {
  for (let code = from; code <= to; code++) TABLE[place(code)] = effect
}

for (const [from, to, effect] of EFFECTS) list(from, to, effect)
for (const code of REPLACES) list(VECTOR + code, VECTOR + code, -1)
for (const code of UNARY) list(VECTOR + code, VECTOR + code, 0)

export function stackEffect(code: number): number {
  return TABLE[place(code)] ?? 0
}

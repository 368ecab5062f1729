/**
 * Fuel write: a function's body with its points rewritten.
 *
 * Owns: the instructions that charge fuel and room. Does not own: where they stand (fuel-scan.ts).
 *
 * Invariant FW1. Every sequence leaves the stack as it found it, and its blocks hold no code of the guest,
 * so that the guest's types and labels stay what they were.
 */

import type { Writer } from '../writer.ts'
import { type FunctionScan, MEMORY_GROW, type Point, type PointKind } from './fuel-scan.ts'
import { CANONICAL_NAN, type CoreModule } from './module.ts'

/** The counter's value says why the guest was stopped (meter.ts); later charges leave it in its range. */
export const STOPPED_BY_MEMORY_LIMIT = -(2n ** 62n)
export const STOPPED_BY_HOST_MEMORY = -(2n ** 61n)

/** What counters begin with: more than anybody can use up. */
export const UNLIMITED = 2n ** 62n

/** Two globals stand behind those that the module imports: fuel, and room for growth in bytes. */
export const ADDED_GLOBAL_COUNT = 2
const PAGE_SHIFT = 16
/**
 * An element of a table that code changes is charged as much room as 256 bytes of a memory: to save it, or to set it back,
 * takes the host some 200 ns, as long as it takes for those.
 */
const ELEMENT_SHIFT = 8
/** The same. Units: bytes. */
export const CHANGING_ELEMENT_SIZE_BYTES = 2 ** ELEMENT_SHIFT

/** Points whose code needs no local for an operand. */
const WITHOUT_COUNT: ReadonlySet<PointKind> = new Set(['charge', 'global', 'float'])

/** Writes one function's body with its points rewritten. */
export class FunctionWriter {
  readonly #out: Writer
  readonly #bytes: Uint8Array
  readonly #module: CoreModule
  readonly #scan: FunctionScan
  /** Of memories, by index. Units: pages. */
  readonly #pagesMax: readonly number[]
  readonly #fuel: number
  readonly #room: number
  /** Locals of our own: an i64 and an i32. */
  readonly #wide: number
  readonly #count: number

  constructor(
    out: Writer,
    bytes: Uint8Array,
    module: CoreModule,
    scan: FunctionScan,
    pagesMax: readonly number[],
  ) {
    this.#out = out
    this.#bytes = bytes
    this.#module = module
    this.#scan = scan
    this.#pagesMax = pagesMax
    this.#fuel = module.globalImportCount
    this.#room = module.globalImportCount + 1
    this.#wide = scan.localCount
    this.#count = this.#wide + 1
  }

  run(): void {
    const { points, localsEnd, end } = this.#scan
    this.#locals()
    let from = localsEnd
    for (const point of points) {
      if (point.kind === 'charge' && point.value === 0) continue
      this.#out.bytes(this.#bytes.subarray(from, point.at))
      from = point.end
      this.#point(point)
    }
    this.#out.bytes(this.#bytes.subarray(from, end))
  }

  #locals(): void {
    const { localsAt, localsEnd, localGroupCount, points } = this.#scan
    const needsCount = points.some(({ kind }) => !WITHOUT_COUNT.has(kind))
    this.#out.u32(localGroupCount + (needsCount ? 2 : 1))
    let skip = localsAt
    while ((this.#bytes[skip++] ?? 0) >= 0x80);
    this.#out.bytes(this.#bytes.subarray(skip, localsEnd))
    this.#out.code(0x01, 0x7e)
    if (needsCount) this.#out.code(0x01, 0x7f)
  }

  #point({ kind, value }: Point): void {
    switch (kind) {
      case 'charge':
        this.#get(this.#fuel)
        this.#out.code(0x42)
        this.#out.signed(value)
        this.#charge()
        return
      case 'global':
        this.#out.u32(this.#shifted(value))
        return
      case 'float':
        this.#canonical(value)
        return
      case 'operand':
        this.#chargeOperand(value)
        return
      case 'memory.grow':
        this.#memoryGrow(value)
        return
      case 'table.grow':
        this.#toRoom(ELEMENT_SHIFT)
        this.#takeRoom()
    }
  }

  #shifted(global: number): number {
    return global < this.#module.globalImportCount ? global : global + ADDED_GLOBAL_COUNT
  }

  /** FU6. if (global != global) global = NaN */
  #canonical(index: number): void {
    const type = this.#module.floats.get(index) ?? 'f64'
    const global = this.#shifted(index)
    this.#get(global)
    this.#get(global)
    this.#out.code(type === 'f32' ? 0x5c : 0x62, 0x04, 0x40, type === 'f32' ? 0x43 : 0x44)
    this.#out.code(...CANONICAL_NAN[type])
    this.#set(global)
    this.#out.code(0x0b)
  }

  #get(global: number): void {
    this.#out.code(0x23)
    this.#out.u32(global)
  }

  #set(global: number): void {
    this.#out.code(0x24)
    this.#out.u32(global)
  }

  /** `local.get` 0x20, `local.set` 0x21, `local.tee` 0x22. */
  #local(code: number, local: number): void {
    this.#out.code(code)
    this.#out.u32(local)
  }

  /** With fuel and cost on the stack: i64.sub, keep it, trap when it is below 0. */
  #charge(): void {
    this.#out.code(0x7d)
    this.#local(0x22, this.#wide)
    this.#set(this.#fuel)
    this.#local(0x20, this.#wide)
    this.#out.code(0x42, 0x00, 0x53, 0x04, 0x40, 0x00, 0x0b)
  }

  /** The operand is on the stack, and stays there. */
  #chargeOperand(shift: number): void {
    this.#local(0x22, this.#count)
    this.#get(this.#fuel)
    this.#local(0x20, this.#count)
    this.#out.code(0xad, 0x42)
    this.#out.signed(Math.abs(shift))
    this.#out.code(shift < 0 ? 0x88 : 0x86)
    this.#charge()
  }

  #stop(reason: bigint): void {
    this.#out.code(0x42)
    this.#out.signed(reason)
    this.#set(this.#fuel)
    this.#out.code(0x00)
  }

  /** The room that `count` units take, into `wide`. */
  #toRoom(shift: number): void {
    this.#local(0x20, this.#count)
    this.#out.code(0xad, 0x42, shift, 0x86)
    this.#local(0x21, this.#wide)
  }

  /** if (wide > room) stop; room -= wide */
  #takeRoom(): void {
    this.#local(0x20, this.#wide)
    this.#get(this.#room)
    this.#out.code(0x55, 0x04, 0x40)
    this.#stop(STOPPED_BY_MEMORY_LIMIT)
    this.#out.code(0x0b)
    this.#get(this.#room)
    this.#local(0x20, this.#wide)
    this.#out.code(0x7d)
    this.#set(this.#room)
  }

  /** FU5. The number of pages is on the stack; the old size, or -1, takes its place. */
  #memoryGrow(memory: number): void {
    const out = this.#out
    this.#local(0x21, this.#count)
    out.code(0x02, 0x7f)
    // if (count == 0) return memory.size: an engine makes a new buffer for it, and may collect garbage each time.
    this.#local(0x20, this.#count)
    out.code(0x45, 0x04, 0x40, 0x3f)
    out.u32(memory)
    out.code(0x0c, 0x01, 0x0b)
    // if (count > its maximum - memory.size) return -1
    this.#local(0x20, this.#count)
    out.code(0x41)
    out.signed(this.#pagesMax[memory] ?? 0)
    out.code(0x3f)
    out.u32(memory)
    out.code(0x6b, 0x4b, 0x04, 0x40, 0x41, 0x7f, 0x0c, 0x01, 0x0b)
    this.#toRoom(PAGE_SHIFT)
    this.#takeRoom()
    this.#local(0x20, this.#count)
    out.code(MEMORY_GROW)
    out.u32(memory)
    this.#local(0x22, this.#count)
    out.code(0x41, 0x7f, 0x46, 0x04, 0x40)
    this.#stop(STOPPED_BY_HOST_MEMORY)
    out.code(0x0b)
    this.#local(0x20, this.#count)
    out.code(0x0b)
  }
}

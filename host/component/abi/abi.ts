/**
 * Abi: the run-time context in which values are lifted and lowered: a memory and its allocator.
 *
 * Owns: views of the memory, `cabi_realloc`, the budget of a call. Does not own: values (lift-*.ts,
 * lower-*.ts), calls (call.ts, trampoline.ts).
 *
 * Invariants:
 *   A1. No view outlives a growth of its memory: whoever ran guest code calls `refresh` before it looks at
 *       memory again. A grown memory detaches its old buffer, whose views then have length 0.
 *   A2. Every pointer from the guest is checked for alignment and bounds before it is followed.
 *   A3. One call lifts at most what the meter allows, VALUE_SIZE_MAX_BYTES at most, counted by what the values take in this process, so
 *       that a guest whose lists overlap in its memory cannot exhaust the host's.
 *   A4. While `realloc` or `post-return` runs, the guest may not call out.
 *
 * Source: CanonicalABI.md, "Lifting and Lowering Context".
 */
import { VALUE_SIZE_MAX_BYTES } from '../../base/limits.ts'
import { LIFTED_BYTE_COST, LIST_COST, MADE_BYTE_COST, type Meter } from '../core/meter.ts'
import type { ArrayKind, NumberArray } from '../values/numbers.ts'
import type { HandleTable } from './handles.ts'
import { AbiTrap, trap } from './trap.ts'

export { AbiTrap, trap }

/** One per component instance. Source: CanonicalABI.md, "Component Instances". */
export interface Guard {
  mayLeave: boolean
  entered: boolean
}

export type CoreFunction = (...args: unknown[]) => unknown

const NO_MEMORY = Buffer.alloc(0)
const NO_VIEW = new DataView(NO_MEMORY.buffer, 0, 0)

export class Abi {
  readonly guard: Guard
  readonly handles: HandleTable
  #memory: WebAssembly.Memory | null = null
  #realloc: CoreFunction | null = null
  u8: Buffer = NO_MEMORY
  view: DataView = NO_VIEW
  #arrays: (NumberArray | undefined)[] | null = null
  /** Second result of lowering a string or list: its length as the guest counts it. */
  length = 0
  /** What the call may still lift (A3). Units: bytes. */
  budget = VALUE_SIZE_MAX_BYTES
  /** What the lists of the lift cost beside their bytes. Units: fuel. */
  #made = 0

  readonly #meter: Meter

  constructor(guard: Guard, handles: HandleTable, meter: Meter) {
    this.guard = guard
    this.handles = handles
    this.#meter = meter
  }

  /** Gives it what it works on, before anything is lifted or lowered. */
  bind(memory: WebAssembly.Memory | null, realloc: CoreFunction | null): void {
    this.#memory = memory
    this.#realloc = realloc
  }

  /** Makes the views current (A1). */
  refresh(): void {
    if (this.u8.length === 0 && this.#memory !== null) {
      const { buffer } = this.#memory
      this.u8 = Buffer.from(buffer)
      this.view = new DataView(buffer)
      this.#arrays = null
    }
  }

  /** The whole memory as an array of one kind of number. */
  array({ slot, Class }: ArrayKind): NumberArray {
    this.#arrays ??= []
    let array = this.#arrays[slot]
    if (array === undefined) {
      array = new Class(this.u8.buffer)
      this.#arrays[slot] = array
    }
    return array
  }

  /** Starts a lift: views current, budget full. */
  begin(): void {
    this.refresh()
    this.budget = this.#meter.valueSizeMaxBytes
    this.#made = 0
  }

  /** What the lift costs. Units: fuel. */
  get cost(): number {
    return (this.#meter.valueSizeMaxBytes - this.budget) * LIFTED_BYTE_COST + this.#made
  }

  /** Counts a list whose items are made one by one, and take so much together; 0 for one that is copied. */
  countList(itemsSizeBytes: number): void {
    this.#made += LIST_COST + MADE_BYTE_COST * itemsSizeBytes
  }

  /** Calls `realloc(0, 0, align, size)` and checks its answer: "Storing", `store_list_into_range`. */
  allocate(align: number, size: number): number {
    const realloc = this.#realloc
    if (realloc === null) return trap('realloc is missing')
    this.guard.mayLeave = false
    const pointer = (realloc(0, 0, align, size) as number) >>> 0
    this.guard.mayLeave = true
    this.refresh()
    if (pointer % align !== 0)
      trap(`realloc returned ${pointer}, which is not aligned to ${align} bytes`)
    if (pointer + size > this.u8.length)
      trap(`realloc returned ${pointer} for ${size} bytes, beyond memory of ${this.u8.length}`)
    return pointer
  }

  /** Checks a range that the guest named: "Loading", `load_list_from_range`. */
  checkRange(what: string, pointer: number, align: number, sizeBytes: number): void {
    if (pointer % align !== 0)
      trap(`pointer ${pointer} of a ${what} is not aligned to ${align} bytes`)
    if (pointer + sizeBytes > this.u8.length)
      trap(`${what} at ${pointer} of ${sizeBytes} bytes ends beyond memory of ${this.u8.length}`)
  }

  spend(what: string, sizeBytes: number): void {
    this.budget -= sizeBytes
    if (this.budget < 0) {
      const limit = this.#meter.valueSizeMaxBytes
      trap(`${what}: the values of a call exceed ${limit} bytes (limits.resultBytesMax)`)
    }
  }
}

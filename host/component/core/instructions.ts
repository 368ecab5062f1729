/**
 * Instructions: a cursor over the code of core functions.
 *
 * Owns: which instructions are known, and the lengths of their immediates.
 * Does not own: what is done with them (fuel.ts); the engine validates them.
 *
 * Invariants:
 *   I1. An instruction that is not known is refused with its name and offset, never passed over: fuel
 *       is charged for what is understood only. Relaxed SIMD and garbage collection are not known.
 *   I2. Each step moves forward, and none passes the end of its function.
 *
 * Source: WebAssembly Core Specification 3.0, "Binary Format", "Instructions"; "Threads" and legacy
 * exception-handling proposals.
 */
import { hex } from '../bytes.ts'
import { featureError, formatError } from '../refuse.ts'

type Immediate = 'none' | 'index' | 'two' | 'memory' | 'block' | 'special'

/** Codes behind a prefix are `prefix << 8 | code`. */
export const BULK = 0xfc00
export const VECTOR = 0xfd00
export const ATOMIC = 0xfe00

const IMMEDIATES: readonly (readonly [from: number, to: number, immediate: Immediate])[] = [
  [0x00, 0x01, 'none'],
  [0x02, 0x04, 'block'],
  [0x05, 0x05, 'none'],
  [0x06, 0x06, 'block'],
  [0x07, 0x09, 'index'], // catch, throw, rethrow
  [0x0a, 0x0b, 'none'],
  [0x0c, 0x0d, 'index'],
  [0x0e, 0x0e, 'special'], // br_table
  [0x0f, 0x0f, 'none'],
  [0x10, 0x10, 'index'],
  [0x11, 0x11, 'two'], // call_indirect
  [0x12, 0x12, 'index'],
  [0x13, 0x13, 'two'],
  [0x14, 0x15, 'index'],
  [0x18, 0x18, 'index'],
  [0x19, 0x1b, 'none'],
  [0x1c, 0x1c, 'special'], // select with types
  [0x1f, 0x1f, 'special'], // try_table
  [0x20, 0x26, 'index'],
  [0x28, 0x3e, 'memory'],
  [0x3f, 0x42, 'index'],
  [0x43, 0x44, 'special'], // f32.const, f64.const
  [0x45, 0xc4, 'none'],
  [0xd0, 0xd0, 'index'],
  [0xd1, 0xd1, 'none'],
  [0xd2, 0xd2, 'index'],
  [0xd3, 0xd4, 'none'],
  [0xd5, 0xd6, 'index'],
  [BULK + 0, BULK + 7, 'none'],
  [BULK + 8, BULK + 8, 'two'],
  [BULK + 9, BULK + 9, 'index'],
  [BULK + 10, BULK + 10, 'two'],
  [BULK + 11, BULK + 11, 'index'],
  [BULK + 12, BULK + 12, 'two'],
  [BULK + 13, BULK + 13, 'index'],
  [BULK + 14, BULK + 14, 'two'],
  [BULK + 15, BULK + 17, 'index'],
  [VECTOR + 0, VECTOR + 11, 'memory'],
  [VECTOR + 12, VECTOR + 13, 'special'],
  [VECTOR + 14, VECTOR + 20, 'none'],
  [VECTOR + 21, VECTOR + 34, 'special'], // lanes
  [VECTOR + 35, VECTOR + 83, 'none'],
  [VECTOR + 84, VECTOR + 91, 'special'], // memory and lane
  [VECTOR + 92, VECTOR + 93, 'memory'],
  [VECTOR + 94, VECTOR + 255, 'none'],
  [ATOMIC + 0, ATOMIC + 2, 'memory'],
  [ATOMIC + 3, ATOMIC + 3, 'special'],
  [ATOMIC + 0x10, ATOMIC + 0x4e, 'memory'],
]

/** Codes of vector instructions that stand for nothing. */
const VECTOR_GAPS = [
  0x9a, 0xa2, 0xa5, 0xa6, 0xaf, 0xb0, 0xb2, 0xb3, 0xb4, 0xbb, 0xc2, 0xc5, 0xc6, 0xcf, 0xd0, 0xd2,
  0xd3, 0xd4, 0xe2, 0xee,
]

const TABLE = new Map<number, Immediate>()
for (const [from, to, immediate] of IMMEDIATES)
  for (let code = from; code <= to; code++) TABLE.set(code, immediate)
for (const gap of VECTOR_GAPS) TABLE.delete(VECTOR + gap)
const PLAIN: readonly (Immediate | undefined)[] = Array.from({ length: 256 }, (_, code) =>
  TABLE.get(code),
)

const LEB_SIZE_MAX_BYTES = 10

/** What brought an instruction that is not known, as far as that is clear. */
function proposalOf(prefix: number, rest: number): string {
  if (prefix === 0xfb) return ' (garbage collection)'
  if (prefix === 0xfd && rest >= 0x100) return ' (relaxed SIMD)'
  return prefix === 0xfc && rest >= 0x13 && rest <= 0x16 ? ' (wide arithmetic)' : ''
}

export class InstructionReader {
  readonly bytes: Uint8Array
  at: number
  /** End of what may be read: the section's, then that of each function in turn. */
  end: number
  /** Of the instruction that `next` read: its code, where it begins, its first immediate (of br_table the last). */
  code = 0
  start = 0
  index = 0
  indexAt = 0
  /** Of a block: the index of its type, or how many results it has where it has no parameters. */
  blockType: number | 'none' | 'value' = 'none'
  /** Of br_table: how many labels it names. */
  targetCount = 0

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes
    this.at = start
    this.end = end
  }

  fail(message: string): never {
    throw formatError(`code section: ${message}`, this.at)
  }

  byte(): number {
    if (this.at >= this.end) this.fail('truncated')
    return this.bytes[this.at++] ?? 0
  }

  skip(sizeBytes: number): void {
    if (sizeBytes > this.end - this.at) this.fail('truncated')
    this.at += sizeBytes
  }

  leb(): void {
    for (let size = 0; size < LEB_SIZE_MAX_BYTES; size++) if (this.byte() < 0x80) return
    this.fail('an integer is too long')
  }

  u32(): number {
    let value = this.byte()
    if (value < 0x80) return value
    value &= 0x7f
    for (let factor = 0x80; factor <= 0x1000_0000; factor *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value > 0xffff_ffff ? this.fail('an integer is too large') : value
    }
    return this.fail('an integer is too long')
  }

  /** A count of items of at least one byte each. */
  count(): number {
    const count = this.u32()
    return count > this.end - this.at ? this.fail(`count ${count} exceeds the bytes left`) : count
  }

  /** A value type; references to heap types take an index more. */
  type(): void {
    const code = this.byte()
    if (code === 0x63 || code === 0x64) this.leb()
  }

  /** Reads one instruction. @throws ERR_COMPONENT_FEATURE (I1), ERR_COMPONENT_FORMAT */
  next(): void {
    this.start = this.at
    const code = this.byte()
    this.code = code
    const immediate = code >= 0xfb && code <= 0xfe ? this.#prefixed(code) : PLAIN[code]
    switch (immediate) {
      case 'none':
        return
      case 'index':
        this.#index()
        return
      case 'two':
        this.#index()
        this.leb()
        return
      case 'memory':
        this.#memory()
        return
      case 'block':
        this.#block()
        return
      case 'special':
        this.#special()
        return
      default:
        throw featureError(`instruction ${this.#name()}`, this.start)
    }
  }

  #prefixed(prefix: number): Immediate | undefined {
    const code = this.u32()
    this.code = prefix * 0x100 + code
    return code < 0x100 ? TABLE.get(this.code) : undefined
  }

  #name(): string {
    const { code } = this
    if (code < 0x100)
      return code >= 0xe0 && code <= 0xe6 ? `${hex(code)} (stack switching)` : hex(code)
    const prefix = this.bytes[this.start] ?? 0
    const rest = code - prefix * 0x100
    return `${hex(prefix)} ${hex(rest)}${proposalOf(prefix, rest)}`
  }

  /** Constants are signed and may be longer; their value is not wanted. */
  #index(): void {
    this.indexAt = this.at
    if (this.code === 0x41 || this.code === 0x42 || this.code === 0xd0) this.leb()
    else this.index = this.u32()
  }

  /** Bit 6 of the alignment says that the index of a memory follows. */
  #memory(): void {
    if ((this.u32() & 0x40) !== 0) this.leb()
    this.leb()
  }

  /** One byte with bit 6 is no index: 0x40, or a value type; 0x63 and 0x64 are followed by a heap type. */
  #block(): void {
    const code = this.bytes[this.at] ?? 0
    if (code === 0x40) this.blockType = 'none'
    else if (code >= 0x40 && code < 0x80) this.blockType = 'value'
    else {
      this.blockType = this.u32()
      return
    }
    if (code === 0x63 || code === 0x64) this.at++
    this.leb()
  }

  #special(): void {
    switch (this.code) {
      case 0x0e:
        // The last is the default; all carry as many values.
        this.targetCount = this.count() + 1
        for (let left = this.targetCount; left > 0; left--) this.index = this.u32()
        return
      case 0x1c:
        for (let count = this.count(); count > 0; count--) this.type()
        return
      case 0x1f:
        this.#block()
        for (let count = this.count(); count > 0; count--) {
          if (this.byte() < 2) this.leb()
          this.leb()
        }
        return
      case 0x43:
        this.skip(4)
        return
      case 0x44:
        this.skip(8)
        return
      case VECTOR + 12:
      case VECTOR + 13:
        this.skip(16)
        return
      default:
        if (this.code >= VECTOR + 84 && this.code <= VECTOR + 91) this.#memory()
        this.skip(1)
    }
  }
}

/**
 * Instructions: finds code that changes state which an image does not hold.
 *
 * Owns: the lengths of instructions. Does not own: their meaning beyond that; the engine validates them.
 *
 * Invariants:
 *   I1. What is not known to be harmless is reported: a walk that meets an instruction it does not know says
 *       so and ends there.
 *   I2. The walk is one pass over the code; each step moves forward, and none passes the end.
 *
 * Source: WebAssembly Core Specification, "Binary Format", "Instructions"; threads and exception proposals.
 */
import { hex } from './bytes.ts'
import type { CoreModule } from './module.ts'

const CODE_SECTION = 10

type Immediate = 'none' | 'index' | 'two' | 'memory' | 'block' | 'special'

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
  [0xfc, 0xfe, 'special'], // bulk memory, vectors, atomics
]

const TABLE: readonly (Immediate | undefined)[] = Array.from(
  { length: 256 },
  (_, code) => IMMEDIATES.find(([from, to]) => code >= from && code <= to)?.[2],
)

const TABLE_SET = 0x26
const BULK: readonly (readonly [count: number, hidden: string | null])[] = [
  [2, null], // memory.init
  [1, 'drops a data segment (data.drop)'],
  [2, null], // memory.copy
  [1, null], // memory.fill
  [2, 'changes a table (table.init)'],
  [1, 'drops an element segment (elem.drop)'],
  [2, 'changes a table (table.copy)'],
  [1, 'changes a table (table.grow)'],
  [1, null], // table.size
  [1, 'changes a table (table.fill)'],
]
const BULK_FIRST = 8

/** What `module` changes besides memories and globals; in words, empty when nothing. */
export function findHiddenState(binary: Uint8Array, module: CoreModule): string[] {
  const section = module.sections.find(({ id }) => id === CODE_SECTION)
  if (section === undefined) return []
  const walk = new Walk(binary, section.payload, section.end)
  walk.code()
  return [...walk.hidden]
}

class Walk {
  readonly hidden = new Set<string>()
  readonly #bytes: Uint8Array
  readonly #end: number
  #at: number

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  /** `codesec`: per function its size, its locals, its instructions. */
  code(): void {
    let count = this.#number()
    for (; count > 0 && this.#at < this.#end; count--) {
      const end = Math.min(this.#number() + this.#at, this.#end)
      for (let locals = this.#number(); locals > 0 && this.#at < end; locals--) {
        this.#leb()
        this.#type()
      }
      while (this.#at < end) if (!this.#instruction()) return
      this.#at = end
    }
  }

  #byte(): number {
    return this.#bytes[this.#at++] ?? 0
  }

  #leb(): void {
    while (this.#at < this.#end && this.#byte() >= 0x80);
  }

  #number(): number {
    let value = 0
    for (let factor = 1; this.#at < this.#end; factor *= 128) {
      const byte = this.#byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) break
    }
    return value
  }

  /** A value type; references to heap types take an index more. */
  #type(): void {
    const code = this.#byte()
    if (code === 0x63 || code === 0x64) this.#leb()
  }

  #memory(): void {
    // Bit 6 of the alignment says that the index of a memory follows.
    if ((this.#number() & 0x40) !== 0) this.#leb()
    this.#leb()
  }

  #unknown(code: number, prefix = ''): boolean {
    this.hidden.add(
      `has code of a proposal that is not known here (instruction ${prefix}${hex(code)})`,
    )
    return false
  }

  /** Passes over one instruction; false when it is not known. */
  #instruction(): boolean {
    const code = this.#byte()
    if (code === TABLE_SET) this.hidden.add('changes a table (table.set)')
    switch (TABLE[code]) {
      case 'none':
        return true
      case 'two':
        this.#leb()
        this.#leb()
        return true
      case 'index':
        this.#leb()
        return true
      case 'memory':
        this.#memory()
        return true
      case 'block':
        if (this.#bytes[this.#at] === 0x63 || this.#bytes[this.#at] === 0x64) this.#at++
        this.#leb()
        return true
      case 'special':
        return this.#special(code)
      default:
        return this.#unknown(code)
    }
  }

  #special(code: number): boolean {
    switch (code) {
      case 0x0e:
        for (let count = this.#number(); count >= 0 && this.#at < this.#end; count--) this.#leb()
        return true
      case 0x1c:
        for (let count = this.#number(); count > 0 && this.#at < this.#end; count--) this.#type()
        return true
      case 0x1f:
        return this.#tryTable()
      case 0x43:
        this.#at += 4
        return true
      case 0x44:
        this.#at += 8
        return true
      case 0xfc:
        return this.#bulk()
      case 0xfd:
        return this.#vector()
      default:
        // Atomics: all but the fence have a memory argument.
        if (this.#number() === 0x03) this.#at++
        else this.#memory()
        return true
    }
  }

  #tryTable(): boolean {
    if (this.#bytes[this.#at] === 0x63 || this.#bytes[this.#at] === 0x64) this.#at++
    this.#leb()
    for (let count = this.#number(); count > 0 && this.#at < this.#end; count--) {
      if (this.#byte() < 2) this.#leb()
      this.#leb()
    }
    return true
  }

  #bulk(): boolean {
    const code = this.#number()
    if (code < BULK_FIRST) return true
    const row = BULK[code - BULK_FIRST]
    if (row === undefined) return this.#unknown(code, '0xfc ')
    const [count, hidden] = row
    if (hidden !== null) this.hidden.add(hidden)
    for (let index = 0; index < count; index++) this.#leb()
    return true
  }

  #vector(): boolean {
    const code = this.#number()
    if (code <= 11 || code === 92 || code === 93) this.#memory()
    else if (code === 12 || code === 13) this.#at += 16
    else if (code >= 21 && code <= 34) this.#at++
    else if (code >= 84 && code <= 91) {
      this.#memory()
      this.#at++
    }
    return true
  }
}

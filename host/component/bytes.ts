/**
 * Bytes: a cursor over a WebAssembly binary.
 *
 * Owns: LEB128, names, vectors, and the bounds of each.
 * Does not own: what the bytes mean (decode.ts, module.ts).
 *
 * Invariants:
 *   B1. No read passes `end`; a lying length is refused where it is read, with its byte offset.
 *   B2. A vector's count is at most the number of bytes left, so no loop or allocation is longer than
 *       the binary itself; and all vectors together have at most ITEM_COUNT_MAX items.
 */
import { formatError } from './refuse.ts'

const NAME_DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const LEB_U32_SIZE_MAX_BYTES = 5
const LEB_U64_SIZE_MAX_BYTES = 10

/** Items of all vectors of one binary. StarlingMonkey has 30,000; an item takes about 100 B of heap. */
const ITEM_COUNT_MAX = 1_000_000

export class Reader {
  readonly bytes: Uint8Array
  readonly end: number
  position: number
  readonly #items: { count: number }

  constructor(bytes: Uint8Array, position = 0, end = bytes.length, items = { count: 0 }) {
    this.bytes = bytes
    this.position = position
    this.end = end
    this.#items = items
  }

  get done(): boolean {
    return this.position >= this.end
  }

  get remaining(): number {
    return this.end - this.position
  }

  fail(message: string, offset = this.position): never {
    throw formatError(message, offset)
  }

  peek(): number {
    return this.position < this.end ? (this.bytes[this.position] ?? -1) : -1
  }

  byte(what: string): number {
    if (this.position >= this.end) this.fail(`truncated: ${what} is missing`)
    return this.bytes[this.position++] ?? 0
  }

  expect(value: number, what: string): void {
    const offset = this.position
    const got = this.byte(what)
    if (got !== value) this.fail(`${what}: expected ${hex(value)}, got ${hex(got)}`, offset)
  }

  skip(sizeBytes: number, what: string): void {
    if (sizeBytes > this.remaining)
      this.fail(`truncated: ${what} needs ${sizeBytes} bytes, ${this.remaining} are left`)
    this.position += sizeBytes
  }

  /** Core "Integers": unsigned LEB128 of at most 32 bits, in at most 5 bytes. */
  u32(what: string): number {
    const start = this.position
    let value = 0
    for (let index = 0; index < LEB_U32_SIZE_MAX_BYTES; index++) {
      const byte = this.byte(what)
      if (index === LEB_U32_SIZE_MAX_BYTES - 1 && byte > 0x0f)
        this.fail(`${what}: the integer has more than 32 bits`, start)
      value += (byte & 0x7f) * 2 ** (7 * index)
      if (byte < 0x80) return value
    }
    return this.fail(`${what}: the integer has more than 32 bits`, start)
  }

  /** Skips a LEB128 integer of up to 64 bits, signed or not. */
  skipLeb(what: string): void {
    const start = this.position
    for (let index = 0; index < LEB_U64_SIZE_MAX_BYTES; index++) if (this.byte(what) < 0x80) return
    this.fail(`${what}: the integer is too long`, start)
  }

  /** The count of a vector whose items take at least one byte each (B2). */
  count(what: string): number {
    const start = this.position
    const count = this.u32(what)
    if (count > this.remaining)
      this.fail(`${what}: count ${count} exceeds the ${this.remaining} bytes left`, start)
    return count
  }

  /** Counts items towards the limit of the binary (B2). */
  spend(count: number, what: string, offset = this.position): void {
    this.#items.count += count
    if (this.#items.count > ITEM_COUNT_MAX)
      this.fail(`${what}: more than ${ITEM_COUNT_MAX} items in one binary`, offset)
  }

  vector<Item>(what: string, item: (index: number) => Item): Item[] {
    const start = this.position
    const count = this.count(what)
    this.spend(count, what, start)
    const items: Item[] = []
    for (let index = 0; index < count; index++) items.push(item(index))
    return items
  }

  name(what: string): string {
    const start = this.position
    const size = this.count(what)
    const from = this.position
    this.position += size
    try {
      return NAME_DECODER.decode(this.bytes.subarray(from, from + size))
    } catch {
      return this.fail(`${what}: the name is not UTF-8`, start)
    }
  }

  /** A reader over the next `sizeBytes` bytes, which this reader passes over. */
  section(sizeBytes: number, what: string): Reader {
    const start = this.position
    this.skip(sizeBytes, what)
    return new Reader(this.bytes, start, this.position, this.#items)
  }
}

export function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`
}

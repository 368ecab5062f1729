/**
 * Reading WebAssembly binaries.
 *
 * Owns: integers, names, vectors and custom sections.
 * Does not own: what the sections mean (wit-decode.ts).
 */

export class BinaryReader {
  readonly #bytes: Uint8Array
  offset: number

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes
    this.offset = offset
  }

  get atEnd(): boolean {
    return this.offset >= this.#bytes.length
  }

  byte(): number {
    const byte = this.#bytes[this.offset]
    if (byte === undefined) throw new Error('the binary ends early')
    this.offset += 1
    return byte
  }

  unsigned(): number {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
  }

  signed(): number {
    let value = 0
    for (let shift = 0; ; ) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      shift += 7
      if (byte < 0x80) return shift < 32 && (byte & 0x40) !== 0 ? value | (-1 << shift) : value
    }
  }

  name(): string {
    const length = this.unsigned()
    return new TextDecoder().decode(this.take(length))
  }

  take(length: number): Uint8Array {
    const bytes = this.#bytes.subarray(this.offset, this.offset + length)
    this.offset += length
    return bytes
  }

  vector<T>(read: () => T): T[] {
    const items: T[] = []
    for (let left = this.unsigned(); left > 0; left -= 1) items.push(read())
    return items
  }

  optional<T>(read: () => T): T | null {
    return this.byte() === 0 ? null : read()
  }
}

/** Bytes before the first section: magic and version. */
export const HEADER_SIZE = 8
const CUSTOM_SECTION = 0

/** Contents of the custom section `name`. */
export function customSection(bytes: Uint8Array, name: string): Uint8Array {
  const reader = new BinaryReader(bytes, HEADER_SIZE)
  while (!reader.atEnd) {
    const id = reader.byte()
    const section = reader.take(reader.unsigned())
    if (id !== CUSTOM_SECTION) continue
    const inner = new BinaryReader(section)
    if (inner.name() === name) return section.subarray(inner.offset)
  }
  throw new Error(`the module has no section '${name}'`)
}

/**
 * Writer: bytes of a WebAssembly binary that is being made.
 *
 * Owns: growth, LEB128. Does not own: what the bytes mean (instrument.ts, fuel.ts).
 */
const SIZE_FIRST_BYTES = 256

export class Writer {
  #bytes: Uint8Array
  #size = 0

  constructor(sizeBytes = SIZE_FIRST_BYTES) {
    this.#bytes = new Uint8Array(Math.max(sizeBytes, SIZE_FIRST_BYTES))
  }

  /** What was written; valid until the next write. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#size)
  }

  clear(): void {
    this.#size = 0
  }

  byte(value: number): void {
    if (this.#size === this.#bytes.length) this.#grow(1)
    this.#bytes[this.#size++] = value
  }

  bytes(values: Uint8Array): void {
    if (this.#size + values.length > this.#bytes.length) this.#grow(values.length)
    this.#bytes.set(values, this.#size)
    this.#size += values.length
  }

  /** Opcodes and small immediates. */
  code(...values: number[]): void {
    for (const value of values) this.byte(value)
  }

  /** Core "Integers": unsigned LEB128. */
  u32(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.byte(rest)
  }

  /** Core "Integers": signed LEB128. */
  signed(value: bigint | number): void {
    let rest = BigInt(value)
    for (;;) {
      const low = Number(rest & 0x7fn)
      rest >>= 7n
      const isLast = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40)
      this.byte(isLast ? low : low | 0x80)
      if (isLast) return
    }
  }

  name(text: string): void {
    const bytes = Buffer.from(text, 'utf8')
    this.u32(bytes.length)
    this.bytes(bytes)
  }

  #grow(sizeBytes: number): void {
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#size + sizeBytes))
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}

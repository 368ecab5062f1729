/**
 * Writing the parts of a WebAssembly binary.
 */

export function unsigned(value: number): number[] {
  const bytes: number[] = []
  let left = value >>> 0
  do {
    const low = left & 0x7f
    left >>>= 7
    bytes.push(left === 0 ? low : low | 0x80)
  } while (left !== 0)
  return bytes
}

/** A signed integer of 64 bits or fewer. */
export function signed(value: number | bigint): number[] {
  const bytes: number[] = []
  let left = BigInt(value)
  for (;;) {
    const low = Number(left & 0x7fn)
    left >>= 7n
    const isLast = (left === 0n && (low & 0x40) === 0) || (left === -1n && (low & 0x40) !== 0)
    bytes.push(isLast ? low : low | 0x80)
    if (isLast) return bytes
  }
}

/** A count and as many bytes. */
export function vector(bytes: readonly number[]): number[] {
  return [...unsigned(bytes.length), ...bytes]
}

export function name(text: string): number[] {
  return vector([...new TextEncoder().encode(text)])
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

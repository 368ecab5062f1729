/**
 * Plain values: numbers, texts, booleans, and arrays of them, read from MessagePack without a library.
 *
 * Owns: speed. Most entries hold nothing else, and recovery reads every entry of a suffix.
 * Does not own: the format (values.ts), of which it reads a part; what it does not know is left to msgpackr.
 *
 * Invariant PV1: what `readPlain` returns is what `unpackValue` returns (a property test compares them).
 *
 * Source: MessagePack specification, "Formats" (2013-04-21).
 */

/** `readPlain` met something that it does not read. */
export const NOT_PLAIN = Symbol('not plain')

/** Texts are mostly method names, keys and codes, the same ones again and again. */
const TEXT_CACHE_SLOTS = 256
const TEXT_CACHED_SIZE_MAX_BYTES = 64

/** Of the entry of a turn without effects (codec.ts). */
const TURN_CELL_COUNT = 8

interface CachedText {
  readonly bytes: Uint8Array
  readonly text: string
}

const texts: (CachedText | undefined)[] = new Array(TEXT_CACHE_SLOTS).fill(undefined)

let source: Uint8Array = new Uint8Array(0)
let at = 0
let known = true

/** Eight bytes in the machine's own order (little-endian on everything that Node runs on but s390x). */
const scratch = new Uint8Array(8)
const asFloat = new Float64Array(scratch.buffer)
const asInteger = new BigInt64Array(scratch.buffer)
/** Where MessagePack's last byte belongs: number 7 of the eight on a big-endian machine, 0 on others. */
const LAST = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 7 : 0

/** The one value that `bytes` hold from `start` to their end, or NOT_PLAIN. */
export function readPlain(bytes: Uint8Array, start: number): unknown {
  source = bytes
  at = start
  known = true
  const value = read()
  source = EMPTY
  return known && at === bytes.length ? value : NOT_PLAIN
}

const EMPTY = new Uint8Array(0)

function read(): unknown {
  const head = source[at++] ?? 0xc1
  if (head < 0x80) return head
  if (head >= 0xe0) return head - 0x100
  if (head >= 0xa0 && head < 0xc0) return readText(head & 0x1f)
  if (head >= 0x90 && head < 0xa0) return readArray(head & 0x0f)
  switch (head) {
    case 0xc0:
      return null
    case 0xc2:
      return false
    case 0xc3:
      return true
    case 0xcb:
      return readFloat()
    case 0xcc:
      return readUnsigned(1)
    case 0xcd:
      return readUnsigned(2)
    case 0xce:
      return readUnsigned(4)
    case 0xcf:
      return BigInt.asUintN(64, read64())
    case 0xd3:
      return read64()
    case 0xd4:
      return readUndefined()
    case 0xd9:
      return readText(readUnsigned(1))
    case 0xda:
      return readText(readUnsigned(2))
    case 0xdc:
      return readArray(readUnsigned(2))
    default:
      return unknown()
  }
}

function unknown(): undefined {
  known = false
  at = source.length
  return undefined
}

function readUnsigned(size: number): number {
  let value = 0
  for (let index = 0; index < size; index++) value = value * 256 + (source[at++] ?? 0)
  return value
}

// Written out, as `readArray` is: most of what an entry holds passes here.
function take64(): void {
  const from = at
  at += 8
  scratch[0 ^ LAST] = source[from] ?? 0
  scratch[1 ^ LAST] = source[from + 1] ?? 0
  scratch[2 ^ LAST] = source[from + 2] ?? 0
  scratch[3 ^ LAST] = source[from + 3] ?? 0
  scratch[4 ^ LAST] = source[from + 4] ?? 0
  scratch[5 ^ LAST] = source[from + 5] ?? 0
  scratch[6 ^ LAST] = source[from + 6] ?? 0
  scratch[7 ^ LAST] = source[from + 7] ?? 0
}

function readFloat(): number | undefined {
  take64()
  return asFloat[0]
}

function read64(): bigint {
  take64()
  return asInteger[0] ?? 0n
}

/** Extension 0 with one byte: what undefined is written as. */
function readUndefined(): undefined {
  if (source[at] !== 0 || source[at + 1] !== 0) return unknown()
  at += 2
  return undefined
}

function readArray(length: number): unknown {
  if (length > source.length - at) return unknown()
  // An array that grows is moved three times until it holds the cells of a turn.
  switch (length) {
    case 0:
      return []
    case 1:
      return [read()]
    case 2:
      return [read(), read()]
    case TURN_CELL_COUNT:
      return [read(), read(), read(), read(), read(), read(), read(), read()]
  }
  const items: unknown[] = []
  for (let index = 0; index < length && known; index++) items.push(read())
  return items
}

/** Of plain ASCII only: anything else is decoded by msgpackr. */
function readText(size: number): string | undefined {
  const end = at + size
  if (end > source.length) return unknown()
  if (size === 0) return ''
  if (size > TEXT_CACHED_SIZE_MAX_BYTES) return decodeAscii(end)
  const slot = (size * 31 + (source[at] ?? 0) * 7 + (source[end - 1] ?? 0)) % TEXT_CACHE_SLOTS
  const cached = texts[slot]
  if (cached !== undefined && isHere(cached.bytes, size)) {
    at = end
    return cached.text
  }
  const bytes = source.slice(at, end)
  const text = decodeAscii(end)
  if (text !== undefined) texts[slot] = { bytes, text }
  return text
}

function isHere(bytes: Uint8Array, size: number): boolean {
  if (bytes.length !== size) return false
  for (let index = 0; index < size; index++) if (bytes[index] !== source[at + index]) return false
  return true
}

function decodeAscii(end: number): string | undefined {
  for (let index = at; index < end; index++) if ((source[index] ?? 0) >= 0x80) return unknown()
  const { buffer, byteOffset } = source
  const text = Buffer.from(buffer, byteOffset + at, end - at).toString('latin1')
  at = end
  return text
}

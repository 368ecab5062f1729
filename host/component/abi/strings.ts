/**
 * Strings: between JavaScript and the three encodings of the Canonical ABI.
 *
 * Owns: encodings, the fast path for each length, refusal of ill-formed text.
 * Does not own: where pointer and length are kept (lift-*.ts, lower-*.ts).
 *
 * Invariants:
 *   ST1. What a guest returns is decoded strictly: ill-formed bytes and lone surrogates trap.
 *   ST2. What the host passes is well-formed already (arguments.ts), so encoding cannot fail.
 *
 * The thresholds were measured on Node 20: a call into the runtime costs as much as looking at 6 to 16
 * characters; strings beyond 512 KiB would be made external, which costs ten times a copy, hence chunks.
 *
 * Source: CanonicalABI.md, "Loading" (`load_string_from_range`), "Storing" (`store_string_into_range`).
 */
import { isAscii, isUtf8 } from 'node:buffer'
import type { StringEncoding } from '../binary/ast.ts'
import { type Abi, trap } from './abi.ts'

const DECODE_LOOP_MAX = 6
const ENCODE_LOOP_MAX = 16
const DECODE_SLICE_MAX = 512
const UTF16_CHUNK_SIZE_BYTES = 16_384
/** `utf16_tag`: set in the length of a `latin1+utf16` string that is UTF-16. */
const UTF16_TAG = 0x8000_0000
/** `MAX_STRING_BYTE_LENGTH` is 2^28 - 1; the budget of a call (abi.ts A3) is lower still. */
const REPLACEMENT = '\ufffd'

/** Reads the string of `tagged` code units at `pointer`. */
export type LoadString = (abi: Abi, pointer: number, tagged: number) => string
/** Writes a string, returns its pointer and leaves its tagged length in `abi.length`. */
export type StoreString = (abi: Abi, text: string) => number

export const LOAD_STRING: Readonly<Record<StringEncoding, LoadString>> = {
  utf8: loadUtf8,
  utf16: loadUtf16,
  'latin1+utf16': (abi, pointer, tagged) =>
    tagged >= UTF16_TAG
      ? loadUtf16(abi, pointer, tagged - UTF16_TAG)
      : loadLatin1(abi, pointer, tagged),
}

export const STORE_STRING: Readonly<Record<StringEncoding, StoreString>> = {
  utf8: storeUtf8,
  utf16: storeUtf16,
  'latin1+utf16': storeLatin1OrUtf16,
}

function loadUtf8(abi: Abi, pointer: number, size: number): string {
  abi.checkRange('string', pointer, 1, size)
  const { u8 } = abi
  const end = pointer + size
  if (size <= DECODE_LOOP_MAX) {
    let text = ''
    let at = pointer
    for (; at < end; at++) {
      const byte = u8[at] ?? 0
      if (byte > 0x7f) break
      text += String.fromCharCode(byte)
    }
    if (at === end) return text
  }
  abi.spend('string', size)
  if (size <= DECODE_SLICE_MAX) {
    const text = u8.toString('utf8', pointer, end)
    // The lenient decoder marks every error; only then is it worth asking whether it was one.
    if (!text.includes(REPLACEMENT)) return text
  }
  const bytes = new Uint8Array(u8.buffer, pointer, size)
  if (isAscii(bytes)) return u8.toString('latin1', pointer, end)
  if (!isUtf8(bytes)) trap(`string at ${pointer} of ${size} bytes is not UTF-8`)
  return u8.toString('utf8', pointer, end)
}

function loadLatin1(abi: Abi, pointer: number, size: number): string {
  abi.checkRange('string', pointer, 2, size)
  abi.spend('string', size)
  return abi.u8.toString('latin1', pointer, pointer + size)
}

function loadUtf16(abi: Abi, pointer: number, length: number): string {
  const size = 2 * length
  abi.checkRange('string', pointer, 2, size)
  abi.spend('string', size)
  const end = pointer + size
  let text = ''
  for (let from = pointer; from < end; from += UTF16_CHUNK_SIZE_BYTES)
    text += abi.u8.toString('utf16le', from, Math.min(end, from + UTF16_CHUNK_SIZE_BYTES))
  if (!text.isWellFormed())
    trap(`string at ${pointer} of ${length} code units has a lone surrogate`)
  return text
}

function storeUtf8(abi: Abi, text: string): number {
  const { length } = text
  if (length <= ENCODE_LOOP_MAX && isAsciiText(text)) {
    const pointer = abi.allocate(1, length)
    const { u8 } = abi
    for (let index = 0; index < length; index++) u8[pointer + index] = text.charCodeAt(index)
    abi.length = length
    return pointer
  }
  const size = Buffer.byteLength(text, 'utf8')
  const pointer = abi.allocate(1, size)
  // Same size means ASCII, which the Latin-1 writer copies twice as fast.
  abi.u8.write(text, pointer, size, size === length ? 'latin1' : 'utf8')
  abi.length = size
  return pointer
}

function isAsciiText(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false
  return true
}

function storeUtf16(abi: Abi, text: string): number {
  const { length } = text
  const pointer = abi.allocate(2, 2 * length)
  if (length <= ENCODE_LOOP_MAX) {
    const { view } = abi
    for (let index = 0; index < length; index++)
      view.setUint16(pointer + 2 * index, text.charCodeAt(index), true)
  } else abi.u8.write(text, pointer, 2 * length, 'utf16le')
  abi.length = length
  return pointer
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is Latin-1
const LATIN1 = /^[\u0000-\u00ff]*$/

function storeLatin1OrUtf16(abi: Abi, text: string): number {
  const { length } = text
  if (!LATIN1.test(text)) {
    const pointer = storeUtf16(abi, text)
    abi.length = length + UTF16_TAG
    return pointer
  }
  const pointer = abi.allocate(2, length)
  abi.u8.write(text, pointer, length, 'latin1')
  abi.length = length
  return pointer
}

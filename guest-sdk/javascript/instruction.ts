/**
 * Instructions: where a function's code calls another one.
 *
 * Owns: the lengths of the instructions of WebAssembly 2.0 without vectors, and of tail calls.
 *
 * Invariant IN1: an instruction that is not known throws. Nothing is passed over by guessing.
 *
 * Source: WebAssembly Core Specification 3.0, "Binary Format", "Instructions".
 */
import { BinaryReader } from '../assemblyscript/binary-reader.ts'

const CALL = 0x10
const RETURN_CALL = 0x12
const BULK = 0xfc

/** Immediates by instruction: numbers of LEB128 integers; `block`, `table` and `bytes` are of their own kind. */
type Immediate = number | 'block' | 'table' | 'types' | 'f32' | 'f64'

function immediateOf(code: number): Immediate | null {
  if (code <= 0x01 || code === 0x05 || code === 0x0b || code === 0x0f) return 0
  if (code <= 0x04) return code >= 0x02 ? 'block' : null
  if (code === 0x0c || code === 0x0d) return 1
  if (code === 0x0e) return 'table'
  if (code === 0x11 || code === 0x13) return 2
  if (code === 0x1a || code === 0x1b) return 0
  if (code === 0x1c) return 'types'
  if (code >= 0x20 && code <= 0x26) return 1
  if (code >= 0x28 && code <= 0x3e) return 2
  if (code >= 0x3f && code <= 0x42) return 1
  if (code === 0x43) return 'f32'
  if (code === 0x44) return 'f64'
  if (code >= 0x45 && code <= 0xc4) return 0
  if (code === 0xd0 || code === 0xd2) return 1
  return code === 0xd1 ? 0 : null
}

/** Integers behind the codes of prefix 0xfc: conversions, then bulk memory. */
const BULK_IMMEDIATES = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1]

/** One LEB128 integer, of any width. */
function skipInteger(reader: BinaryReader): void {
  while (reader.byte() >= 0x80);
}

function skip(reader: BinaryReader, immediate: Immediate): void {
  if (immediate === 'f32' || immediate === 'f64') reader.take(immediate === 'f32' ? 4 : 8)
  else if (immediate === 'types') reader.take(reader.unsigned())
  else if (immediate === 'table')
    for (let left = reader.unsigned() + 1; left > 0; left--) skipInteger(reader)
  else for (let left = immediate === 'block' ? 1 : immediate; left > 0; left--) skipInteger(reader)
}

export interface CallTarget {
  /** Index of the called function. */
  readonly target: number
  /** Where the index lies in the body. */
  readonly from: number
  readonly to: number
}

/** The calls in a function's body. */
export function callTargets(body: Uint8Array): CallTarget[] {
  const reader = new BinaryReader(body)
  const found: CallTarget[] = []
  reader.vector(() => {
    reader.unsigned()
    reader.byte()
  })
  while (!reader.atEnd) {
    const at = reader.offset
    const code = reader.byte()
    if (code === CALL || code === RETURN_CALL) {
      const from = reader.offset
      found.push({ target: reader.unsigned(), from, to: reader.offset })
      continue
    }
    const bulk = code === BULK ? reader.unsigned() : 0
    const immediate = code === BULK ? BULK_IMMEDIATES[bulk] : immediateOf(code)
    if (immediate === null || immediate === undefined)
      throw new Error(`an unknown instruction 0x${code.toString(16)} at ${at}`)
    skip(reader, immediate)
  }
  return found
}

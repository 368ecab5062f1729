/**
 * Plain writer: numbers, texts, booleans, arrays and records of them, written as MessagePack without a library.
 *
 * Owns: speed. Most entries hold nothing else, and every turn writes one. Does not own: the format (values.ts), of which
 * it writes a part; what it does not know is left to msgpackr.
 *
 * Invariant PW1: the bytes are those that msgpackr writes (a property test compares them), so that no journal tells who
 * wrote it.
 *
 * Source: MessagePack specification, "Formats" (2013-04-21); what msgpackr chooses where that leaves a choice: 64-bit
 * integers are signed while they fit, records are maps with a 16-bit count, undefined is extension 0 of one byte.
 */

/** Larger values hold what is not plain sooner or later, and would be written twice. */
const SIZE_MAX_BYTES = 1_024
/** Values are written one behind the other, each a part of what is allocated at once. */
const CHUNK_SIZE_BYTES = 16 * 1_024
/** The largest cell but for texts: a head and eight bytes. */
const CELL_SIZE_BYTES = 9
const TEXT_HEAD_SIZE_BYTES = 2
const TEXT_LENGTH_MAX = 0xff
const ARRAY_LENGTH_MAX = 0x0f
const MAP_HEAD_SIZE_BYTES = 3
const DEPTH_MAX = 16

let target = new Uint8Array(0)
let view = new DataView(target.buffer)
let at = 0
/** Where the value that is written must end. */
let end = 0
let known = true
let depth = 0

/** `value` behind `headerSize` bytes that the caller fills in; null when it is not plain, or large. */
export function writePlain(value: unknown, headerSize: number): Uint8Array | null {
  if (target.length - at < SIZE_MAX_BYTES) {
    target = new Uint8Array(Buffer.allocUnsafeSlow(CHUNK_SIZE_BYTES).buffer)
    view = new DataView(target.buffer)
    at = 0
  }
  const start = at
  at += headerSize
  end = start + SIZE_MAX_BYTES
  known = true
  depth = 0
  write(value)
  if (known) return new Uint8Array(target.buffer, start, at - start)
  at = start
  return null
}

function write(value: unknown): void {
  if (at + CELL_SIZE_BYTES > end) {
    known = false
    return
  }
  switch (typeof value) {
    case 'string':
      writeText(value)
      break
    case 'number':
      writeNumber(value)
      break
    case 'boolean':
      target[at++] = value ? 0xc3 : 0xc2
      break
    case 'bigint':
      writeBigInt(value)
      break
    case 'undefined':
      target[at++] = 0xd4
      target[at++] = 0
      target[at++] = 0
      break
    case 'object':
      if (value === null) target[at++] = 0xc0
      else writeObject(value)
      break
    default:
      known = false
  }
}

/** Of ASCII only: anything else is encoded by msgpackr. */
function writeText(text: string): void {
  const { length } = text
  if (length > TEXT_LENGTH_MAX || at + TEXT_HEAD_SIZE_BYTES + length > end) {
    known = false
    return
  }
  if (length < 0x20) target[at++] = 0xa0 | length
  else {
    target[at++] = 0xd9
    target[at++] = length
  }
  let ored = 0
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index)
    ored |= unit
    target[at++] = unit
  }
  if (ored >= 0x80) known = false
}

function writeNumber(value: number): void {
  if (value >>> 0 === value) {
    // -0 has a form of its own (values.ts).
    if (value === 0 && Object.is(value, -0)) known = false
    writeUnsigned(value)
  } else if (value >> 0 === value) writeNegative(value)
  else {
    target[at] = 0xcb
    view.setFloat64(at + 1, value)
    at += 9
  }
}

function writeUnsigned(value: number): void {
  if (value < 0x80) target[at++] = value
  else if (value < 0x100) {
    target[at++] = 0xcc
    target[at++] = value
  } else if (value < 0x10000) {
    target[at++] = 0xcd
    target[at++] = value >> 8
    target[at++] = value
  } else {
    target[at] = 0xce
    view.setUint32(at + 1, value)
    at += 5
  }
}

function writeNegative(value: number): void {
  if (value >= -0x20) target[at++] = value
  else if (value >= -0x80) {
    target[at++] = 0xd0
    target[at++] = value
  } else if (value >= -0x8000) {
    target[at] = 0xd1
    view.setInt16(at + 1, value)
    at += 3
  } else {
    target[at] = 0xd2
    view.setInt32(at + 1, value)
    at += 5
  }
}

function writeBigInt(value: bigint): void {
  if (BigInt.asIntN(64, value) === value) {
    target[at] = 0xd3
    view.setBigInt64(at + 1, value)
  } else if (BigInt.asUintN(64, value) === value) {
    target[at] = 0xcf
    view.setBigUint64(at + 1, value)
  } else known = false
  at += 9
}

function writeObject(value: object): void {
  const kind = value.constructor
  depth++
  if (depth > DEPTH_MAX || !known) known = false
  else if (kind === Array) writeArray(value as readonly unknown[])
  else if (kind === Object) writeRecord(value as Readonly<Record<string, unknown>>)
  else known = false
  depth--
}

function writeArray(items: readonly unknown[]): void {
  const { length } = items
  if (length > ARRAY_LENGTH_MAX) {
    known = false
    return
  }
  target[at++] = 0x90 | length
  for (let index = 0; index < length; index++) write(items[index])
}

function writeRecord(record: Readonly<Record<string, unknown>>): void {
  const head = at
  at += MAP_HEAD_SIZE_BYTES
  let count = 0
  for (const key in record) {
    if (!Object.hasOwn(record, key)) continue
    // msgpackr would ask the record itself which keys are its own.
    if (!known || key === 'hasOwnProperty') {
      known = false
      return
    }
    writeText(key)
    write(record[key])
    count++
  }
  target[head] = 0xde
  target[head + 1] = count >> 8
  target[head + 2] = count
}

/**
 * Values in the journal: JavaScript values of WIT types as MessagePack.
 *
 * Owns: exactness. `unpackValue(packValue(v))` is `v`, for every value of a WIT type: 64-bit integers
 * stay bigint, typed arrays keep their class and bits, -0 stays -0, undefined stays undefined.
 * Does not own: which values are allowed (component/ has checked them).
 *
 * MessagePack is self-describing: a journal can be read without the component that wrote it.
 */
import { isDeepStrictEqual } from 'node:util'
import { addExtension, Packr, RESERVE_START_SPACE } from 'msgpackr'
import { crc32 } from '../base/checksum.ts'
import { copyPlain, NOT_COPIED } from './plain-copy.ts'
import { NOT_PLAIN, readPlain } from './plain-values.ts'
import { writePlain } from './plain-writer.ts'

/** msgpackr writes -0 as the integer 0; this stands in for it. */
class NegativeZero {}
const NEGATIVE_ZERO = new NegativeZero()
const NEGATIVE_ZERO_EXTENSION = 0x01

addExtension({
  Class: NegativeZero,
  type: NEGATIVE_ZERO_EXTENSION,
  pack: () => new Uint8Array(0),
  unpack: () => -0,
} as never)

const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  moreTypes: true,
  copyBuffers: true,
  useBigIntExtension: true,
})

function holdsNegativeZero(value: unknown): boolean {
  if (typeof value === 'number') return value === 0 && Object.is(value, -0)
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false
  if (Array.isArray(value)) {
    for (const item of value) if (holdsNegativeZero(item)) return true
    return false
  }
  for (const key in value) if (holdsNegativeZero(value[key as never])) return true
  return false
}

function replaceNegativeZero(value: unknown): unknown {
  if (Object.is(value, -0)) return NEGATIVE_ZERO
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  if (Array.isArray(value)) return value.map(replaceNegativeZero)
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, replaceNegativeZero(item)]),
  )
}

/** `value` with every -0 replaced by what `unpackValue` turns back; the same object when it has none. */
function guardNegativeZero(value: unknown): unknown {
  return holdsNegativeZero(value) ? replaceNegativeZero(value) : value
}

export function packValue(value: unknown): Uint8Array {
  return writePlain(value, 0) ?? packAny(value)
}

/** As `packValue`, with `headerSize` free bytes before it. */
export function packAfterHeader(value: unknown, headerSize: number): Uint8Array {
  const plain = writePlain(value, headerSize)
  if (plain !== null) return plain
  return packr.pack(guardNegativeZero(value), (RESERVE_START_SPACE + headerSize) as never)
}

/** As `packValue`, by the library alone: what plain values are compared with. */
export function packAny(value: unknown): Uint8Array {
  return packr.pack(guardNegativeZero(value))
}

/** Reads what `packValue` wrote, from `start` on. */
export function unpackValue(bytes: Uint8Array, start = 0): unknown {
  const plain = bytes.length - start <= PLAIN_SIZE_MAX_BYTES ? readPlain(bytes, start) : NOT_PLAIN
  return plain === NOT_PLAIN ? packr.unpack(bytes, { start }) : plain
}

/** As `unpackValue`, by the library alone: what plain values are compared with. */
export function unpackAny(bytes: Uint8Array, start = 0): unknown {
  return packr.unpack(bytes, { start })
}

/** Larger values hold what is not plain sooner or later, and would be read twice. */
const PLAIN_SIZE_MAX_BYTES = 1_024

/**
 * A copy of plain data as the journal gives it back: lone surrogates are replaced, keys are text.
 * Records have no key `__proto__`: MessagePack is read without it. `unkept` throws, unless it is about what was done
 * already: former builds called that key `__proto_`.
 * @throws what structuredClone and MessagePack refuse (functions, circular structures), and what `unkept` throws.
 */
export function asJournaled(value: unknown, unkept: Unkept = REFUSED): unknown {
  const copy = copyPlain(value)
  return copy === NOT_COPIED ? asJournaledAny(value, unkept) : copy
}

/** What becomes of a value that no journal holds as it is. */
export interface Unkept {
  refuse(reason: string): void
}

export const REFUSED: Unkept = {
  refuse(reason) {
    throw new TypeError(reason)
  },
}

/** As former builds did. */
export const RENAMED: Unkept = { refuse() {} }

/** As `asJournaled`, the long way: what plain copies are compared with. */
export function asJournaledAny(value: unknown, unkept: Unkept = REFUSED): unknown {
  const clone = structuredClone(value)
  const bytes = packValue(clone)
  if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(UNKEPT_KEY))
    if (holdsUnkept(clone)) unkept.refuse(`a record cannot have the key "${UNKEPT_KEY}"`)
  return unpackValue(bytes)
}

const UNKEPT_KEY = '__proto__'

/** Of what could be packed, so there is no circle. Maps come back as records. */
function holdsUnkept(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false
  if (value instanceof Map) return value.has(UNKEPT_KEY) || holdsUnkept([...value.values()])
  if (value instanceof Set) return holdsUnkept([...value])
  return Object.hasOwn(value, UNKEPT_KEY) || Object.values(value).some(holdsUnkept)
}

/** A copy of what the journal gave back. */
export function copyJournaled<T>(value: T): T {
  const copy = copyPlain(value)
  return copy === NOT_COPIED ? structuredClone(value) : (copy as T)
}

/** Whether the journal holds the same for both: also where Node calls them different, as two invalid dates. */
export function isSameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b) || isDeepStrictEqual(a, b)) return true
  return Buffer.compare(packValue(a), packValue(b)) === 0
}

const NO_ARGUMENTS_HASH = 0

/** Hash of a host call's arguments (J4). */
export function hashArguments(args: readonly unknown[]): number {
  return args.length === 0 ? NO_ARGUMENTS_HASH : crc32(packValue(args))
}

/**
 * Recorded size: what a host call takes in a journal entry, before there is one.
 *
 * Owns: a close lower bound of it. Does not own: the bytes (journal/values.ts), how much is too much (recorder.ts R6).
 *
 * Invariant RS1. It is never more than the journal's bytes of the same call, so that nothing is refused that fits; and
 * not less than a third of them, so that what is too large is noticed before the host has spent its memory and time on it.
 */
import type { WitValue } from '../component/wit/wit.ts'

/** A call is an array of three. */
const CALL_HEAD_SIZE_BYTES = 1
const WORD_SIZE_BYTES = 5
const WIDE_SIZE_BYTES = 9
const UNDEFINED_SIZE_BYTES = 3

/** Units: bytes. */
export function recordedSize(target: string, argsHash: number, result: WitValue): number {
  return CALL_HEAD_SIZE_BYTES + textSize(target) + numberSize(argsHash) + valueSize(result)
}

/** Texts outside of ASCII take up to three times as much. */
function textSize({ length }: string): number {
  return length < 0x20 ? 1 + length : 2 + length
}

function numberSize(value: number): number {
  if (value >>> 0 !== value && value >> 0 !== value) return WIDE_SIZE_BYTES
  if (value >= -0x20 && value < 0x80) return 1
  return Math.abs(value) < 0x10000 ? 2 : WORD_SIZE_BYTES
}

function valueSize(value: WitValue): number {
  switch (typeof value) {
    case 'string':
      return textSize(value)
    case 'number':
      return numberSize(value)
    case 'bigint':
      return WIDE_SIZE_BYTES
    case 'object':
      return value === null ? 1 : objectSize(value)
    case 'undefined':
      return UNDEFINED_SIZE_BYTES
    default:
      return 1
  }
}

/** A record has the names of its fields in the journal, each time. */
function objectSize(value: object): number {
  if (ArrayBuffer.isView(value)) return 2 + value.byteLength
  let size = 1
  if (Array.isArray(value)) for (const item of value) size += valueSize(item as WitValue)
  else
    for (const [name, item] of Object.entries(value))
      size += textSize(name) + valueSize(item as WitValue)
  return size
}

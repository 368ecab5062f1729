/**
 * Decode, canonical definitions: lifted and lowered functions and resource built-ins.
 *
 * Owns: `canon` and its options. Does not own: whether the options suffice for a type (signature.ts).
 *
 * Source: Component Model Binary.md, "Canonical Definitions"; CanonicalABI.md, "`canonopt` Validation".
 */

import { hex, type Reader } from '../bytes.ts'
import { featureError } from '../refuse.ts'
import type { CanonOptions, Definition, StringEncoding } from './ast.ts'

const ENCODINGS: readonly StringEncoding[] = ['utf8', 'utf16', 'latin1+utf16']

/** Built-ins of asynchrony and threads, by ranges of opcodes. */
const UNSUPPORTED: readonly (readonly [from: number, to: number, feature: string])[] = [
  [0x05, 0x05, 'canon task.cancel (async)'],
  [0x06, 0x06, 'canon subtask.cancel (async)'],
  [0x07, 0x07, 'canon resource.drop async'],
  [0x08, 0x08, 'canon backpressure.set (async)'],
  [0x09, 0x09, 'canon task.return (async)'],
  [0x0a, 0x0b, 'canon context (async)'],
  [0x0c, 0x0c, 'canon thread.yield (async)'],
  [0x0d, 0x0d, 'canon subtask.drop (async)'],
  [0x0e, 0x14, 'canon stream'],
  [0x15, 0x1b, 'canon future'],
  [0x1c, 0x1e, 'canon error-context'],
  [0x1f, 0x23, 'canon waitable (async)'],
  [0x24, 0x25, 'canon backpressure (async)'],
  [0x26, 0x2d, 'canon thread'],
  [0x40, 0x42, 'canon thread'],
]

/** `canon`. */
export function readCanon(reader: Reader): Definition {
  const offset = reader.position
  const code = reader.byte('canonical definition')
  switch (code) {
    case 0x00: {
      reader.expect(0x00, 'sort of a lifted function')
      const coreFunc = reader.u32('core function index')
      const options = readOptions(reader, true)
      return { kind: 'lift', offset, coreFunc, options, type: reader.u32('type index') }
    }
    case 0x01: {
      reader.expect(0x00, 'sort of a lowered function')
      const func = reader.u32('function index')
      return { kind: 'lower', offset, func, options: readOptions(reader, false) }
    }
    case 0x02:
      return { kind: 'resource-new', offset, type: reader.u32('type index') }
    case 0x03:
      return { kind: 'resource-drop', offset, type: reader.u32('type index') }
    case 0x04:
      return { kind: 'resource-rep', offset, type: reader.u32('type index') }
    default: {
      const row = UNSUPPORTED.find(([from, to]) => code >= from && code <= to)
      if (row !== undefined) throw featureError(row[2], offset)
      return reader.fail(`unknown canonical definition ${hex(code)}`, offset)
    }
  }
}

/** `opts`: each at most once. */
function readOptions(reader: Reader, isLift: boolean): CanonOptions {
  let encoding: StringEncoding | null = null
  let memory: number | null = null
  let realloc: number | null = null
  let postReturn: number | null = null
  reader.vector('canonical option', () => {
    const offset = reader.position
    const code = reader.byte('canonical option')
    const once = (value: unknown): void => {
      if (value !== null) reader.fail(`canonical option ${hex(code)} stands twice`, offset)
    }
    switch (code) {
      case 0x00:
      case 0x01:
      case 0x02:
        once(encoding)
        encoding = ENCODINGS[code] ?? null
        return
      case 0x03:
        once(memory)
        memory = reader.u32('core memory index')
        return
      case 0x04:
        once(realloc)
        realloc = reader.u32('core function index')
        return
      case 0x05:
        once(postReturn)
        if (!isLift) reader.fail('post-return belongs to lifted functions only', offset)
        postReturn = reader.u32('core function index')
        return
      case 0x06:
        throw featureError('async lifting or lowering', offset)
      case 0x07:
        throw featureError('async callback', offset)
      case 0x08:
      case 0x09:
        throw featureError('lifting or lowering of garbage-collected values', offset)
      default:
        reader.fail(`unknown canonical option ${hex(code)}`, offset)
    }
  })
  if (realloc !== null && memory === null) reader.fail('realloc is given without memory')
  return { encoding: encoding ?? 'utf8', memory, realloc, postReturn }
}

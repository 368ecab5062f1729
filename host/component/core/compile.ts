/**
 * Compile: core modules through the engine.
 *
 * Owns: what an engine must be told first, and what it must not be given. Does not own: what is compiled (instrument.ts).
 */
import { setFlagsFromString } from 'node:v8'
import { featureError, formatError } from '../refuse.ts'
import { METERED_SIZE_MAX_BYTES, type MeteredCode } from './fuel.ts'

/**
 * WebAssembly 3.0, "Constant Expressions": V8 before 11.4, and so Node 20, has `i32.add` and the like behind
 * a flag. Position-independent code needs them, such as that of JavaScript engines linked from libraries.
 */
const EXTENDED_CONSTANTS = '--experimental-wasm-extended-const'

/** What older engines say of features that newer ones have: the component is none the worse. */
const LACKING: readonly (readonly [RegExp, string])[] = [
  [
    /At most one memory is supported|memory count of \d+ exceeds/,
    'more than one memory (this engine)',
  ],
  [/non-imported globals cannot be used in constant/, 'a constant of an own global (this engine)'],
  [/invalid value type 0x40\b/, 'a table with an initial value (this engine)'],
  [/enable with --experimental-wasm/, 'a later WebAssembly proposal (this engine)'],
  [/Invalid opcode 0x(?:1f|0a)\b/, 'exceptions with references (this engine)'],
]

/**
 * An engine compiles a function when it is first called, on the host's thread, and ends the process when there is no room
 * for more code. Compilers make code that is some 1 for each byte, 5 where they do not optimise; one unit takes up to 60 ns.
 */
const WORK_FREE = 50_000_000
const WORK_PER_BYTE = 8

/** Refuses code that is small, and endless to a compiler. @throws ERR_COMPONENT_FEATURE */
export function checkWork(metered: readonly MeteredCode[]): void {
  let work = 0
  let size = 0
  for (const { functions, work: added } of metered) {
    work += added
    size += functions?.length ?? 0
  }
  if (size > METERED_SIZE_MAX_BYTES || work > WORK_FREE + WORK_PER_BYTE * size)
    throw featureError('code that takes a compiler out of all proportion to its size')
}

/** @throws ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE */
export async function compileModule(bytes: Uint8Array): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes)
  } catch (error) {
    const lacking = LACKING.find(([pattern]) => pattern.test(reasonOf(error)))
    if (lacking !== undefined) throw featureError(lacking[1])
    if (reasonOf(error).includes('not allowed in constant expressions')) {
      setFlagsFromString(EXTENDED_CONSTANTS)
      return await WebAssembly.compile(bytes).catch(refuse)
    }
    return refuse(error)
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function refuse(error: unknown): never {
  throw formatError(`a core module does not compile: ${reasonOf(error)}`)
}

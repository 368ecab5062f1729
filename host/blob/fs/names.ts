/**
 * Names of blobs, and the file names they are kept under.
 *
 * Invariant BN1: a checked name maps to one file name that holds no separator, does not start with a
 * dot and is at most 255 bytes; two names never map to the same file.
 */
import { LoomError } from '../../base/errors.ts'

/** The longest file name that all common file systems take. */
const FILE_NAME_SIZE_MAX_BYTES = 255

// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing control characters is the aim
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\\]/

/** @throws ERR_NAME */
export function checkBlobName(value: unknown): asserts value is string {
  if (typeof value === 'string' && value.isWellFormed() && !FORBIDDEN.test(value)) {
    const segments = value.split('/')
    const safe = segments.every((segment) => segment.length > 0 && !segment.startsWith('.'))
    if (safe && fileNameOf(value).length <= FILE_NAME_SIZE_MAX_BYTES) return
  }
  throw new LoomError(
    'ERR_NAME',
    `blob name ${JSON.stringify(String(value).slice(0, 80))}: expected segments joined by "/", none empty, none starting with ".", without "\\" or control characters, at most ${FILE_NAME_SIZE_MAX_BYTES} bytes`,
  )
}

/** `types/Counter` as `types%2FCounter`: flat, so that a name may be a prefix of another. */
export function fileNameOf(name: string): string {
  return encodeURIComponent(name)
}

/** The name behind a file, or null when the file is not a name (a leftover of a crash, a stranger). */
export function nameOf(fileName: string): string | null {
  try {
    const name = decodeURIComponent(fileName)
    checkBlobName(name)
    return fileNameOf(name) === fileName ? name : null
  } catch {
    return null
  }
}

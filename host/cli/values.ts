/**
 * Values on the command line.
 */
import type { JsonValue } from '../runtime/api.ts'

const INTEGER = /^-?(0|[1-9][0-9]*)$/

/**
 * An argument as JSON if it parses, else as a string: `5`, `true`, `[1,2]`, `hello`, `'"5"'`.
 *
 * An integer beyond 2^53 stays a string of its digits, which is how u64 and s64 take such values; parsed
 * as a JSON number it would lose digits.
 */
export function parseCallArgument(text: string): JsonValue {
  if (INTEGER.test(text) && !Number.isSafeInteger(Number(text))) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

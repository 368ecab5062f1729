/**
 * Mistakes in the author's classes.
 *
 * Owns: turning a node of the syntax tree and a message into a mistake with its place.
 */
import type { Mistake } from './errors.ts'
import { MistakeFound } from './errors.ts'
import type { AssemblyScript } from './toolchain.ts'

/** Where a range begins, with the path as the compiler knows it: relative to the actor's folder. */
export function mistakeAt(range: AssemblyScript.Range | null, message: string): Mistake {
  if (!range) return { message, file: '', line: 1, column: 1 }
  const line = range.source.lineAt(range.start)
  return { message, file: range.source.normalizedPath, line, column: range.source.columnAt() }
}

/** Stops the reading of the current method. */
export function refuse(node: AssemblyScript.Node, message: string): never {
  throw new MistakeFound(mistakeAt(node.range, message))
}

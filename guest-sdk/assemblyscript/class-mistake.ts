/**
 * Mistakes in the author's classes.
 *
 * Owns: turning a node of the syntax tree and a message into a mistake. Its file is the path as the
 * compiler knows it: relative to the actor's folder.
 */
import { MistakeFound } from './errors.ts'
import { placeAt } from './text-place.ts'
import type { AssemblyScript } from './toolchain.ts'

/** Stops the reading of the current method. */
export function refuse(node: AssemblyScript.Node, message: string): never {
  const { source, start } = node.range
  const file = source.normalizedPath
  throw new MistakeFound({ message, file, ...placeAt(source.text, start) })
}

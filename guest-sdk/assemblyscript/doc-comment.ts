/**
 * Doc comments.
 *
 * Owns: the text of the comment before a declaration, which becomes WIT documentation.
 */
import type { AssemblyScript } from './toolchain.ts'

const COMMENT_BEFORE =
  /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:\/\/[^\n]*\s*|@\w+(?:\([^)]*\))?\s*|(?:export|public|readonly|abstract|override)\s+)*$/

/** The text, one line per line, without asterisks; empty when there is none. */
export function docComment(declaration: AssemblyScript.Node): string {
  const { source, start } = declaration.range
  const [, body = ''] = COMMENT_BEFORE.exec(source.text.slice(0, start)) ?? []
  return body
    .split('\n')
    .map((line) => line.replace(/^\s*\*?\s?/, '').trimEnd())
    .join('\n')
    .trim()
}

/**
 * Where in the author's sources a line of the script comes from.
 *
 * Owns: reading an engine's stack trace with the script's source map, at build time; runtime/place.js does it in actors.
 */
import { SourceMap } from 'node:module'

export interface ScriptMap {
  /** The author's files, relative to the folder; null for what is not the author's. */
  readonly sources: readonly (string | null)[]
  readonly mappings: string
}

/** 1-based. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

const FRAME = /:(\d+):(\d+)\)?$/
/** StarlingMonkey's bindings. */
const BINDINGS = 'initializer.js'

/** The author's frame that is nearest to where the error was made; null where there is none. */
export function placeInStack(stack: string, { sources, mappings }: ScriptMap): Place | null {
  const map = new SourceMap({
    version: 3,
    file: '',
    sources: sources.map((_, index) => String(index)),
    sourcesContent: [],
    names: [],
    mappings,
    sourceRoot: '',
  })
  for (const frame of stack.split('\n')) {
    const [, line, column] = FRAME.exec(frame.trim()) ?? []
    if (line === undefined || frame.includes(BINDINGS)) continue
    const entry = map.findEntry(Number(line) - 1, Number(column) - 1)
    const file = 'originalSource' in entry ? sources[Number(entry.originalSource)] : null
    if (file && 'originalLine' in entry)
      return { file, line: entry.originalLine + 1, column: entry.originalColumn + 1 }
  }
  return null
}

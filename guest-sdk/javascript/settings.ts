/**
 * What an author's package.json says of actors: `"loom": { "engine": "starlingmonkey" }`.
 *
 * Owns: which file counts, and its checks. Does not own: what an engine is (evaluation.ts).
 *
 * Invariant: what is not known is refused, never ignored.
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { mistakeOf } from '../assemblyscript/actor-folder.ts'
import { ENGINES, type Engine, isEngine } from './evaluation.ts'

const FILE = 'package.json'
const DEFAULT: Engine = 'quickjs'

/** The nearest one of the folder and those above it. */
function nearest(dir: string): string | null {
  for (let at = dir; ; at = path.dirname(at)) {
    const file = path.join(at, FILE)
    if (existsSync(file)) return file
    if (path.dirname(at) === at) return null
  }
}

/** The engine of the actors in `dir`. @throws BuildError */
export function readEngine(dir: string): Engine {
  const file = nearest(dir)
  if (file === null) return DEFAULT
  const { loom = {} } = parse(file) as { readonly loom?: Readonly<Record<string, unknown>> }
  if (loom === null || typeof loom !== 'object') throw mistakeOf(file, '"loom": expected an object')
  const unknown = Object.keys(loom).find((name) => name !== 'engine')
  if (unknown !== undefined)
    throw mistakeOf(file, `"loom" has '${unknown}', which is not known; expected: engine`)
  const { engine = DEFAULT } = loom
  if (isEngine(engine)) return engine
  throw mistakeOf(file, `"loom.engine" is '${engine}'; expected one of ${ENGINES.join(', ')}`)
}

function parse(file: string): object {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as object
  } catch (error) {
    throw mistakeOf(file, (error as Error).message)
  }
}

/**
 * Where in the author's sources an error was made.
 *
 * Owns: the author's part of the script's source map (own-places.ts), and reading the engine's stack traces with it.
 */
import { isOfScript } from './engine.js'

let sources = []
let lines = {}

/** Called behind the end of the script, by which its map is known. */
globalThis.__loomPlaces = (own) => {
  ;({ sources, lines } = own)
  delete globalThis.__loomPlaces
}

/** The place of a line and column, 1-based, of the script; null where it is none of the author's. */
function original(line, column) {
  let [generated, source, row, at] = [0, 0, 0, 0]
  let found = null
  for (const segment of lines[line]?.split(' ') ?? []) {
    const [across, bySource, byRow, byColumn] = segment.split(',').map(Number)
    generated += across
    source += bySource
    row += byRow
    at += byColumn
    if (generated < column) found = { file: sources[source], line: row + 1, column: at + 1 }
  }
  return found?.file ? found : null
}

const FRAME = /:(\d+):(\d+)\)?$/

/** The author's frame that is nearest to the error; what has none, or is no error, has no place. */
export function placeOf(error) {
  for (const frame of String(error?.stack ?? '').split('\n')) {
    const [, line, column] = (isOfScript(frame) && FRAME.exec(frame)) || []
    const place = line === undefined ? null : original(Number(line), Number(column))
    if (place !== null) return place
  }
  return { file: '', line: 0, column: 0 }
}

/**
 * Where in the author's sources an error was made.
 *
 * Owns: the source map of the script, and reading the engine's stack traces with it.
 */
import { isOfScript } from './engine.js'

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

let sources = []
let mappings = ''

/** Called behind the end of the script, by which its map is known. */
globalThis.__loomPlaces = (paths, map) => {
  sources = paths
  mappings = map
  delete globalThis.__loomPlaces
}

/** Numbers of one segment of a source map, which are differences. */
function decode(segment) {
  const numbers = []
  let value = 0
  let shift = 0
  for (const digit of segment) {
    const bits = DIGITS.indexOf(digit)
    value += (bits & 31) << shift
    shift += 5
    if (bits >= 32) continue
    numbers.push(value & 1 ? -(value >> 1) : value >> 1)
    value = shift = 0
  }
  return numbers
}

/** The place of a line and column, 1-based, of the script; null where it is none of the author's. */
function original(line, column) {
  let [source, row, at] = [0, 0, 0]
  let found = null
  for (const [index, text] of mappings.split(';').slice(0, line).entries()) {
    let generated = 0
    for (const segment of text === '' ? [] : text.split(',')) {
      const [across, bySource = 0, byRow = 0, byColumn = 0] = decode(segment)
      generated += across
      source += bySource
      row += byRow
      at += byColumn
      if (index === line - 1 && generated < column)
        found = { file: sources[source], line: row + 1, column: at + 1 }
    }
  }
  return found?.file ? found : null
}

const FRAME = /:(\d+):(\d+)\)?$/

/** The author's frame that is nearest to the error. */
export function placeOf(error) {
  for (const frame of String(error?.stack ?? '').split('\n')) {
    const [, line, column] = (isOfScript(frame) && FRAME.exec(frame)) || []
    const place = line === undefined ? null : original(Number(line), Number(column))
    if (place !== null) return place
  }
  return { file: sources.find((file) => file) ?? '', line: 1, column: 1 }
}

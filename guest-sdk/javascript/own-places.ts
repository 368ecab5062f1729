/**
 * The part of a script's source map that an actor carries.
 *
 * Owns: taking the author's lines out of the whole map, and the form in which runtime/place.js reads them.
 *
 * Invariants:
 *   OP1. A line is read without those before it: an error in an actor with large packages costs no more fuel than one in
 *        a small actor.
 *   OP2. Lines that are not the author's are not there.
 */
import type { ScriptMap } from './stack-place.ts'

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** By line of the script, 1-based: segments `column,source,line,column`, each relative to the one before it. */
export interface OwnPlaces {
  readonly sources: readonly string[]
  readonly lines: Readonly<Record<number, string>>
}

/** Numbers of one segment of a source map, which are differences. */
function decode(segment: string): number[] {
  const numbers: number[] = []
  let value = 0
  let shift = 0
  for (const digit of segment) {
    const bits = DIGITS.indexOf(digit)
    value += (bits & 31) << shift
    shift += 5
    if (bits >= 32) continue
    numbers.push(value & 1 ? -(value >> 1) : value >> 1)
    value = 0
    shift = 0
  }
  return numbers
}

export function ownPlaces({ sources, mappings }: ScriptMap): OwnPlaces {
  const own = sources.filter((file) => file !== null)
  // What is not the author's, on a line that is, ends what stands before it.
  const indices = sources.map((file) => (file === null ? -1 : own.indexOf(file)))
  const lines: Record<number, string> = {}
  const at = [0, 0, 0]
  for (const [index, line] of mappings.split(';').entries()) {
    let column = 0
    let before = [0, 0, 0, 0]
    let isOwn = false
    const segments = line.split(',').filter((segment) => segment !== '')
    const texts = segments.map((segment) => {
      const [across = 0, ...steps] = decode(segment)
      column += across
      for (const [part, step] of steps.slice(0, at.length).entries())
        at[part] = (at[part] ?? 0) + step
      const [source = 0, row = 0, offset = 0] = at
      const now = [column, indices[source] ?? -1, row, offset]
      isOwn ||= now[1] !== -1
      const text = now.map((number, part) => number - (before[part] ?? 0)).join(',')
      before = now
      return text
    })
    if (isOwn) lines[index + 1] = texts.join(' ')
  }
  return { sources: own, lines }
}

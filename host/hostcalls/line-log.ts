/**
 * Line log: what a guest writes to its standard streams, as lines for the host's log.
 *
 * Owns: the unfinished lines of the running turn, and the end of what went to standard error.
 * Does not own: where lines go, whether the turn is live (the caller writes nothing in a replay).
 *
 * Invariants:
 *   LL1. Nothing is kept from one turn to the next: what is not a whole line at a turn's end becomes one.
 *   LL2. A line is at most LINE_LENGTH_MAX characters; a longer one is cut into several.
 */

import { StringDecoder } from 'node:string_decoder'

export type StandardStream = 'stdout' | 'stderr'

/** Longer lines are dumps, which no log viewer shows in one piece. */
const LINE_LENGTH_MAX = 8_192
/** Of standard error, for the message of a trap: a panic's text and place. */
const LAST_WORDS_LENGTH_MAX = 1_000

interface Unfinished {
  readonly decoder: StringDecoder
  text: string
}

const LEVELS = { stdout: 'info', stderr: 'error' } as const

export class LineLog {
  readonly #log: (level: string, line: string) => void
  readonly #streams = new Map<StandardStream, Unfinished>()
  #errorLines: string[] = []

  constructor(log: (level: string, line: string) => void) {
    this.#log = log
  }

  write(name: StandardStream, bytes: Uint8Array): void {
    let stream = this.#streams.get(name)
    if (stream === undefined) {
      stream = { decoder: new StringDecoder('utf8'), text: '' }
      this.#streams.set(name, stream)
    }
    stream.text += stream.decoder.write(Buffer.from(bytes))
    const lines = stream.text.split('\n')
    stream.text = lines.pop() ?? ''
    for (const line of lines) this.#emit(name, line)
    while (stream.text.length > LINE_LENGTH_MAX) {
      this.#emit(name, stream.text.slice(0, LINE_LENGTH_MAX))
      stream.text = stream.text.slice(LINE_LENGTH_MAX)
    }
  }

  /** Ends the turn (LL1) and returns what it wrote to standard error last, as one line. */
  finish(): string {
    // Most turns write nothing, and even an empty map takes memory to clear.
    if (this.#streams.size === 0) return ''
    for (const [name, { decoder, text }] of this.#streams) {
      const rest = text + decoder.end()
      if (rest !== '') this.#emit(name, rest)
    }
    const words = this.#errorLines.join(' / ')
    this.#streams.clear()
    this.#errorLines = []
    return words.slice(-LAST_WORDS_LENGTH_MAX)
  }

  #emit(name: StandardStream, text: string): void {
    const line = text.endsWith('\r') ? text.slice(0, -1) : text
    for (let at = 0; at === 0 || at < line.length; at += LINE_LENGTH_MAX)
      this.#log(LEVELS[name], line.slice(at, at + LINE_LENGTH_MAX))
    if (name === 'stderr' && line.trim() !== '') {
      this.#errorLines.push(line.trim().slice(0, LAST_WORDS_LENGTH_MAX))
      if (this.#errorLines.length > LAST_LINES_MAX) this.#errorLines.shift()
    }
  }
}

/** A stack trace follows the message: of a JavaScript engine, seven lines in all. */
const LAST_LINES_MAX = 10

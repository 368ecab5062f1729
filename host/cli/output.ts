/**
 * What the CLI writes: data on stdout, everything else on stderr.
 *
 * Invariants:
 *   O1. With `--json` stdout holds one JSON object (or value) per line, and stderr at most one object: the error. A command that
 *       goes on after errors writes one for each.
 *   O2. Colours appear only on a terminal, and not when NO_COLOR is set.
 */
import pc from 'picocolors'
import { ERRORS, type LoomError } from '../base/errors.ts'
import { textOfMistake } from './mistake.ts'

export type Colors = ReturnType<typeof pc.createColors>

function colorsOf(stream: NodeJS.WriteStream): Colors {
  const { NO_COLOR, TERM } = process.env
  const plain = (NO_COLOR !== undefined && NO_COLOR !== '') || TERM === 'dumb'
  return pc.createColors(stream.isTTY === true && !plain)
}

export const colors = colorsOf(process.stdout)

/** One line of text on stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** One line of JSON on stdout. */
export function printJson(value: unknown): void {
  print(toJson(value))
}

/** One line of text on stderr. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

export function toJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, jsonSafe, indent)
  return text === undefined ? 'null' : text
}

/** As docs/wit-json.md: 64-bit integers as numbers while those are exact, typed arrays as arrays. */
function jsonSafe(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint')
    return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString()
  if (ArrayBuffer.isView(value) && Symbol.iterator in value) return Array.from(value as Uint8Array)
  return value
}

/** Renders an error, each of its `mistakes` on a line, and returns the exit code that stands for it. */
export function printError(error: LoomError, json: boolean): number {
  const { code, message, data } = error
  if (json) {
    note(toJson({ errorCode: code, message, ...(Object.keys(data).length === 0 ? {} : { data }) }))
  } else {
    const paint = colorsOf(process.stderr)
    for (const text of messagesOf(error)) note(`${paint.red('error')} ${paint.bold(code)}: ${text}`)
    if (ERRORS[code].kind === 'bug' && process.env.LOOM_DEBUG !== undefined)
      note(String((error.cause instanceof Error ? error.cause : error).stack))
  }
  return ERRORS[code].exit
}

/** A build may have found several mistakes; the error's own message is the first. */
function messagesOf({ message, data: { mistakes } }: LoomError): readonly string[] {
  return Array.isArray(mistakes) ? mistakes.map(textOfMistake) : [message]
}

/**
 * Ends quietly when the reader of stdout goes away, as in `loom journal Counter/c1 | head`. A host whose
 * log is read no longer goes on.
 */
export function endOnClosedPipe(): void {
  const isClosedPipe = (error: NodeJS.ErrnoException): boolean => error.code === 'EPIPE'
  process.stdout.on('error', (error) => {
    if (!isClosedPipe(error)) throw error
    process.exit(0)
  })
  process.stderr.on('error', (error) => {
    if (!isClosedPipe(error)) throw error
  })
}

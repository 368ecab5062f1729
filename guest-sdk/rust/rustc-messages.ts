/**
 * What rustc complains about, as mistakes of the author.
 *
 * Owns: the place in the author's own files, and a message that says what was expected.
 * Does not own: running cargo.
 *
 * Invariant RM1: a mistake in code that a macro made stands where the author wrote the macro, never in the macro's crate.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Mistake } from '../assemblyscript/errors.ts'
import { placeAt } from '../assemblyscript/text-place.ts'

interface Span {
  readonly file_name: string
  readonly line_start: number
  readonly column_start: number
  readonly is_primary: boolean
  readonly label: string | null
  /** Where the macro is written whose code this is. */
  readonly expansion: { readonly span: Span } | null
}

export interface RustcMessage {
  readonly level: string
  readonly message: string
  readonly spans: readonly Span[]
  readonly children?: readonly { readonly level: string; readonly message: string }[]
}

/** Where a crate is, and where the paths in rustc's messages begin. */
export interface Crate {
  readonly dir: string
  readonly root: string
}

/**
 * A mistake per error; the sum that rustc draws at the end has no place and says nothing new. Where the WIT is wrong there
 * are no bindings, and what rustc misses then is no mistake of its own.
 */
export function mistakesOf(messages: readonly RustcMessage[], crate: Crate): Mistake[] {
  const errors = messages.filter(({ level }) => level === 'error')
  const wit = errors.flatMap(({ message }) => inWit(message, crate) ?? [])
  return wit.length > 0 ? wit : errors.flatMap((message) => inSource(message, crate))
}

function inSource(message: RustcMessage, { dir, root }: Crate): Mistake[] {
  const primary = message.spans.find(({ is_primary }) => is_primary)
  if (primary === undefined) return []
  let span = primary
  while (span.expansion !== null && !isOwn(path.resolve(root, span.file_name), dir))
    span = span.expansion.span
  const file = path.resolve(root, span.file_name)
  const [line, column] = [span.line_start, span.column_start]
  return [{ message: textOf(message, primary), file, line, column }]
}

function isOwn(file: string, dir: string): boolean {
  const relative = path.relative(dir, file)
  return (
    !/^\.\.|[\\/]node_modules[\\/]|^node_modules[\\/]/.test(relative) && !path.isAbsolute(relative)
  )
}

/** rustc says what is wrong in the message, and what it expected beside the code or in a note. */
function textOf({ message, children = [] }: RustcMessage, { label }: Span): string {
  const expected = children.find((one) => /^expected |^the trait |^available /.test(one.message))
  const more = [label, expected?.message].flatMap((text) => (text ? [oneLine(text)] : []))
  return [oneLine(message), ...more.filter((text) => !message.includes(text))].join('; ')
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ')
}

/** wit-bindgen wraps the parser's complaint in causes; the innermost says what is wrong. */
function inWit(message: string, { dir }: Crate): Mistake | null {
  if (!/\bWIT\b/.test(message) || !message.includes('Caused by:')) return null
  const cause = message.split('Caused by:').at(-1)?.trim() ?? ''
  const text = plain(cause)
  const [, quoted, line, column] = /--> (.+):(\d+):(\d+)/.exec(cause) ?? []
  if (quoted !== undefined)
    return { message: text, file: quoted, line: Number(line), column: Number(column) }
  const [, name = ''] = /[`'](\w[\w:./-]*)(?:@[^`']*)?[`']/.exec(text) ?? []
  return named(text, name, path.join(dir, 'wit'))
}

function plain(cause: string): string {
  const [line = ''] = cause.split('\n')
  const [, missing] = /^(package '.*' not found)/.exec(line) ?? []
  return missing === undefined ? line : `${missing}; put its .wit file into wit/deps`
}

/** The first place in the crate's WIT where the name stands that the complaint is about. */
function named(message: string, name: string, folder: string): Mistake | null {
  if (name === '' || !existsSync(folder)) return null
  const pattern = new RegExp(`(?<![\\w-])${name.replace(/[.]/g, '\\.')}(?![\\w-])`)
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
  for (const file of files.filter((one) => one.endsWith('.wit'))) {
    const text = readFileSync(path.join(folder, file), 'utf8')
    const found = pattern.exec(text)
    if (found !== null)
      return { message, file: path.join(folder, file), ...placeAt(text, found.index) }
  }
  return null
}

// Writes docs/errors.md from the error table: npm run docs
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { ERRORS, type ErrorKind } from '../host/base/errors.ts'

export const ERRORS_DOC = 'docs/errors.md'

const KINDS: Readonly<Record<ErrorKind, string>> = {
  usage: 'the request is wrong; the same request never succeeds',
  busy: 'nothing was run; ask again after a while',
  lost: 'another host owns the actors now; ask that one',
  guest: "the actor's own code failed; its state is what it was before the call",
  divergence: 'replay did not equal the journal',
  corrupt: 'stored bytes are damaged',
  fatal: "the host's surroundings failed; ask again with the same idempotency key",
  bug: 'an invariant of Loom is broken',
}

const HEAD = `# Errors

<!-- Generated from host/base/errors.ts by \`npm run docs\`; do not edit. -->

Every failure has a code. The library throws a \`LoomError\` with \`code\`, \`kind\` and \`data\`; HTTP answers
with the status and \`{ "errorCode", "message" }\`; the CLI prints \`error CODE: message\` on stderr and ends
with the exit code. Match codes, never messages.
`

/** Columns are aligned as the formatter does it. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths?.[column] ?? 0)).join(' | ')} |\n`
  const [head = [], ...body] = rows
  const rule = head.map((_, column) => '-'.repeat(widths?.[column] ?? 0))
  return line(head) + line(rule) + body.map(line).join('')
}

export function renderErrorsDoc(): string {
  const kinds = Object.entries(KINDS)
  const codes = Object.entries(ERRORS).map(([code, { kind, status, exit, summary }]) => [
    `\`${code}\``,
    kind,
    String(status),
    String(exit),
    summary,
  ])
  return [
    HEAD,
    '## What to do: kinds\n',
    table([['kind', 'meaning'], ...kinds]),
    '## Codes\n',
    table([['code', 'kind', 'HTTP status', 'exit code', 'when'], ...codes]),
  ].join('\n')
}

function main(): void {
  const text = renderErrorsDoc()
  let before = ''
  try {
    before = readFileSync(ERRORS_DOC, 'utf8')
  } catch {
    // The first time there is nothing to compare with.
  }
  if (before !== text) writeFileSync(ERRORS_DOC, text)
  console.log(`${ERRORS_DOC}: ${before === text ? 'up to date' : 'written'}`)
}

const script = process.argv[1]
if (script !== undefined && import.meta.url === pathToFileURL(path.resolve(script)).href) main()

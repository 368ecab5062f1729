/**
 * The build as a process: `node cli.js <dir> [--json] [--out DIR]`. `loom build` starts it, so that the
 * host never loads a compiler.
 *
 * Owns: arguments, what is printed, exit codes.
 * Does not own: the build (build-actor.ts).
 *
 *   exit 0 built | 2 usage | 65 the author's source is wrong | 69 a build tool is missing | 70 a bug
 *   --json: one object on stdout,
 *     { ok: true, component, wit, sizeBytes, interface }
 *     { ok: false, error: { message, file, line, column }, mistakes: [...] }; file is null without a place
 */
import { parseArgs } from 'node:util'
import { displayPath } from './actor-folder.ts'
import type { BuiltActor } from './build-actor.ts'
import { buildActor } from './build-actor.ts'
import type { Mistake } from './errors.ts'
import { BuildError, ToolchainError } from './errors.ts'

const USAGE = 'usage: <dir> [--json] [--out DIR]'
const EXIT = { usage: 2, author: 65, toolchain: 69, bug: 70 } as const

interface Arguments {
  readonly dir: string
  readonly isJson: boolean
  readonly outDir: string | undefined
}

class UsageError extends Error {}

function readArguments(args: readonly string[]): Arguments {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, out: { type: 'string' } },
    })
    const [dir, ...others] = positionals
    if (dir === undefined || others.length > 0) throw new UsageError(USAGE)
    return { dir, isJson: values.json ?? false, outDir: values.out }
  } catch (error) {
    throw new UsageError(
      error instanceof UsageError ? USAGE : `${(error as Error).message}\n${USAGE}`,
    )
  }
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`
}

function reportBuilt(built: BuiltActor, isJson: boolean): void {
  const component = displayPath(built.files.component)
  const wit = displayPath(built.files.wit)
  const { sizeBytes, interfaceId } = built
  console.log(
    isJson
      ? JSON.stringify({ ok: true, component, wit, sizeBytes, interface: interfaceId })
      : `built ${component} (${kilobytes(sizeBytes)}, ${interfaceId})`,
  )
}

function reportFailure(error: unknown, isJson: boolean): number {
  const message = error instanceof Error ? error.message : String(error)
  const mistakes: readonly Mistake[] = error instanceof BuildError ? error.mistakes : []
  if (isJson) {
    const first = mistakes[0] ?? { message, file: null, line: null, column: null }
    console.log(JSON.stringify({ ok: false, error: first, mistakes }))
  } else if (mistakes.length > 0) {
    for (const one of mistakes) {
      console.error(`${one.file}:${one.line}:${one.column}: ${one.message}`)
    }
  } else {
    console.error(message)
  }
  if (error instanceof BuildError) return EXIT.author
  if (error instanceof ToolchainError) return EXIT.toolchain
  return error instanceof UsageError ? EXIT.usage : EXIT.bug
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const { dir, isJson, outDir } = readArguments(args)
    reportBuilt(await buildActor({ dir, ...(outDir === undefined ? {} : { outDir }) }), isJson)
    return 0
  } catch (error) {
    return reportFailure(error, args.includes('--json'))
  }
}

process.exitCode = await main(process.argv.slice(2))

/**
 * A build as a process: `node cli.js <dir or file> [--json] [--out DIR]`. `loom build` starts it, so that the host
 * never loads a compiler. One for all languages.
 *
 * Owns: arguments, what is printed, exit codes.
 * Does not own: the build (guest-sdk/<language>/build-actor.ts).
 *
 *   exit 0 built | 2 usage | 65 the author's source is wrong | 69 a build tool is missing | 70 a bug
 *   --json: one object on stdout,
 *     { ok: true, component, wit, sizeBytes, interface }
 *     { ok: false, error: { message, file, line, column }, mistakes: [...] }; file is null without a place
 */
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { displayPath } from '../assemblyscript/actor-folder.ts'
import type { Mistake } from '../assemblyscript/errors.ts'
import { BuildError, ToolchainError } from '../assemblyscript/errors.ts'

const USAGE = 'usage: <dir> [--json] [--out DIR]'
const EXIT = { usage: 2, author: 65, toolchain: 69, bug: 70 } as const

/** What every SDK's `buildActor` gives. */
export interface BuiltActor {
  readonly component: Uint8Array
  /** The WIT of the component: its exported interfaces, its world, and what it imports. */
  readonly wit: string
  /** Id of the exported interface, `namespace:package/interface@version`. */
  readonly interfaceId: string
  /** Paths of the written files; they exist unless `write` was false. */
  readonly files: { readonly component: string; readonly wit: string }
  readonly sizeBytes: number
}

export interface BuildRequest {
  readonly dir: string
  readonly outDir?: string
  /** Named instead of the folder: what an SDK takes as the actor's entry, if it has one. */
  readonly entry?: string
}

export type BuildActor = (request: BuildRequest) => Promise<BuiltActor>

interface Arguments {
  readonly request: BuildRequest
  readonly isJson: boolean
}

class UsageError extends Error {}

function readArguments(args: readonly string[]): Arguments {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, out: { type: 'string' } },
    })
    const [named, ...others] = positionals
    if (named === undefined || others.length > 0) throw new UsageError(USAGE)
    const isFile = existsSync(named) && statSync(named).isFile()
    const place = isFile
      ? { dir: path.dirname(named), entry: path.basename(named) }
      : { dir: named }
    const out = values.out === undefined ? {} : { outDir: values.out }
    return { request: { ...place, ...out }, isJson: values.json ?? false }
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

/** Builds what `args` name; the process's exit code. */
export async function runBuild(build: BuildActor, args: readonly string[]): Promise<number> {
  try {
    const { request, isJson } = readArguments(args)
    reportBuilt(await build(request), isJson)
    return 0
  } catch (error) {
    return reportFailure(error, args.includes('--json'))
  }
}

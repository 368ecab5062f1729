/**
 * A build as a process: `node cli.js <dir or file> [--json] [--out DIR] [--check | --save-wit]`. `loom build`
 * starts it, so that the host never loads a compiler. One for all languages.
 *
 * Owns: arguments, what is printed, exit codes.
 * Does not own: the build (guest-sdk/<language>/build-actor.ts).
 *
 *   exit 0 built | 2 usage | 65 the author's source is wrong | 69 a build tool is missing | 70 a bug
 *   --json: one object on stdout,
 *     { ok: true, component, wit, sizeBytes, interface, warnings: ["file:line:column: ..."], unchanged }
 *     { ok: false, error: { message, file, line, column }, mistakes: [...] }; file is null without a place
 */
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { displayPath } from '../assemblyscript/actor-folder.ts'
import type { Mistake } from '../assemblyscript/errors.ts'
import { BuildError, ToolchainError } from '../assemblyscript/errors.ts'

const USAGE = 'usage: <dir> [--json] [--out DIR] [--check | --save-wit]'
const WRITTEN_WIT =
  'the WIT of this actor is written by hand and part of its source: there is nothing to compare it with'
const EXIT = { usage: 2, author: 65, toolchain: 69, bug: 70 } as const

/** What every SDK's `buildActor` gives. */
export interface BuiltActor {
  readonly component: Uint8Array
  /** The WIT of the component: its exported interfaces, its world, and what it imports. */
  readonly wit: string
  /** Id of the exported interface, `namespace:package/interface@version`. */
  readonly interfaceId: string
  /** All of them, when there may be several. */
  readonly interfaceIds?: readonly string[]
  /** Paths of the written files; they exist unless `write` was false. */
  readonly files: { readonly component: string; readonly wit: string }
  readonly sizeBytes: number
  /** True: nothing had to be built. */
  readonly unchanged?: true
  /** What the compiler warned of. */
  readonly warnings?: readonly Mistake[]
}

export interface BuildRequest {
  readonly dir: string
  readonly outDir?: string
  /** Named instead of the folder: what an SDK takes as the actor's entry, if it has one. */
  readonly entry?: string
  /** False: build in memory only. */
  readonly write?: boolean
  /** Compare the committed WIT with the derived one, or write it; only where WIT is derived. */
  readonly committedWit?: 'check' | 'save'
}

export type BuildActor = (request: BuildRequest) => Promise<BuiltActor>

interface Arguments {
  readonly request: BuildRequest
  readonly isJson: boolean
}

export class UsageError extends Error {}

/** What an SDK's builder is like. */
interface BuilderTraits {
  /** The WIT follows from the source. Else the source follows the WIT. */
  readonly derivesWit: boolean
}

function readArguments(args: readonly string[], { derivesWit }: BuilderTraits): Arguments {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        out: { type: 'string' },
        check: { type: 'boolean' },
        'save-wit': { type: 'boolean' },
      },
    })
    const [named, ...others] = positionals
    const { json = false, check = false, 'save-wit': save = false } = values
    if (named === undefined || others.length > 0 || (check && save)) throw new UsageError(USAGE)
    if ((check || save) && !derivesWit) throw new UsageError(WRITTEN_WIT)
    const isFile = existsSync(named) && statSync(named).isFile()
    const place = isFile
      ? { dir: path.dirname(named), entry: path.basename(named) }
      : { dir: named }
    const out = values.out === undefined ? {} : { outDir: values.out }
    const wit = check
      ? { committedWit: 'check' as const, write: false }
      : save
        ? { committedWit: 'save' as const }
        : {}
    return { request: { ...place, ...out, ...wit }, isJson: json }
  } catch (error) {
    throw new UsageError(
      error instanceof UsageError ? error.message : `${(error as Error).message}\n${USAGE}`,
    )
  }
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`
}

function display({ file, line, column, message }: Mistake): string {
  return `${file}:${line}:${column}: ${message}`
}

function reportBuilt(built: BuiltActor, isJson: boolean): void {
  const component = displayPath(built.files.component)
  const wit = displayPath(built.files.wit)
  const { sizeBytes, interfaceId, interfaceIds = [interfaceId] } = built
  const ids = interfaceIds.join(', ')
  const warnings = (built.warnings ?? []).map(display)
  if (isJson) {
    const unchanged = built.unchanged === true
    const result = { ok: true, component, wit, sizeBytes, interface: ids, warnings, unchanged }
    console.log(JSON.stringify(result))
    return
  }
  for (const warning of warnings) console.error(`warning: ${warning}`)
  const verb = built.unchanged === true ? 'unchanged' : 'built'
  console.log(`${verb} ${component} (${kilobytes(sizeBytes)}, ${ids})`)
}

export function reportFailure(error: unknown, isJson: boolean): number {
  const message = error instanceof Error ? error.message : String(error)
  const mistakes: readonly Mistake[] = error instanceof BuildError ? error.mistakes : []
  if (isJson) {
    const first = mistakes[0] ?? { message, file: null, line: null, column: null }
    console.log(JSON.stringify({ ok: false, error: first, mistakes }))
  } else if (mistakes.length > 0) {
    for (const one of mistakes) console.error(display(one))
  } else {
    console.error(message)
  }
  if (error instanceof BuildError) return EXIT.author
  if (error instanceof ToolchainError) return EXIT.toolchain
  return error instanceof UsageError ? EXIT.usage : EXIT.bug
}

/** Builds what `args` name; the process's exit code. */
export async function runBuild(
  build: BuildActor,
  args: readonly string[],
  traits: BuilderTraits = { derivesWit: false },
): Promise<number> {
  try {
    const { request, isJson } = readArguments(args, traits)
    const built = await build(request)
    if (request.write === false && !isJson)
      console.log('the committed WIT is what the source gives')
    else reportBuilt(built, isJson)
    return 0
  } catch (error) {
    return reportFailure(error, args.includes('--json'))
  }
}

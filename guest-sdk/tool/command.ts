/**
 * A build as a process: `node cli.js <dir or file> [--json] [--out DIR] [--engine NAME] [--check | --save-wit | --resident]`.
 * `loom build` starts it, so that the host never loads a compiler. One for all languages.
 *
 * Owns: arguments, what is printed, exit codes.
 * Does not own: the build (guest-sdk/<language>/build-actor.ts); staying for more than one (resident.ts).
 *
 *   exit 0 built | 2 usage | 65 the author's source is wrong | 69 a build tool is missing | 70 a bug
 *   --json: one object on stdout,
 *     { ok: true, component, wit, sizeBytes, interface, warnings: ["file:line:column: ..."], unchanged }
 *     { ok: false, error: { message, file, line, column }, mistakes: [...] }; file is null without a place
 *   --resident: such an object for each line on stdin, with besides
 *     { inputs: [files outside of the folder that were read], exitCode, isSpent: ask another process next }
 */
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { displayPath } from '../assemblyscript/actor-folder.ts'
import type { Mistake } from '../assemblyscript/errors.ts'
import { BuildError, ToolchainError } from '../assemblyscript/errors.ts'
import { useBaselineCode } from './baseline-code.ts'
import { answerLines } from './resident.ts'

const USAGE =
  'usage: <dir> [--json] [--out DIR] [--engine NAME] [--check | --save-wit | --resident]'
const NO_ENGINE = '--engine: only actors in JavaScript and TypeScript have an engine'
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
  /** Absolute paths of files outside of the actor's folder that were read, or looked for in vain. */
  readonly inputs?: readonly string[]
}

export interface BuildRequest {
  readonly dir: string
  readonly outDir?: string
  /** Named instead of the folder: what an SDK takes as the actor's entry, if it has one. */
  readonly entry?: string
  /** False: build in memory only. */
  readonly write?: boolean
  /** Of those that the builder names, where it names some. */
  readonly engine?: string
  /** Compare the committed WIT with the derived one, or write it; only where WIT is derived. */
  readonly committedWit?: 'check' | 'save'
}

export type BuildActor = (request: BuildRequest) => Promise<BuiltActor>

interface Arguments {
  readonly request: BuildRequest
  readonly isJson: boolean
  readonly isResident: boolean
}

export class UsageError extends Error {}

/** What an SDK's builder is like. */
interface BuilderTraits {
  /** The WIT follows from the source. Else the source follows the WIT. */
  readonly derivesWit: boolean
  /** Loads what builds need, so that the first build of a resident process finds it. */
  readonly preload?: () => Promise<unknown>
  /** True: a build of this folder leaves state in its process that the next one must not meet. */
  readonly spoilsProcess?: (dir: string) => boolean
  /** What may run the code. */
  readonly engines?: readonly string[]
}

function readArguments(
  args: readonly string[],
  { derivesWit, engines = [] }: BuilderTraits,
): Arguments {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        out: { type: 'string' },
        check: { type: 'boolean' },
        'save-wit': { type: 'boolean' },
        resident: { type: 'boolean' },
        engine: { type: 'string' },
      },
    })
    const [named, ...others] = positionals
    const { json = false, check = false, 'save-wit': save = false, resident = false } = values
    const excluding = [check, save, resident].filter((isSet) => isSet)
    if (named === undefined || others.length > 0 || excluding.length > 1)
      throw new UsageError(USAGE)
    if ((check || save) && !derivesWit) throw new UsageError(WRITTEN_WIT)
    const engine = checkEngine(values.engine, engines)
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
    return { request: { ...place, ...out, ...engine, ...wit }, isJson: json, isResident: resident }
  } catch (error) {
    throw new UsageError(
      error instanceof UsageError ? error.message : `${(error as Error).message}\n${USAGE}`,
    )
  }
}

function checkEngine(
  engine: string | undefined,
  engines: readonly string[],
): { readonly engine?: string } {
  if (engine === undefined) return {}
  if (engines.length === 0) throw new UsageError(NO_ENGINE)
  if (engines.includes(engine)) return { engine }
  throw new UsageError(`--engine ${engine}: expected one of ${engines.join(', ')}`)
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`
}

function display({ file, line, column, message }: Mistake): string {
  return `${file}:${line}:${column}: ${message}`
}

/** The answer about a build that succeeded. */
function resultOf(built: BuiltActor): object {
  const { sizeBytes, interfaceId, interfaceIds = [interfaceId] } = built
  return {
    ok: true,
    component: displayPath(built.files.component),
    wit: displayPath(built.files.wit),
    sizeBytes,
    interface: interfaceIds.join(', '),
    warnings: (built.warnings ?? []).map(display),
    unchanged: built.unchanged === true,
  }
}

function reportBuilt(built: BuiltActor, isJson: boolean): void {
  if (isJson) {
    console.log(JSON.stringify(resultOf(built)))
    return
  }
  const { files, sizeBytes, interfaceId, interfaceIds = [interfaceId], warnings = [] } = built
  for (const warning of warnings) console.error(`warning: ${display(warning)}`)
  const verb = built.unchanged === true ? 'unchanged' : 'built'
  const size = `${kilobytes(sizeBytes)}, ${interfaceIds.join(', ')}`
  console.log(`${verb} ${displayPath(files.component)} (${size})`)
}

function mistakesIn(error: unknown): readonly Mistake[] {
  return error instanceof BuildError ? error.mistakes : []
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The answer about a build that failed. */
function failureOf(error: unknown): object {
  const mistakes = mistakesIn(error)
  const nowhere = { message: messageOf(error), file: null, line: null, column: null }
  return { ok: false, error: mistakes[0] ?? nowhere, mistakes }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof BuildError) return EXIT.author
  if (error instanceof ToolchainError) return EXIT.toolchain
  return error instanceof UsageError ? EXIT.usage : EXIT.bug
}

export function reportFailure(error: unknown, isJson: boolean): number {
  const mistakes = mistakesIn(error)
  if (isJson) console.log(JSON.stringify(failureOf(error)))
  else if (mistakes.length === 0) console.error(messageOf(error))
  else for (const one of mistakes) console.error(display(one))
  return exitCodeOf(error)
}

/** Builds for each line on stdin (resident.ts). */
async function stay(
  build: BuildActor,
  request: BuildRequest,
  { preload, spoilsProcess }: BuilderTraits,
): Promise<void> {
  // What cannot be loaded now is what the first build fails with.
  preload?.().catch(() => undefined)
  await answerLines(async () => {
    const isSpent = spoilsProcess?.(request.dir) === true ? { isSpent: true } : {}
    try {
      const built = await build(request)
      return { ...resultOf(built), inputs: built.inputs ?? [], exitCode: 0, ...isSpent }
    } catch (error) {
      return { ...failureOf(error), exitCode: exitCodeOf(error), ...isSpent }
    }
  })
}

/** Builds what `args` name; the process's exit code. */
export async function runBuild(
  build: BuildActor,
  args: readonly string[],
  traits: BuilderTraits = { derivesWit: false },
): Promise<number> {
  useBaselineCode()
  try {
    const { request, isJson, isResident } = readArguments(args, traits)
    if (isResident) {
      await stay(build, request, traits)
      return 0
    }
    const built = await build(request)
    if (request.write === false && !isJson)
      console.log('the committed WIT is what the source gives')
    else reportBuilt(built, isJson)
    return 0
  } catch (error) {
    return reportFailure(error, args.includes('--json'))
  }
}

/**
 * One run of the AssemblyScript compiler, in memory.
 *
 * Owns: handing it files (the author's folder, generated modules, the SDK's library) and turning its
 * diagnostics into mistakes.
 * Does not own: what is generated, what transforms do.
 *
 * Invariant: runs do not overlap. The compiler keeps settings in module variables.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { SETTINGS_FILE } from './actor-settings.ts'
import type { Mistake } from './errors.ts'
import type { AuthorHost, LibraryHost } from './host-modules.ts'
import { explainLimits } from './language-limits.ts'
import { libraryModules } from './package-files.ts'
import { placeAt } from './text-place.ts'
import type { AssemblyScript, Compiler } from './toolchain.ts'

/** Everything that the compiler may read. */
export interface Sources {
  readonly folder: string
  /** Transforms that the author asked for; they run before ours. */
  readonly transforms: readonly AssemblyScript.TransformClass[]
  /** Generated modules by file name. */
  readonly generated: ReadonlyMap<string, string>
  readonly authorHost: AuthorHost
  readonly libraryHost: LibraryHost
}

/** Hooks into the compiler. Throwing stops it. */
interface Hooks {
  readonly afterParse?: (parser: AssemblyScript.Parser) => void
  readonly afterInitialize?: (program: AssemblyScript.Program) => void
  readonly afterCompile?: (
    module: AssemblyScript.BinaryenModule,
    binaryen: AssemblyScript.Binaryen,
  ) => void
}

export interface RunOptions {
  readonly entry: string
  readonly arguments: readonly string[]
  readonly hooks: Hooks
}

export interface RunResult {
  /** The binary, null when the run failed or was asked for none. */
  readonly binary: Uint8Array | null
  readonly mistakes: readonly Mistake[]
  /** What stopped the compiler, besides mistakes. */
  readonly error: Error | null
  /** The author's files that were read, by name. */
  readonly authorTexts: ReadonlyMap<string, string>
  /** Names of files that were asked for, found or not. */
  readonly asked: readonly string[]
}

const CATEGORY_ERROR = 3
const BINARY = 'component.core.wasm'

let last: Promise<unknown> = Promise.resolve()

/** Compiles `options.entry`; never rejects for what the author wrote. */
export function runCompiler(
  compiler: Compiler,
  sources: Sources,
  options: RunOptions,
): Promise<RunResult> {
  const run = last.then(() => runNow(compiler, sources, options))
  last = run.catch(() => undefined)
  return run
}

async function runNow(
  compiler: Compiler,
  sources: Sources,
  options: RunOptions,
): Promise<RunResult> {
  const library = [...libraryModules(), ...sources.libraryHost.sources]
  for (const [name, text] of library) compiler.libraryFiles[`loom/${name}`] = text
  const mistakes: Mistake[] = []
  const texts = new Map<string, string>()
  const asked: string[] = []
  let binary: Uint8Array | null = null
  const outcome = await compiler.main(
    [options.entry, '--baseDir', sources.folder, '--outFile', BINARY, ...options.arguments],
    {
      transforms: [...sources.transforms, transform(options.hooks)],
      readFile: async (name) => {
        if (!sources.generated.has(name)) asked.push(name)
        const text = await readSource(name, sources)
        if (text !== null && !sources.generated.has(name)) texts.set(name, text)
        return text
      },
      writeFile: (name, contents) => {
        if (name === BINARY) binary = contents as Uint8Array
      },
      listFiles: () => [],
      stdout: compiler.createMemoryStream(),
      stderr: compiler.createMemoryStream(),
      reportDiagnostic: (message) => {
        if (message.category === CATEGORY_ERROR) mistakes.push(toMistake(message, texts))
      },
    },
  )
  const { mistakes: ofWit } = sources.authorHost
  // A module whose WIT is wrong is missing for the compiler: only the cause is worth telling.
  const told = ofWit.length > 0 ? ofWit : explainLimits(mistakes, texts)
  return { binary, mistakes: told, error: outcome.error, authorTexts: texts, asked }
}

function toMistake(
  { message, range }: AssemblyScript.DiagnosticMessage,
  texts: ReadonlyMap<string, string>,
): Mistake {
  const file = range?.source.normalizedPath ?? ''
  return { message, file, ...placeAt(texts.get(file) ?? '', range?.start ?? 0) }
}

async function readSource(name: string, sources: Sources): Promise<string | null> {
  // The shared settings and the actor's own (actor-settings.ts) come as arguments.
  if (path.basename(name) === SETTINGS_FILE) return null
  const generated = sources.generated.get(name)
  if (generated !== undefined) return generated
  const file = path.resolve(sources.folder, name)
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text !== null || !name.endsWith('.ts')) return text
  return sources.authorHost.module(name.slice(0, -'.ts'.length))
}

/** The compiler instantiates the class itself, after it has put `binaryen` on its prototype. */
function transform(hooks: Hooks): AssemblyScript.TransformClass {
  return class {
    declare readonly binaryen: AssemblyScript.Binaryen
    afterParse(parser: AssemblyScript.Parser): void {
      hooks.afterParse?.(parser)
    }
    afterInitialize(program: AssemblyScript.Program): void {
      hooks.afterInitialize?.(program)
    }
    afterCompile(module: AssemblyScript.BinaryenModule): void {
      hooks.afterCompile?.(module, this.binaryen)
    }
  }
}

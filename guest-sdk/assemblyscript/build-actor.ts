/**
 * Building one actor.
 *
 * Owns: the order of the steps: read the class, generate the entry module, compile, prune imports,
 * wrap into a component, write.
 * Does not own: the steps.
 *
 * Invariants:
 *   D1. The same sources give the same bytes: no time, path or random name enters the component.
 *   D2. The component imports exactly the functions that its code can reach.
 *   D4. What is as it was is not built again (build-stamp.ts), and the result says so.
 *   D3. Nothing is written unless the whole build succeeded.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { filesOf, outsideOf } from '../tool/built-files.ts'
import type { ActorFolder } from './actor-folder.ts'
import { displayPath, openActorFolder } from './actor-folder.ts'
import type { ActorSettings } from './actor-settings.ts'
import { readSettings } from './actor-settings.ts'
import type { Stamp } from './build-stamp.ts'
import { currentStamp, inputHashes, outputHashes, toolsHash, writeStamp } from './build-stamp.ts'
import type { ActorClass, ClassReading } from './class-reader.ts'
import { readActorClasses } from './class-reader.ts'
import { checkWit, saveWit } from './committed-wit.ts'
import type { RunResult, Sources } from './compiler-run.ts'
import { runCompiler } from './compiler-run.ts'
import { worldOf } from './component-world.ts'
import { emitEntry } from './emit-export.ts'
import type { Mistake } from './errors.ts'
import { BuildError } from './errors.ts'
import { inlineGcTotal, redirectImports, renameExports } from './finish-module.ts'
import { AuthorHost, declarationsOf, interfacesOf, libraryHost } from './host-modules.ts'
import type { World } from './model.ts'
import { compilerArguments } from './package-files.ts'
import type { Compiler, ComponentTools } from './toolchain.ts'
import { loadCompiler, loadComponentTools, loadProgramApi } from './toolchain.ts'
import { witWorld } from './wit-print.ts'
import { writeAtomic } from './write-atomic.ts'

export interface BuildOptions {
  /** The actor's folder. Default: the working directory. */
  readonly dir?: string
  /** Entry file in the folder. Default: `<folder>.ts`, `index.ts`, or the only `.ts` file. */
  readonly entry?: string
  /** Where the files are written. Default: `build` in the folder. */
  readonly outDir?: string
  /** False: build in memory only. Default: true. */
  readonly write?: boolean
  /**
   * The WIT beside the source, `<folder>/<name>.wit`: `check` refuses a build whose WIT is another one,
   * `save` writes it. Default: it is neither read nor written.
   */
  readonly committedWit?: 'check' | 'save'
  /**
   * Collector. `minimal` collects between calls, `incremental` also during one. Default: what the actor's
   * asconfig.json says, or `minimal`.
   */
  readonly runtime?: 'minimal' | 'incremental'
}

export interface BuiltActor {
  readonly component: Uint8Array
  /** The WIT of the component: its exported interface, its world, and what it imports. */
  readonly wit: string
  /** Id of the first exported interface, `namespace:package/interface@version`. */
  readonly interfaceId: string
  /** All of them, in the order of the source. */
  readonly interfaceIds: readonly string[]
  /** Paths of the written files; they exist unless `write` was false. */
  readonly files: { readonly component: string; readonly wit: string }
  readonly sizeBytes: number
  /** True: sources, tools and settings are those of the last build, and what it wrote is there. */
  readonly unchanged?: true
  /** Files outside of the folder that were read, or looked for in vain, absolute. */
  readonly inputs: readonly string[]
}

const ENTRY_MODULE = 'loom-entry.ts'
const STOP = new Error('the program was read')

/** Loads everything that a build needs. @throws ToolchainError */
export async function loadTools(): Promise<[Compiler, ComponentTools]> {
  const compiler = await loadCompiler()
  const tools = await loadComponentTools()
  await loadProgramApi()
  await libraryHost(tools)
  return [compiler, tools]
}

/**
 * Builds the actor in `options.dir` into a component and its WIT.
 *
 * @throws BuildError for what the author can mend, ToolchainError when a build tool is missing.
 */
export async function buildActor(options: BuildOptions = {}): Promise<BuiltActor> {
  const folder = openActorFolder({ ...options, dir: options.dir ?? '.' })
  const settings = await readSettings(folder.dir)
  const isStamped = options.write !== false && settings.transforms.length === 0
  const tools = isStamped ? toolsHash([folder.entry, settings.options, options.runtime]) : ''
  if (isStamped && options.committedWit === undefined) {
    const known = currentStamp(folder, tools)
    if (known !== null) return unchanged(folder, known)
  }
  const before = inputHashes(folder.dir, [])
  const build = new Build(folder, settings, ...(await loadTools()))
  const classes = await build.readClasses()
  const { core, world } = await build.compile(classes, options.runtime)
  const wit = witWorld(world)
  if (options.committedWit === 'check') await checkWit(folder, wit)
  const component = await build.wrap(core, world.name, wit)
  if (options.committedWit === 'save') await saveWit(folder, wit)
  const files = filesOf(folder.outDir, folder.name)
  const interfaceIds = classes.map((one) => one.exported.id)
  if (options.write !== false) {
    const outputs = new Map<string, Uint8Array | string>([
      [`${folder.name}.wit`, wit],
      ...[...build.declarations].map(([name, text]) => [`${name}.d.ts`, text] as const),
      [`${folder.name}.wasm`, component],
    ])
    for (const [name, contents] of outputs)
      await writeAtomic(path.join(folder.outDir, name), contents)
    const inputs = inputHashes(folder.dir, build.asked)
    // A file that changed meanwhile may have been read before or after.
    const isSettled = Object.entries(before).every(([name, hash]) => inputs[name] === hash)
    if (isStamped && isSettled) {
      const stamp = { tools, inputs, outputs: outputHashes(outputs), interfaceIds }
      await writeStamp(folder.outDir, folder.name, stamp)
    }
  }
  const [interfaceId = ''] = interfaceIds
  const sizeBytes = component.length
  const inputs = outsideOf(folder.dir, build.asked)
  return { component, wit, interfaceId, interfaceIds, files, sizeBytes, inputs }
}

/** What the last build has written. */
function unchanged(folder: ActorFolder, { interfaceIds, inputs: read }: Stamp): BuiltActor {
  const files = filesOf(folder.outDir, folder.name)
  const component = readFileSync(files.component)
  const wit = readFileSync(files.wit, 'utf8')
  const [interfaceId = ''] = interfaceIds
  const sizeBytes = component.length
  const inputs = outsideOf(folder.dir, Object.keys(read))
  return { component, wit, interfaceId, interfaceIds, files, sizeBytes, inputs, unchanged: true }
}

class Build {
  readonly #folder: ActorFolder
  readonly #settings: ActorSettings
  readonly #compiler: Compiler
  readonly #tools: ComponentTools
  readonly #authorHost: AuthorHost
  /** Names of files that the compiler asked for. */
  readonly asked = new Set<string>()

  constructor(
    folder: ActorFolder,
    settings: ActorSettings,
    compiler: Compiler,
    tools: ComponentTools,
  ) {
    this.#folder = folder
    this.#settings = settings
    this.#compiler = compiler
    this.#tools = tools
    this.#authorHost = new AuthorHost(folder.dir, tools)
  }

  get declarations(): ReadonlyMap<string, string> {
    return this.#authorHost.declarations
  }

  async readClasses(): Promise<readonly ActorClass[]> {
    const api = await loadProgramApi()
    const { entry } = this.#folder
    const library = await libraryHost(this.#tools)
    const wit = declarationsOf(() => [...this.#authorHost.modules, ...library.modules])
    let reading: ClassReading | null = null
    const run = await this.#run(new Map(), {
      entry: `${entry}.ts`,
      arguments: ['--noEmit', '--runtime', 'stub'],
      hooks: {
        afterInitialize(program) {
          reading = readActorClasses(program, api, entry, wit)
          throw STOP
        },
      },
    })
    const { found, mistakes } = (reading as ClassReading | null) ?? { found: [], mistakes: [] }
    this.#refuse([...run.mistakes, ...mistakes])
    if (found.length === 0 || (run.error && run.error !== STOP)) throw this.#crashed(run.error)
    return found
  }

  async compile(
    classes: readonly ActorClass[],
    runtime: string | undefined,
  ): Promise<{ core: Uint8Array; world: World }> {
    const entry = emitEntry(classes)
    const uses = ['abort', 'trace', 'console'].flatMap((name) => [
      '--use',
      `${name}=~lib/loom/runtime/${name}`,
    ])
    const run = await this.#run(new Map([[ENTRY_MODULE, entry.source]]), {
      entry: ENTRY_MODULE,
      arguments: [
        ...compilerArguments({ ...this.#settings.options, ...(runtime ? { runtime } : {}) }),
        ...uses,
      ],
      hooks: {
        afterParse: redirectImports,
        afterCompile(module, binaryen) {
          renameExports(module, binaryen, entry.renames)
          inlineGcTotal(module, binaryen)
        },
      },
    })
    this.#refuse(run.mistakes)
    if (!run.binary) throw this.#crashed(run.error)
    const library = await libraryHost(this.#tools)
    const interfaces = interfacesOf([...library.modules, ...this.#authorHost.modules])
    const exports = classes.map((one) => one.exported)
    const { world, mistakes } = worldOf(exports, interfaces, run.binary, run.authorTexts)
    this.#refuse(mistakes)
    return { core: run.binary, world }
  }

  async wrap(core: Uint8Array, world: string, wit: string): Promise<Uint8Array> {
    try {
      const embedded = await this.#tools.componentEmbed({
        binary: core,
        witSource: wit,
        world,
        stringEncoding: 'utf16',
      })
      return await this.#tools.componentNew(embedded, [])
    } catch (error) {
      throw this.#crashed(error as Error, 'the component could not be made')
    }
  }

  async #run(
    generated: Sources['generated'],
    options: Parameters<typeof runCompiler>[2],
  ): Promise<RunResult> {
    const sources: Sources = {
      folder: this.#folder.dir,
      transforms: this.#settings.transforms,
      generated,
      authorHost: this.#authorHost,
      libraryHost: await libraryHost(this.#tools),
    }
    const result = await runCompiler(this.#compiler, sources, options)
    for (const name of result.asked) this.asked.add(name)
    return result
  }

  #refuse(mistakes: readonly Mistake[]): void {
    const { dir, entry } = this.#folder
    const ofAuthor = mistakes.filter((one) => one.file !== ENTRY_MODULE)
    // What the author wrote may not fit generated code either; the author can mend only the one.
    const [first, ...others] = (ofAuthor.length > 0 ? ofAuthor : mistakes)
      .map((one) => ({ ...one, file: displayPath(path.resolve(dir, one.file || `${entry}.ts`)) }))
      .sort((a, b) => Number(a.file > b.file) - Number(a.file < b.file) || a.line - b.line)
    if (first) throw new BuildError([first, ...others])
  }

  /** A tool fell over without saying where: a bug of it, or of generated code. */
  #crashed(error: Error | null, what = 'the AssemblyScript compiler failed'): BuildError {
    const file = displayPath(path.join(this.#folder.dir, `${this.#folder.entry}.ts`))
    const message = `${what}: ${error?.message ?? 'no output'}`
    return new BuildError([{ message, file, line: 1, column: 1 }])
  }
}

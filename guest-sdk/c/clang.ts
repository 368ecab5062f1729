/**
 * clang.
 *
 * Owns: loading the npm package @yowasp/clang (clang, wasm-ld and wasi-libc, themselves WebAssembly), the
 * options of a build, and what it complains about.
 *
 * The files of the run-time library are linked lazily (--start-lib): one that nothing refers to stays out.
 * The stack lies below everything else, so that it overflows into a trap instead of into state.
 */
import { type Mistake, ToolchainError } from '../assemblyscript/errors.ts'

const PACKAGE = '@yowasp/clang'

/** Small: the memory of an actor without much state is one page. Units: bytes. */
const STACK_SIZE_BYTES = 32_768

const COMPILE = [
  '--target=wasm32-wasip1',
  '-std=gnu2x',
  '-Os',
  '-Wall',
  '-Wextra',
  '-fvisibility=hidden',
  '-ffunction-sections',
  '-fdata-sections',
  '-Ilib',
  '-Iworld',
]

const LINK = [
  '-nostartfiles',
  `-Wl,--no-entry,--strip-all,--stack-first,-z,stack-size=${STACK_SIZE_BYTES}`,
]

type Command = (
  args: readonly string[] | null,
  files: FileTree,
  options: {
    readonly stderr?: (bytes: Uint8Array | null) => void
    readonly fetchProgress?: (event: object) => void
  },
) => Promise<FileTree>

interface Clang {
  readonly commands: { readonly clang: Command }
  readonly runLLVM: Command
  readonly Exit: new (...args: never[]) => Error
}

export interface FileTree {
  readonly [name: string]: FileTree | string | Uint8Array
}

export interface CSources {
  /** The author's files by path relative to the folder. */
  readonly author: ReadonlyMap<string, string>
  /** world.h and the glue. */
  readonly generated: Readonly<Record<string, string>>
  /** loom.h and the run-time library. */
  readonly library: Readonly<Record<string, string>>
}

export interface Compilation {
  /** Null when there are mistakes. */
  readonly core: Uint8Array | null
  readonly mistakes: readonly Mistake[]
  readonly warnings: readonly Mistake[]
}

/** @throws ToolchainError when the package is not installed. */
async function loadClang(): Promise<Clang> {
  try {
    const specifier: string = PACKAGE
    const clang = (await import(specifier)) as Clang
    // Loads the modules now: on its first command the package would print how far it is, to stdout.
    await clang.runLLVM(null, {}, { fetchProgress: () => {} })
    return clang
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error
    const message = `${PACKAGE}, the C compiler (100 MB), is not installed; run: npm install --save-dev ${PACKAGE}`
    throw new ToolchainError(message, { cause: error })
  }
}

const MESSAGE =
  /^(?<file>[^\s:]+):(?<line>\d+):(?<column>\d+): (?<kind>(?:fatal )?error|warning): (?<text>.*)$/

function readMessages(stderr: string): { mistakes: Mistake[]; warnings: Mistake[] } {
  const mistakes: Mistake[] = []
  const warnings: Mistake[] = []
  for (const line of stderr.split('\n')) {
    const { file, line: row, column, kind, text } = MESSAGE.exec(line)?.groups ?? {}
    if (file !== undefined && text !== undefined) {
      const list = kind === 'warning' ? warnings : mistakes
      list.push({ message: text, file, line: Number(row), column: Number(column) })
    } else if (/^wasm-ld: error: /.test(line)) mistakes.push(linkMistake(line))
  }
  return { mistakes, warnings }
}

/** `wasm-ld: error: /tmp/glue-62.o: undefined symbol: counter_value` */
function linkMistake(line: string): Mistake {
  const place = { file: '', line: 1, column: 1 }
  const [, missing] = /undefined symbol: (\S+)/.exec(line) ?? []
  if (missing === undefined)
    return { message: line.replace(/^wasm-ld: error: (\/\S+: )?/, ''), ...place }
  return { message: `undefined: ${missing}`, ...place }
}

/** Lays the author's files under their own paths, as clang will name them. */
function tree(files: ReadonlyMap<string, string>): { [name: string]: FileTree | string } {
  const root: { [name: string]: FileTree | string } = {}
  for (const [file, text] of files) {
    const folders = file.split('/')
    const name = folders.pop() ?? file
    let at: { [name: string]: FileTree | string } = root
    for (const folder of folders) {
      at[folder] ??= {}
      at = at[folder] as { [name: string]: FileTree | string }
    }
    at[name] = text
  }
  return root
}

class Failed extends Error {}

let loaded: Promise<Clang> | null = null

/** Runs clang; gives its files and what it said. @throws Failed with what it said. */
async function run(args: readonly string[], files: FileTree): Promise<[FileTree, string]> {
  loaded ??= loadClang()
  const { commands, Exit } = await loaded
  const decoder = new TextDecoder()
  let said = ''
  const stderr = (bytes: Uint8Array | null): void => {
    if (bytes !== null) said += decoder.decode(bytes, { stream: true })
  }
  try {
    const made = await commands.clang(args, files, { stderr })
    return [made, said]
  } catch (error) {
    throw error instanceof Exit ? new Failed(said) : error
  }
}

let objects: Promise<FileTree> | null = null

/** The run-time library, compiled once in a process. */
async function libraryObjects(library: CSources['library']): Promise<FileTree> {
  const sources = Object.keys(library).filter((file) => file.endsWith('.c'))
  const inputs = sources.sort().map((file) => `lib/${file}`)
  const [made] = await run([...COMPILE, '-c', ...inputs], { lib: library })
  return Object.fromEntries(Object.entries(made).filter(([name]) => name.endsWith('.o')))
}

/** Compiles and links. @throws ToolchainError when clang is not installed, or fails without a message. */
export async function compileC(sources: CSources): Promise<Compilation> {
  objects ??= libraryObjects(sources.library)
  const linked = await objects
  const own = [...sources.author.keys()].filter((file) => file.endsWith('.c')).sort()
  const lazily = Object.keys(linked)
    .sort()
    .map((name) => `objects/${name}`)
  const inputs = [...own, 'world/glue.c', '-Wl,--start-lib', ...lazily, '-Wl,--end-lib']
  const files = {
    ...tree(sources.author),
    objects: linked,
    world: sources.generated,
    lib: sources.library,
  }
  try {
    const [made, said] = await run([...COMPILE, ...LINK, ...inputs, '-o', 'actor.wasm'], files)
    const core = made['actor.wasm']
    if (!(core instanceof Uint8Array)) throw new ToolchainError(`clang made no module: ${said}`)
    return { core, ...readMessages(said) }
  } catch (error) {
    if (!(error instanceof Failed)) throw error
    const { mistakes, warnings } = readMessages(error.message)
    if (mistakes.length === 0) throw new ToolchainError(`clang failed: ${error.message.trim()}`)
    return { core: null, mistakes, warnings }
  }
}

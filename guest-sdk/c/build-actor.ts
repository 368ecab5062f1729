/**
 * Building one actor in C.
 *
 * Owns: the order of the steps: read the WIT, generate world.h and the glue, compile, wrap, write.
 * Does not own: the steps.
 *
 * Invariants:
 *   CB1. The same sources and the same clang give the same bytes.
 *   CB2. The component imports exactly the functions that its code can reach.
 *   CB3. The component is written only if the whole build succeeded. world.h is written as soon as the WIT
 *        is read: editors need it before the code compiles.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { displayPath, mistakeOf } from '../assemblyscript/actor-folder.ts'
import { BuildError, type Mistake } from '../assemblyscript/errors.ts'
import { sdkFolder } from '../assemblyscript/package-files.ts'
import { writeAtomic } from '../assemblyscript/write-atomic.ts'
import { filesOf, writeBuilt } from '../tool/built-files.ts'
import type { BuiltActor } from '../tool/command.ts'
import { type ActorWorld, embedWorld, readWorld, witOf, wrap } from '../tool/component.ts'
import { readWitSource } from '../tool/wit-source.ts'
import { explained } from './author-mistakes.ts'
import { compileC } from './clang.ts'
import { emitGlue } from './emit-glue.ts'
import { emitHeader } from './emit-header.ts'
import { Names } from './names.ts'
import { withoutTwins } from './twins.ts'

export interface BuildOptions {
  /** The actor's folder: a WIT file with one world, and .c files. Default: the working directory. */
  readonly dir?: string
  /** Where the files are written. Default: `build` in the folder. */
  readonly outDir?: string
  /** False: build in memory only. Default: true. */
  readonly write?: boolean
}

export interface BuiltCActor extends BuiltActor {
  readonly warnings: readonly Mistake[]
}

/** The .c and .h files of the folder and of the folders in it, but for what builds leave behind. */
function readSources(dir: string): Map<string, string> {
  const sources = new Map<string, string>()
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    const file = path.relative(dir, path.join(entry.parentPath, entry.name))
    if (!/\.[ch]$/.test(file) || /(^|\/)(build|node_modules)\//.test(file)) continue
    if (entry.isFile()) sources.set(file, readFileSync(path.join(dir, file), 'utf8'))
  }
  return sources
}

function readLibrary(): Record<string, string> {
  const folders = ['include', 'runtime'].map((name) => path.join(sdkFolder('c'), name))
  return Object.fromEntries(
    folders.flatMap((folder) =>
      readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]),
    ),
  )
}

/** Ids of the exported interfaces, as a text. @throws BuildError when there are none. */
function exportedIds({ exports }: ActorWorld, file: string): string {
  if (exports.length === 0) throw mistakeOf(file, 'the world exports no interface')
  return exports.map(({ id }) => id).join(', ')
}

/**
 * Builds the actor in `options.dir` into a component and its WIT.
 *
 * @throws BuildError for what the author can mend, ToolchainError when clang is not installed.
 */
export async function buildActor(options: BuildOptions = {}): Promise<BuiltCActor> {
  const dir = path.resolve(options.dir ?? '.')
  if (!existsSync(dir)) throw mistakeOf(dir, 'no such folder')
  const source = readWitSource(dir)
  const author = readSources(dir)
  if (author.size === 0) throw mistakeOf(dir, 'no .c file')
  const world = withoutTwins(await readWorld(source, 'C'), source)
  const interfaceId = exportedIds(world, source.file)
  const names = new Names([...world.imports, ...world.exports])
  const header = emitHeader(world, names)
  const name = path.basename(dir)
  const outDir = path.resolve(options.outDir ?? path.join(dir, 'build'))
  if (options.write !== false) await writeAtomic(path.join(outDir, 'world.h'), header)
  const generated = { 'world.h': header, 'glue.c': emitGlue(world, names) }
  const { core, mistakes, warnings } = await compileC({ author, generated, library: readLibrary() })
  const placed = (one: Mistake): Mistake => ({
    ...one,
    file: displayPath(path.resolve(dir, one.file)),
  })
  const own = { sources: author, wit: source.file, world, names }
  const [first, ...others] = mistakes.map((one) => placed(explained(one, own)))
  if (core === null || first !== undefined) throw new BuildError([first ?? bug(dir), ...others])
  const component = await wrap(await embedWorld(core, source), source.file)
  const wit = await witOf(component)
  const built = { component, wit, files: filesOf(outDir, name) }
  if (options.write !== false) await writeBuilt(built)
  const sizeBytes = component.length
  return { ...built, interfaceId, sizeBytes, warnings: warnings.map(placed) }
}

function bug(dir: string): Mistake {
  return { message: 'clang made no module', file: displayPath(dir), line: 1, column: 1 }
}

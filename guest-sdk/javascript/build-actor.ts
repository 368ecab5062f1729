/**
 * Building one actor in JavaScript or TypeScript.
 *
 * Owns: the order of the steps: read the WIT, write its types, check, bundle, evaluate, write.
 * Does not own: the steps.
 *
 * Invariants:
 *   JB1. The same sources and the same tools give the same bytes.
 *   JB2. The component is written only if the whole build succeeded. The types are written as soon as the WIT is
 *        read: editors need them before the code is right.
 *   JB3. The author's modules are evaluated once, here. What they set up is every actor's initial state.
 */
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { mistakeOf } from '../assemblyscript/actor-folder.ts'
import { BuildError, type Mistake } from '../assemblyscript/errors.ts'
import { writeAtomic } from '../assemblyscript/write-atomic.ts'
import { filesOf, outsideOf, writeBuilt } from '../tool/built-files.ts'
import type { BuiltActor } from '../tool/command.ts'
import { witOf } from '../tool/component.ts'
import { readWitSource } from '../tool/wit-source.ts'
import { checkTypes } from './check-types.ts'
import { interfaceName } from './emit-glue.ts'
import { emitHostTypes, emitWorldTypes, GLOBAL_TYPES } from './emit-types.ts'
import { evaluate } from './evaluate.ts'
import type { Engine } from './evaluation.ts'
import { readEngine } from './settings.ts'
import { type JavaScriptWorld, readJavaScriptWorld } from './world.ts'

export interface BuildOptions {
  /** The actor's folder: a WIT file with one world, and the source. Default: the working directory. */
  readonly dir?: string
  /** The entry, in the folder. Default: the file with the folder's name, `index`, or the only one. */
  readonly entry?: string
  /** Where the files are written. Default: `build` in the folder. */
  readonly outDir?: string
  /** False: build in memory only. Default: true. */
  readonly write?: boolean
  /** Default: what the author's package.json says, or QuickJS. */
  readonly engine?: Engine
}

export interface BuiltJavaScriptActor extends BuiltActor {
  readonly warnings: readonly Mistake[]
}

const SOURCE = /(?<!\.d)\.(ts|mts|js|mjs)$/

function findEntry(dir: string, named: string | undefined): string {
  const files = readdirSync(dir).filter(
    (file) => SOURCE.test(file) && !/\.(test|config)\./.test(file),
  )
  if (named !== undefined && existsSync(path.join(dir, named))) return path.join(dir, named)
  const wanted = [path.basename(dir), 'index']
  const found = wanted.flatMap((name) => files.filter((file) => file.replace(SOURCE, '') === name))
  const [entry = files.length === 1 ? files[0] : undefined] = found
  if (entry !== undefined) return path.join(dir, entry)
  const usual = `${path.basename(dir)}.ts, ${path.basename(dir)}.js, index.ts nor index.js`
  throw mistakeOf(dir, files.length === 0 ? 'no .ts or .js file' : `neither ${usual}`)
}

/** Two interfaces of one name would be one export. */
function checkExports({ exports }: JavaScriptWorld, file: string): string {
  if (exports.length === 0) throw mistakeOf(file, 'the world exports no interface')
  const names = exports.map(({ id }) => interfaceName(id))
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    throw mistakeOf(file, `two exported interfaces would both be the export '${twice}'`)
  return exports.map(({ id }) => id).join(', ')
}

/** Declarations by where they are written. */
function declarationsOf(world: JavaScriptWorld, outDir: string): Map<string, string> {
  return new Map([
    [path.join(outDir, 'world.d.ts'), emitWorldTypes(world)],
    [path.join(outDir, 'host.d.ts'), emitHostTypes(world)],
    [path.join(outDir, 'globals.d.ts'), GLOBAL_TYPES],
  ])
}

/**
 * Builds the actor in `options.dir` into a component and its WIT.
 *
 * @throws BuildError for what the author can mend, ToolchainError when a build tool is not installed.
 */
export async function buildActor(options: BuildOptions = {}): Promise<BuiltJavaScriptActor> {
  const dir = path.resolve(options.dir ?? '.')
  if (!existsSync(dir)) throw mistakeOf(dir, 'no such folder')
  const engine = options.engine ?? readEngine(dir)
  const source = readWitSource(dir)
  const entry = findEntry(dir, options.entry)
  const world = await readJavaScriptWorld(source)
  const interfaceId = checkExports(world, source.file)
  const outDir = path.resolve(options.outDir ?? path.join(dir, 'build'))
  const declarations = declarationsOf(world, path.join(dir, 'build'))
  if (options.write !== false)
    for (const [file, text] of declarationsOf(world, outDir)) await writeAtomic(file, text)
  const { mistakes, warnings } = checkTypes({ dir, entry, declarations })
  const [first, ...others] = mistakes
  if (first !== undefined) throw new BuildError([first, ...others])
  const { component, files } = await evaluate({ dir, entry, world, engine }, source)
  const wit = await witOf(component)
  const name = path.basename(dir)
  const built = { component, wit, files: filesOf(outDir, name) }
  if (options.write !== false) await writeBuilt(built)
  const interfaceIds = world.exports.map(({ id }) => id)
  const inputs = outsideOf(dir, files)
  return { ...built, interfaceId, interfaceIds, sizeBytes: component.length, warnings, inputs }
}

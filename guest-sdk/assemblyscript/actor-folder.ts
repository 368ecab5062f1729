/**
 * The folder of one actor.
 *
 * Owns: the convention. `actors/counter/` holds `counter.ts`; the build goes to
 * `actors/counter/build/counter.wasm` and `counter.wit`.
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { BuildError } from './errors.ts'

export interface ActorFolder {
  /** Absolute. */
  readonly dir: string
  /** Module name of the entry: its path in the folder, without extension. */
  readonly entry: string
  /** Base name of the files that are built. */
  readonly name: string
  /** Absolute. */
  readonly outDir: string
}

export interface ActorFolderOptions {
  readonly dir: string
  readonly entry?: string | undefined
  readonly outDir?: string | undefined
}

/** @throws BuildError when the folder or its entry is not there. */
export function openActorFolder(options: ActorFolderOptions): ActorFolder {
  const dir = path.resolve(options.dir)
  if (!existsSync(dir) || !statSync(dir).isDirectory()) {
    throw mistakeOf(dir, 'no such folder')
  }
  const name = path.basename(dir)
  const file = options.entry ?? findEntry(dir, name)
  if (!existsSync(path.join(dir, file))) throw mistakeOf(path.join(dir, file), 'no such file')
  return {
    dir,
    entry: file.replace(/\.ts$/, ''),
    name,
    outDir: path.resolve(options.outDir ?? path.join(dir, 'build')),
  }
}

function findEntry(dir: string, name: string): string {
  const sources = readdirSync(dir).filter((file) => /(?<!\.d)\.ts$/.test(file))
  for (const usual of [`${name}.ts`, 'index.ts']) if (sources.includes(usual)) return usual
  const [only] = sources
  if (only !== undefined && sources.length === 1) return only
  throw mistakeOf(dir, `no ${name}.ts, no index.ts, and not exactly one .ts file`)
}

/** A mistake of a whole file or folder. */
export function mistakeOf(file: string, message: string): BuildError {
  return new BuildError([{ message, file: displayPath(file), line: 1, column: 1 }])
}

/** `file` relative to the working directory when it lies inside it. */
export function displayPath(file: string): string {
  const relative = path.relative(process.cwd(), file)
  return relative.startsWith('..') || relative === '' ? file : relative
}

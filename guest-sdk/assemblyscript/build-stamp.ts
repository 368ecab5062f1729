/**
 * Build stamps: what a build was made of, so that one that would give the same is not made again.
 *
 * Owns: `<name>.stamp.json` beside the component: hashes of all inputs, of the tools and of what was written.
 * Does not own: the build.
 *
 * Invariants:
 *   ST1. A build is skipped only when everything that it read is what it was, files that it looked for and did not
 *        find included, and what it wrote is there unchanged. In doubt it is made.
 *   ST2. A stamp is written last, and never for a build with transforms: what those read nobody knows.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { libraryModules, libraryWit, servedWit } from './package-files.ts'
import { writeAtomic } from './write-atomic.ts'

export interface Stamp {
  /** Hash of the tools, the SDK and the options. */
  readonly tools: string
  /** By path relative to the actor's folder; null: it was not there. */
  readonly inputs: Readonly<Record<string, string | null>>
  /** By file name. */
  readonly outputs: Readonly<Record<string, string>>
  readonly interfaceIds: readonly string[]
}

function hashOf(contents: Uint8Array | string): string {
  return createHash('sha256').update(contents).digest('hex')
}

function hashOfFile(file: string): string | null {
  return existsSync(file) ? hashOf(readFileSync(file)) : null
}

const PACKAGES = ['assemblyscript', '@bytecodealliance/jco-transpile']

/** The version of an installed package; empty when it is not where Node looks for it. */
function versionOf(name: string): string {
  for (let folder = import.meta.dirname; ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'node_modules', name, 'package.json')
    if (existsSync(file)) return String(JSON.parse(readFileSync(file, 'utf8')).version)
    if (path.dirname(folder) === folder) return ''
  }
}

/** Everything but the actor that a build depends on. */
export function toolsHash(options: unknown): string {
  const own = readdirSync(import.meta.dirname).filter((file) => /\.(js|ts)$/.test(file))
  const parts = [
    JSON.stringify(options),
    ...PACKAGES.map(versionOf),
    ...own.sort().map((file) => readFileSync(path.join(import.meta.dirname, file), 'utf8')),
    ...[...libraryModules()].flat(),
    ...libraryWit(),
    ...servedWit(),
  ]
  return hashOf(parts.map(hashOf).join('\n'))
}

/** The files of the folder that a build may look at. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|wit)$|(^|[\\/])asconfig\.json$/.test(file))
    .filter((file) => !/(^|[\\/])(build|node_modules)[\\/]/.test(file))
    .sort()
}

/** `read`: the other names that the compiler asked for. */
export function inputHashes(
  folder: string,
  read: Iterable<string>,
): Readonly<Record<string, string | null>> {
  const names = new Set([...filesIn(folder), ...read])
  return Object.fromEntries(
    [...names].sort().map((name) => [name, hashOfFile(path.resolve(folder, name))]),
  )
}

function stampFile(outDir: string, name: string): string {
  return path.join(outDir, `${name}.stamp.json`)
}

/** The stamp of the last build, if a build of now would give the same (ST1). */
export function currentStamp(
  { dir, outDir, name }: { readonly dir: string; readonly outDir: string; readonly name: string },
  tools: string,
): Stamp | null {
  const file = stampFile(outDir, name)
  if (!existsSync(file)) return null
  let stamp: Stamp
  try {
    stamp = JSON.parse(readFileSync(file, 'utf8'))
    const { inputs, outputs } = stamp
    const now = inputHashes(dir, Object.keys(inputs))
    const isSame =
      stamp.tools === tools &&
      Array.isArray(stamp.interfaceIds) &&
      JSON.stringify(now) === JSON.stringify(inputs) &&
      Object.entries(outputs).every(([one, hash]) => hashOfFile(path.join(outDir, one)) === hash)
    return isSame ? stamp : null
  } catch {
    // A stamp that is damaged says nothing.
    return null
  }
}

export async function writeStamp(outDir: string, name: string, stamp: Stamp): Promise<void> {
  await writeAtomic(stampFile(outDir, name), `${JSON.stringify(stamp, null, 2)}\n`)
}

export function outputHashes(
  files: ReadonlyMap<string, Uint8Array | string>,
): Readonly<Record<string, string>> {
  return Object.fromEntries([...files].map(([name, contents]) => [name, hashOf(contents)]))
}

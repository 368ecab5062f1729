/**
 * QuickJS, as the npm package componentize-qjs brings it.
 *
 * Owns: loading the package, finding the engine in it.
 * Does not own: what is changed in the engine (engine-patch.ts), what a failed evaluation means to the author
 * (build-actor.ts).
 *
 * The package takes another engine than its own (`runtimeBytes`), but does not hand its own out. It is part of the
 * package's native library as it is, and found there by its shape: a module that exports what wit-dylib calls.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { BinaryReader, HEADER_SIZE } from '../assemblyscript/binary-reader.ts'
import { ToolchainError } from '../assemblyscript/errors.ts'
import { CoreModule } from './core-module.ts'
import { patchEngine } from './engine-patch.ts'
import { type Evaluation, EvaluationError } from './evaluation.ts'
import { stripInit } from './strip-init.ts'

const PACKAGE = 'componentize-qjs'
/** The release whose engine the changes were made for; they are checked when they are made. */
const KNOWN_VERSION = '0.4.5'

interface Componentize {
  readonly componentize: (options: {
    readonly witPath: string
    readonly world: string
    readonly jsSource: string
    readonly runtimeBytes: Buffer
  }) => Promise<{ readonly component: Uint8Array }>
}

const INSTALL = `run: npm install --save-dev ${PACKAGE}@${KNOWN_VERSION}`

function missing(cause: unknown): ToolchainError {
  return new ToolchainError(`${PACKAGE}, the JavaScript engine, is not installed; ${INSTALL}`, {
    cause,
  })
}

async function loadPackage(): Promise<Componentize> {
  try {
    const specifier: string = PACKAGE
    return (await import(specifier)) as Componentize
  } catch (error) {
    throw missing(error)
  }
}

/** The package's native library: the one of its optional dependencies that npm installed here. */
function nativeLibrary(): Buffer {
  const require = createRequire(import.meta.url)
  const own = createRequire(require.resolve(PACKAGE))
  const manifest = JSON.parse(
    readFileSync(path.join(path.dirname(require.resolve(PACKAGE)), 'package.json'), 'utf8'),
  ) as { readonly optionalDependencies?: Readonly<Record<string, string>> }
  for (const name of Object.keys(manifest.optionalDependencies ?? {})) {
    try {
      return readFileSync(own.resolve(name))
    } catch {}
  }
  throw missing(null)
}

const MAGIC = Buffer.from('\0asm\x01\0\0\0', 'latin1')
const LAST_SECTION = 13
const ASYNC_IMPORT = '$root#[waitable-set-new]'

/** What follows a module in the library is no custom section: those begin with a name. */
function hasName(section: Buffer): boolean {
  const reader = new BinaryReader(section)
  return /^[\x20-\x7e]+$/.test(reader.name()) && reader.offset <= section.length
}

/** The module that begins at `start`: sections follow each other until something is none. */
function moduleAt(library: Buffer, start: number): Uint8Array {
  const reader = new BinaryReader(library, start + HEADER_SIZE)
  let end = reader.offset
  let last = 0
  while (reader.offset < library.length) {
    const id = reader.byte()
    const size = reader.unsigned()
    // Sections but custom ones come in order; 12, the data count, stands before 10.
    const isNext = id === 0 || id === 12 || (id <= LAST_SECTION && id > last)
    if (!isNext || size === 0 || reader.offset + size > library.length) break
    if (id === 0 && !hasName(library.subarray(reader.offset, reader.offset + size))) break
    if (id !== 0 && id !== 12) last = id
    reader.take(size)
    end = reader.offset
  }
  return library.subarray(start, end)
}

/**
 * The engine without component-model async. Of two such, the smaller one: it has two thirds of the size, and was not
 * found to be slower (bench/README.md).
 */
function findEngine(library: Buffer): CoreModule | undefined {
  const found: { readonly size: number; readonly engine: CoreModule }[] = []
  for (let at = library.indexOf(MAGIC); at >= 0; at = library.indexOf(MAGIC, at + 1)) {
    const bytes = moduleAt(library, at)
    if (bytes.length < 100_000) continue
    try {
      const engine = new CoreModule(bytes)
      if (engine.exports.has('wit_dylib_initialize') && !engine.imports.includes(ASYNC_IMPORT))
        found.push({ size: bytes.length, engine })
    } catch {}
  }
  return found.sort((a, b) => a.size - b.size)[0]?.engine
}

let library: Buffer | null = null

/** The engine, changed for actors. */
function engineFor(jobs: boolean): Uint8Array {
  library ??= nativeLibrary()
  const engine = findEngine(library)
  try {
    if (engine === undefined) throw new Error('no engine was found in it')
    patchEngine(engine, { jobs })
    return engine.encode()
  } catch (error) {
    const message = `this release of ${PACKAGE} is not known: ${(error as Error).message}; ${INSTALL}`
    throw new ToolchainError(message, { cause: error })
  }
}

/** @throws EvaluationError, ToolchainError */
export async function componentizeQuickJs({
  wit,
  world,
  source: jsSource,
  jobs,
}: Evaluation): Promise<Uint8Array> {
  const { componentize: build } = await loadPackage()
  const runtimeBytes = Buffer.from(engineFor(jobs))
  const folder = mkdtempSync(path.join(tmpdir(), 'loom-javascript-'))
  try {
    const witPath = path.join(folder, 'world.wit')
    writeFileSync(witPath, wit)
    const { component } = await build({ witPath, world, jsSource, runtimeBytes })
    return stripInit(Uint8Array.from(component))
  } catch (error) {
    throw new EvaluationError((error as Error).message, { cause: error })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

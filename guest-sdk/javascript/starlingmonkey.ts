/**
 * StarlingMonkey, as the npm package componentize-js brings it.
 *
 * Owns: finding the package, changing its engine, and what its failures mean.
 * Does not own: the run itself, which is a process of its own (starlingmonkey-run.ts), what the script does to make
 * clocks and random numbers the host's (runtime/).
 *
 * Invariants:
 *   SM1. The engine has no clock and no random numbers, not while it is built nor later: it gets constants. What a
 *        script asks for comes from the host by imports of its own, which are recorded.
 *   SM2. The same source gives the same bytes: SM1, and no path of this machine is seen by the engine.
 *
 * The package is the author's: it and what it needs have 350 MB.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ToolchainError } from '../assemblyscript/errors.ts'
import { sdkFolder } from '../assemblyscript/package-files.ts'
import { CoreModule } from './core-module.ts'
import { type Evaluation, EvaluationError } from './evaluation.ts'
import { withoutClocks } from './starlingmonkey-patch.ts'

const PACKAGE = '@bytecodealliance/componentize-js'
/** The release whose engine the changes were made for. */
export const STARLINGMONKEY_VERSION = '0.23.0'
const INSTALL = `run: npm install --save-dev ${PACKAGE}@${STARLINGMONKEY_VERSION}`
const ENGINE = 'lib/starlingmonkey_embedding.wasm'

/** What starlingmonkey-run.ts is given, as a file. */
export interface StarlingMonkeyRun {
  /** The package's module, absolute. */
  readonly module: string
  readonly engine: string
  readonly wit: string
  readonly world: string
  readonly source: string
  /** Where the component goes. */
  readonly component: string
}

/** The package's folder: in `node_modules` of a folder above the author's, or of one above this file. */
function findPackage(dir: string): string {
  for (const start of [dir, import.meta.dirname])
    for (let at = start; ; at = path.dirname(at)) {
      const found = path.join(at, 'node_modules', PACKAGE)
      if (existsSync(path.join(found, 'package.json'))) return found
      if (path.dirname(at) === at) break
    }
  throw new ToolchainError(`${PACKAGE}, which has StarlingMonkey, is not installed; ${INSTALL}`)
}

interface Manifest {
  readonly version: string
  readonly exports?: { readonly import?: string }
}

function changedEngine(folder: string, version: string): Uint8Array {
  try {
    const engine = new CoreModule(readFileSync(path.join(folder, ENGINE)))
    withoutClocks(engine)
    return engine.encode()
  } catch (error) {
    const message = `release ${version} of ${PACKAGE} is not known: ${(error as Error).message}; ${INSTALL}`
    throw new ToolchainError(message, { cause: error })
  }
}

/** The compiled program: Node may not run the sources. */
const PROGRAM = path.resolve(
  sdkFolder('javascript'),
  '../../dist/guest-sdk/javascript/starlingmonkey-run.js',
)

/** What the engine complains about; null for nothing. */
function run(request: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, request], (error, _stdout, stderr) =>
      resolve(error === null ? null : stderr),
    )
  })
}

/** @throws EvaluationError, ToolchainError */
export async function componentizeStarlingMonkey({
  dir,
  wit,
  world,
  source,
}: Evaluation): Promise<Uint8Array> {
  const folder = findPackage(dir)
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest
  const temporary = mkdtempSync(path.join(tmpdir(), 'loom-starlingmonkey-'))
  try {
    const request: StarlingMonkeyRun = {
      module: path.join(folder, manifest.exports?.import ?? 'src/componentize.js'),
      engine: path.join(temporary, 'engine.wasm'),
      component: path.join(temporary, 'component.wasm'),
      ...{ wit, world, source },
    }
    writeFileSync(request.engine, changedEngine(folder, manifest.version))
    const file = path.join(temporary, 'run.json')
    writeFileSync(file, JSON.stringify(request))
    const failure = await run(file)
    if (failure !== null) throw new EvaluationError(failure)
    return Uint8Array.from(readFileSync(request.component))
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

/**
 * One script of an author's modules, the run-time library and the glue.
 *
 * Owns: driving rolldown: types are stripped, modules and npm packages joined, interfaces of the host resolved; the
 * places of mistakes.
 * Does not own: the glue (emit-glue.ts), checking types (check-types.ts).
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { displayPath } from '../assemblyscript/actor-folder.ts'
import { BuildError, type Mistake, ToolchainError } from '../assemblyscript/errors.ts'
import type { Interface } from '../assemblyscript/model.ts'
import { camel, pascal } from '../assemblyscript/names.ts'
import { sdkFolder } from '../assemblyscript/package-files.ts'
import { placeAt } from '../assemblyscript/text-place.ts'
import { emitDiagnosis, emitGlue, emitImport, resources } from './emit-glue.ts'
import type { Engine } from './evaluation.ts'
import { ownPlaces } from './own-places.ts'
import { absenceOf, isPackage, RESOLVE } from './packages.ts'
import type { ScriptMap } from './stack-place.ts'
import { findInterface, isInterface, type JavaScriptWorld } from './world.ts'

const PACKAGE = 'rolldown'
const GLUE = 'loom:glue'
const RUNTIME = 'loom:runtime/'
/** runtime/actor.js tells the host through the engine's own module: it is what the conversions fail with. */
const ENGINE_GUEST = 'loom:engine/guest'
const GUEST = 'loom:actor/guest@0.1.0'

/**
 * Modules of runtime/ that are part of the script when the author's code names what they define; on StarlingMonkey all
 * of them, since it has clocks, random numbers and timers of its own, which packages may reach under other names.
 */
const GLOBALS: readonly (readonly [module: string, names: RegExp])[] = [
  ['date', /\b(Date|performance)\b/],
  ['random', /\bMath\s*\.\s*random\b|\bcrypto\b|\{[^}]*\brandom\b[^}]*\}\s*=\s*Math\b/],
  ['console', /\bconsole\b/],
  ['text', /\bText(En|De)coder\b/],
  [
    'absent',
    /\b(set(Timeout|Interval|Immediate)|requestAnimationFrame|fetch|XMLHttpRequest|WebSocket)\b/,
  ],
]
const JOBS = /\b(async|await|Promise|queueMicrotask)\b/

interface SourceMap {
  readonly sources: readonly string[]
  readonly mappings: string
}

interface Chunk {
  readonly type: 'chunk'
  readonly code: string
  readonly map: SourceMap | null
}

interface Resolver {
  resolve(
    specifier: string,
    importer: string,
    options: { readonly skipSelf: true },
  ): Promise<{ readonly external: unknown } | null>
}

interface Plugin {
  readonly name: string
  resolveId(this: Resolver, specifier: string, importer?: string): unknown
  load(id: string): string | null
}

interface RolldownError {
  readonly message: string
  readonly id?: string
  readonly loc?: { readonly file?: string; readonly line: number; readonly column: number }
}

interface Rolldown {
  readonly rolldown: (options: object) => Promise<{
    generate(options: object): Promise<{ readonly output: readonly Chunk[] }>
    readonly watchFiles: Promise<readonly string[]>
    close(): Promise<void>
  }>
}

async function load(): Promise<Rolldown> {
  try {
    const specifier: string = PACKAGE
    return (await import(specifier)) as Rolldown
  } catch (error) {
    const message = `${PACKAGE}, which joins modules and strips types, is not installed; run: npm install --save-dev ${PACKAGE}`
    throw new ToolchainError(message, { cause: error })
  }
}

export interface BundleRequest {
  readonly dir: string
  /** The author's module, absolute. */
  readonly entry: string
  readonly world: JavaScriptWorld
  readonly engine: Engine
}

export interface Bundle {
  readonly code: string
  /** Ids of the interfaces that the code imports. */
  readonly used: readonly string[]
  /** True when the author's code has promises. */
  readonly jobs: boolean
  /** The author's modules, and those that they import but for packages; absolute. */
  readonly files: readonly string[]
  readonly places: ScriptMap
}

function globalsOf(engine: Engine, code: string): string[] {
  const needed = GLOBALS.filter(([name, names]) =>
    engine === 'quickjs' ? names.test(code) : name !== 'text',
  )
  return needed.map(([name]) => name)
}

class Bundler {
  readonly #request: BundleRequest
  readonly #used = new Set<string>()
  readonly #files = new Set<string>()
  readonly #refused: Mistake[] = []
  #glue = ''

  constructor(request: BundleRequest) {
    this.#request = request
  }

  /** Twice: the author's modules alone say what the second one needs besides. */
  async build(): Promise<Bundle> {
    const { entry, world, engine } = this.#request
    const own = await this.#join(entry)
    const globals = globalsOf(engine, own.code)
    const jobs = JOBS.test(own.code)
    this.#glue = emitGlue({ exports: world.exports, entry, globals, jobs, engine })
    const { code, map } = await this.#join(GLUE)
    const places = this.#places(map)
    const told = `\n__loomPlaces(${JSON.stringify(ownPlaces(places))})\n`
    return { code: code + told, used: [...this.#used], jobs, places, files: [...this.#files] }
  }

  /** A script that tells what the author's modules throw, for want of a better message (emit-glue.ts). */
  async diagnose(): Promise<Bundle> {
    const { entry, engine } = this.#request
    const own = await this.#join(entry)
    this.#glue = emitDiagnosis({ entry, globals: globalsOf(engine, own.code) })
    const { code, map } = await this.#join(GLUE)
    const [used, files] = [[...this.#used], [...this.#files]]
    return { code, used, jobs: true, places: this.#places(map), files }
  }

  async #join(input: string): Promise<Chunk> {
    const { rolldown } = await load()
    this.#used.clear()
    const isOwn = input !== GLUE
    try {
      const bundle = await rolldown({
        input,
        cwd: this.#request.dir,
        platform: 'neutral',
        resolve: RESOLVE,
        treeshake: isOwn ? false : { moduleSideEffects: true },
        plugins: [this.#plugin(isOwn)],
        external: (id: string) => id.startsWith('raw:'),
        onwarn: () => {},
        logLevel: 'silent',
      })
      const { output } = await bundle.generate({
        format: 'esm',
        // Sources in the map are relative to it; nothing is written.
        dir: this.#request.dir,
        sourcemap: true,
        codeSplitting: false,
        comments: false,
        paths: (id: string) => id.replace(/^raw:/, ''),
      })
      if (isOwn) for (const file of await bundle.watchFiles) this.#addFile(file)
      await bundle.close()
      const [chunk] = output
      if (chunk === undefined) throw new Error('rolldown made nothing')
      return chunk
    } catch (error) {
      throw this.#mistakes(error)
    }
  }

  #addFile(file: string): void {
    if (path.isAbsolute(file) && !/[\\/]node_modules[\\/]/.test(file)) this.#files.add(file)
  }

  #plugin(isOwn: boolean): Plugin {
    const resolve = (specifier: string, importer?: string): unknown =>
      this.#resolve(specifier, importer)
    const installed = (by: Resolver, specifier: string, importer: string): unknown =>
      this.#installed(by, specifier, importer)
    return {
      name: 'loom',
      resolveId(specifier, importer) {
        const own = resolve(specifier, importer)
        if (own !== null || importer === undefined || !isPackage(specifier)) return own
        return installed(this, specifier, importer)
      },
      load: (id) => this.#load(id, isOwn),
    }
  }

  #resolve(specifier: string, importer = ''): unknown {
    if (importer.startsWith(`\0${RUNTIME}`) && specifier.startsWith('./'))
      return `\0${RUNTIME}${specifier.slice('./'.length)}`
    if (specifier === GLUE || specifier.startsWith(RUNTIME)) return `\0${specifier}`
    if (specifier === ENGINE_GUEST) return { id: `raw:${GUEST}`, external: true }
    if (specifier.startsWith('raw:')) return { id: specifier, external: true }
    if (specifier.startsWith('node:'))
      throw this.#refuse(
        specifier,
        importer,
        `'${specifier}' is a part of Node, which is not there`,
      )
    if (!isInterface(specifier)) return null
    const found = findInterface(this.#request.world, specifier)
    if (found === undefined) {
      const why = 'neither the world imports it nor does the host serve it'
      throw this.#refuse(specifier, importer, `no interface '${specifier}': ${why}`)
    }
    this.#used.add(found.id)
    return `\0wit:${found.id}`
  }

  /** rolldown would leave out what is not installed, and the engine would not find it either. */
  async #installed(by: Resolver, specifier: string, importer: string): Promise<unknown> {
    const found = await by.resolve(specifier, importer, { skipSelf: true })
    if (found !== null && found.external !== true) return found
    throw this.#refuse(specifier, importer, absenceOf(specifier))
  }

  /** rolldown would say neither where the import stands nor, for some, that there is one. */
  #refuse(specifier: string, importer: string, message: string): Error {
    const text = existsSync(importer) ? readFileSync(importer, 'utf8') : ''
    const offset = Math.max(0, text.search(new RegExp(`['"]${specifier}['"]`)))
    this.#refused.push({ message, file: displayPath(importer), ...placeAt(text, offset) })
    return new Error(message)
  }

  #load(id: string, isOwn: boolean): string | null {
    if (id === `\0${GLUE}`) return this.#glue
    if (id.startsWith(`\0${RUNTIME}`)) {
      return this.#runtimeModule(id.slice(RUNTIME.length + 1))
    }
    if (!id.startsWith('\0wit:')) return null
    const found = findInterface(this.#request.world, id.slice('\0wit:'.length))
    if (found === undefined) return null
    // What the SDK's own modules say is not the author's.
    return isOwn ? emitStub(found) : emitImport(found, `raw:${found.id}`, this.#request.engine)
  }

  /** `engine.js` is `engine-quickjs.js`, and so on: where there is a module for the engine, it is that one. */
  #runtimeModule(file: string): string {
    const folder = path.join(sdkFolder('javascript'), 'runtime')
    const special = path.join(folder, file.replace(/\.js$/, `-${this.#request.engine}.js`))
    return readFileSync(existsSync(special) ? special : path.join(folder, file), 'utf8')
  }

  #places(map: SourceMap | null): ScriptMap {
    const { dir } = this.#request
    const sources = (map?.sources ?? []).map((source) => {
      const file = path.resolve(dir, source)
      const isAuthors = file.startsWith(dir + path.sep) && !file.includes('node_modules')
      return isAuthors ? path.relative(dir, file).replaceAll('\\', '/') : null
    })
    return { sources, mappings: map?.mappings ?? '' }
  }

  #mistakes(error: unknown): Error {
    if (error instanceof ToolchainError) return error
    const [refused, ...more] = this.#refused
    if (refused !== undefined) return new BuildError([refused, ...more])
    const { errors = [] } = error as { readonly errors?: readonly RolldownError[] }
    const all = errors.length > 0 ? errors : [error as RolldownError]
    const [first, ...others] = all.map((one) => this.#mistake(one))
    return first === undefined ? (error as Error) : new BuildError([first, ...others])
  }

  #mistake({ message, id, loc }: RolldownError): Mistake {
    const file = displayPath(
      path.resolve(this.#request.dir, loc?.file ?? id ?? this.#request.entry),
    )
    // Some releases colour it.
    const plain = stripVTControlCharacters(message)
    const [text = plain] = plain.replace(/^\[[A-Z_]+\] (?:Error: )?/, '').split('\n')
    return { message: text, file, line: loc?.line ?? 1, column: (loc?.column ?? 0) + 1 }
  }
}

/** The interface's names, for a bundle that nobody evaluates. */
function emitStub(one: Interface): string {
  const functions = one.funcs.filter(({ member }) => member === null)
  const names = [...functions.map(({ name }) => camel(name)), ...resources(one).map(pascal)]
  const lines = names.map((name, index) => `const f${index} = 0\nexport { f${index} as ${name} }`)
  return `${lines.join('\n')}\n`
}

/** @throws BuildError with the places of what the author can mend, ToolchainError when rolldown is not installed. */
export function bundle(request: BundleRequest): Promise<Bundle> {
  return new Bundler(request).build()
}

/** As `bundle`, of modules that throw: the script's evaluation fails with what they throw (emit-glue.ts). */
export function bundleDiagnosis(request: BundleRequest): Promise<Bundle> {
  return new Bundler(request).diagnose()
}

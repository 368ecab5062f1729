/**
 * The evaluation of an author's modules.
 *
 * Owns: joining them, evaluating them once, and what the author is told when they cannot be evaluated.
 * Does not own: joining (bundle.ts), the engines (engine.ts).
 */
import path from 'node:path'
import { displayPath, mistakeOf } from '../assemblyscript/actor-folder.ts'
import { BuildError, type Mistake } from '../assemblyscript/errors.ts'
import type { WitSource } from '../tool/wit-source.ts'
import { type Bundle, type BundleRequest, bundle, bundleDiagnosis } from './bundle.ts'
import { THROWN } from './emit-glue.ts'
import { componentize } from './engine.ts'
import { EvaluationError } from './evaluation.ts'
import { placeInStack } from './stack-place.ts'
import { finalWorld } from './world.ts'

function run(request: BundleRequest, source: WitSource, script: Bundle): Promise<Uint8Array> {
  const { text: wit, world } = finalWorld(source, request.world, script.used)
  const { code, jobs } = script
  return componentize(request.engine, { dir: request.dir, wit, world, source: code, jobs })
}

/** Methods that the world exports and the module does not have. */
function missingMethods(message: string, entry: string): BuildError | null {
  const [, missing] = /loom:missing ([^\n"]*)/.exec(message) ?? []
  if (missing === undefined) return null
  const [first = '', ...others] = missing.trim().split(' ')
  const mistake = (name: string): Mistake => ({
    message: `the world exports a method that is not there: ${name}`,
    file: displayPath(entry),
    line: 1,
    column: 1,
  })
  return new BuildError([mistake(first), ...others.map(mistake)])
}

/** What the modules throw, and where. Null when a second evaluation does not tell. */
async function thrown(request: BundleRequest, source: WitSource): Promise<BuildError | null> {
  const script = await bundleDiagnosis(request)
  const message = await run(request, source, script).then(
    () => '',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  const [, told] = new RegExp(`${THROWN}([^\\s"]+)`).exec(message) ?? []
  if (told === undefined) return null
  const { message: text, stack } = JSON.parse(decodeURIComponent(told)) as {
    readonly message: string
    readonly stack: string
  }
  const { file, line, column } = placeInStack(stack, script.places) ?? {
    file: path.relative(request.dir, request.entry),
    line: 1,
    column: 1,
  }
  const where = displayPath(path.join(request.dir, file))
  return new BuildError([
    { message: `the module could not be evaluated: ${text}`, file: where, line, column },
  ])
}

/** What QuickJS says of a module that waits for a promise for ever; StarlingMonkey's words follow. */
const NEVER_SETTLED = /dead lock|Promise.*(never|pending|unresolved)/i

async function explain(
  { message }: EvaluationError,
  request: BundleRequest,
  source: WitSource,
): Promise<BuildError> {
  const known = missingMethods(message, request.entry) ?? (await thrown(request, source))
  if (known !== null) return known
  const said = NEVER_SETTLED.test(message)
    ? 'it waits for a promise that nothing settles'
    : message.trim()
  return mistakeOf(request.entry, `the module could not be evaluated: ${said}`)
}

export interface Evaluated {
  readonly component: Uint8Array
  /** The modules that went into it; absolute. */
  readonly files: readonly string[]
}

/** The component of an author's modules. @throws BuildError, ToolchainError */
export async function evaluate(request: BundleRequest, source: WitSource): Promise<Evaluated> {
  const script = await bundle(request)
  try {
    return { component: await run(request, source, script), files: script.files }
  } catch (error) {
    throw error instanceof EvaluationError ? await explain(error, request, source) : error
  }
}

/**
 * The world of an actor in JavaScript: its own, and what its code imports besides.
 *
 * Owns: which interface a specifier means, and the text of the world that the component gets.
 * Does not own: parsing (tool/component.ts).
 */
import type { Interface } from '../assemblyscript/model.ts'
import { withDocs } from '../assemblyscript/wit-docs.ts'
import { readWorld } from '../tool/component.ts'
import { HOST_INTERFACES, type WitSource } from '../tool/wit-source.ts'
import { setTypesApart } from './types-apart.ts'

/** What every actor imports: it tells why it fails. */
const GUEST = 'loom:actor/guest@0.1.0'
const BUILD_WORLD = 'loom-build'
const SPECIFIER = /^[a-z][a-z0-9-]*:[a-z][a-z0-9-]*\/[a-z][a-z0-9-]*(@[\w.+-]+)?$/

export interface JavaScriptWorld {
  readonly exports: readonly Interface[]
  /** What its own WIT imports. */
  readonly imports: readonly Interface[]
  /** Everything that its code may import. */
  readonly available: readonly Interface[]
}

function importing(source: WitSource, ids: readonly string[]): WitSource {
  const lines = ids.map((id) => `  import ${id};\n`).join('')
  const world = `\nworld ${BUILD_WORLD} {\n  include ${source.world};\n${lines}}\n`
  return { ...source, text: source.text + world, world: BUILD_WORLD }
}

/** @throws BuildError with the place of a mistake in the WIT. */
export async function readJavaScriptWorld(source: WitSource): Promise<JavaScriptWorld> {
  const own = await readWorld(source, 'JavaScript')
  const all = await readWorld(importing(source, HOST_INTERFACES), 'JavaScript')
  const exports = withDocs(own.exports, source.text)
  const available = withDocs(all.imports, source.text)
  const isOwn = new Set(own.imports.map(({ id }) => id))
  return { exports, imports: available.filter(({ id }) => isOwn.has(id)), available }
}

/** True when a module's name is that of an interface. */
export function isInterface(specifier: string): boolean {
  return SPECIFIER.test(specifier)
}

/** The interface that an author imports; without a version, what the WIT imports, or else the newest. */
export function findInterface(world: JavaScriptWorld, specifier: string): Interface | undefined {
  const matches = ({ id }: Interface): boolean =>
    id === specifier || id.replace(/@.*/, '') === specifier
  const own = world.imports.filter(matches)
  return (own.length > 0 ? own : world.available.filter(matches)).at(-1)
}

/** The WIT that the component is made of: the author's world, and what of the host's own is `used`. */
export function finalWorld(
  source: WitSource,
  world: JavaScriptWorld,
  used: readonly string[],
): WitSource {
  const own = new Set(world.imports.map(({ id }) => id))
  const more = [GUEST, ...used].filter((id) => !own.has(id))
  const text = setTypesApart(source.text, world)
  return importing({ ...source, text }, [...new Set(more)].sort())
}

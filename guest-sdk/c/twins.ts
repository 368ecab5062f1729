/**
 * Interfaces that a world both imports and exports.
 */
import { displayPath } from '../assemblyscript/actor-folder.ts'
import { BuildError } from '../assemblyscript/errors.ts'
import { splitInterfaceId } from '../assemblyscript/names.ts'
import { withoutComments } from '../assemblyscript/wit-files.ts'
import type { ActorWorld } from '../tool/component.ts'
import type { WitSource } from '../tool/wit-source.ts'

function twinMistake(id: string, file: string): BuildError {
  const message = `${id} is imported and exported; C has one name for both`
  return new BuildError([{ message, file: displayPath(file), line: 1, column: 1 }])
}

/**
 * The same interface as import and export would give two functions one name. Imported only because another
 * interface uses its types, as a client does, it gives types alone.
 */
export function withoutTwins({ imports, exports }: ActorWorld, source: WitSource): ActorWorld {
  const exported = new Set(exports.map(({ id }) => id))
  const twins = imports.filter(({ id, funcs }) => exported.has(id) && funcs.length > 0)
  for (const { id } of twins) if (importsByName(source.text, id)) throw twinMistake(id, source.file)
  const kept = imports.map((one) => (twins.includes(one) ? { ...one, funcs: [] } : one))
  return { imports: kept, exports }
}

/** Whether a world says `import account;`, or so with the whole id. */
function importsByName(text: string, id: string): boolean {
  const named = [...withoutComments(text).matchAll(/\bimport\s+%?([^\s;]+)\s*;/g)]
  const { name } = splitInterfaceId(id)
  return named.some(([, imported]) => imported === id || imported === name)
}

/**
 * The world of a component.
 *
 * Owns: finding out which host functions the compiled code calls, and refusing those that no host
 * interface declares.
 *
 * Invariant: the world imports exactly what the core module imports, no more and no less.
 */
import type { ActorClass } from './class-reader.ts'
import type { Mistake } from './errors.ts'
import type { Interface, World } from './model.ts'
import { splitInterfaceId } from './names.ts'
import { placeAt } from './text-place.ts'

export interface WorldReading {
  readonly world: World
  readonly mistakes: readonly Mistake[]
}

/** `texts` are the author's sources by name, to say where a function without a host is used. */
export function worldOf(
  { exported }: ActorClass,
  interfaces: readonly Interface[],
  core: Uint8Array,
  texts: ReadonlyMap<string, string>,
): WorldReading {
  const module = new WebAssembly.Module(Uint8Array.from(core))
  const called = new Map(
    WebAssembly.Module.imports(module).map((one) => [`${one.module}#${one.name}`, one.name]),
  )
  const imports = interfaces
    .map((one) => ({
      ...one,
      funcs: one.funcs.filter((func) => called.delete(`${one.id}#${func.name}`)),
    }))
    .filter((one) => one.funcs.length > 0)
  const name = `${splitInterfaceId(exported.id).name}-actor`
  const mistakes = [...called.values()].map((unserved) => unservedMistake(unserved, texts))
  return { world: { name, imports, exported }, mistakes }
}

function unservedMistake(name: string, texts: ReadonlyMap<string, string>): Mistake {
  const [word = name] = name.split('.')
  const message = `no host serves '${word}'; import host functions from 'loom/...' or from a .wit file`
  const pattern = new RegExp(`(?<![\\w$])${word.replaceAll('$', '\\$')}(?![\\w$])`)
  for (const [file, text] of texts) {
    const found = pattern.exec(text)
    if (found) return { message, file, ...placeAt(text, found.index) }
  }
  return { message, file: '', line: 1, column: 1 }
}

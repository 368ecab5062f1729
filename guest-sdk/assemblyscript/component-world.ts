/**
 * The world of a component.
 *
 * Owns: finding out which host functions the compiled code calls, and refusing those that no host
 * interface declares.
 *
 * Invariant: the world imports exactly what the core module imports, no more and no less.
 */
import type { Mistake } from './errors.ts'
import type { Definition, Func, Interface, World } from './model.ts'
import { definitions } from './model.ts'
import { splitInterfaceId } from './names.ts'
import { placeAt } from './text-place.ts'

export interface WorldReading {
  readonly world: World
  readonly mistakes: readonly Mistake[]
}

/**
 * The world of a component that exports `exports`, with what it calls of `interfaces`. `texts` are the
 * author's sources by name, to say where a function without a host is used.
 */
export function worldOf(
  exports: readonly Interface[],
  interfaces: readonly Interface[],
  core: Uint8Array,
  texts: ReadonlyMap<string, string>,
): WorldReading {
  const module = new WebAssembly.Module(Uint8Array.from(core))
  const called = new Map(
    WebAssembly.Module.imports(module).map((one) => [`${one.module}#${one.name}`, one.name]),
  )
  const funcs = new Map<string, Func[]>()
  const dropped: Definition[] = []
  for (const { id, funcs: all, types } of interfaces) {
    const used = all.filter((func) => called.delete(`${id}#${func.name}`))
    if (used.length > 0) funcs.set(id, used)
    const drops = types.filter((type) => called.delete(`${id}#[resource-drop]${type.name}`))
    dropped.push(...drops)
  }
  const types = onceEach(
    definitions([...[...funcs.values()].flat(), ...exports.flatMap((one) => one.funcs)], dropped),
  )
  const exported = new Set(exports.map((one) => one.id))
  const owners = new Set([...types.map((type) => type.owner), ...funcs.keys()])
  const imports = [...owners]
    .filter((id) => !exported.has(id) || funcs.has(id))
    .map((id) => importOf(id, funcs.get(id) ?? [], types, interfaces))
  const [first] = exports
  const name = `${splitInterfaceId(first?.id ?? '').name}-actor`
  const mistakes = [...called.values()].map((unserved) => unservedMistake(unserved, texts))
  return { world: { name, imports: inOrder(imports, interfaces), exports }, mistakes }
}

/** Each module of WIT reads a type that several of them use anew. */
function onceEach(types: readonly Definition[]): Definition[] {
  return [...new Map(types.map((type) => [`${type.owner}#${type.name}`, type])).values()]
}

/** The interface `id`, with only what is used of it. */
function importOf(
  id: string,
  funcs: readonly Func[],
  types: readonly Definition[],
  interfaces: readonly Interface[],
): Interface {
  const doc = interfaces.find((one) => one.id === id)?.doc ?? ''
  return { id, types: types.filter((type) => type.owner === id), funcs, doc }
}

/** In the order in which the interfaces are known; those that only hold types come first. */
function inOrder(imports: readonly Interface[], known: readonly Interface[]): Interface[] {
  const rank = ({ id }: Interface) => known.findIndex((one) => one.id === id)
  return [...imports].sort((a, b) => rank(a) - rank(b))
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

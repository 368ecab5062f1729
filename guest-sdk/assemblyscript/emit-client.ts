/**
 * WIT of the client of an actor's interface.
 *
 * Owns: for an interface `bank:account/account` the text of `bank:account/account-client`: a resource
 * `account` whose constructor takes an actor's type and id, and whose methods are the interface's.
 * Does not own: what it does: every host serves it (docs/typed-clients.md).
 */
import type { Interface } from './model.ts'
import { definitions } from './model.ts'
import { splitInterfaceId, witName } from './names.ts'
import { witFunc } from './wit-print.ts'

/** To be put behind the text that declares `one`. */
export function emitClientWit(one: Interface): string {
  const { name } = splitInterfaceId(one.id)
  const methods = one.funcs.map(
    (func) => `    ${witFunc(func, '').replaceAll('\n', '\n    ').trimEnd()}\n`,
  )
  return `/// Actors that export \`${name}\`.
interface ${name}-client {
${usesOf(one)}  /// One of them.
  resource ${witName(name)} {
    /// The actor of this type, as hosts know it, with this id.
    constructor(actor-type: string, id: string);

${methods.join('\n')}  }
}
`
}

/** The types of the actor's interface, in one line for each interface that owns some. */
function usesOf({ id, funcs }: Interface): string {
  const { packageId } = splitInterfaceId(id)
  const byOwner = new Map<string, string[]>()
  for (const { owner, name } of definitions(funcs)) {
    const parts = splitInterfaceId(owner)
    const from = parts.packageId === packageId ? witName(parts.name) : owner
    byOwner.set(from, [...(byOwner.get(from) ?? []), witName(name)])
  }
  const lines = [...byOwner].map(([from, names]) => `  use ${from}.{${names.join(', ')}};\n`)
  return lines.length === 0 ? '' : `${lines.join('')}\n`
}

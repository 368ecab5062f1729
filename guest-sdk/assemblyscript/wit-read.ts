/**
 * WIT text -> the interface model.
 *
 * Owns: reading WIT with the official parser, and checking that AssemblyScript can express its types.
 * Does not own: the binary form that the parser gives (wit-decode.ts), which files there are
 * (wit-files.ts), names of classes (wit-classes.ts).
 */
import { TUPLE_SIZE_MAX } from './as-type.ts'
import type { Definition, Type } from './model.ts'
import { children, definitions, isReference } from './model.ts'
import { splitInterfaceId, witName } from './names.ts'
import type { ComponentTools } from './toolchain.ts'
import type { WitModule } from './wit-classes.ts'
import { nameModule } from './wit-classes.ts'
import { decodeImports, UnsupportedWit } from './wit-decode.ts'
import { withDocs } from './wit-docs.ts'
import type { WitSource } from './wit-files.ts'

export const FLAGS_COUNT_MAX = 32
const WORLD = 'loom-reads-this'

/** The module `name` for the interfaces that `source` declares. Throws what the parser throws. */
export async function readWit(
  name: string,
  source: WitSource,
  tools: ComponentTools,
): Promise<WitModule> {
  const imports = source.own.map((one) => `  import ${witName(one)};\n`).join('')
  const module = await tools.componentEmbed({
    dummy: true,
    witSource: `${source.text}\nworld ${WORLD} {\n${imports}}\n`,
    world: WORLD,
    stringEncoding: 'utf16',
  })
  const all = withDocs(decodeImports(module), source.text)
  const own = all.filter(({ id }) => {
    const { packageId, name: interfaceName } = splitInterfaceId(id)
    return packageId === source.packageId && source.own.includes(interfaceName)
  })
  const seen = new Set<Type>()
  for (const type of own.flatMap((one) => one.types)) spellableParts(type, seen)
  for (const { params, result } of own.flatMap((one) => one.funcs)) {
    for (const { type } of params) spellable(type, seen)
    if (result) spellable(result, seen)
  }
  const types = definitions(
    own.flatMap((one) => one.funcs),
    own.flatMap((one) => one.types),
  )
  return nameModule(name, own, types)
}

function spellableParts(type: Definition, seen: Set<Type>): void {
  if (type.kind !== 'resource') spellable(type, seen)
}

/** Picks the AssemblyScript form of options, and refuses what has none. */
function spellable(type: Type, seen: Set<Type>): void {
  if (seen.has(type)) return
  seen.add(type)
  if (type.kind === 'option' && isReference(type.element) && type.element.kind !== 'option') {
    type.form = 'null'
  }
  if (type.kind === 'tuple' && type.elements.length > TUPLE_SIZE_MAX) {
    throw new UnsupportedWit(`a tuple of more than ${TUPLE_SIZE_MAX}`)
  }
  if (type.kind === 'flags' && type.labels.length > FLAGS_COUNT_MAX) {
    throw new UnsupportedWit(`more than ${FLAGS_COUNT_MAX} flags`)
  }
  for (const child of children(type)) spellable(child, seen)
}

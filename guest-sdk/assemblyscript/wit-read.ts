/**
 * WIT text -> the interface model.
 *
 * Owns: reading one WIT file with the official parser, checking that AssemblyScript can express its
 * types, and naming their classes.
 * Does not own: the binary form that the parser gives (wit-decode.ts).
 */
import { TUPLE_SIZE_MAX } from './as-type.ts'
import type { Interface, NamedType, Type } from './model.ts'
import { children, isReference, namedTypes } from './model.ts'
import { pascal, witName } from './names.ts'
import type { ComponentTools } from './toolchain.ts'
import { decodeImports, UnsupportedWit } from './wit-decode.ts'

export const FLAGS_COUNT_MAX = 32
const WORLD = 'loom-reads-this'

/** The interfaces of `text`, ready for emit-import.ts. Throws what the parser throws. */
export async function readWit(text: string, tools: ComponentTools): Promise<Interface[]> {
  const world = `\nworld ${WORLD} {\n${interfaceNames(text)
    .map((name) => `  import ${witName(name)};\n`)
    .join('')}}\n`
  const module = await tools.componentEmbed({
    dummy: true,
    witSource: text + world,
    world: WORLD,
    stringEncoding: 'utf16',
  })
  const interfaces = decodeImports(module)
  const funcs = interfaces.flatMap((one) => one.funcs)
  const seen = new Set<Type>()
  for (const func of funcs) {
    for (const { type } of func.params) spellable(type, seen)
    if (func.result) spellable(func.result, seen)
  }
  for (const type of namedTypes(funcs)) nameClasses(type)
  return interfaces
}

function interfaceNames(text: string): string[] {
  const code = text.replace(/\/\/.*$/gm, '').replace(/\/\*[\s\S]*?\*\//g, '')
  return [...code.matchAll(/\binterface\s+%?([a-z][a-z0-9-]*)\s*\{/gi)].map(([, name = '']) => name)
}

/** Picks the AssemblyScript form of options, and refuses what has none. */
function spellable(type: Type, seen: Set<Type>): void {
  if (seen.has(type)) return
  seen.add(type)
  if (type.kind === 'option' && isReference(type.element) && type.element.kind !== 'option') {
    type.form = 'null'
  }
  if (
    type.kind === 'tuple' &&
    (type.elements.length < 2 || type.elements.length > TUPLE_SIZE_MAX)
  ) {
    throw new UnsupportedWit(`a tuple of ${type.elements.length}, only 2 to ${TUPLE_SIZE_MAX},`)
  }
  if (type.kind === 'flags' && type.labels.length > FLAGS_COUNT_MAX) {
    throw new UnsupportedWit(`more than ${FLAGS_COUNT_MAX} flags`)
  }
  for (const child of children(type)) spellable(child, seen)
}

/** Classes that generated modules use; a WIT type of this name gets an underscore. */
const TAKEN = new Set([
  'Array',
  'Map',
  'Option',
  'Result',
  'StaticArray',
  'Tuple2',
  'Tuple3',
  'Tuple4',
  'Unit',
])

function nameClasses(type: NamedType): void {
  const spelled = pascal(type.name)
  const className = TAKEN.has(spelled) ? `${spelled}_` : spelled
  type.source = { module: '', className }
  if (type.kind !== 'variant') return
  for (const one of type.cases) {
    one.source = { module: '', className: className + pascal(one.name) }
    if (one.type) one.payload = { kind: 'property', property: 'value', readonly: false }
  }
}

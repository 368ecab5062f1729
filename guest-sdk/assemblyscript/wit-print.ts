/**
 * WIT text.
 *
 * Owns: printing a world, with documentation, so that one text holds everything it refers to:
 * interfaces of other packages are nested.
 * Does not own: which functions a component imports (build-actor.ts prunes them first).
 */
import type { Func, Interface, NamedType, Type, World } from './model.ts'
import { namedTypes } from './model.ts'
import { splitInterfaceId, witName } from './names.ts'

export function witType(type: Type): string {
  switch (type.kind) {
    case 'list':
      return `list<${witType(type.element)}>`
    case 'option':
      return `option<${witType(type.element)}>`
    case 'tuple':
      return `tuple<${type.elements.map(witType).join(', ')}>`
    case 'result':
      return witResult(type.ok, type.err)
    case 'record':
    case 'variant':
    case 'enum':
    case 'flags':
      return witName(type.name)
    default:
      return type.kind
  }
}

function witResult(ok: Type | null, err: Type | null): string {
  if (err) return `result<${ok ? witType(ok) : '_'}, ${witType(err)}>`
  return ok ? `result<${witType(ok)}>` : 'result'
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}

function docLines(doc: string): string {
  if (doc === '') return ''
  return doc
    .split('\n')
    .map((line) => `/// ${line}`.trimEnd().concat('\n'))
    .join('')
}

interface Entry {
  readonly text: string
  readonly doc: string
}

function block(keyword: string, type: NamedType, entries: readonly Entry[]): string {
  const body = entries.map(({ text, doc }) => indent(`${docLines(doc)}${text},\n`)).join('')
  return `${docLines(type.doc)}${keyword} ${witName(type.name)} {\n${body}}\n`
}

function witDefinition(type: NamedType): string {
  return block(type.kind, type, entriesOf(type))
}

function entriesOf(type: NamedType): readonly Entry[] {
  switch (type.kind) {
    case 'record':
      return type.fields.map(({ name, type: of, doc }) => ({
        text: `${witName(name)}: ${witType(of)}`,
        doc,
      }))
    case 'variant':
      return type.cases.map(({ name, type: of, doc }) => ({
        text: witName(name) + (of ? `(${witType(of)})` : ''),
        doc,
      }))
    case 'enum':
      return type.cases.map(({ name, doc }) => ({ text: witName(name), doc }))
    case 'flags':
      return type.labels.map(({ name, doc }) => ({ text: witName(name), doc }))
  }
}

function witFunc(func: Func): string {
  const params = func.params.map((param) => `${witName(param.name)}: ${witType(param.type)}`)
  const result = func.result ? ` -> ${witType(func.result)}` : ''
  return `${docLines(func.doc)}${witName(func.name)}: func(${params.join(', ')})${result};\n`
}

function witInterface(one: Interface): string {
  const parts = [...namedTypes(one.funcs).map(witDefinition), ...one.funcs.map(witFunc)]
  const name = witName(splitInterfaceId(one.id).name)
  return `${docLines(one.doc)}interface ${name} {\n${indent(parts.join('\n'))}}\n`
}

/** One self-contained WIT text: the actor's package, its world, and the packages that it imports. */
export function witWorld(world: World): string {
  const own = splitInterfaceId(world.exported.id)
  const local: Interface[] = [world.exported]
  const foreign = new Map<string, Interface[]>()
  for (const one of world.imports) {
    const { packageId } = splitInterfaceId(one.id)
    if (packageId === own.packageId) local.push(one)
    else foreign.set(packageId, [...(foreign.get(packageId) ?? []), one])
  }
  const imports = world.imports.map((one) => {
    const reference = local.includes(one) ? witName(splitInterfaceId(one.id).name) : one.id
    return `  import ${reference};\n`
  })
  const body = `${imports.join('')}  export ${witName(own.name)};\n`
  const nested = [...foreign].map(
    ([packageId, list]) =>
      `\npackage ${packageId} {\n${indent(list.map(witInterface).join('\n'))}}\n`,
  )
  return [
    `package ${own.packageId};\n\n`,
    ...local.map((one) => `${witInterface(one)}\n`),
    `world ${witName(world.name)} {\n${body}}\n`,
    ...nested,
  ].join('')
}

/**
 * WIT text.
 *
 * Owns: printing a world, with documentation, so that one text holds everything it refers to:
 * interfaces of other packages are nested.
 * Does not own: which functions a component imports (build-actor.ts prunes them first).
 */
import type { Definition, Func, Interface, NamedType, Type, World } from './model.ts'
import { children, definitions, isHandle, isNamed } from './model.ts'
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
    case 'own':
      return witName(type.resource.name)
    case 'borrow':
      return `borrow<${witName(type.resource.name)}>`
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

/** One function, with its documentation. `prefix` goes before `func`. */
export function witFunc(func: Func, prefix: string): string {
  const { member } = func
  const own = member?.kind === 'method' ? func.params.slice(1) : func.params
  const params = own.map((param) => `${witName(param.name)}: ${witType(param.type)}`).join(', ')
  if (member?.kind === 'constructor') return `${docLines(func.doc)}constructor(${params});\n`
  const result = func.result ? ` -> ${witType(func.result)}` : ''
  const name = witName(member ? member.name : func.name)
  return `${docLines(func.doc)}${name}: ${prefix}func(${params})${result};\n`
}

function witDefinition(type: Definition, funcs: readonly Func[]): string {
  if (type.kind !== 'resource') return block(type.kind, type, entriesOf(type))
  const members = funcs.filter(({ member }) => member?.resource.name === type.name)
  const head = `${docLines(type.doc)}resource ${witName(type.name)}`
  if (members.length === 0) return `${head};\n`
  const body = members.map((func) => witFunc(func, func.member?.kind === 'static' ? 'static ' : ''))
  return `${head} {\n${indent(body.join('\n'))}}\n`
}

/** Definitions of other interfaces that this one names itself. */
function references({ id, funcs, types }: Interface): ReadonlySet<Definition> {
  const found = new Set<Definition>()
  const visit = (type: Type): void => {
    const definition = isHandle(type) ? type.resource : isNamed(type) ? type : null
    if (definition && definition.owner !== id) found.add(definition)
    else for (const child of children(type)) visit(child)
  }
  for (const type of types) if (type.kind !== 'resource') visit(type)
  for (const { params, result } of funcs) {
    for (const { type } of params) visit(type)
    if (result) visit(result)
  }
  return found
}

/** What the interface uses of others: `use kinds.{color};`. */
function witUses(one: Interface): string {
  const { packageId } = splitInterfaceId(one.id)
  const byOwner = new Map<string, string[]>()
  for (const { owner, name } of references(one)) {
    byOwner.set(owner, [...(byOwner.get(owner) ?? []), witName(name)])
  }
  const lines = [...byOwner].map(([owner, names]) => {
    const parts = splitInterfaceId(owner)
    const from = parts.packageId === packageId ? witName(parts.name) : owner
    return `use ${from}.{${names.join(', ')}};\n`
  })
  return lines.join('')
}

function witInterface(one: Interface): string {
  const parts = [
    witUses(one),
    ...one.types.map((type) => witDefinition(type, one.funcs)),
    ...one.funcs.filter((func) => func.member === null).map((func) => witFunc(func, '')),
  ].filter((part) => part !== '')
  const name = witName(splitInterfaceId(one.id).name)
  return `${docLines(one.doc)}interface ${name} {\n${indent(parts.join('\n'))}}\n`
}

const packageOf = (id: string) => splitInterfaceId(id).packageId

/**
 * The package that holds the world: of an exported interface, unless another package uses its types;
 * packages cannot use each other.
 */
function worldPackage({ exports, imports }: World): string {
  const all = [...exports, ...imports]
  const isUsedByOthers = (id: string) =>
    all.some(
      (one) =>
        packageOf(one.id) !== id &&
        definitions(one.funcs, one.types).some(({ owner }) => packageOf(owner) === id),
    )
  const candidates = exports.map((one) => packageOf(one.id))
  return candidates.find((id) => !isUsedByOthers(id)) ?? 'loom:component'
}

/** One self-contained WIT text: the actor's package, its world, and the packages that it imports. */
export function witWorld(world: World): string {
  const own = worldPackage(world)
  const isLocal = ({ id }: Interface) => packageOf(id) === own
  const reference = (one: Interface) =>
    isLocal(one) ? witName(splitInterfaceId(one.id).name) : one.id
  // An interface that is exported and whose functions are called elsewhere too is printed once.
  const all = [...world.exports, ...world.imports.filter(({ id }) => !isExported(world, id))]
  const foreign = new Map<string, Interface[]>()
  for (const one of all.filter((each) => !isLocal(each))) {
    foreign.set(packageOf(one.id), [...(foreign.get(packageOf(one.id)) ?? []), one])
  }
  const body = [
    ...world.imports.map((one) => `  import ${reference(one)};\n`),
    ...world.exports.map((one) => `  export ${reference(one)};\n`),
  ]
  const nested = [...foreign].map(
    ([packageId, list]) =>
      `\npackage ${packageId} {\n${indent(list.map(witInterface).join('\n'))}}\n`,
  )
  return [
    `package ${own};\n\n`,
    ...all.filter(isLocal).map((one) => `${witInterface(one)}\n`),
    `world ${witName(world.name)} {\n${body.join('')}}\n`,
    ...nested,
  ].join('')
}

function isExported({ exports }: World, id: string): boolean {
  return exports.some((one) => one.id === id)
}

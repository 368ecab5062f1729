/**
 * A contract as WIT text.
 *
 * Owns: text that every WIT tool reads: one world, and the interfaces that it names in the packages that they are of.
 */

import type { WitFunction } from '../wit/wit.ts'
import { formatFunction, formatType, witName } from '../wit/wit-text.ts'
import type { Contract, ContractInterface, ContractType } from './contract.ts'

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}

function block(head: string, lines: readonly string[]): string {
  return `${head} {\n${lines.map((line) => indent(`${line},\n`)).join('')}}\n`
}

function declareType({ name, type }: ContractType, functions: readonly WitFunction[]): string {
  const id = witName(name)
  if (type === null) return declareResource(name, functions)
  switch (type.kind) {
    case 'record':
      return block(
        `record ${id}`,
        type.fields.map((field) => `${witName(field.name)}: ${formatType(field.type)}`),
      )
    case 'variant':
      return block(
        `variant ${id}`,
        type.cases.map((one) =>
          one.type === null ? witName(one.name) : `${witName(one.name)}(${formatType(one.type)})`,
        ),
      )
    case 'enum':
      return block(`enum ${id}`, type.cases.map(witName))
    case 'flags':
      return block(`flags ${id}`, type.labels.map(witName))
    default:
      return `type ${id} = ${formatType(type)};\n`
  }
}

const MEMBER = /^\[(constructor|method|static)\]([^.]+)(?:\.(.+))?$/

/** Of the functions of an interface, those that belong to the resource. */
function declareResource(name: string, functions: readonly WitFunction[]): string {
  const members = functions.flatMap((func) => {
    const [, kind, resource, own = ''] = MEMBER.exec(func.name) ?? []
    if (resource !== name) return []
    if (kind === 'constructor')
      return [`${formatFunction({ ...func, result: null }).replace('func', 'constructor')};`]
    const params = kind === 'method' ? func.params.slice(1) : func.params
    const prefix = kind === 'static' ? 'static ' : ''
    return [`${witName(own)}: ${prefix}${formatFunction({ ...func, params })};`]
  })
  if (members.length === 0) return `resource ${witName(name)};\n`
  return `resource ${witName(name)} {\n${indent(`${members.join('\n')}\n`)}}\n`
}

/** `namespace:package@version` and `interface`. */
function split(interfaceName: string): readonly [packageId: string, name: string] {
  const [, path = '', name = '', version = ''] = /^(.*)\/([^@]*)(@.*)?$/.exec(interfaceName) ?? []
  return [path + version, name]
}

/** As text refers to it: `namespace:package/%interface@version`. */
function reference(interfaceName: string): string {
  return interfaceName.replace(/\/([^@]*)/, (_, name: string) => `/${witName(name)}`)
}

/** `use account.{refusal};` for the types of other interfaces. */
function uses({ name, types }: ContractInterface): string[] {
  const byOwner = new Map<string, string[]>()
  for (const { name: own, used } of types) {
    if (used === null) continue
    const item = used.name === own ? witName(own) : `${witName(used.name)} as ${witName(own)}`
    byOwner.set(used.interfaceName, [...(byOwner.get(used.interfaceName) ?? []), item])
  }
  return [...byOwner].map(([owner, items]) => {
    const [packageId, short] = split(owner)
    const from = packageId === split(name)[0] ? witName(short) : reference(owner)
    return `use ${from}.{${items.join(', ')}};\n`
  })
}

function itemsOf(one: ContractInterface): string[] {
  const types = one.types.filter(({ used }) => used === null)
  const functions = one.functions.filter(({ name }) => !name.startsWith('['))
  return [
    ...(uses(one).length === 0 ? [] : [uses(one).join('')]),
    ...types.map((type) => declareType(type, one.functions)),
    ...functions.map((func) => `${witName(func.name)}: ${formatFunction(func)};\n`),
  ]
}

function declareInterface(one: ContractInterface): string {
  return `interface ${witName(split(one.name)[1])} {\n${indent(itemsOf(one).join('\n'))}}\n`
}

function worldLines(side: 'import' | 'export', all: readonly ContractInterface[]): string[] {
  return all.flatMap((one) => {
    if (one.name !== '') return [`${side} ${reference(one.name)};\n`]
    return one.functions.map((func) => `${side} ${witName(func.name)}: ${formatFunction(func)};\n`)
  })
}

/** The same contract gives the same text. */
export function contractText({ imports, exports }: Contract): string {
  const packages = new Map<string, Map<string, ContractInterface>>()
  // What is exported is whole; of what is imported, a component has the part that it uses.
  for (const one of [...imports, ...exports]) {
    if (one.name === '') continue
    const [packageId] = split(one.name)
    const known = packages.get(packageId) ?? new Map<string, ContractInterface>()
    packages.set(packageId, known.set(one.name, one))
  }
  const [world] = [...imports, ...exports].filter(({ name }) => name === '')
  const own = world === undefined ? [] : world.types.map((type) => declareType(type, []))
  const lines = [...own, ...worldLines('import', imports), ...worldLines('export', exports)]
  const nested = [...packages].map(
    ([id, all]) =>
      `\npackage ${id} {\n${indent([...all.values()].map(declareInterface).join('\n'))}}\n`,
  )
  return `package root:component;\n\nworld root {\n${indent(lines.join(''))}}\n${nested.join('')}`
}

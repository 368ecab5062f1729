/**
 * Declarations of host modules for editors.
 *
 * Owns: the `.d.ts` that tells an editor what `./host/quotes` exports.
 * Does not own: the module that is compiled (emit-import.ts).
 */
import { asType, SDK_NAMES } from './as-type.ts'
import { memberName, membersOf } from './emit-resource.ts'
import type { Definition, Func, Param, ResourceType, Type } from './model.ts'
import { identifier, pascal } from './names.ts'
import type { Contract, WitModule } from './wit-classes.ts'

function spell(type: Type): string {
  return asType(type, (source) => source.className)
}

function comment(doc: string, indent = ''): string {
  if (doc === '') return ''
  const lines = doc.replaceAll('*/', '* /').split('\n')
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`
  const body = lines.map((line) => `${indent} * ${line}`.trimEnd().concat('\n'))
  return `${indent}/**\n${body.join('')}${indent} */\n`
}

function declareClass(name: string, base: string, fields: readonly string[]): string {
  const lines = fields.map((field) => `  ${field}\n`).join('')
  return `export class ${name}${base} {\n${lines}  constructor(${fields.join(', ')})\n}\n`
}

function declareType(type: Definition, module: WitModule): string {
  const { className } = type.source
  switch (type.kind) {
    case 'record':
      return declareClass(
        className,
        '',
        type.fields.map((field) => `${field.property}: ${spell(field.type)}`),
      )
    case 'enum':
    case 'flags': {
      const labels = type.kind === 'enum' ? type.cases : type.labels
      const bit = (index: number) => (type.kind === 'enum' ? index : 1 << index)
      const members = labels.map((label, index) => `${pascal(label.name)} = ${bit(index)}`)
      return `export enum ${className} { ${members.join(', ')} }\n`
    }
    case 'variant': {
      const cases = type.cases.map((one) => {
        const fields = one.type ? [`value: ${spell(one.type)}`] : []
        return (
          comment(one.doc) + declareClass(one.source.className, ` extends ${className}`, fields)
        )
      })
      return `export abstract class ${className} {}\n${cases.join('')}`
    }
    case 'resource':
      return declareResource(type, module)
  }
}

function signature(params: readonly Param[], result: Type | null): string {
  const list = params.map((param) => `${identifier(param.name)}: ${spell(param.type)}`)
  return `(${list.join(', ')}): ${result ? spell(result) : 'void'}`
}

function declareResource(type: ResourceType, module: WitModule): string {
  const members = membersOf(type, module)
  const lines = members.map((func) => {
    const { kind } = func.member ?? { kind: 'static' }
    const doc = comment(func.doc, '  ')
    if (kind === 'constructor') {
      return `${doc}  constructor${signature(func.params, null).replace(/: void$/, '')}\n`
    }
    const params = kind === 'method' ? func.params.slice(1) : func.params
    const prefix = kind === 'static' ? 'static ' : ''
    return `${doc}  ${prefix}${memberName(func)}${signature(params, func.result)}\n`
  })
  if (!members.some((func) => func.member?.kind === 'constructor')) {
    lines.unshift('  private constructor()\n')
  }
  const drop = '  /** Gives the resource back to the host. */\n  drop(): void\n'
  return `export class ${type.source.className} {\n${lines.join('')}${drop}}\n`
}

function declareFunction(func: Func): string {
  return `${comment(func.doc)}export function ${func.method}${signature(func.params, func.result)}\n`
}

function declareContract({ className, interface: { doc, funcs } }: Contract): string {
  const methods = funcs.map(
    (func) =>
      `${comment(func.doc, '  ')}  abstract ${func.method}${signature(func.params, func.result)}\n`,
  )
  return `${comment(doc)}export abstract class ${className} {\n${methods.join('')}}\n`
}

/** Declaration text for one WIT file. */
export function emitDeclarations(module: WitModule): string {
  const funcs = module.interfaces.flatMap((one) => one.funcs)
  return [
    `// Generated from ${module.interfaces.map((one) => one.id).join(', ')}. For editors only.\n`,
    `import type { ${SDK_NAMES.join(', ')} } from "loom"\n`,
    ...module.types.map((type) => comment(type.doc) + declareType(type, module)),
    ...funcs.filter((func) => func.member === null).map(declareFunction),
    ...module.contracts.map(declareContract),
  ].join('')
}

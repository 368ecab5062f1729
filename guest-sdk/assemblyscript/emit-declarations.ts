/**
 * Declarations of host modules for editors.
 *
 * Owns: the `.d.ts` that tells an editor what `./host/quotes` exports.
 * Does not own: the module that is compiled (emit-import.ts).
 */
import { asType } from './as-type.ts'
import type { Func, Interface, NamedType, Type } from './model.ts'
import { namedTypes } from './model.ts'
import { identifier, pascal } from './names.ts'

function spell(type: Type): string {
  return asType(type, (source) => source.className)
}

function declareClass(name: string, base: string, fields: readonly string[]): string {
  const lines = fields.map((field) => `  ${field}\n`).join('')
  return `export class ${name}${base} {\n${lines}  constructor(${fields.join(', ')})\n}\n`
}

function declareType(type: NamedType): string {
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
      const cases = type.cases.map((one) =>
        declareClass(
          one.source.className,
          ` extends ${className}`,
          one.type ? [`value: ${spell(one.type)}`] : [],
        ),
      )
      return `export abstract class ${className} {}\n${cases.join('')}`
    }
  }
}

function declareFunction(func: Func): string {
  const params = func.params.map((param) => `${identifier(param.name)}: ${spell(param.type)}`)
  return `export function ${func.method}(${params.join(', ')}): ${func.result ? spell(func.result) : 'void'}\n`
}

/** Declaration text for the interfaces of one WIT file. */
export function emitDeclarations(interfaces: readonly Interface[]): string {
  const funcs = interfaces.flatMap((one) => one.funcs)
  return [
    `// Generated from ${interfaces.map((one) => one.id).join(', ')}. For editors only.\n`,
    'import type { char, Option, Result, Tuple2, Tuple3, Tuple4, Unit } from "loom"\n',
    ...namedTypes(funcs).map(declareType),
    ...funcs.map(declareFunction),
  ].join('')
}

/**
 * A contract as TypeScript declarations, for callers.
 *
 * Owns: the TypeScript of WIT types as callers pass and get them (wit.ts), and one interface of methods.
 *
 * Invariants:
 *   CT1. A value that is got has the declared type, and may be passed back.
 *   CT2. Parameters also admit what host/component/values/check.ts takes besides: safe integers for 64-bit types, arrays for
 *        lists of numbers, null for none. In fields of named types they do not, because those are got as well.
 */

import { arrayKindOf } from '../values/numbers.ts'
import { camelCase } from '../wit/labels.ts'
import { passesHandles } from '../wit/layout.ts'
import type { WitCase, WitFunction, WitType } from '../wit/wit.ts'
import { formatFunction } from '../wit/wit-text.ts'
import type { Contract } from './contract.ts'
import { methodNames } from './method-names.ts'

/** Names of the language that the declarations use, or that cannot be declared. */
const RESERVED = /^(Methods|(Big)?(Ui|I)nt(8|16|32|64)Array|Float(32|64)Array|[a-z].*)$/

function pascalCase(name: string): string {
  const camel = camelCase(name)
  return camel.charAt(0).toUpperCase() + camel.slice(1)
}

const quote = (text: string): string => `'${text}'`

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name)
}

/** A parameter's name; the language's own words get an underscore. */
function parameter(name: string): string {
  const camel = camelCase(name)
  return /^(arguments|await|break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|eval|export|extends|false|finally|for|function|if|implements|import|in|instanceof|interface|let|new|null|package|private|protected|public|return|static|super|switch|this|throw|true|try|typeof|var|void|while|with|yield)$/.test(
    camel,
  )
    ? `${camel}_`
    : camel
}

class Declarations {
  readonly #names = new Map<WitType, string>()
  readonly #taken = new Set<string>()
  readonly texts: string[] = []

  /** The type of a value that callers get. */
  type(type: WitType): string {
    switch (type.kind) {
      case 'bool':
        return 'boolean'
      case 'u64':
      case 's64':
        return 'bigint'
      case 'string':
      case 'char':
        return 'string'
      case 'list':
        return arrayKindOf(type.element)?.Class.name ?? `readonly (${this.type(type.element)})[]`
      case 'option':
        return this.#option(type.element)
      case 'tuple':
        return `readonly [${type.elements.map((one) => this.type(one)).join(', ')}]`
      case 'result':
        return this.#cases([
          { name: 'ok', type: type.ok },
          { name: 'err', type: type.err },
        ])
      case 'record':
      case 'variant':
      case 'enum':
      case 'flags':
        return this.#names.get(type) ?? this.#declare(type)
      case 'own':
      case 'borrow':
        return 'never'
      default:
        return 'number'
    }
  }

  /** CT2. */
  parameterType(type: WitType): string {
    const own = this.type(type)
    if (own === 'bigint') return 'bigint | number'
    if (type.kind === 'option')
      return type.element.kind === 'option'
        ? `${own} | null`
        : `${this.parameterType(type.element)} | null | undefined`
    if (type.kind !== 'list' || arrayKindOf(type.element) === undefined) return own
    return `${own} | readonly (${this.parameterType(type.element)})[]`
  }

  #option(element: WitType): string {
    const some = this.type(element)
    if (element.kind !== 'option') return `${some} | undefined`
    return `{ readonly tag: 'some'; readonly val: ${some} } | { readonly tag: 'none' }`
  }

  #cases(cases: readonly WitCase[]): string {
    const texts = cases.map(({ name, type }) => {
      const val = type === null ? '' : `; readonly val: ${this.type(type)}`
      return `{ readonly tag: ${quote(name)}${val} }`
    })
    return texts.join(' | ')
  }

  #declare(type: Extract<WitType, { readonly name: string | null }>): string {
    let name = pascalCase(type.name ?? type.kind)
    while (this.#taken.has(name) || RESERVED.test(name)) name += '_'
    this.#taken.add(name)
    this.#names.set(type, name)
    this.texts.push(this.#declaration(type, name))
    return name
  }

  #declaration(type: Extract<WitType, { readonly name: string | null }>, name: string): string {
    if (type.kind === 'variant') return `export type ${name} = ${this.#cases(type.cases)}\n`
    if (type.kind === 'enum') return `export type ${name} = ${type.cases.map(quote).join(' | ')}\n`
    const fields =
      type.kind === 'flags'
        ? type.labels.map((label) => `  readonly ${key(camelCase(label))}: boolean\n`)
        : type.fields.map(({ name: field, type: of }) => {
            const mark = of.kind === 'option' ? '?' : ''
            return `  readonly ${key(camelCase(field))}${mark}: ${this.type(of)}\n`
          })
    return `export interface ${name} {\n${fields.join('')}}\n`
  }

  method(name: string, { params, result }: WitFunction): string {
    const list = params.map(
      (param) => `${parameter(param.name)}: ${this.parameterType(param.type)}`,
    )
    const returned = result === null ? 'undefined' : this.type(result)
    return `  ${key(name)}(${list.join(', ')}): ${returned}\n`
  }
}

/** A module: an interface `Methods`, and the types that its methods pass. `origin` is named in its first line. */
export function contractDeclarations({ exports }: Contract, origin: string): string {
  const declarations = new Declarations()
  const names = methodNames(exports)
  const methods = exports.flatMap(({ name, functions }) =>
    functions.flatMap((func) => {
      const method = names.get(`${name}#${func.name}`) ?? func.name
      // Handles are of the actor's own process: such a method cannot be called from outside.
      if (passesHandles(func)) return []
      const doc = `  /** \`${formatFunction(func)}\` */\n`
      const spelled = [...new Set([method, method.includes('.') ? method : camelCase(method)])]
      return spelled.map((one) => doc + declarations.method(one, func))
    }),
  )
  const head = `// Made by \`loom types\` from ${origin}. Do not edit.\n`
  const all = `/** What callers may call: \`runtime.getActor<Methods>(id, type)\`. */\nexport interface Methods {\n${methods.join('')}}\n`
  return [head, all, ...declarations.texts].join('\n')
}

/**
 * TypeScript declarations of a world.
 *
 * Owns: `world.d.ts`, what the author's module exports, and `host.d.ts`, the modules that it may import.
 * Does not own: checking the author's code with them (check-types.ts).
 *
 * Invariant ET1: the types are what runtime/types.js takes and gives, which are those of jco's bindings.
 */
import type { Func, Interface, NamedType, Primitive, Type } from '../assemblyscript/model.ts'
import { isNamed, isPrimitive } from '../assemblyscript/model.ts'
import { camel, pascal } from '../assemblyscript/names.ts'
import { interfaceName, resources } from './emit-glue.ts'
import type { JavaScriptWorld } from './world.ts'

const HEADER = '// Made by `loom build` from the WIT; changes are lost.\n'
const RESULT = `/** A result inside another value. A method returns the one and throws the other. */
export type Result<T, E> = { tag: 'ok'; val: T } | { tag: 'err'; val: E }
`

const LISTS: Partial<Record<Primitive, string>> = {
  u8: 'Uint8Array',
  s8: 'Int8Array',
  u16: 'Uint16Array',
  s16: 'Int16Array',
  u32: 'Uint32Array',
  s32: 'Int32Array',
  u64: 'BigUint64Array',
  s64: 'BigInt64Array',
  f32: 'Float32Array',
  f64: 'Float64Array',
}

function primitive(kind: Primitive): string {
  if (kind === 'bool') return 'boolean'
  if (kind === 'char') return 'string'
  return kind === 'u64' || kind === 's64' ? 'bigint' : 'number'
}

function comment(doc: string, indent: string): string {
  if (doc === '') return ''
  const lines = doc.replaceAll('*/', '* /').split('\n')
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}`.trimEnd()).join('\n')}\n${indent} */\n`
}

function property(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)
}

class Declarations {
  /** How a named type is written in this module. */
  readonly #name: (type: NamedType) => string

  constructor(name: (type: NamedType) => string) {
    this.#name = name
  }

  of(type: Type): string {
    if (isNamed(type)) return this.#name(type)
    if (isPrimitive(type)) return primitive(type.kind)
    switch (type.kind) {
      case 'string':
        return 'string'
      case 'list': {
        const { element } = type
        const numbers = isPrimitive(element) ? LISTS[element.kind] : undefined
        return numbers ?? `Array<${this.of(element)}>`
      }
      case 'option':
        return this.#option(type.element)
      case 'tuple':
        return `[${type.elements.map((one) => this.of(one)).join(', ')}]`
      case 'result':
        return `Result<${this.orVoid(type.ok)}, ${this.orVoid(type.err)}>`
      default:
        return pascal(type.resource.name)
    }
  }

  #option(element: Type): string {
    if (element.kind !== 'option') return `${this.of(element)} | undefined`
    return `{ tag: 'none' } | { tag: 'some'; val: ${this.of(element)} }`
  }

  orVoid(type: Type | null): string {
    return type === null ? 'void' : this.of(type)
  }

  named(type: NamedType, name: string): string {
    const doc = comment(type.doc, '')
    if (type.kind === 'record') {
      const fields = type.fields.map((field) => {
        const mark = field.type.kind === 'option' ? '?' : ''
        const key = property(camel(field.name))
        return `${comment(field.doc, '  ')}  ${key}${mark}: ${this.of(field.type)}\n`
      })
      return `${doc}export interface ${name} {\n${fields.join('')}}\n`
    }
    if (type.kind === 'variant') {
      const cases = type.cases.map((one) => {
        const val = one.type === null ? '' : `; val: ${this.of(one.type)}`
        return `${comment(one.doc, '  ')}  | { tag: '${one.name}'${val} }\n`
      })
      return `${doc}export type ${name} =\n${cases.join('')}`
    }
    if (type.kind === 'enum') {
      const cases = type.cases.map((one) => `${comment(one.doc, '  ')}  | '${one.name}'\n`)
      return `${doc}export type ${name} =\n${cases.join('')}`
    }
    const labels = type.labels.map(
      (one) => `${comment(one.doc, '  ')}  ${property(camel(one.name))}?: boolean\n`,
    )
    return `${doc}export interface ${name} {\n${labels.join('')}}\n`
  }

  /** `increment(by: number): bigint`, of a function whose error is thrown. */
  signature({ params, result }: Func, isMethod: boolean): string {
    const written = params.map(({ name, type }) => `${parameter(name)}: ${this.of(type)}`)
    const returned = result?.kind === 'result' ? this.orVoid(result.ok) : this.orVoid(result)
    // A method may as well be asynchronous: the turn ends when its promise is settled.
    const whole = isMethod ? `${returned} | Promise<${returned}>` : returned
    return `(${written.join(', ')}): ${whole}`
  }

  resource(one: Interface, name: string): string {
    const doc = one.types.find((type) => type.kind === 'resource' && type.name === name)?.doc ?? ''
    const members = one.funcs.filter(({ member }) => member?.resource.name === name)
    const lines = members.map((func) => {
      const { kind = 'method', name: own = '' } = func.member ?? {}
      const params = kind === 'method' ? func.params.slice(1) : func.params
      const signature = this.signature({ ...func, params }, false)
      const written = {
        constructor: `constructor${signature.replace(/: [^:]*$/, '')}`,
        method: property(camel(own)) + signature,
        static: `static ${property(camel(own))}${signature}`,
      }
      return `${this.documented(func, '  ')}  ${written[kind]}\n`
    })
    const hasDrop = members.some(({ member }) => member?.name === 'drop')
    const drop = hasDrop
      ? ''
      : '  /** Gives the handle back to the host; nothing does it otherwise. */\n  drop(): void\n'
    const hasConstructor = members.some(({ member }) => member?.kind === 'constructor')
    const made = hasConstructor ? '' : '  private constructor()\n'
    return `${comment(doc, '')}export class ${pascal(name)} {\n${made}${lines.join('')}${drop}  [Symbol.dispose](): void\n}\n`
  }

  documented(func: Func, indent: string): string {
    const error = func.result?.kind === 'result' ? func.result.err : null
    const thrown = error === null ? '' : `@throws {${this.of(error)}}`
    return comment([func.doc, thrown].filter((one) => one !== '').join('\n'), indent)
  }
}

const WORDS =
  /^(break|case|catch|class|const|continue|debugger|default|delete|do|else|enum|export|extends|false|finally|for|function|if|import|in|instanceof|new|null|return|super|switch|this|throw|true|try|typeof|var|void|while|with|yield|let|static|await|implements|interface|package|private|protected|public)$/

function parameter(name: string): string {
  const spelled = camel(name)
  return WORDS.test(spelled) ? `${spelled}_` : spelled
}

/** Types of one name in two interfaces get the interface's name in front. */
function localNames(interfaces: readonly Interface[]): Map<NamedType, string> {
  const own = interfaces.flatMap((one) => one.types.filter(isNamed).map((type) => ({ one, type })))
  const taken = new Map<string, number>()
  for (const { id } of interfaces) taken.set(pascal(interfaceName(id)), 1)
  for (const { type } of own) taken.set(pascal(type.name), (taken.get(pascal(type.name)) ?? 0) + 1)
  return new Map(
    own.map(({ one, type }) => {
      const name = pascal(type.name)
      return [type, taken.get(name) === 1 ? name : upper(interfaceName(one.id)) + name]
    }),
  )
}

function upper(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}

/** What the author's module exports. */
export function emitWorldTypes({ exports }: JavaScriptWorld): string {
  const names = localNames(exports)
  const declarations = new Declarations(
    (type) => names.get(type) ?? `import('${type.owner}').${pascal(type.name)}`,
  )
  const types = [...names].map(([type, name]) => declarations.named(type, name))
  const interfaces = exports.map((one) => {
    const methods = one.funcs.map((func) => {
      const signature = declarations.signature(func, true)
      return `${declarations.documented(func, '  ')}  ${property(camel(func.name))}${signature}\n`
    })
    const doc = comment(
      [one.doc, `Export it as \`${interfaceName(one.id)}\`.`].join('\n').trim(),
      '',
    )
    return `${doc}export interface ${upper(interfaceName(one.id))} {\n${methods.join('')}}\n`
  })
  return [HEADER, RESULT, ...types, ...interfaces].join('\n')
}

function hostModule(one: Interface): string {
  const owned = new Map(one.types.filter(isNamed).map((type) => [type, pascal(type.name)]))
  const declarations = new Declarations((type) =>
    type.owner === one.id || type.owner === ''
      ? pascal(type.name)
      : `import('${type.owner}').${pascal(type.name)}`,
  )
  const types = [...owned]
    .filter(([type]) => type.owner === one.id || type.owner === '')
    .map(([type, name]) => declarations.named(type, name))
  const used = [...owned].filter(([type]) => type.owner !== one.id && type.owner !== '')
  const aliases = used.map(([type, name]) => `export type ${name} = ${declarations.of(type)}\n`)
  const classes = resources(one).map((name) => declarations.resource(one, name))
  const plain = one.funcs.filter(({ member }) => member === null)
  const functions = plain.map((func) => {
    const name = camel(func.name)
    const signature = declarations.signature(func, false)
    const written = WORDS.test(name)
      ? `function ${name}_${signature}\nexport { ${name}_ as ${name} }`
      : `export function ${name}${signature}`
    return `${declarations.documented(func, '')}${written}\n`
  })
  const result = /\bResult</.test([...types, ...classes, ...functions].join('')) ? [RESULT] : []
  const body = [...result, ...types, ...aliases, ...classes, ...functions].join('')
  const indented = body.replace(/^(?=.)/gm, '  ')
  return `${comment(one.doc, '')}declare module '${one.id}' {\n${indented}}\n`
}

/** The modules that the author's code may import, each under its name with and without a version. */
export function emitHostTypes({ available, imports }: JavaScriptWorld): string {
  const newest = new Map(available.map(({ id }) => [id.replace(/@.*/, ''), id]))
  for (const { id } of imports) newest.set(id.replace(/@.*/, ''), id)
  const aliases = [...newest].map(([name, id]) =>
    name === id ? '' : `declare module '${name}' {\n  export * from '${id}'\n}\n`,
  )
  return [HEADER, ...available.map(hostModule), ...aliases.filter((one) => one !== '')].join('\n')
}

/** Globals beside those of the language. */
export const GLOBAL_TYPES = `${HEADER}
declare const console: Record<'trace' | 'debug' | 'log' | 'info' | 'warn' | 'error', (...values: unknown[]) => void>
declare const crypto: {
  getRandomValues<T extends ArrayBufferView>(array: T): T
  randomUUID(): string
}
declare const performance: { now(): number }
declare function queueMicrotask(callback: () => void): void
declare class TextEncoder {
  readonly encoding: string
  encode(text?: string): Uint8Array
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean })
  readonly encoding: string
  decode(input?: ArrayBuffer | ArrayBufferView): string
}
`

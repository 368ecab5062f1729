/**
 * The module that joins an author's module with the component model.
 *
 * Owns: the contracts of exported methods and of imported functions, as code over runtime/types.js and
 * runtime/actor.js.
 * Does not own: conversions and failures (runtime/).
 */
import type { Func, Interface, NamedType, Type } from '../assemblyscript/model.ts'
import { definitions, isNamed, isPrimitive } from '../assemblyscript/model.ts'
import { camel, pascal, splitInterfaceId } from '../assemblyscript/names.ts'
import type { Engine } from './evaluation.ts'

/** The JavaScript name of an interface: `loom:bank/bank-account@0.1.0` is `bankAccount`. */
export function interfaceName(id: string): string {
  return camel(splitInterfaceId(id).name)
}

const text = (value: string): string => JSON.stringify(value)

/** Named types as constants, so that each is built once. */
class Types {
  readonly #names = new Map<NamedType, string>()
  readonly lines: string[] = []

  constructor(interfaces: readonly Interface[]) {
    for (const { funcs, types } of interfaces)
      for (const type of definitions(funcs, types)) if (isNamed(type)) this.#declare(type)
  }

  #declare(type: NamedType): void {
    if (this.#names.has(type)) return
    const constant = `type${this.#names.size}`
    this.lines.push(`const ${constant} = ${this.#definition(type)}`)
    this.#names.set(type, constant)
  }

  #definition(type: NamedType): string {
    if (type.kind === 'record') {
      const fields = type.fields.map(({ name, type: of }) => `${text(camel(name))}: ${this.of(of)}`)
      return `t.record(${text(type.name)}, { ${fields.join(', ')} })`
    }
    if (type.kind === 'variant') {
      const cases = type.cases.map(({ name, type: of }) =>
        of === null ? `[${text(name)}]` : `[${text(name)}, ${this.of(of)}]`,
      )
      return `t.variant(${text(type.name)}, [${cases.join(', ')}])`
    }
    if (type.kind === 'enum') {
      const cases = type.cases.map(({ name }) => text(name))
      return `t.enumeration(${text(type.name)}, [${cases.join(', ')}])`
    }
    const labels = type.labels.map(({ name }) => text(camel(name)))
    return `t.flags(${text(type.name)}, [${labels.join(', ')}])`
  }

  /** An expression. */
  of(type: Type): string {
    if (isNamed(type)) {
      this.#declare(type)
      return this.#names.get(type) ?? ''
    }
    if (isPrimitive(type) || type.kind === 'string') return `t.${type.kind}`
    switch (type.kind) {
      case 'list':
      case 'option':
        return `t.${type.kind}(${this.of(type.element)})`
      case 'tuple':
        return `t.tuple(${type.elements.map((one) => this.of(one)).join(', ')})`
      case 'result':
        return `t.result(${this.orNull(type.ok)}, ${this.orNull(type.err)})`
      default:
        return `t.handle(${text(type.resource.name)})`
    }
  }

  orNull(type: Type | null): string {
    return type === null ? 'null' : this.of(type)
  }

  contract({ params, result }: Pick<Func, 'params' | 'result'>): string {
    return `[${params.map(({ type }) => this.of(type)).join(', ')}], ${this.orNull(result)}`
  }
}

/** Functions of an interface: QuickJS has an object of them, StarlingMonkey a module. */
const RAW: Readonly<Record<Engine, string>> = { quickjs: 'raw', starlingmonkey: '* as raw' }

/** What an author imports as `loom:actor/log@0.1.0`; the engine's module is `raw`. */
export function emitImport(one: Interface, raw: string, engine: Engine): string {
  const types = new Types([one])
  const functions = one.funcs.filter(({ member }) => member === null)
  const lines = functions.map((func) => {
    const name = camel(func.name)
    const place = text(`${one.id.replace(/@.*/, '')}.${name}`)
    const contract = types.contract(func)
    return `export const ${safe(name)} = imported(${place}, raw[${text(name)}], ${contract})${alias(name)}`
  })
  return [
    `import ${RAW[engine]} from ${text(raw)}`,
    `import { imported } from 'loom:runtime/actor.js'`,
    `import { resource } from 'loom:runtime/resource.js'`,
    `import * as t from 'loom:runtime/types.js'`,
    ...types.lines,
    ...lines,
    ...resources(one).map((name) => emitResource(one, name, types)),
    '',
  ].join('\n')
}

/** WIT names of the resources that an interface has functions of. */
export function resources({ id, funcs, types }: Interface): string[] {
  const own = types.filter(
    ({ kind, owner }) => kind === 'resource' && (owner === id || owner === ''),
  )
  const members = funcs.flatMap(({ member }) => (member === null ? [] : [member.resource.name]))
  return [...new Set([...own.map(({ name }) => name), ...members])]
}

function emitResource(one: Interface, name: string, types: Types): string {
  const members = one.funcs.filter(({ member }) => member?.resource.name === name)
  const table = (kind: 'method' | 'static'): string =>
    members
      .filter(({ member }) => member?.kind === kind)
      .map((func) => {
        // The first parameter of a method is the object.
        const params = kind === 'method' ? func.params.slice(1) : func.params
        const key = text(camel(func.member?.name ?? ''))
        return `${key}: [${types.contract({ ...func, params })}]`
      })
      .join(', ')
  const made = members.find(({ member }) => member?.kind === 'constructor')
  const params = (made?.params ?? []).map(({ type }) => types.of(type)).join(', ')
  const place = text(`${one.id.replace(/@.*/, '')}.${pascal(name)}`)
  const contract = `{ params: [${params}], methods: { ${table('method')} }, statics: { ${table('static')} } }`
  return `export const ${pascal(name)} = resource(${place}, raw.${pascal(name)}, ${contract})`
}

const RESERVED =
  /^(delete|import|export|default|new|in|class|function|return|switch|with|yield|void|typeof)$/

function safe(name: string): string {
  return RESERVED.test(name) ? `${name}_` : name
}

/** A word of the language is exported under its own name, too: `import { delete as remove }`. */
function alias(name: string): string {
  return RESERVED.test(name) ? `\nexport { ${name}_ as ${name} }` : ''
}

export interface Glue {
  readonly exports: readonly Interface[]
  /** The author's module, as an import names it. */
  readonly entry: string
  /** Modules of runtime/ that set globals, evaluated before the author's. */
  readonly globals: readonly string[]
  readonly jobs: boolean
  readonly engine: Engine
}

/** The function of runtime/actor.js that makes a method of the engine's. */
function exporter({ jobs, engine }: Glue): string {
  if (!jobs) return 'exported'
  return engine === 'quickjs' ? 'exportedWithJobs as exported' : 'exportedAwaited as exported'
}

/** The module that the engine evaluates. */
export function emitGlue(glue: Glue): string {
  const { exports, entry, globals } = glue
  const types = new Types(exports)
  const objects = exports.map((one) => {
    const name = interfaceName(one.id)
    const methods = one.funcs.map((func) => {
      const method = camel(func.name)
      const contract = types.contract(func)
      const place = text(`${name}.${method}`)
      return `  ${text(method)}: exported(${place}, actor[${text(name)}], ${text(method)}, ${contract}),`
    })
    return `export const loom_${name} = {\n${methods.join('\n')}\n}\nexport { loom_${name} as ${name} }`
  })
  const hasDate = globals.includes('date')
  return [
    ...globals.map((name) => `import 'loom:runtime/${name}.js'`),
    `import * as actor from ${text(entry)}`,
    `import { built, ${exporter(glue)} } from 'loom:runtime/actor.js'`,
    `import { endBuild } from 'loom:runtime/build-phase.js'`,
    `import * as t from 'loom:runtime/types.js'`,
    ...(hasDate ? [`import { restoreDate } from 'loom:runtime/date.js'`] : []),
    ...types.lines,
    ...objects,
    'built()',
    'endBuild()',
    ...(hasDate ? ['restoreDate()'] : []),
    '',
  ].join('\n')
}

/** Stands before what the author's module threw, as JSON of `message` and `stack` in URI encoding. */
export const THROWN = 'loom:thrown '

/**
 * The module that the engine evaluates when an evaluation failed: engines say of what is thrown at the top level no more
 * than its message, of what is no `Error` nothing at all, and hardly where.
 */
export function emitDiagnosis({ entry, globals }: Pick<Glue, 'entry' | 'globals'>): string {
  return [
    ...globals.map((name) => `import 'loom:runtime/${name}.js'`),
    `import { describe } from 'loom:runtime/actor.js'`,
    'try {',
    `  await import(${text(entry)})`,
    '} catch (error) {',
    '  const told = { message: describe(error), stack: String(error?.stack ?? "") }',
    `  throw new Error(${text(THROWN)} + encodeURIComponent(JSON.stringify(told)))`,
    '}',
    '',
  ].join('\n')
}

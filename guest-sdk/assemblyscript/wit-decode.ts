/**
 * Component types in binary form -> the interface model.
 *
 * Owns: decoding the `component-type` section, in which the official WIT parser writes a resolved
 * world. Reading it spares us a WIT parser of our own.
 * Does not own: making that section (wit-read.ts).
 *
 * Shape of the section: a component whose one exported type is a component type (the package), whose
 * one export is again a component type (the world), whose imports are instance types (interfaces).
 */

import { BinaryReader, customSection, HEADER_SIZE } from './binary-reader.ts'
import type {
  Definition,
  Func,
  Interface,
  Member,
  Param,
  Primitive,
  ResourceType,
  Type,
} from './model.ts'
import { isNamed } from './model.ts'
import { identifier, parseInterfaceId } from './names.ts'

/** The WIT uses a feature that guests do not have. */
export class UnsupportedWit extends Error {
  /** What, for SDKs of other languages to say it of theirs. */
  readonly what: string

  constructor(what: string) {
    super(`${what} cannot be used from AssemblyScript`)
    this.what = what
  }
}

function unsupported(what: string): never {
  throw new UnsupportedWit(what)
}

interface Signature {
  readonly params: readonly Param[]
  readonly result: Type | null
}

/** An entry of a type index space. */
type Declared =
  | { readonly sort: 'value'; readonly type: Type }
  | { readonly sort: 'resource'; readonly resource: ResourceType }
  | ({ readonly sort: 'func' } & Signature)
  | { readonly sort: 'scope'; readonly scope: Scope }

interface Item {
  readonly name: string
  readonly declared: Declared
}

class Scope {
  readonly outer: Scope | null
  readonly types: Declared[] = []
  readonly instances: Scope[] = []
  readonly imports: Item[] = []
  readonly exports: Item[] = []

  constructor(outer: Scope | null) {
    this.outer = outer
  }
}

const PRIMITIVE_CODES: readonly (Primitive | 'string')[] = [
  'string', // 0x73
  'char',
  'f64',
  'f32',
  'u64',
  's64',
  'u32',
  's32',
  'u16',
  's16',
  'u8',
  's8',
  'bool', // 0x7f
]

function primitive(code: number): Type | null {
  const kind = PRIMITIVE_CODES[code - 0x73]
  return kind === undefined ? null : { kind }
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index]
  if (found === undefined) throw new Error(`index ${index} is out of range`)
  return found
}

const NOWHERE = { module: '', className: '' }
/** What a type has before its interface and its class are known (wit-classes.ts). */
const UNNAMED = { name: '', source: NOWHERE, owner: '', doc: '' }

class Decoder {
  readonly #reader: BinaryReader

  constructor(bytes: Uint8Array) {
    this.#reader = new BinaryReader(bytes, HEADER_SIZE)
  }

  /** The world: its imports and exports. */
  world(): Scope {
    const reader = this.#reader
    const top = new Scope(null)
    let world: Declared | null = null
    while (!reader.atEnd) {
      const section = reader.byte()
      const end = reader.unsigned() + reader.offset
      if (section === 7) reader.vector(() => top.types.push(this.#type(top)))
      if (section === 11) world = this.#exportedType(top)
      reader.offset = end
    }
    if (world?.sort !== 'scope') throw new Error('no world in the section')
    const inner = at(world.scope.exports, 0).declared
    if (inner.sort !== 'scope') throw new Error('the world is not a component type')
    return inner.scope
  }

  #exportedType(top: Scope): Declared {
    const reader = this.#reader
    let found: Declared | null = null
    reader.vector(() => {
      this.#externName()
      reader.byte() // sort: type
      found = at(top.types, reader.unsigned())
      if (reader.byte() !== 0) throw new Error('unexpected type ascription')
    })
    if (!found) throw new Error('the section exports nothing')
    return found
  }

  #externName(): string {
    const kind = this.#reader.byte()
    const name = this.#reader.name()
    if (kind > 1) throw new Error(`unknown kind of name ${kind}`)
    return name
  }

  #value(scope: Scope): Type {
    const index = this.#reader.signed()
    if (index < 0) return primitive(index & 0x7f) ?? unsupported('a type of this kind')
    const declared = at(scope.types, index)
    if (declared.sort !== 'value') throw new Error('not a value type')
    return declared.type
  }

  #type(scope: Scope): Declared {
    const reader = this.#reader
    const code = reader.byte()
    if (code === 0x40) return { sort: 'func', ...this.#signature(scope) }
    if (code === 0x43) unsupported('an async function')
    if (code === 0x41 || code === 0x42) return { sort: 'scope', scope: this.#declarations(scope) }
    return { sort: 'value', type: this.#valueType(code, scope) }
  }

  #signature(scope: Scope): Signature {
    const reader = this.#reader
    const params = reader.vector(() => ({ name: reader.name(), type: this.#value(scope) }))
    if (reader.byte() === 0) return { params, result: this.#value(scope) }
    reader.byte() // an empty list of named results
    return { params, result: null }
  }

  #valueType(code: number, scope: Scope): Type {
    const reader = this.#reader
    const value = () => this.#value(scope)
    const label = () => ({ name: reader.name(), doc: '' })
    const named = UNNAMED
    switch (code) {
      case 0x72: {
        const fields = reader.vector(() => {
          const name = reader.name()
          return { name, property: identifier(name), type: value(), readonly: false, doc: '' }
        })
        return { kind: 'record', fields, ...named }
      }
      case 0x71: {
        const cases = reader.vector(() => {
          const name = reader.name()
          const type = reader.optional(value)
          reader.byte() // no `refines`
          return { name, type, source: NOWHERE, payload: { kind: 'none' as const }, doc: '' }
        })
        return { kind: 'variant', cases, ...named }
      }
      case 0x70:
        return { kind: 'list', element: value(), form: 'Array' }
      case 0x6f:
        return { kind: 'tuple', elements: reader.vector(value) }
      case 0x6e:
        return { kind: 'flags', labels: reader.vector(label), ...named }
      case 0x6d:
        return { kind: 'enum', cases: reader.vector(label), ...named }
      case 0x6b:
        return { kind: 'option', element: value(), form: 'Option' }
      case 0x6a:
        return { kind: 'result', ok: reader.optional(value), err: reader.optional(value) }
      case 0x69:
        return { kind: 'own', resource: this.#resource(scope) }
      case 0x68:
        return { kind: 'borrow', resource: this.#resource(scope) }
      default:
        return primitive(code) ?? unsupported('a type of this kind')
    }
  }

  #resource(scope: Scope): ResourceType {
    const declared = at(scope.types, this.#reader.unsigned())
    if (declared.sort !== 'resource') throw new Error('not a resource')
    return declared.resource
  }

  #declarations(outer: Scope): Scope {
    const scope = new Scope(outer)
    this.#reader.vector(() => this.#declaration(scope))
    return scope
  }

  #declaration(scope: Scope): void {
    const code = this.#reader.byte()
    if (code === 1) scope.types.push(this.#type(scope))
    else if (code === 2) scope.types.push(this.#alias(scope))
    else if (code === 3) scope.imports.push(this.#extern(scope))
    else if (code === 4) scope.exports.push(this.#extern(scope))
    else throw new Error(`unknown declaration ${code}`)
  }

  #alias(scope: Scope): Declared {
    const reader = this.#reader
    const sort = reader.byte()
    if (sort !== 3) throw new Error(`unknown sort of alias ${sort}`)
    if (reader.byte() === 0) {
      const instance = at(scope.instances, reader.unsigned())
      const name = reader.name()
      const item = instance.exports.find((one) => one.name === name)
      if (!item) throw new Error(`no type '${name}'`)
      return item.declared
    }
    let from = scope
    for (let up = reader.unsigned(); up > 0; up -= 1) {
      if (!from.outer) throw new Error('alias beyond the outermost scope')
      from = from.outer
    }
    return at(from.types, reader.unsigned())
  }

  #extern(scope: Scope): Item {
    const reader = this.#reader
    const name = this.#externName()
    const sort = reader.byte()
    if (sort === 3) {
      const isNew = reader.byte() === 1
      const declared: Declared = isNew
        ? { sort: 'resource', resource: { kind: 'resource', ...UNNAMED, name } }
        : at(scope.types, reader.unsigned())
      if (declared.sort === 'value' && isNamed(declared.type) && declared.type.name === '') {
        declared.type.name = name
      }
      scope.types.push(declared)
      return { name, declared }
    }
    const declared = at(scope.types, reader.unsigned())
    if (sort === 5 && declared.sort === 'scope') scope.instances.push(declared.scope)
    return { name, declared }
  }
}

const MEMBER = /^\[(constructor|method|static)\]([^.]+)(?:\.(.+))?$/

function toMember(name: string, items: readonly Item[]): Member | null {
  const [, kind, owner, own] = MEMBER.exec(name) ?? []
  if (kind === undefined) return null
  const declared = items.find((one) => one.name === owner)?.declared
  if (declared?.sort !== 'resource') throw new Error(`no resource for ${name}`)
  return { kind: kind as Member['kind'], resource: declared.resource, name: own ?? '' }
}

function toFunc(item: Item, items: readonly Item[]): Func[] {
  if (item.declared.sort !== 'func') return []
  const { params, result } = item.declared
  const member = toMember(item.name, items)
  if (member?.kind === 'constructor' && result?.kind !== 'own') {
    unsupported('a constructor that may fail')
  }
  const method = identifier(member ? member.name : item.name)
  return [{ name: item.name, method, member, params, result, doc: '' }]
}

/** The definition that `declared` is, unless an earlier interface owns it. */
function owned({ declared }: Item, id: string): Definition[] {
  const definition =
    declared.sort === 'resource'
      ? declared.resource
      : declared.sort === 'value' && isNamed(declared.type)
        ? declared.type
        : null
  if (definition === null || definition.owner !== '') return []
  definition.owner = id
  return [definition]
}

function toInterface({ name, declared }: Item): Interface {
  if (declared.sort !== 'scope') return unsupported(`the world-level item '${name}'`)
  if (parseInterfaceId(name) === null)
    return unsupported(`the interface '${name}', which the world has inside,`)
  const { exports } = declared.scope
  return {
    id: name,
    types: exports.flatMap((item) => owned(item, name)),
    funcs: exports.flatMap((item) => toFunc(item, exports)),
    doc: '',
  }
}

/** The imported interfaces of the world that a module made by `componentEmbed` describes. */
export function decodeImports(module: Uint8Array): Interface[] {
  return decodeWorld(module).imports
}

/** As `decodeImports`, with the exported interfaces. */
export function decodeWorld(module: Uint8Array): { imports: Interface[]; exports: Interface[] } {
  const { imports, exports } = new Decoder(customSection(module, 'component-type')).world()
  return { imports: imports.map(toInterface), exports: exports.map(toInterface) }
}

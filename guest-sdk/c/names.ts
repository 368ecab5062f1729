/**
 * Names.
 *
 * Owns: the C name of every interface, type and function of a world.
 *
 * Invariants:
 *   N1. Two things have two names, whatever their WIT names are.
 *   N2. The same world gives the same names.
 *
 *   loom:bank/account@0.1.0          account
 *     function open                  account_open
 *     record movement                account_movement_t
 *     enum kind, case pay-in         account_kind_t, ACCOUNT_KIND_PAY_IN
 *   list<movement>                   list_account_movement_t
 *   result<u64, string>              result_u64_string_t
 *     resource file                  files_file_t
 *     its constructor                files_file_new
 *     its method read                files_file_read
 *     giving it back                 files_file_drop; a method that is called so: files_file_drop_
 */
import type {
  Definition,
  Func,
  Interface,
  NamedType,
  ResourceType,
  Type,
} from '../assemblyscript/model.ts'
import { definitions, isHandle, isNamed } from '../assemblyscript/model.ts'
import { splitInterfaceId } from '../assemblyscript/names.ts'

const RESERVED = new Set(
  (
    'alignas alignof asm auto bool break case char const constexpr continue default do double else enum ' +
    'errno extern false float for goto if inline int long main nullptr register restrict return short ' +
    'signed sizeof static stderr stdin stdout struct switch true typedef typeof union unix unsigned void ' +
    'volatile while linux'
  ).split(' '),
)

export function snake(name: string): string {
  return name.toLowerCase().replaceAll('-', '_')
}

/** A parameter or member. */
export function member(name: string): string {
  const spelled = snake(name)
  return RESERVED.has(spelled) ? `${spelled}_` : spelled
}

/** Interface names by id; those that are not unique get their package's name in front. */
function interfaceNames(ids: readonly string[]): Map<string, string> {
  const short = (id: string): string => snake(splitInterfaceId(id).name)
  const counts = new Map<string, number>()
  for (const id of ids) counts.set(short(id), (counts.get(short(id)) ?? 0) + 1)
  return new Map(
    ids.map((id) => {
      const full = id.replace(/@.*/, '').replace(/[:/]/g, '_')
      return [id, counts.get(short(id)) === 1 ? short(id) : snake(full)]
    }),
  )
}

export function isResource(type: Definition): type is ResourceType {
  return type.kind === 'resource'
}

export class Names {
  readonly #interfaces: Map<string, string>
  readonly #named = new Map<Definition, string>()
  readonly #taken = new Map<string, number>()

  constructor(interfaces: readonly Interface[]) {
    this.#interfaces = interfaceNames([...new Set(interfaces.map(({ id }) => id))])
    for (const one of interfaces)
      for (const type of definitions(one.funcs, one.types.filter(isResource)))
        if (!this.#named.has(type))
          this.#named.set(type, this.#unique(`${this.interface(one.id)}_${snake(type.name)}`))
  }

  #unique(name: string): string {
    const count = (this.#taken.get(name) ?? 0) + 1
    this.#taken.set(name, count)
    return count === 1 ? name : `${name}_${count}`
  }

  interface(id: string): string {
    const name = this.#interfaces.get(id)
    if (name === undefined) throw new Error(`no name for the interface '${id}'`)
    return name
  }

  function(id: string, { name, member: of }: Func): string {
    if (of === null) return `${this.interface(id)}_${snake(name)}`
    const own = of.kind === 'constructor' ? 'new' : snake(of.name)
    return `${this.resource(of.resource)}_${own === 'drop' ? 'drop_' : own}`
  }

  /** What the name of its type, and of its functions, begins with. */
  resource(resource: Definition): string {
    return this.#named.get(resource) ?? snake(resource.name)
  }

  /** A type as part of other names. */
  stem(type: Type): string {
    if (isNamed(type)) return this.#named.get(type) ?? snake(type.name)
    if (isHandle(type)) return this.resource(type.resource)
    const side = (part: Type | null): string => (part === null ? 'void' : this.stem(part))
    switch (type.kind) {
      case 'list':
      case 'option':
        return `${type.kind}_${this.stem(type.element)}`
      case 'result':
        return `result_${side(type.ok)}_${side(type.err)}`
      case 'tuple':
        return `tuple${type.elements.length}_${type.elements.map(side).join('_')}`
      default:
        return type.kind
    }
  }

  /** A case of an enum or variant, or a flag. */
  constant(type: NamedType, label: string): string {
    return `${this.stem(type)}_${snake(label)}`.toUpperCase()
  }
}

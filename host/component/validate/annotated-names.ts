/**
 * Annotated names: what `[constructor]a`, `[method]a.b` and `[static]a.b` say of a function must be so.
 *
 * Owns: the names of resources in one scope, the forms of annotated functions. Does not own: the grammar of names
 * (../extern-name.ts).
 *
 * Invariant VA1. The resource stands before, in the same scope and on the same side: imports or exports.
 *
 * Source: Component Model Binary.md, "Import and Export Definitions", notes.
 */
import type { FuncShape } from '../binary/types.ts'
import type { WitResource, WitType } from '../wit/wit.ts'
import { formatType } from '../wit/wit-text.ts'
import type { Entity } from './entity.ts'

const ANNOTATED = /^\[(constructor|method|static)\]([^.]+)/

const TEXT_MAX = 200

function shortText(type: WitType): string {
  const text = formatType(type)
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text
}

export class ResourceNames {
  readonly #byResource = new Map<WitResource, string>()
  readonly #names = new Set<string>()

  /** Null when the name fits; else what was expected and what is there. A resource is known from here on. */
  check(name: string, entity: Entity): string | null {
    if (entity.sort === 'type' && entity.type.kind === 'resource') {
      this.#byResource.set(entity.type.resource, name)
      this.#names.add(name)
      return null
    }
    const [, form, resource] = ANNOTATED.exec(name) ?? []
    if (form === undefined || resource === undefined || entity.sort !== 'func') return null
    if (form === 'constructor') return this.#constructorFault(resource, entity.shape)
    if (form === 'method') return this.#methodFault(resource, entity.shape)
    return this.#names.has(resource) ? null : `there is no resource "${resource}" before it`
  }

  #constructorFault(resource: string, { result }: FuncShape): string | null {
    const made = result?.kind === 'result' ? result.ok : result
    const expected = `expected a result of own<${resource}>, or result<own<${resource}>, …>`
    if (made?.kind !== 'own')
      return `${expected}, got ${result === null ? 'nothing' : shortText(result)}`
    return this.#resourceFault(resource, made, expected)
  }

  #methodFault(resource: string, { params }: FuncShape): string | null {
    const expected = `expected a first parameter "self" of borrow<${resource}>`
    const [self] = params
    if (self === undefined) return `${expected}, got no parameters`
    if (self.name !== 'self') return `${expected}, got "${self.name}"`
    if (self.type.kind !== 'borrow') return `${expected}, got ${shortText(self.type)}`
    return this.#resourceFault(resource, self.type, expected)
  }

  #resourceFault(
    resource: string,
    type: Extract<WitType, { kind: 'own' | 'borrow' }>,
    expected: string,
  ): string | null {
    const name = this.#byResource.get(type.resource)
    if (name === resource) return null
    const got = name === undefined ? 'one that has no name before it in this scope' : `"${name}"`
    return `${expected}, got a resource that is ${got}`
  }
}

/**
 * Substitution: a type with other resource types, and other names of types, in place of some.
 *
 * Owns: what instantiating a component, or importing an instance type, makes of the types of its exports.
 *
 * Invariants:
 *   VS1. What stands for one object stands for it everywhere, so what is visible together stays so (VE1).
 *   VS2. What nothing is replaced in stays the same object.
 *
 * Source: Component Model Explainer.md, "Type Checking" (substitution by `instantiate`).
 */
import type { FuncShape } from '../binary/types.ts'
import type { WitResource, WitType } from '../wit/wit.ts'
import type { Budget } from './budget.ts'
import {
  type ComponentType,
  Entities,
  type Entity,
  type InstanceType,
  sizeOf,
  type TypeItem,
} from './entity.ts'

/** An abstract type may stand for another one, which stands for what is given; a circle ends somewhere. */
const LINK_COUNT_MAX = 4

/** Whatever speaks of a new resource type is made anew as well. */
const NEW_RESOURCE_STEPS = 4

export class Substitution {
  readonly #budget: Budget
  /** By number. */
  readonly #resources = new Map<number, number>()
  /** Types and names of resources, by object; those that were computed too. */
  readonly #types = new Map<WitType, WitType>()
  readonly #aliases = new Map<WitResource, WitResource>()
  readonly #entities = new Map<Entities, Entities>()

  constructor(budget: Budget) {
    this.#budget = budget
  }

  /** The number that stands for `resource` now. */
  numberOf(resource: number): number {
    let at = resource
    for (let links = 0; links < LINK_COUNT_MAX; links++) {
      const next = this.#resources.get(at)
      if (next === undefined) return at
      at = next
    }
    return at
  }

  bind(resource: number, other: number): void {
    if (resource !== other) this.#resources.set(resource, other)
  }

  /** Numbers of their own for all of `resources`. */
  renew(resources: readonly number[]): number[] {
    this.#budget.spend(NEW_RESOURCE_STEPS * resources.length)
    return resources.map((resource) => {
      const other = this.#budget.newResource()
      this.#resources.set(resource, other)
      return other
    })
  }

  /** Lets one name of a type stand for another, whose types are equal. */
  rename(type: TypeItem, other: TypeItem): void {
    if (type.kind === 'value' && other.kind === 'value') this.#types.set(type.type, other.type)
    else if (type.kind === 'resource' && other.kind === 'resource')
      this.#aliases.set(type.resource, other.resource)
  }

  entities(entities: Entities): Entities {
    const known = this.#entities.get(entities)
    if (known !== undefined) return known
    const made = new Entities()
    let isSame = true
    for (const [name, entity] of entities) {
      const other = this.entity(entity)
      if (other !== entity) isSame = false
      made.add(name, other)
    }
    const result = isSame ? entities : made
    this.#entities.set(entities, result)
    return result
  }

  entity(entity: Entity): Entity {
    this.#budget.spend(1)
    switch (entity.sort) {
      case 'func': {
        const shape = this.shape(entity.shape)
        return shape === entity.shape ? entity : { sort: 'func', shape }
      }
      case 'type': {
        const type = this.item(entity.type)
        return type === entity.type ? entity : { sort: 'type', type }
      }
      case 'instance': {
        const exports = this.entities(entity.exports)
        return exports === entity.exports ? entity : { sort: 'instance', exports }
      }
      case 'component': {
        const component = this.component(entity.component)
        return component === entity.component ? entity : { sort: 'component', component }
      }
      case 'module':
        return entity
    }
  }

  item(item: TypeItem): TypeItem {
    switch (item.kind) {
      case 'value': {
        const type = this.type(item.type)
        return type === item.type ? item : { kind: 'value', type }
      }
      case 'func': {
        const shape = this.shape(item.shape)
        return shape === item.shape ? item : { kind: 'func', shape }
      }
      case 'resource': {
        const resource = this.alias(item.resource)
        return resource === item.resource ? item : { kind: 'resource', resource }
      }
      case 'instance': {
        const type = this.instance(item.type)
        return type === item.type ? item : { kind: 'instance', type }
      }
      case 'component': {
        const type = this.component(item.type)
        return type === item.type ? item : { kind: 'component', type }
      }
    }
  }

  instance(type: InstanceType): InstanceType {
    const exports = this.entities(type.exports)
    return exports === type.exports ? type : { exports, fresh: type.fresh.map(this.#number) }
  }

  component(type: ComponentType): ComponentType {
    const imports = this.entities(type.imports)
    const exports = this.entities(type.exports)
    if (imports === type.imports && exports === type.exports) return type
    const { bound, fresh } = type
    return { imports, exports, bound: bound.map(this.#number), fresh: fresh.map(this.#number) }
  }

  readonly #number = (resource: number): number => this.numberOf(resource)

  shape(shape: FuncShape): FuncShape {
    this.#budget.spend(1 + shape.params.length)
    const params = this.#members(shape.params)
    const result = shape.result === null ? null : this.type(shape.result)
    return params === shape.params && result === shape.result ? shape : { params, result }
  }

  alias(resource: WitResource): WitResource {
    let alias = this.#aliases.get(resource)
    if (alias === undefined) {
      const index = this.numberOf(resource.index)
      alias = index === resource.index ? resource : { ...resource, index }
      this.#aliases.set(resource, alias)
    }
    return alias
  }

  type(type: WitType): WitType {
    const known = this.#types.get(type)
    if (known !== undefined) return known
    const made = this.#make(type)
    this.#types.set(type, made)
    return made
  }

  #optional = (type: WitType | null): WitType | null => (type === null ? null : this.type(type))

  #make(type: WitType): WitType {
    this.#budget.spend(1)
    switch (type.kind) {
      case 'list':
      case 'option': {
        const element = this.type(type.element)
        return element === type.element ? type : { kind: type.kind, element }
      }
      case 'tuple': {
        const elements = this.#all(type.elements, (element) => this.type(element))
        return elements === type.elements ? type : { kind: 'tuple', elements }
      }
      case 'record': {
        const fields = this.#members(type.fields)
        return fields === type.fields ? type : { ...type, fields }
      }
      case 'variant': {
        const cases = this.#members(type.cases)
        return cases === type.cases ? type : { ...type, cases }
      }
      case 'result': {
        const ok = this.#optional(type.ok)
        const err = this.#optional(type.err)
        return ok === type.ok && err === type.err ? type : { kind: 'result', ok, err }
      }
      case 'own':
      case 'borrow': {
        const resource = this.alias(type.resource)
        return resource === type.resource ? type : { kind: type.kind, resource }
      }
      default:
        return type
    }
  }

  /** The same array when nothing in it became another. */
  #all<Item>(items: readonly Item[], each: (item: Item) => Item): readonly Item[] {
    this.#budget.spend(items.length)
    const made = items.map(each)
    return made.some((item, index) => item !== items[index]) ? made : items
  }

  #members<Member extends { readonly type: WitType | null }>(
    members: readonly Member[],
  ): readonly Member[] {
    return this.#all(members, (member) => {
      const type = this.#optional(member.type)
      return type === member.type ? member : { ...member, type }
    })
  }
}

/** A copy whose resource types are its own. */
export function renewed(type: ComponentType, budget: Budget): ComponentType {
  if (type.bound.length + type.fresh.length === 0) return type
  budget.spend(sizeOf({ sort: 'component', component: type }))
  const substitution = new Substitution(budget)
  const bound = substitution.renew(type.bound)
  const fresh = substitution.renew(type.fresh)
  return { ...substitution.component(type), bound, fresh }
}

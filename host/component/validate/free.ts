/**
 * Free resources: which resource types a type speaks of that are not its own.
 *
 * Source: Component Model Binary.md, "Alias Definitions" (types that refer to resources), "Type Definitions".
 */
import { layoutOf } from '../wit/layout.ts'
import type { WitType } from '../wit/wit.ts'
import type { Budget } from './budget.ts'
import type { ComponentType, Entities, Entity, TypeItem } from './entity.ts'

class FreeResources {
  readonly found = new Set<number>()
  readonly #budget: Budget
  readonly #seen = new Set<object>()

  constructor(budget: Budget) {
    this.#budget = budget
  }

  /** Whether `part` is looked at now: what is shared is looked at once. */
  #enter(part: object): boolean {
    this.#budget.spend(1)
    if (this.#seen.has(part)) return false
    this.#seen.add(part)
    return true
  }

  entities(entities: Entities): void {
    if (!this.#enter(entities)) return
    for (const [, entity] of entities) this.entity(entity)
  }

  entity(entity: Entity): void {
    this.#budget.spend(1)
    switch (entity.sort) {
      case 'func':
        for (const { type } of entity.shape.params) this.#type(type)
        this.#type(entity.shape.result)
        return
      case 'type':
        this.#item(entity.type)
        return
      case 'instance':
        this.entities(entity.exports)
        return
      case 'component':
        this.#component(entity.component)
    }
  }

  #item(item: TypeItem): void {
    switch (item.kind) {
      case 'value':
        this.#type(item.type)
        return
      case 'func':
        this.entity({ sort: 'func', shape: item.shape })
        return
      case 'resource':
        this.found.add(item.resource.index)
        return
      case 'instance':
        this.#closed(item.type.fresh, () => this.entities(item.type.exports))
        return
      case 'component':
        this.#component(item.type)
    }
  }

  #component({ imports, exports, bound, fresh }: ComponentType): void {
    this.#closed([...bound, ...fresh], () => {
      this.entities(imports)
      this.entities(exports)
    })
  }

  /** Numbers are given once, so what is bound in one place is free in no other. */
  #closed(own: readonly number[], look: () => void): void {
    look()
    this.#budget.spend(own.length)
    for (const resource of own) this.found.delete(resource)
  }

  #type(type: WitType | null): void {
    if (type === null || !layoutOf(type).hasHandles || !this.#enter(type)) return
    switch (type.kind) {
      case 'list':
      case 'option':
        this.#type(type.element)
        return
      case 'tuple':
        for (const element of type.elements) this.#type(element)
        return
      case 'record':
        for (const field of type.fields) this.#type(field.type)
        return
      case 'variant':
        for (const each of type.cases) this.#type(each.type)
        return
      case 'result':
        this.#type(type.ok)
        this.#type(type.err)
        return
      case 'own':
      case 'borrow':
        this.found.add(type.resource.index)
    }
  }
}

/** Numbers of the resource types that `entity` speaks of and does not bring itself. */
export function freeResources(entity: Entity, budget: Budget): ReadonlySet<number> {
  const free = new FreeResources(budget)
  free.entity(entity)
  return free.found
}

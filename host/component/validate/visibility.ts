/**
 * Visibility: every resource, record, variant, enum and flags that an import or export speaks of must have been
 * imported or exported itself, under a name.
 *
 * Owns: which names of types are visible in one component or component type. Does not own: instance types, which are
 * asked about when something of them is imported or exported.
 *
 * Invariant VV1. Imports see imported names only; exports see both.
 *
 * Source: Component Model Explainer.md, "External Visibility of Types".
 */
import type { FuncShape } from '../binary/types.ts'
import type { WitType } from '../wit/wit.ts'
import { formatType } from '../wit/wit-text.ts'
import type { Budget } from './budget.ts'
import { type Entities, type Entity, identityOf, type TypeItem } from './entity.ts'

export type Position = 'import' | 'export'

export class Visibility {
  readonly #budget: Budget
  readonly #imported = new Set<object>()
  readonly #exported = new Set<object>()

  constructor(budget: Budget) {
    this.#budget = budget
  }

  /** Makes visible what an import or export names. Null when all that it speaks of is; else what is not, in words. */
  admit(position: Position, entity: Entity): string | null {
    const own = position === 'import' ? this.#imported : this.#exported
    const isVisible = (named: object): boolean =>
      this.#imported.has(named) || (position === 'export' && this.#exported.has(named))
    const found = this.#look(entity, own, isVisible)
    const identity = entity.sort === 'type' ? identityOf(entity.type) : null
    if (identity !== null) own.add(identity)
    return found
  }

  #look(entity: Entity, own: Set<object>, isVisible: (named: object) => boolean): string | null {
    switch (entity.sort) {
      case 'func':
        return this.#shape(entity.shape, isVisible)
      case 'type':
        return this.#item(entity.type, isVisible)
      case 'instance':
        this.#name(entity.exports, own)
        return this.#entities(entity.exports, isVisible)
      default:
        return null
    }
  }

  /** What an instance exports is named by it. */
  #name(exports: Entities, names: Set<object>): void {
    for (const [, entity] of exports) {
      this.#budget.spend(1)
      const identity = entity.sort === 'type' ? identityOf(entity.type) : null
      if (identity !== null) names.add(identity)
      if (entity.sort === 'instance') this.#name(entity.exports, names)
    }
  }

  #entities(exports: Entities, isVisible: (named: object) => boolean): string | null {
    for (const [name, entity] of exports) {
      const found =
        entity.sort === 'instance'
          ? this.#entities(entity.exports, isVisible)
          : this.#look(entity, new Set(), isVisible)
      if (found !== null) return `export "${name}": ${found}`
    }
    return null
  }

  /** A type that is named now needs names for what it is made of only. */
  #item(item: TypeItem, isVisible: (named: object) => boolean): string | null {
    switch (item.kind) {
      case 'value':
        return this.#parts(item.type, isVisible)
      case 'func':
        return this.#shape(item.shape, isVisible)
      case 'instance': {
        const names = new Set<object>()
        this.#name(item.type.exports, names)
        return this.#entities(item.type.exports, (named) => names.has(named) || isVisible(named))
      }
      default:
        return null
    }
  }

  #shape({ params, result }: FuncShape, isVisible: (named: object) => boolean): string | null {
    for (const { name, type } of params) {
      const found = this.#type(type, isVisible)
      if (found !== null) return `parameter "${name}": ${found}`
    }
    const found = result === null ? null : this.#type(result, isVisible)
    return found === null ? null : `result: ${found}`
  }

  #type(type: WitType, isVisible: (named: object) => boolean): string | null {
    this.#budget.spend(1)
    switch (type.kind) {
      case 'record':
      case 'variant':
      case 'enum':
      case 'flags':
        return isVisible(type) ? null : unnamed(type.kind, type)
      case 'own':
      case 'borrow':
        return isVisible(type.resource) ? null : unnamed('resource', type)
      default:
        return this.#parts(type, isVisible)
    }
  }

  #parts(type: WitType, isVisible: (named: object) => boolean): string | null {
    for (const part of partsOf(type)) {
      const found = part === null ? null : this.#type(part, isVisible)
      if (found !== null) return found
    }
    return null
  }
}

function partsOf(type: WitType): readonly (WitType | null)[] {
  switch (type.kind) {
    case 'list':
    case 'option':
      return [type.element]
    case 'tuple':
      return type.elements
    case 'result':
      return [type.ok, type.err]
    case 'record':
      return type.fields.map((field) => field.type)
    case 'variant':
      return type.cases.map((each) => each.type)
    case 'own':
    case 'borrow':
      return [type]
    default:
      return []
  }
}

function unnamed(what: string, type: WitType): string {
  const text = formatType(type)
  return text === what
    ? `a ${what} without a name; expected one that is imported or exported before`
    : `${what} ${text}; expected it by the name under which it is imported or exported before`
}

/**
 * Match: whether what is given is of a subtype of what is declared, and for whom the abstract types of the
 * declaration stand.
 *
 * Owns: subtyping of instances and components. Does not own: equality of value and function types
 * (../type-difference.ts), subtyping of core modules (core-match.ts).
 *
 * Invariants:
 *   VM1. A declared resource type that is abstract stands for the first that is given for it, in all that follows.
 *   VM2. More exports and fewer imports than declared are a subtype; imports match the other way round.
 *
 * Source: Component Model Explainer.md, "Type Checking"; Binary.md, "Instance Definitions".
 */

import { SORTS } from '../binary/ast.ts'
import { type Difference, shapeDifference, typeDifference } from '../binary/type-difference.ts'
import { shapeSize } from '../binary/types.ts'
import { formatError } from '../refuse.ts'
import { layoutOf } from '../wit/layout.ts'
import type { Budget } from './budget.ts'
import { matchModule } from './core-match.ts'
import {
  type ComponentType,
  type Entity,
  type InstanceType,
  type TypeItem,
  typeText,
} from './entity.ts'
import { renewed, Substitution } from './substitute.ts'

export class Matcher {
  /** What stands for the abstract types, and their names, once all is matched. */
  readonly substitution: Substitution
  readonly #budget: Budget
  /** Abstract types that stand for nothing yet. */
  readonly #abstract: Set<number>
  readonly #outer: Matcher | null
  readonly #offset: number

  constructor(
    abstract: readonly number[],
    budget: Budget,
    offset: number,
    outer: Matcher | null = null,
  ) {
    this.substitution = new Substitution(budget)
    budget.spend(abstract.length)
    this.#abstract = new Set(abstract)
    this.#budget = budget
    this.#outer = outer
    this.#offset = offset
  }

  #refuse(where: string, { path, expected, got }: Difference): never {
    throw formatError(`${where}${path}: expected ${expected}, got ${got}`, this.#offset)
  }

  #numberOf(resource: number): number {
    let at = resource
    for (let matcher: Matcher | null = this; matcher !== null; matcher = matcher.#outer)
      at = matcher.substitution.numberOf(at)
    return at
  }

  readonly #isSame = (a: { index: number }, b: { index: number }): boolean =>
    this.#numberOf(a.index) === this.#numberOf(b.index)

  /** @throws ERR_COMPONENT_FORMAT naming the part of `where`, what was expected and what was given. */
  match(expected: Entity, got: Entity | undefined, where: string): void {
    this.#budget.spend(1)
    if (got === undefined)
      this.#refuse(where, { path: '', expected: SORTS[expected.sort], got: 'nothing' })
    else if (expected.sort === 'func' && got.sort === 'func') {
      this.#budget.spend(shapeSize(expected.shape))
      this.#differ(shapeDifference(expected.shape, got.shape, this.#isSame), where)
    } else if (expected.sort === 'type' && got.sort === 'type')
      this.#matchType(expected.type, got.type, where)
    else if (expected.sort === 'instance' && got.sort === 'instance')
      for (const [name, declared] of expected.exports)
        this.match(declared, got.exports.get(name), `${where} export "${name}"`)
    else if (expected.sort === 'component' && got.sort === 'component')
      this.#matchComponent(expected.component, got.component, where)
    else if (expected.sort === 'module' && got.sort === 'module')
      matchModule(expected.module, got.module, where, this.#budget, this.#offset)
    else this.#refuse(where, { path: '', expected: SORTS[expected.sort], got: SORTS[got.sort] })
  }

  #differ(difference: Difference | null, where: string): void {
    if (difference !== null) this.#refuse(where, difference)
  }

  #matchType(expected: TypeItem, got: TypeItem, where: string): void {
    if (expected.kind === 'resource' && got.kind === 'resource') {
      const { index } = expected.resource
      if (this.#abstract.delete(index)) this.substitution.bind(index, got.resource.index)
      else if (!this.#isSame(expected.resource, got.resource))
        this.#refuse(where, {
          path: '',
          expected: typeText(expected),
          got: `another ${typeText(got)}`,
        })
    } else if (expected.kind === 'resource')
      this.#refuse(where, { path: '', expected: 'a resource', got: typeText(got) })
    else if (expected.kind === 'value' && got.kind === 'value') {
      this.#budget.spend(layoutOf(expected.type).nodeCount)
      this.#differ(typeDifference(expected.type, got.type, '', this.#isSame), where)
    } else if (expected.kind === 'func' && got.kind === 'func') {
      this.#budget.spend(shapeSize(expected.shape))
      this.#differ(shapeDifference(expected.shape, got.shape, this.#isSame), where)
    } else if (expected.kind === 'instance' && got.kind === 'instance') {
      this.#matchInstanceType(expected.type, got.type, where)
      this.#matchInstanceType(got.type, expected.type, where)
    } else if (expected.kind === 'component' && got.kind === 'component') {
      this.#matchComponent(expected.type, got.type, where)
      this.#matchComponent(got.type, expected.type, where)
    } else this.#refuse(where, { path: '', expected: typeText(expected), got: typeText(got) })
    this.substitution.rename(expected, got)
  }

  #matchInstanceType(expected: InstanceType, got: InstanceType, where: string): void {
    if (expected === got) return
    const inner = new Matcher(expected.fresh, this.#budget, this.#offset, this)
    inner.match(
      { sort: 'instance', exports: expected.exports },
      { sort: 'instance', exports: got.exports },
      where,
    )
  }

  #matchComponent(expected: ComponentType, given: ComponentType, where: string): void {
    if (expected === given) return
    const got = renewed(given, this.#budget)
    const inner = new Matcher(got.bound, this.#budget, this.#offset, this)
    for (const [name, wanted] of got.imports)
      inner.match(wanted, expected.imports.get(name), `${where} import "${name}"`)
    for (const resource of expected.fresh) inner.#abstract.add(resource)
    for (const [name, declared] of expected.exports)
      inner.match(declared, got.exports.get(name), `${where} export "${name}"`)
  }
}

/** What a component that is instantiated with `args` exports, and the resource types that it brings. */
export function instantiated(
  component: ComponentType,
  args: ReadonlyMap<string, Entity>,
  budget: Budget,
  offset: number,
): InstanceType {
  const matcher = new Matcher(component.bound, budget, offset)
  for (const [name, declared] of component.imports)
    matcher.match(declared, args.get(name), `instantiation argument "${name}"`)
  const fresh = matcher.substitution.renew(component.fresh)
  return { exports: matcher.substitution.entities(component.exports), fresh }
}

/** An instance of an instance type: its abstract types are new ones. */
export function opened(type: InstanceType, budget: Budget): InstanceType {
  if (type.fresh.length === 0) return type
  const substitution = new Substitution(budget)
  const fresh = substitution.renew(type.fresh)
  return { exports: substitution.entities(type.exports), fresh }
}

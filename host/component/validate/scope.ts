/**
 * Scope: the index spaces of one component, component type or instance type while it is validated.
 *
 * Owns: what each index stands for, which resource types a scope brings. Does not own: definitions (component.ts,
 * declaration.ts).
 *
 * Invariant VSC1. A definition sees only what stands before it: index spaces grow in binary order.
 *
 * Source: Component Model Explainer.md, "Index Spaces", "Alias Definitions".
 */

import { Nesting } from '../binary/nesting.ts'
import type { FuncShape, TypeLookup } from '../binary/types.ts'
import type { CoreExtern, CoreKind, Signature } from '../core/module.ts'
import type { WitResource, WitType } from '../wit/wit.ts'
import { ResourceNames } from './annotated-names.ts'
import type { Budget } from './budget.ts'
import {
  type ComponentType,
  Entities,
  type Entity,
  type ModuleType,
  type TypeItem,
} from './entity.ts'
import { type Position, Visibility } from './visibility.ts'

export type CoreTypeItem =
  | { readonly kind: 'func'; readonly signature: Signature }
  | { readonly kind: 'module'; readonly type: ModuleType }

export type CoreExports = ReadonlyMap<string, CoreExtern>

export class Scope extends Nesting<Scope> implements TypeLookup {
  readonly kind: 'component' | 'component type' | 'instance type'
  readonly budget: Budget
  readonly coreTypes: CoreTypeItem[] = []
  readonly core: Readonly<Record<CoreKind, CoreExtern[]>> = {
    func: [],
    table: [],
    memory: [],
    global: [],
    tag: [],
  }
  readonly coreInstances: CoreExports[] = []
  readonly modules: ModuleType[] = []
  readonly types: TypeItem[] = []
  readonly funcs: FuncShape[] = []
  readonly instances: Entities[] = []
  readonly components: ComponentType[] = []

  readonly imports = new Entities()
  readonly exports = new Entities()
  /** Resource types that imports bring, and those that this scope brings itself. */
  readonly bound: number[] = []
  readonly fresh: number[] = []
  /** Those that this component defines, and whose representation it knows. */
  readonly defined = new Set<number>()
  readonly #visibility: Visibility
  readonly #names: Readonly<Record<Position, ResourceNames>> = {
    import: new ResourceNames(),
    export: new ResourceNames(),
  }

  constructor(kind: Scope['kind'], parent: Scope | null, budget: Budget) {
    super(parent)
    this.kind = kind
    this.budget = budget
    this.#visibility = new Visibility(budget)
  }

  protected get isComponent(): boolean {
    return this.kind === 'component'
  }

  protected get self(): Scope {
    return this
  }

  type<Kind extends TypeItem['kind']>(
    index: number,
    kind: Kind,
    what: string,
  ): Extract<TypeItem, { kind: Kind }> {
    const item = this.at(this.types, index, 'type')
    if (item.kind !== kind) this.fail(`type ${index}: expected ${what}, got ${item.kind}`)
    return item as Extract<TypeItem, { kind: Kind }>
  }

  value(index: number): WitType {
    return this.type(index, 'value', 'a value type').type
  }

  resource(index: number): WitResource {
    return this.type(index, 'resource', 'a resource').resource
  }

  func(index: number): FuncShape {
    return this.type(index, 'func', 'a function type').shape
  }

  /** A module type, or a function type, of the core type index space. */
  coreType<Kind extends CoreTypeItem['kind']>(
    index: number,
    kind: Kind,
  ): Extract<CoreTypeItem, { kind: Kind }> {
    const item = this.at(this.coreTypes, index, 'core type')
    if (item.kind !== kind)
      this.fail(`core type ${index}: expected a ${kind} type, got a ${item.kind} type`)
    return item as Extract<CoreTypeItem, { kind: Kind }>
  }

  coreFunc(index: number): Signature | null {
    const item = this.at(this.core.func, index, 'core function')
    return item.kind === 'func' ? item.signature : null
  }

  entity(sort: Entity['sort'], index: number): Entity {
    switch (sort) {
      case 'func':
        return { sort, shape: this.at(this.funcs, index, 'function') }
      case 'type':
        return { sort, type: this.at(this.types, index, 'type') }
      case 'instance':
        return { sort, exports: this.at(this.instances, index, 'instance') }
      case 'component':
        return { sort, component: this.at(this.components, index, 'component') }
      case 'module':
        return { sort, module: this.at(this.modules, index, 'core module') }
    }
  }

  add(entity: Entity): void {
    switch (entity.sort) {
      case 'func':
        this.funcs.push(entity.shape)
        return
      case 'type':
        this.types.push(entity.type)
        return
      case 'instance':
        this.instances.push(entity.exports)
        return
      case 'component':
        this.components.push(entity.component)
        return
      case 'module':
        this.modules.push(entity.module)
    }
  }

  /** An import or export: it gets the next index of its sort, and what it names is visible from here on. */
  name(position: Position, name: string, entity: Entity): void {
    const where = `${position} "${name}"`
    const fault = this.#names[position].check(name, entity)
    if (fault !== null) this.fail(`${where}: ${fault}`)
    // An instance type is asked when something of it is imported or exported ("External Visibility of Types").
    const unseen = this.kind === 'instance type' ? null : this.#visibility.admit(position, entity)
    if (unseen !== null) this.fail(`${where}: ${unseen}`)
    this.add(entity)
    const entities = position === 'import' ? this.imports : this.exports
    entities.add(name, entity, this.offset)
  }
}

/**
 * Scope: the index spaces of one component (or of one component or instance type) while it is linked.
 *
 * Owns: what each index stands for, and the refusal of indices that stand for nothing.
 * Does not own: evaluation (link.ts, link-type.ts).
 *
 * Invariant S1. A definition sees only what stands before it: index spaces grow in binary order.
 *
 * Source: Component Model Explainer.md, "Index Spaces", "Alias Definitions".
 */
import type { ComponentNode, Declaration } from '../binary/ast.ts'
import { Nesting } from '../binary/nesting.ts'
import type { FuncShape, TypeLookup } from '../binary/types.ts'
import type { CoreKind, CoreModule, Signature } from '../core/module.ts'
import type { WitResource, WitType } from '../wit/wit.ts'

/** Where a core definition is found when an instance is made. */
export type CoreSource =
  | { readonly kind: 'export'; readonly instance: number; readonly name: string }
  | { readonly kind: 'lowered'; readonly index: number }
  | { readonly kind: 'builtin'; readonly index: number }

export interface CoreItem {
  readonly kind: CoreKind
  readonly source: CoreSource
  /** Of functions; null when unknown. */
  readonly signature: Signature | null
}

export interface LinkedModule {
  readonly index: number
  readonly core: CoreModule
  /** By name, functions with their signatures. */
  readonly exports: ReadonlyMap<
    string,
    { readonly kind: CoreKind; readonly signature: Signature | null }
  >
}

export type CoreInstanceItem =
  | { readonly kind: 'module'; readonly index: number; readonly module: LinkedModule }
  | { readonly kind: 'bundle'; readonly exports: ReadonlyMap<string, CoreItem> }

export type FuncItem =
  | { readonly kind: 'host'; readonly importIndex: number; readonly shape: FuncShape }
  | { readonly kind: 'lifted'; readonly lift: number; readonly shape: FuncShape }

export type TypeItem =
  | { readonly kind: 'value'; readonly type: WitType }
  | { readonly kind: 'func'; readonly shape: FuncShape }
  | { readonly kind: 'resource'; readonly resource: WitResource }
  | {
      readonly kind: 'instance'
      readonly declarations: readonly Declaration[]
      readonly scope: Scope
    }
  | { readonly kind: 'component' }

export interface ComponentItem {
  readonly node: ComponentNode
  readonly scope: Scope
}

export type Item =
  | { readonly sort: 'func'; readonly func: FuncItem }
  | { readonly sort: 'type'; readonly type: TypeItem }
  | { readonly sort: 'instance'; readonly exports: ReadonlyMap<string, Item> }
  | { readonly sort: 'component'; readonly component: ComponentItem }
  | { readonly sort: 'module'; readonly module: LinkedModule }

export class Scope extends Nesting<Scope> implements TypeLookup {
  /** Number of the component instance whose definitions these are; -1 for types. */
  readonly owner: number
  readonly types: TypeItem[] = []
  readonly funcs: FuncItem[] = []
  readonly instances: ReadonlyMap<string, Item>[] = []
  readonly components: ComponentItem[] = []
  readonly modules: LinkedModule[] = []
  readonly coreInstances: CoreInstanceItem[] = []
  readonly core: Readonly<Record<CoreKind, CoreItem[]>> = {
    func: [],
    table: [],
    memory: [],
    global: [],
    tag: [],
  }
  constructor(parent: Scope | null, owner: number) {
    super(parent)
    this.owner = owner
  }

  protected get isComponent(): boolean {
    return this.owner !== -1
  }

  protected get self(): Scope {
    return this
  }

  value(index: number): WitType {
    const item = this.at(this.types, index, 'type')
    if (item.kind !== 'value') this.fail(`type ${index}: expected a value type, got ${item.kind}`)
    return item.type
  }

  resource(index: number): WitResource {
    const item = this.at(this.types, index, 'type')
    if (item.kind !== 'resource') this.fail(`type ${index}: expected a resource, got ${item.kind}`)
    return item.resource
  }

  func(index: number): FuncShape {
    const item = this.at(this.types, index, 'type')
    if (item.kind !== 'func') this.fail(`type ${index}: expected a function type, got ${item.kind}`)
    return item.shape
  }

  item(sort: Item['sort'], index: number): Item {
    switch (sort) {
      case 'func':
        return { sort, func: this.at(this.funcs, index, 'function') }
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

  add(item: Item): void {
    switch (item.sort) {
      case 'func':
        this.funcs.push(item.func)
        return
      case 'type':
        this.types.push(item.type)
        return
      case 'instance':
        this.instances.push(item.exports)
        return
      case 'component':
        this.components.push(item.component)
        return
      case 'module':
        this.modules.push(item.module)
    }
  }
}

/** What an index of a core index space stands for. */
export function coreItem(sort: string, index: number, scope: Scope): CoreItem {
  const space = sort in scope.core ? scope.core[sort as CoreKind] : null
  if (space === null) return scope.fail(`a core ${sort} cannot be an export of a core instance`)
  return scope.at(space, index, `core ${sort}`)
}

/** What a core instance exports under `name`. */
export function coreExport(instance: number, name: string, kind: string, scope: Scope): CoreItem {
  const from = scope.at(scope.coreInstances, instance, 'core instance')
  if (from.kind === 'bundle') {
    const item = from.exports.get(name)
    if (item?.kind === kind) return item
  } else {
    const item = from.module.exports.get(name)
    if (item?.kind === kind)
      return { ...item, source: { kind: 'export', instance: from.index, name } }
  }
  return scope.fail(`core instance ${instance} exports no ${kind} "${name}"`)
}

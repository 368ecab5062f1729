/**
 * Entities: what imports, exports and indices stand for while a component is validated.
 *
 * Owns: the types of components, instances and core modules, and how large each is. Does not own: value types
 * (../types.ts), which scope an index belongs to (scope.ts).
 *
 * Invariants:
 *   VE1. A resource type is known by its number, `WitResource.index`, and each name it is known by in a scope is an
 *        object of its own: types are equal by number, and visible by object (visibility.ts). So are records,
 *        variants, enums and flags: equal by structure, visible by object.
 *   VE2. Written out, nothing is larger than SIZE_MAX or nests deeper than DEPTH_MAX, so whoever walks it ends.
 *   VE3. Entities are not changed once they are part of another one.
 *
 * Source: Component Model Explainer.md, "Type Definitions", "Type Checking".
 */

import { type FuncShape, shapeSize } from '../binary/types.ts'
import type { CoreExtern } from '../core/module.ts'
import { formatError } from '../refuse.ts'
import { layoutOf } from '../wit/layout.ts'
import type { WitResource, WitType } from '../wit/wit.ts'

/** Parts of one type when what it shares is written out; the worlds of WASI have some thousands. */
const SIZE_MAX = 1_000_000
/** Instances in instances, types in types: shallow enough for every recursive walk. */
const DEPTH_MAX = 100

export interface CoreImportType {
  readonly module: string
  readonly name: string
  readonly type: CoreExtern
}

export interface ModuleType {
  /** By `importKey`. */
  readonly imports: ReadonlyMap<string, CoreImportType>
  readonly exports: ReadonlyMap<string, CoreExtern>
}

/** Two names as one, as no two pairs are the same. */
export function importKey(module: string, name: string): string {
  return JSON.stringify([module, name])
}

/** An instance type brings the resource types `fresh`, which are others in each instance of it. */
export interface InstanceType {
  readonly exports: Entities
  readonly fresh: readonly number[]
}

/** A component is given the resource types `bound`, and brings the resource types `fresh`. */
export interface ComponentType {
  readonly imports: Entities
  readonly exports: Entities
  readonly bound: readonly number[]
  readonly fresh: readonly number[]
}

export type TypeItem =
  | { readonly kind: 'value'; readonly type: WitType }
  | { readonly kind: 'func'; readonly shape: FuncShape }
  | { readonly kind: 'resource'; readonly resource: WitResource }
  | { readonly kind: 'instance'; readonly type: InstanceType }
  | { readonly kind: 'component'; readonly type: ComponentType }

export type Entity =
  | { readonly sort: 'func'; readonly shape: FuncShape }
  | { readonly sort: 'type'; readonly type: TypeItem }
  | { readonly sort: 'instance'; readonly exports: Entities }
  | { readonly sort: 'component'; readonly component: ComponentType }
  | { readonly sort: 'module'; readonly module: ModuleType }

/** Entities by name, in the order of the binary. */
export class Entities {
  readonly #byName = new Map<string, Entity>()
  #size = 1
  #depth = 1

  get depth(): number {
    return this.#depth
  }

  get size(): number {
    return this.#size
  }

  get(name: string): Entity | undefined {
    return this.#byName.get(name)
  }

  /** @throws ERR_COMPONENT_FORMAT when all together become too large (VE2). */
  add(name: string, entity: Entity, offset?: number): void {
    this.#byName.set(name, entity)
    this.#size += sizeOf(entity)
    this.#depth = Math.max(this.#depth, 1 + depthOf(entity))
    if (this.#depth > DEPTH_MAX) throw formatError(`types nest deeper than ${DEPTH_MAX}`, offset)
    if (this.#size > SIZE_MAX)
      throw formatError(`a type has more than ${SIZE_MAX} parts, written out`, offset)
  }

  [Symbol.iterator](): IterableIterator<[string, Entity]> {
    return this.#byName.entries()
  }
}

function moduleSize({ imports, exports }: ModuleType): number {
  return 1 + imports.size + exports.size
}

function typeSize(item: TypeItem): number {
  switch (item.kind) {
    case 'value':
      return layoutOf(item.type).nodeCount
    case 'func':
      return shapeSize(item.shape)
    case 'resource':
      return 1
    case 'instance':
      return item.type.exports.size
    case 'component':
      return item.type.imports.size + item.type.exports.size
  }
}

/** Parts of an entity when what it shares is written out. */
export function sizeOf(entity: Entity): number {
  switch (entity.sort) {
    case 'func':
      return shapeSize(entity.shape)
    case 'type':
      return typeSize(entity.type)
    case 'instance':
      return entity.exports.size
    case 'component':
      return entity.component.imports.size + entity.component.exports.size
    case 'module':
      return moduleSize(entity.module)
  }
}

/** How deep instances, components and their types nest in an entity; value types are measured apart. */
function depthOf(entity: Entity): number {
  switch (entity.sort) {
    case 'instance':
      return entity.exports.depth
    case 'component':
      return componentDepth(entity.component)
    case 'type':
      if (entity.type.kind === 'instance') return entity.type.type.exports.depth
      return entity.type.kind === 'component' ? componentDepth(entity.type.type) : 0
    default:
      return 0
  }
}

function componentDepth({ imports, exports }: ComponentType): number {
  return Math.max(imports.depth, exports.depth)
}

/** The object by which a type is visible (VE1); null for those that need no name. */
export function identityOf(item: TypeItem): object | null {
  if (item.kind === 'resource') return item.resource
  return item.kind === 'value' ? item.type : null
}

/** A type in few words, for messages. */
export function typeText(item: TypeItem): string {
  if (item.kind === 'resource') return `resource ${item.resource.name}`
  return item.kind === 'value' ? `a ${item.type.kind}` : `a type of ${item.kind}s`
}

/**
 * Link, types: definitions and declarations of types get their meaning in a scope.
 *
 * Owns: types in index spaces, instance types unfolded into the functions that an import brings.
import brings.
 * Does not own: value types themselves (types.ts).
 *
 * Source: Component Model Explainer.md, "Type Definitions"; Binary.md, "Type Definitions".
 */
import {
  type AliasNode,
  type Declaration,
  type ExternNode,
  memberCount,
  type TypeNode,
} from '../binary/ast.ts'
import { buildFunc, buildType, type FuncShape, nameType, shapeSize } from '../binary/types.ts'
import { featureError } from '../refuse.ts'
import { layoutOf } from '../wit/layout.ts'
import type { WitResource } from '../wit/wit.ts'
import { type Item, Scope, type TypeItem } from './scope.ts'

/** Bounds the work of linking, whose steps are not bounded by the size of the binary (shared parts). */
export interface Budget {
  /** @throws ERR_COMPONENT_FORMAT when the sum of all `steps` passes the limit. */
  spend(steps: number, scope: Scope): void
}

/** Instance types that contain instances, by index; wit-component needs none. */
const INSTANCE_DEPTH_MAX = 16

/** Makes what an import declares: functions, and resource types. */
export interface Declare {
  func(name: string, shape: FuncShape): Item
  resource(name: string): WitResource
}

export function defineType(node: TypeNode, scope: Scope, budget: Budget): TypeItem {
  budget.spend(memberCount(node), scope)
  switch (node.kind) {
    case 'func':
      return { kind: 'func', shape: buildFunc(node, scope) }
    case 'instance':
      return { kind: 'instance', declarations: node.declarations, scope }
    case 'component':
      return { kind: 'component' }
    case 'resource':
      return scope.fail('a resource is defined inside of a type')
    default:
      return { kind: 'value', type: buildType(node, scope) }
  }
}

/** A type under the name by which a scope imports or exports it. */
export function nameTypeItem(item: TypeItem, name: string, scope: Scope, budget: Budget): TypeItem {
  if (item.kind !== 'value') return item
  budget.spend(layoutOf(item.type).nodeCount, scope)
  return { kind: 'value', type: nameType(item.type, name) }
}

/** `alias` of forms that both components and types have. */
export function resolveAlias(alias: AliasNode, scope: Scope): Item | null {
  if (alias.kind === 'core-export') return scope.fail('a core export cannot be aliased here')
  if (alias.kind === 'outer') {
    const target = scope.outer(alias.scopes)
    if (alias.sort === 'core-type') return null
    if (alias.sort === 'func' || alias.sort === 'instance')
      scope.fail(`outer alias: a ${alias.sort} cannot be reached from inside`)
    const item = target.item(alias.sort, alias.index)
    if (scope.leavesComponent(alias.scopes) && item.sort === 'type' && hasResources(item.type))
      scope.fail('outer alias: a type of resources cannot be reached from inside a component')
    return item
  }
  const exports = scope.at(scope.instances, alias.instance, 'instance')
  const item = exports.get(alias.name)
  if (item === undefined || item.sort !== alias.sort)
    return scope.fail(`instance ${alias.instance} exports no ${alias.sort} "${alias.name}"`)
  return item
}

/** Whether a type speaks of resources, which are others in each instance of the component that defines them. */
function hasResources(type: TypeItem): boolean {
  if (type.kind === 'value') return layoutOf(type.type).hasHandles
  if (type.kind !== 'func') return type.kind === 'resource'
  const { params, result } = type.shape
  return [...params.map((param) => param.type), ...(result === null ? [] : [result])].some(
    (each) => layoutOf(each).hasHandles,
  )
}

/** Gives the item that stands for an export that an instance type declares. */
export type Unfold = (name: string, extern: ExternNode, scope: Scope) => Item

/** What an instance of an instance type exports; `unfold` is asked for each export, in order. */
export function walkInstance(
  type: Extract<TypeItem, { kind: 'instance' }>,
  budget: Budget,
  depth: number,
  unfold: Unfold,
): ReadonlyMap<string, Item> {
  const scope = new Scope(type.scope, -1)
  if (depth > INSTANCE_DEPTH_MAX)
    type.scope.fail(`instance types nest deeper than ${INSTANCE_DEPTH_MAX}`)
  const exports = new Map<string, Item>()
  for (const declaration of type.declarations) {
    scope.offset = declaration.offset
    budget.spend(1, scope)
    walkDeclaration(declaration, scope, exports, unfold, budget)
  }
  return exports
}

function walkDeclaration(
  declaration: Declaration,
  scope: Scope,
  exports: Map<string, Item>,
  unfold: Unfold,
  budget: Budget,
): void {
  switch (declaration.kind) {
    case 'core-type':
      return
    case 'type':
      scope.types.push(defineType(declaration.type, scope, budget))
      return
    case 'alias': {
      const item = resolveAlias(declaration.alias, scope)
      if (item !== null) scope.add(item)
      return
    }
    case 'import':
      scope.fail('an instance type cannot import')
      break
    case 'export': {
      const { name } = declaration
      if (exports.has(name)) scope.fail(`export "${name}" stands twice`)
      const item = unfold(name, declaration.type, scope)
      if (item.sort !== 'func') scope.add(item)
      exports.set(name, item)
    }
  }
}

/** The item that an import, or an export in an instance type, of this extern type brings. */
export function declareExtern(
  extern: ExternNode,
  name: string,
  scope: Scope,
  declare: Declare,
  budget: Budget,
  depth: number,
): Item {
  switch (extern.kind) {
    case 'func': {
      const shape = scope.func(extern.type)
      budget.spend(shapeSize(shape), scope)
      return declare.func(name, shape)
    }
    case 'type': {
      const type = scope.at(scope.types, extern.equals, 'type')
      return { sort: 'type', type: nameTypeItem(type, name, scope, budget) }
    }
    case 'resource':
      return { sort: 'type', type: { kind: 'resource', resource: declare.resource(name) } }
    case 'instance': {
      const type = scope.at(scope.types, extern.type, 'type')
      if (type.kind !== 'instance')
        return scope.fail(`type ${extern.type}: expected an instance type, got ${type.kind}`)
      const exports = walkInstance(type, budget, depth + 1, (inner, declared, at) =>
        declareExtern(declared, inner, at, declare, budget, depth + 1),
      )
      return { sort: 'instance', exports }
    }
    case 'component':
      throw featureError(`imported component "${name}"`, scope.offset)
    case 'module':
      throw featureError(`imported core module "${name}"`, scope.offset)
  }
}

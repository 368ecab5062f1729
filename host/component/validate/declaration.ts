/**
 * Declarations: types that are defined, and what imports, exports and their types declare.
 *
 * Owns: the type section, component and instance types, the entity that an extern type stands for. Does not own:
 * definitions of components (component.ts), value types as such (../types.ts).
 *
 * Invariants:
 *   VD1. Every type is validated where it is declared, used or not.
 *   VD2. In components and their types an instance that is imported is one that exists: its abstract types are the
 *        scope's. Instance and component types that nobody has made an instance of keep their own.
 *
 * Source: Component Model Explainer.md, "Declarators", "Alias Definitions"; Binary.md, "Type Definitions".
 */

import {
  type AliasNode,
  type Declaration,
  type ExternNode,
  memberCount,
  type TypeNode,
} from '../binary/ast.ts'
import { buildFunc, buildType } from '../binary/types.ts'
import { layoutOf } from '../wit/layout.ts'
import type { WitResource, WitType } from '../wit/wit.ts'
import type { Budget } from './budget.ts'
import { componentTypeOf } from './component-type.ts'
import { defineCoreType } from './core-types.ts'
import type { ComponentType, Entity, InstanceType, TypeItem } from './entity.ts'
import { freeResources } from './free.ts'
import { opened } from './match.ts'
import { Scope } from './scope.ts'
import type { Position } from './visibility.ts'

/** What names a resource type: another object for each name (VE1). */
export function resourceNamed(name: string, index: number): WitResource {
  return { name, index, owner: -1 }
}

/** A new name for a type, which is visible apart from others (VE1). */
export function renamed(item: TypeItem, name: string, budget: Budget): TypeItem {
  if (item.kind === 'resource')
    return { kind: 'resource', resource: resourceNamed(name, item.resource.index) }
  if (item.kind !== 'value' || !('name' in item.type)) return item
  const type: WitType = { ...item.type, name }
  budget.spend(layoutOf(type).nodeCount)
  return { kind: 'value', type }
}

/** A type of the type section or of a declaration; resources are defined by components only. */
export function defineType(node: TypeNode, scope: Scope): TypeItem {
  scope.budget.spend(memberCount(node))
  switch (node.kind) {
    case 'func':
      return { kind: 'func', shape: buildFunc(node, scope) }
    case 'instance':
      return { kind: 'instance', type: declareInstance(node.declarations, scope) }
    case 'component':
      return { kind: 'component', type: declareComponent(node.declarations, scope) }
    case 'resource':
      return scope.fail('a resource is defined inside of a type')
    default:
      return { kind: 'value', type: buildType(node, scope) }
  }
}

function declareInstance(declarations: readonly Declaration[], outside: Scope): InstanceType {
  const scope = new Scope('instance type', outside, outside.budget)
  for (const declaration of declarations) declare(declaration, scope)
  return { exports: scope.exports, fresh: scope.fresh }
}

function declareComponent(declarations: readonly Declaration[], outside: Scope): ComponentType {
  const scope = new Scope('component type', outside, outside.budget)
  for (const declaration of declarations) declare(declaration, scope)
  return componentTypeOf(scope)
}

function declare(declaration: Declaration, scope: Scope): void {
  scope.offset = declaration.offset
  scope.budget.spend(1)
  switch (declaration.kind) {
    case 'core-type':
      scope.coreTypes.push(defineCoreType(declaration.type, scope))
      return
    case 'type':
      scope.types.push(defineType(declaration.type, scope))
      return
    case 'alias':
      declareAlias(declaration.alias, scope)
      return
    case 'import':
    case 'export': {
      const { kind, name, type } = declaration
      scope.name(kind, name, entityOf(type, name, scope, kind))
    }
  }
}

/** Inside of types only types and instances can be aliased ("Declarators"). */
function declareAlias(alias: AliasNode, scope: Scope): void {
  const { kind, sort } = alias
  const isAllowed =
    kind === 'outer'
      ? sort === 'type' || sort === 'core-type'
      : kind === 'export' && (sort === 'type' || sort === 'instance')
  if (!isAllowed)
    scope.fail(`alias of a ${sort}: inside of a type only types and instances have any`)
  resolveAlias(alias, scope)
}

/** `alias` of what components and their types have. */
export function resolveAlias(alias: AliasNode, scope: Scope): void {
  if (alias.kind === 'core-export') scope.fail('a core export cannot be aliased here')
  if (alias.kind === 'export') {
    const entity = scope.at(scope.instances, alias.instance, 'instance').get(alias.name)
    if (entity === undefined || entity.sort !== alias.sort)
      scope.fail(`instance ${alias.instance} exports no ${alias.sort} "${alias.name}"`)
    scope.add(entity)
    return
  }
  const target = scope.outer(alias.scopes)
  if (alias.sort === 'core-type') {
    scope.coreTypes.push(scope.at(target.coreTypes, alias.index, 'core type'))
    return
  }
  if (alias.sort === 'func' || alias.sort === 'instance')
    scope.fail(`outer alias: a ${alias.sort} cannot be reached from inside`)
  // Indices are the target's, the place for messages is ours.
  target.offset = scope.offset
  const entity = target.entity(alias.sort, alias.index)
  if (
    entity.sort === 'type' &&
    scope.leavesComponent(alias.scopes) &&
    freeResources(entity, scope.budget).size > 0
  )
    scope.fail('outer alias: a type of resources cannot be reached from inside a component')
  scope.add(entity)
}

/** What an import or export of this extern type brings into `scope`. */
export function entityOf(
  extern: ExternNode,
  name: string,
  scope: Scope,
  position: Position,
): Entity {
  const brought = position === 'import' ? scope.bound : scope.fresh
  switch (extern.kind) {
    case 'func':
      return { sort: 'func', shape: scope.func(extern.type) }
    case 'type':
      return {
        sort: 'type',
        type: renamed(scope.at(scope.types, extern.equals, 'type'), name, scope.budget),
      }
    case 'resource': {
      const index = scope.budget.newResource()
      brought.push(index)
      return { sort: 'type', type: { kind: 'resource', resource: resourceNamed(name, index) } }
    }
    case 'instance': {
      const { type } = scope.type(extern.type, 'instance', 'an instance type')
      const { exports, fresh } = opened(type, scope.budget)
      for (const index of fresh) brought.push(index)
      return { sort: 'instance', exports }
    }
    case 'component':
      return {
        sort: 'component',
        component: scope.type(extern.type, 'component', 'a component type').type,
      }
    case 'module':
      return { sort: 'module', module: scope.coreType(extern.type, 'module').type }
  }
}

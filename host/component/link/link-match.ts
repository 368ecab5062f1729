/**
 * Link, match: what a component is given, or exports, against the type that it declares for it.
 *
 * Owns: subtyping of instances and resources, as far as linking meets it. Does not own: equality of types
 * (type-difference.ts), the declarations of types as such (link-type.ts).
 *
 * Invariants:
 *   LM1. A component sees of an instance only what it declares: more exports may be given, none may lack.
 *   LM2. A resource that is declared is the one that is given, in all that is declared after it.
 *   LM3. Components and core modules that are given are not compared with their declared types: that validation does.
 *
 * Source: Component Model Explainer.md, "Type Checking"; Subtyping.md.
 */

import { type ExternNode, SORTS } from '../binary/ast.ts'
import { type Difference, shapeDifference, typeDifference } from '../binary/type-difference.ts'
import { shapeSize } from '../binary/types.ts'
import { layoutOf } from '../wit/layout.ts'
import { type Budget, walkInstance } from './link-type.ts'
import type { Item, Scope, TypeItem } from './scope.ts'

function refuse(scope: Scope, where: string, { path, expected, got }: Difference): never {
  return scope.fail(`${where}${path}: expected ${expected}, got ${got}`)
}

function typeText(type: TypeItem): string {
  if (type.kind === 'resource') return `resource ${type.resource.name}`
  return type.kind === 'value' ? `a ${type.type.kind}` : `a type of ${type.kind}s`
}

function matchType(expected: TypeItem, got: TypeItem, where: string, scope: Scope): void {
  if (expected === got) return
  const differs = { path: '', expected: typeText(expected), got: typeText(got) }
  if (expected.kind === 'value' && got.kind === 'value') {
    const difference = typeDifference(expected.type, got.type)
    if (difference !== null) refuse(scope, where, difference)
  } else if (expected.kind === 'func' && got.kind === 'func') {
    const difference = shapeDifference(expected.shape, got.shape)
    if (difference !== null) refuse(scope, where, difference)
  } else if (expected.kind === 'resource' && got.kind === 'resource') {
    if (expected.resource !== got.resource)
      refuse(scope, where, { ...differs, got: `another ${differs.got}` })
  } else if (expected.kind === 'instance' && got.kind === 'instance') {
    if (expected.declarations !== got.declarations || expected.scope !== got.scope)
      refuse(scope, where, { ...differs, got: 'another one' })
  } else if (expected.kind !== got.kind) refuse(scope, where, differs)
}

/**
 * `item` as the declaration `extern` in `scope` lets it be seen. `where` is what messages call it.
 * @throws ERR_COMPONENT_FORMAT when it is no subtype of what is declared; names the part, expected and got.
 */
export function matchExtern(
  extern: ExternNode,
  item: Item | undefined,
  where: string,
  scope: Scope,
  budget: Budget,
  depth = 0,
): Item {
  budget.spend(1, scope)
  const sort = extern.kind === 'resource' ? 'type' : extern.kind
  if (item === undefined)
    return refuse(scope, where, { path: '', expected: SORTS[sort], got: 'nothing' })
  if (extern.kind === 'func' && item.sort === 'func') {
    const shape = scope.func(extern.type)
    budget.spend(shapeSize(shape), scope)
    const difference = shapeDifference(shape, item.func.shape)
    if (difference !== null) refuse(scope, where, difference)
    return { sort: 'func', func: { ...item.func, shape } }
  }
  if (extern.kind === 'resource' && item.sort === 'type') {
    if (item.type.kind !== 'resource')
      refuse(scope, where, { path: '', expected: 'a resource', got: typeText(item.type) })
    return item
  }
  if (extern.kind === 'type' && item.sort === 'type') {
    const type = scope.at(scope.types, extern.equals, 'type')
    if (type.kind === 'value') budget.spend(layoutOf(type.type).nodeCount, scope)
    matchType(type, item.type, where, scope)
    return item
  }
  if (extern.kind === 'instance' && item.sort === 'instance') {
    const type = scope.at(scope.types, extern.type, 'type')
    if (type.kind !== 'instance')
      return scope.fail(`type ${extern.type}: expected an instance type, got ${type.kind}`)
    const exports = walkInstance(type, budget, depth + 1, (name, declared, inner) =>
      matchExtern(
        declared,
        item.exports.get(name),
        `${where} export "${name}"`,
        inner,
        budget,
        depth + 1,
      ),
    )
    return { sort: 'instance', exports }
  }
  if (item.sort !== sort)
    refuse(scope, where, { path: '', expected: SORTS[sort], got: SORTS[item.sort] })
  return item
}

/**
 * Component types: what a component, or the declaration of one, is to those outside.
 *
 * Owns: that its own resource types leave it under a name, and never by its imports.
 *
 * Source: Component Model Binary.md, "Import and Export Definitions", notes; Explainer.md, "External Visibility of
 * Types", "Type Checking" (generativity).
 */
import type { ComponentType, Entities } from './entity.ts'
import { freeResources } from './free.ts'
import type { Scope } from './scope.ts'

/** Numbers of the resources that are exported under a name, be it by an instance. */
function named(exports: Entities, scope: Scope, found = new Set<number>()): Set<number> {
  for (const [, entity] of exports) {
    scope.budget.spend(1)
    if (entity.sort === 'instance') named(entity.exports, scope, found)
    else if (entity.sort === 'type' && entity.type.kind === 'resource')
      found.add(entity.type.resource.index)
  }
  return found
}

/** The type of a scope whose definitions have all been validated. @throws ERR_COMPONENT_FORMAT */
export function componentTypeOf(scope: Scope): ComponentType {
  const { imports, exports, bound } = scope
  const own = new Set(scope.fresh)
  if (own.size === 0) return { imports, exports, bound, fresh: [] }
  for (const [name, entity] of imports)
    for (const resource of freeResources(entity, scope.budget))
      if (own.has(resource))
        scope.fail(
          `import "${name}": expected types that are imported, got a resource of the component itself`,
        )
  const visible = named(exports, scope)
  // Resource types that nobody outside can speak of need no new ones in each instance.
  const spoken = new Set<number>()
  for (const [name, entity] of exports)
    for (const resource of freeResources(entity, scope.budget)) {
      if (!own.has(resource)) continue
      if (!visible.has(resource))
        scope.fail(`export "${name}": it speaks of a resource that is not exported itself`)
      spoken.add(resource)
    }
  return { imports, exports, bound, fresh: [...spoken] }
}

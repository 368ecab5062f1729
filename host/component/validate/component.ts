/**
 * Validation of a component: every definition in it, nested ones included, whether or not an instance needs it.
 *
 * Owns: definitions in order, the type of a component. Does not own: how an instance is made (../link.ts), the code
 * of core modules, which the engine validates.
 *
 * Invariants:
 *   VC1. It depends on the binary alone, and changes nothing.
 *   VC2. A component is validated once, with abstract imports; what instantiates it sees its type only.
 *   VC3. Work is bounded by the budget, depth by the decoder.
 *
 * Source: Component Model Explainer.md, "Component Definitions" to "Import and Export Definitions"; Binary.md.
 */
import type { Argument, ComponentNode, CoreArgument, Definition } from '../binary/ast.ts'
import type { CoreModules } from '../core/core-modules.ts'
import type { CoreExtern } from '../core/module.ts'
import { ResourceNames } from './annotated-names.ts'
import { Budget } from './budget.ts'
import { builtin, checkDestructor, lift, lower } from './canon.ts'
import { componentTypeOf } from './component-type.ts'
import { matchCore } from './core-match.ts'
import { defineCoreType, moduleTypeOf } from './core-types.ts'
import { defineType, entityOf, renamed, resolveAlias, resourceNamed } from './declaration.ts'
import { type ComponentType, Entities, type Entity } from './entity.ts'
import { instantiated, Matcher } from './match.ts'
import { type CoreExports, Scope } from './scope.ts'

type Instantiation = Extract<Definition, { kind: 'instantiate' }>
type Export = Extract<Definition, { kind: 'export' }>

/** @throws ERR_COMPONENT_FORMAT naming what is wrong, what was expected and where it stands. */
export function validateComponent(root: ComponentNode, coreModules: CoreModules): void {
  new Validator(coreModules).component(root, null)
}

class Validator {
  readonly #coreModules: CoreModules
  readonly #budget = new Budget()

  constructor(coreModules: CoreModules) {
    this.#coreModules = coreModules
  }

  component(node: ComponentNode, outside: Scope | null): ComponentType {
    const scope = new Scope('component', outside, this.#budget)
    for (const definition of node.definitions) {
      scope.offset = definition.offset
      this.#budget.spend(1)
      this.#define(definition, scope)
    }
    return componentTypeOf(scope)
  }

  #define(definition: Definition, scope: Scope): void {
    switch (definition.kind) {
      case 'core-module': {
        const { start, end } = definition
        scope.modules.push(moduleTypeOf(this.#coreModules.read(start, end), start))
        return
      }
      case 'core-type':
        scope.coreTypes.push(defineCoreType(definition.type, scope))
        return
      case 'core-instantiate':
        scope.coreInstances.push(this.#instantiateCore(definition.module, definition.args, scope))
        return
      case 'core-bundle':
        scope.coreInstances.push(coreBundle(definition.exports, scope))
        return
      case 'component':
        scope.components.push(this.component(definition.component, scope))
        return
      case 'instantiate':
        scope.instances.push(this.#instantiate(definition, scope))
        return
      case 'bundle':
        scope.instances.push(bundle(definition.exports, scope))
        return
      case 'alias':
        if (definition.alias.kind === 'core-export') aliasCoreExport(definition.alias, scope)
        else resolveAlias(definition.alias, scope)
        return
      case 'type':
        defineTypeOf(definition, scope)
        return
      case 'lift':
        scope.funcs.push(lift(definition, scope))
        return
      case 'lower':
        scope.core.func.push(lower(definition, scope))
        return
      case 'resource-new':
      case 'resource-drop':
      case 'resource-rep':
        scope.core.func.push(builtin(definition, scope))
        return
      case 'import': {
        const { name, type } = definition
        scope.name('import', name, entityOf(type, name, scope, 'import'))
        return
      }
      case 'export':
        scope.name('export', definition.name, exported(definition, scope))
    }
  }

  #instantiateCore(index: number, args: readonly CoreArgument[], scope: Scope): CoreExports {
    const module = scope.at(scope.modules, index, 'core module')
    this.#budget.spend(args.length + module.imports.size + module.exports.size)
    const given = new Map<string, CoreExports>()
    for (const { name, instance } of args) {
      if (given.has(name)) scope.fail(`instantiation argument "${name}" stands twice`)
      given.set(name, scope.at(scope.coreInstances, instance, 'core instance'))
    }
    for (const { module: from, name, type } of module.imports.values()) {
      const exports = given.get(from)
      if (exports === undefined)
        return scope.fail(`core module ${index} imports from "${from}", which is not given`)
      const where = `import "${from}" "${name}" of core module ${index}`
      matchCore(type, exports.get(name), where, scope.offset)
    }
    return module.exports
  }

  #instantiate({ component, args }: Instantiation, scope: Scope): Entities {
    const type = scope.at(scope.components, component, 'component')
    const given = new Map<string, Entity>()
    this.#budget.spend(args.length)
    for (const { name, item } of args) {
      if (given.has(name)) scope.fail(`"${name}" stands twice`)
      given.set(name, scope.entity(item.sort, item.index))
    }
    const { exports, fresh } = instantiated(type, given, this.#budget, scope.offset)
    for (const resource of fresh) scope.fresh.push(resource)
    return exports
  }
}

function defineTypeOf({ type }: Extract<Definition, { kind: 'type' }>, scope: Scope): void {
  if (type.kind !== 'resource') {
    scope.types.push(defineType(type, scope))
    return
  }
  checkDestructor(type.destructor, scope)
  const index = scope.budget.newResource()
  scope.defined.add(index)
  scope.fresh.push(index)
  const resource = resourceNamed(`type ${scope.types.length}`, index)
  scope.types.push({ kind: 'resource', resource })
}

function coreBundle(
  entries: Extract<Definition, { kind: 'core-bundle' }>['exports'],
  scope: Scope,
): CoreExports {
  const exports = new Map<string, CoreExtern>()
  scope.budget.spend(entries.length)
  for (const { name, item } of entries) {
    if (exports.has(name)) scope.fail(`export "${name}" of a core instance stands twice`)
    const { sort, index } = item
    if (sort === 'type' || sort === 'module' || sort === 'instance')
      return scope.fail(`a core ${sort} cannot be an export of a core instance`)
    exports.set(name, scope.at(scope.core[sort], index, `core ${sort}`))
  }
  return exports
}

/** Nothing gets a new name here, so resources have none that an annotated name could mean ("Name Uniqueness"). */
function bundle(entries: readonly Argument[], scope: Scope): Entities {
  const exports = new Entities()
  const names = new ResourceNames()
  scope.budget.spend(entries.length)
  for (const { name, item } of entries) {
    const entity = scope.entity(item.sort, item.index)
    const fault = entity.sort === 'func' ? names.check(name, entity) : null
    if (fault !== null) scope.fail(`export "${name}": ${fault}`)
    exports.add(name, entity, scope.offset)
  }
  return exports
}

function aliasCoreExport(
  { instance, name, sort }: { instance: number; name: string; sort: string },
  scope: Scope,
): void {
  const found = scope.at(scope.coreInstances, instance, 'core instance').get(name)
  if (found === undefined || found.kind !== sort)
    scope.fail(`core instance ${instance} exports no ${sort} "${name}"`)
  scope.core[found.kind].push(found)
}

/** What an export is seen as: a supertype where one is ascribed, and types under the name that they get. */
function exported({ name, item, type }: Export, scope: Scope): Entity {
  const entity = scope.entity(item.sort, item.index)
  if (type === null)
    return entity.sort === 'type'
      ? { sort: 'type', type: renamed(entity.type, name, scope.budget) }
      : entity
  const before = scope.fresh.length
  const declared = entityOf(type, name, scope, 'export')
  const matcher = new Matcher(scope.fresh.slice(before), scope.budget, scope.offset)
  matcher.match(declared, entity, `export "${name}"`)
  return declared
}

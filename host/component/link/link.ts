/**
 * Link: an AST becomes a plan of how to make an instance.
 *
 * Owns: evaluation of definitions in order. Nested components are unfolded here, once per component, so
 * that making an instance is a flat list of steps with nothing left to look up.
 * Does not own: types (link-type.ts), resources (link-resource.ts), lifting and lowering (call.ts,
 * trampoline.ts), running the plan (instantiate.ts).
 *
 * Invariants:
 *   LK1. The plan depends on the binary alone and is shared by all instances.
 *   LK2. Every core function that the plan lifts, and every import it lowers, has been checked to have
 *        the signature that its type flattens to: the plan is safe to run even where validation, which has asked
 *        the same, had a gap.
 *   LK3. Work is bounded by STEP_COUNT_MAX, however parts of the binary are shared or nested.
 *
 * Source: Component Model Explainer.md, "Instance Definitions"; CanonicalABI.md, "Canonical Definitions".
 */

import type { BuiltinKind } from '../abi/builtin.ts'
import { checkOptions, checkSignature, flattenFunc, REALLOC } from '../abi/signature.ts'
import type {
  AliasNode,
  Argument,
  CanonOptions,
  ComponentNode,
  CoreArgument,
  Definition,
  TypeNode,
} from '../binary/ast.ts'
import { type FuncShape, shapeSize } from '../binary/types.ts'
import type { CoreModules } from '../core/core-modules.ts'
import type { CoreKind } from '../core/module.ts'
import { formatError } from '../refuse.ts'
import type { WitFunction } from '../wit/wit.ts'
import { matchExtern } from './link-match.ts'
import { type BuiltinPlan, ResourceLinker, type ResourcePlan } from './link-resource.ts'
import {
  type Budget,
  type Declare,
  declareExtern,
  defineType,
  nameTypeItem,
  resolveAlias,
} from './link-type.ts'
import {
  type ComponentItem,
  type CoreItem,
  type CoreSource,
  coreExport,
  coreItem,
  type FuncItem,
  type Item,
  type LinkedModule,
  Scope,
  type TypeItem,
} from './scope.ts'

const STEP_COUNT_MAX = 2_000_000
const INSTANCE_DEPTH_MAX = 64
const CORE_INSTANCE_COUNT_MAX = 1_000

/** A memory, its allocator and its encoding: what lifting and lowering need at run time. */
export interface AbiPlan {
  readonly owner: number
  readonly encoding: CanonOptions['encoding']
  readonly memory: CoreSource | null
  readonly realloc: CoreSource | null
}

export interface LiftPlan {
  readonly shape: FuncShape
  /** The component instance whose function this is. */
  readonly owner: number
  readonly core: CoreSource
  readonly abi: number
  readonly encoding: CanonOptions['encoding']
  readonly postReturn: CoreSource | null
}

export interface LowerPlan {
  readonly shape: FuncShape
  readonly abi: number
  readonly encoding: CanonOptions['encoding']
  readonly target: FuncItem
  /** Component instances that a call of another component's function enters. */
  readonly enters: readonly number[]
}

export type LinkStep =
  | { readonly kind: 'abi'; readonly index: number }
  | { readonly kind: 'lower'; readonly index: number }
  | { readonly kind: 'builtin'; readonly index: number }
  /** In place of a core instance that is left out (elide.ts); what it would have started. */
  | { readonly kind: 'elided'; readonly start?: CoreSource }
  | {
      readonly kind: 'instantiate'
      readonly module: number
      readonly imports: readonly {
        readonly module: string
        readonly name: string
        readonly source: CoreSource
      }[]
    }

export interface ImportPlan {
  readonly interfaceName: string
  readonly func: WitFunction
}

export interface LinkPlan {
  readonly modules: readonly LinkedModule[]
  readonly steps: readonly LinkStep[]
  readonly abis: readonly AbiPlan[]
  readonly lifts: readonly LiftPlan[]
  readonly lowers: readonly LowerPlan[]
  readonly imports: readonly ImportPlan[]
  readonly resources: readonly ResourcePlan[]
  readonly builtins: readonly BuiltinPlan[]
  readonly exports: ReadonlyMap<string, Item>
  /** What the host gives the root, types included. */
  readonly given: ReadonlyMap<string, Item>
  /** Parent of each component instance; -1 for the root. */
  readonly parents: readonly number[]
  /** Some component calls another, be it a destructor, so entry into each must be recorded ("Component Instances"). */
  readonly hasInnerCalls: boolean
}

export class Linker implements Budget {
  readonly #coreModules: CoreModules
  readonly #modules: LinkedModule[] = []
  /** By the offset of the binary. */
  readonly #moduleAt = new Map<number, LinkedModule>()
  readonly #steps: LinkStep[] = []
  readonly #abis: AbiPlan[] = []
  readonly #abiIndex = new Map<string, number>()
  readonly #lifts: LiftPlan[] = []
  readonly #lowers: LowerPlan[] = []
  readonly #imports: ImportPlan[] = []
  readonly #resources = new ResourceLinker()
  readonly #parents: number[] = []
  readonly #given = new Map<string, Item>()
  #coreInstanceCount = 0
  #stepCount = 0

  constructor(coreModules: CoreModules) {
    this.#coreModules = coreModules
  }

  /** @throws ERR_COMPONENT_FORMAT, ERR_COMPONENT_FEATURE */
  link(root: ComponentNode): LinkPlan {
    const exports = this.#unfold({ node: root, scope: new Scope(null, -1) }, null, -1, 0)
    return {
      modules: this.#modules,
      steps: this.#steps,
      abis: this.#abis,
      lifts: this.#lifts,
      lowers: this.#lowers,
      imports: this.#imports,
      resources: this.#resources.resources,
      builtins: this.#resources.builtins,
      exports,
      given: this.#given,
      parents: this.#parents,
      hasInnerCalls:
        this.#lowers.some(({ target }) => target.kind === 'lifted') ||
        this.#resources.builtins.some(({ enters }) => enters.length > 0),
    }
  }

  spend(steps: number, scope: Scope): void {
    this.#stepCount += steps
    if (this.#stepCount > STEP_COUNT_MAX)
      scope.fail(`linking takes more than ${STEP_COUNT_MAX} steps`)
  }

  /** Evaluates one component; `args` is null for the root, whose imports come from the host. */
  #unfold(
    { node, scope: outside }: ComponentItem,
    args: ReadonlyMap<string, Item> | null,
    parent: number,
    depth: number,
  ): ReadonlyMap<string, Item> {
    if (depth > INSTANCE_DEPTH_MAX)
      throw formatError(`component instances nest deeper than ${INSTANCE_DEPTH_MAX}`)
    const scope = new Scope(args === null ? null : outside, this.#parents.length)
    this.#parents.push(parent)
    const exports = new Map<string, Item>()
    for (const definition of node.definitions) {
      scope.offset = definition.offset
      this.spend(1, scope)
      this.#define(definition, scope, args, exports, depth)
    }
    return exports
  }

  #define(
    definition: Definition,
    scope: Scope,
    args: ReadonlyMap<string, Item> | null,
    exports: Map<string, Item>,
    depth: number,
  ): void {
    switch (definition.kind) {
      case 'core-module':
        scope.modules.push(this.#readModule(definition.start, definition.end))
        return
      case 'core-type':
        return
      case 'core-instantiate':
        this.#instantiateCore(definition.module, definition.args, scope)
        return
      case 'core-bundle': {
        const bundle = new Map<string, CoreItem>()
        this.spend(definition.exports.length, scope)
        for (const { name, item } of definition.exports)
          bundle.set(name, coreItem(item.sort, item.index, scope))
        scope.coreInstances.push({ kind: 'bundle', exports: bundle })
        return
      }
      case 'component':
        scope.components.push({ node: definition.component, scope })
        return
      case 'instantiate': {
        const component = scope.at(scope.components, definition.component, 'component')
        const given = this.#collect(definition.args, scope)
        scope.instances.push(this.#unfold(component, given, scope.owner, depth + 1))
        return
      }
      case 'bundle':
        scope.instances.push(this.#collect(definition.exports, scope))
        return
      case 'alias':
        defineAlias(definition.alias, scope)
        return
      case 'type':
        scope.types.push(this.#type(definition.type, scope))
        return
      case 'lift':
        scope.funcs.push(this.#lift(definition, scope))
        return
      case 'lower':
        scope.core.func.push(this.#lower(definition, scope))
        return
      case 'resource-new':
      case 'resource-drop':
      case 'resource-rep':
        scope.core.func.push(this.#builtin(definition, scope))
        return
      case 'import':
        scope.add(this.#import(definition, scope, args))
        return
      case 'export': {
        if (exports.has(definition.name)) scope.fail(`export "${definition.name}" stands twice`)
        const item = this.#export(definition, scope)
        scope.add(item)
        exports.set(definition.name, item)
      }
    }
  }

  #collect(entries: readonly Argument[], scope: Scope): Map<string, Item> {
    this.spend(entries.length, scope)
    const items = new Map<string, Item>()
    for (const { name, item } of entries) {
      if (items.has(name)) scope.fail(`"${name}" stands twice`)
      items.set(name, scope.item(item.sort, item.index))
    }
    return items
  }

  /** A module of a component that is instantiated twice is one module. */
  #readModule(start: number, end: number): LinkedModule {
    const known = this.#moduleAt.get(start)
    if (known !== undefined) return known
    const core = this.#coreModules.read(start, end)
    const exports = new Map<string, { kind: CoreKind; signature: CoreItem['signature'] }>()
    for (const { name, kind, index } of core.exports)
      exports.set(name, {
        kind,
        signature: kind === 'func' ? (core.functions[index] ?? null) : null,
      })
    const module = { index: this.#modules.length, core, exports }
    this.#modules.push(module)
    this.#moduleAt.set(start, module)
    return module
  }

  #instantiateCore(index: number, args: readonly CoreArgument[], scope: Scope): void {
    const module = scope.at(scope.modules, index, 'core module')
    this.spend(args.length, scope)
    const given = new Map<string, number>()
    for (const { name, instance } of args) {
      scope.at(scope.coreInstances, instance, 'core instance')
      if (given.has(name)) scope.fail(`instantiation argument "${name}" stands twice`)
      given.set(name, instance)
    }
    this.spend(module.core.imports.length, scope)
    const imports = module.core.imports.map((wanted) => {
      const from = given.get(wanted.module)
      if (from === undefined)
        return scope.fail(
          `core module ${index} imports from "${wanted.module}", which is not given`,
        )
      const item = coreExport(from, wanted.name, wanted.kind, scope)
      if (item.source.kind !== 'export')
        checkSignature(
          `import "${wanted.module}" "${wanted.name}" of core module ${index}`,
          wanted.signature,
          item.signature ?? { params: [], results: [] },
          scope.offset,
        )
      return { module: wanted.module, name: wanted.name, source: item.source }
    })
    if (this.#coreInstanceCount >= CORE_INSTANCE_COUNT_MAX)
      scope.fail(`more than ${CORE_INSTANCE_COUNT_MAX} core instances`)
    this.#steps.push({ kind: 'instantiate', module: module.index, imports })
    scope.coreInstances.push({ kind: 'module', index: this.#coreInstanceCount++, module })
  }

  /** Contexts with the same options are one. */
  #abi(options: CanonOptions, scope: Scope): number {
    const memory =
      options.memory === null ? null : scope.at(scope.core.memory, options.memory, 'core memory')
    const realloc =
      options.realloc === null ? null : scope.at(scope.core.func, options.realloc, 'core function')
    if (realloc !== null) checkSignature('realloc', realloc.signature, REALLOC, scope.offset)
    const plan: AbiPlan = {
      owner: scope.owner,
      encoding: options.encoding,
      memory: memory?.source ?? null,
      realloc: realloc?.source ?? null,
    }
    const key = JSON.stringify(plan)
    let index = this.#abiIndex.get(key)
    if (index === undefined) {
      index = this.#abis.length
      this.#abis.push(plan)
      this.#abiIndex.set(key, index)
      this.#steps.push({ kind: 'abi', index })
    }
    return index
  }

  #lift(definition: Extract<Definition, { kind: 'lift' }>, scope: Scope): FuncItem {
    const shape = scope.func(definition.type)
    const core = scope.at(scope.core.func, definition.coreFunc, 'core function')
    const { options } = definition
    const flat = flattenFunc(shape, 'lift')
    this.spend(shapeSize(shape), scope)
    checkOptions('lifted function', shape, flat, options, 'lift', scope.offset)
    checkSignature('lifted function', core.signature, flat, scope.offset)
    let postReturn: CoreSource | null = null
    if (options.postReturn !== null) {
      const item = scope.at(scope.core.func, options.postReturn, 'core function')
      const expected = { params: flat.results, results: [] }
      checkSignature('post-return', item.signature, expected, scope.offset)
      postReturn = item.source
    }
    const abi = this.#abi(options, scope)
    const { owner } = scope
    const { encoding } = options
    this.#lifts.push({ shape, owner, core: core.source, abi, encoding, postReturn })
    return { kind: 'lifted', lift: this.#lifts.length - 1, shape }
  }

  #lower(definition: Extract<Definition, { kind: 'lower' }>, scope: Scope): CoreItem {
    const target = scope.at(scope.funcs, definition.func, 'function')
    const { shape } = target
    const { options } = definition
    const flat = flattenFunc(shape, 'lower')
    this.spend(shapeSize(shape), scope)
    checkOptions('lowered function', shape, flat, options, 'lower', scope.offset)
    const abi = this.#abi(options, scope)
    const index = this.#lowers.length
    const callee = target.kind === 'host' ? undefined : this.#lifts[target.lift]?.owner
    const enters = callee === undefined ? [] : this.#enters(callee, scope.owner)
    this.#lowers.push({ shape, abi, encoding: options.encoding, target, enters })
    this.#steps.push({ kind: 'lower', index })
    return { kind: 'func', source: { kind: 'lowered', index }, signature: flat }
  }

  /** "Component Instances", `entering_set`: the callee and its ancestors, without the caller's. */
  #enters(callee: number, caller: number): number[] {
    const staying = new Set(this.#ancestors(caller))
    return this.#ancestors(callee).filter((owner) => !staying.has(owner))
  }

  #type(node: TypeNode, scope: Scope): TypeItem {
    if (node.kind !== 'resource') return defineType(node, scope, this)
    return { kind: 'resource', resource: this.#resources.define(node.destructor, scope) }
  }

  #builtin({ kind, type }: Extract<Definition, { kind: BuiltinKind }>, scope: Scope): CoreItem {
    const resource = scope.resource(type)
    const enters = this.#enters(resource.owner, scope.owner)
    const item = this.#resources.builtin(kind, resource, enters, scope)
    this.#steps.push({ kind: 'builtin', index: item.source.index })
    return item
  }

  #ancestors(owner: number): number[] {
    const chain: number[] = []
    for (let at = owner; at >= 0; at = this.#parents[at] ?? -1) chain.push(at)
    return chain
  }

  #import(
    { name, type }: Extract<Definition, { kind: 'import' }>,
    scope: Scope,
    args: ReadonlyMap<string, Item> | null,
  ): Item {
    if (args !== null)
      return matchExtern(type, args.get(name), `instantiation argument "${name}"`, scope, this)
    const interfaceName = type.kind === 'instance' ? name : ''
    const declare: Declare = {
      func: (funcName, shape) => {
        const func = { name: funcName, params: shape.params, result: shape.result }
        const importIndex = this.#imports.push({ interfaceName, func }) - 1
        return { sort: 'func', func: { kind: 'host', importIndex, shape } }
      },
      resource: (typeName) => this.#resources.import(interfaceName, typeName),
    }
    const item = declareExtern(type, name, scope, declare, this, 0)
    this.#given.set(name, item)
    return item
  }

  #export(definition: Extract<Definition, { kind: 'export' }>, scope: Scope): Item {
    const { name, type } = definition
    const found = scope.item(definition.item.sort, definition.item.index)
    const item = type === null ? found : matchExtern(type, found, `export "${name}"`, scope, this)
    if (item.sort !== 'type') return item
    if (item.type.kind === 'resource') this.#resources.name(item.type.resource, name)
    return { sort: 'type', type: nameTypeItem(item.type, name, scope, this) }
  }
}

function defineAlias(alias: AliasNode, scope: Scope): void {
  if (alias.kind === 'core-export') {
    const item = coreExport(alias.instance, alias.name, alias.sort, scope)
    scope.core[item.kind].push(item)
    return
  }
  const item = resolveAlias(alias, scope)
  if (item !== null) scope.add(item)
}

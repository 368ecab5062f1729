/**
 * Link, resources: the resource types of a component and the built-ins that its core modules import.
 *
 * Owns: which resource types there are, who defines each, and what destroys its representations.
 * Does not own: types as such (link-type.ts), handles (handles.ts).
 *
 * Invariants:
 *   LR1. A resource type is made anew each time that its definition is evaluated: two instances of one
 *        component have different ones. Imports, exports and aliases pass the same one on.
 *   LR2. Only the component instance that defines a resource gets `resource.new` and `resource.rep` of it.
 *
 * Source: CanonicalABI.md, "Canonical Definitions"; Explainer.md, "Resource Types" and "Type Checking".
 */
import type { BuiltinKind } from '../abi/builtin.ts'
import { checkSignature } from '../abi/signature.ts'
import type { WitFunction, WitResource } from '../wit/wit.ts'
import type { CoreItem, CoreSource, Scope } from './scope.ts'

/** Owner of the resource types that the root imports. */
const HOST = -1

export type ResourcePlan = { readonly resource: WitResource } & (
  | { readonly kind: 'guest'; readonly destructor: CoreSource | null }
  | { readonly kind: 'host'; readonly interfaceName: string; readonly drop: WitFunction }
)

export interface BuiltinPlan {
  readonly kind: BuiltinKind
  /** Index of the resource type. */
  readonly resource: number
  /** The component instance that calls. */
  readonly owner: number
  /** Component instances that the destructor enters. */
  readonly enters: readonly number[]
}

const SIGNATURES = {
  'resource-new': { params: ['i32'], results: ['i32'] },
  'resource-rep': { params: ['i32'], results: ['i32'] },
  'resource-drop': { params: ['i32'], results: [] },
} as const

type NamedLater = { -readonly [Key in keyof WitResource]: WitResource[Key] }

export class ResourceLinker {
  readonly resources: ResourcePlan[] = []
  readonly builtins: BuiltinPlan[] = []
  readonly #unnamed = new Map<WitResource, NamedLater>()

  /** A resource type that a component defines; it has no name before it is exported. */
  define(destructorIndex: number | null, scope: Scope): WitResource {
    const { length: index } = this.resources
    const resource: NamedLater = { name: `resource ${index}`, index, owner: scope.owner }
    this.#unnamed.set(resource, resource)
    let destructor: CoreSource | null = null
    if (destructorIndex !== null) {
      const item = scope.at(scope.core.func, destructorIndex, 'core function')
      checkSignature('destructor', item.signature, SIGNATURES['resource-drop'], scope.offset)
      destructor = item.source
    }
    this.resources.push({ kind: 'guest', resource, destructor })
    return resource
  }

  /** A resource type that the root imports. */
  import(interfaceName: string, name: string): WitResource {
    const resource = { name, index: this.resources.length, owner: HOST }
    const self = { name: 'self', type: { kind: 'own', resource } } as const
    const drop = { name: `[resource-drop]${name}`, params: [self], result: null }
    this.resources.push({ kind: 'host', resource, interfaceName, drop })
    return resource
  }

  /** The first name that a resource is exported by is that of messages. */
  name(resource: WitResource, name: string): void {
    const unnamed = this.#unnamed.get(resource)
    if (unnamed === undefined) return
    unnamed.name = name
    this.#unnamed.delete(resource)
  }

  /** `enters`: what a call of the instance that defines the resource enters. */
  builtin(
    kind: BuiltinKind,
    resource: WitResource,
    enters: readonly number[],
    scope: Scope,
  ): CoreItem & { readonly source: { readonly kind: 'builtin' } } {
    if (kind !== 'resource-drop' && resource.owner !== scope.owner)
      scope.fail(`canon ${kind.replace('-', '.')}: the resource is defined by another component`)
    const { length: index } = this.builtins
    this.builtins.push({ kind, resource: resource.index, owner: scope.owner, enters })
    return { kind: 'func', source: { kind: 'builtin', index }, signature: SIGNATURES[kind] }
  }
}

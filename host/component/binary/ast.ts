/**
 * AST: a component binary as decoded, definition by definition.
 *
 * Owns: the shape of what decode.ts reads. Does not own: index spaces and what an index stands for
 * (link.ts gives every index its meaning, in the order of the binary).
 *
 * Source: Component Model Binary.md; each type names its production.
 */
import type { CoreExtern, Signature } from '../core/module.ts'
import type { WitPrimitive } from '../wit/wit.ts'

/** `valtype`: a primitive, or an index into the type index space. */
export type ValRef = WitPrimitive | number

export interface LabelledRef {
  readonly label: string
  readonly type: ValRef
}

export interface CaseRef {
  readonly label: string
  readonly type: ValRef | null
}

/** `defvaltype`. */
export type ValTypeNode =
  | { readonly kind: 'primitive'; readonly primitive: WitPrimitive }
  | { readonly kind: 'record'; readonly fields: readonly LabelledRef[] }
  | { readonly kind: 'variant'; readonly cases: readonly CaseRef[] }
  | { readonly kind: 'list'; readonly element: ValRef }
  | { readonly kind: 'tuple'; readonly elements: readonly ValRef[] }
  | { readonly kind: 'flags'; readonly labels: readonly string[] }
  | { readonly kind: 'enum'; readonly labels: readonly string[] }
  | { readonly kind: 'option'; readonly element: ValRef }
  | { readonly kind: 'result'; readonly ok: ValRef | null; readonly err: ValRef | null }
  | { readonly kind: 'own' | 'borrow'; readonly resource: number }

/** `functype`. */
export interface FuncTypeNode {
  readonly kind: 'func'
  readonly params: readonly LabelledRef[]
  readonly result: ValRef | null
}

/** `deftype`. `offset` is where the definition starts, for messages. */
export type TypeNode =
  | ValTypeNode
  | FuncTypeNode
  | { readonly kind: 'instance'; readonly declarations: readonly Declaration[] }
  | { readonly kind: 'component'; readonly declarations: readonly Declaration[] }
  /** `destructor` is an index of the core function index space. */
  | { readonly kind: 'resource'; readonly destructor: number | null }

/** `externtype`. */
export type ExternNode =
  | { readonly kind: 'module'; readonly type: number }
  | { readonly kind: 'func'; readonly type: number }
  | { readonly kind: 'type'; readonly equals: number }
  | { readonly kind: 'resource' }
  | { readonly kind: 'component'; readonly type: number }
  | { readonly kind: 'instance'; readonly type: number }

export type CoreSort =
  | 'func'
  | 'table'
  | 'memory'
  | 'global'
  | 'tag'
  | 'type'
  | 'module'
  | 'instance'
export type Sort = 'func' | 'type' | 'component' | 'instance' | 'module'

/** `sortidx`; the only core sort that components pass around is `module`. */
export interface SortIndex {
  readonly sort: Sort
  readonly index: number
}

export interface CoreSortIndex {
  readonly sort: CoreSort
  readonly index: number
}

/** `alias`. */
export type AliasNode =
  | {
      readonly kind: 'export'
      readonly sort: Sort
      readonly instance: number
      readonly name: string
    }
  | {
      readonly kind: 'core-export'
      readonly sort: CoreSort
      readonly instance: number
      readonly name: string
    }
  | {
      readonly kind: 'outer'
      readonly sort: Sort | 'core-type'
      readonly scopes: number
      readonly index: number
    }

/** `core:externtype`, of module types. */
export type CoreExternNode =
  | { readonly kind: 'func'; readonly type: number }
  | { readonly kind: 'tag'; readonly type: number }
  | Exclude<CoreExtern, { readonly kind: 'func' | 'tag' }>

/** `core:moduledecl`. */
export type ModuleDeclaration = { readonly offset: number } & (
  | {
      readonly kind: 'import'
      readonly module: string
      readonly name: string
      readonly type: CoreExternNode
    }
  | { readonly kind: 'type'; readonly type: CoreTypeNode }
  | { readonly kind: 'alias'; readonly scopes: number; readonly index: number }
  | { readonly kind: 'export'; readonly name: string; readonly type: CoreExternNode }
)

/** `core:type`. */
export type CoreTypeNode =
  | { readonly kind: 'func'; readonly signature: Signature }
  | { readonly kind: 'module'; readonly declarations: readonly ModuleDeclaration[] }

/** `componentdecl` and `instancedecl`. */
export type Declaration = { readonly offset: number } & (
  | { readonly kind: 'core-type'; readonly type: CoreTypeNode }
  | { readonly kind: 'type'; readonly type: TypeNode }
  | { readonly kind: 'alias'; readonly alias: AliasNode }
  | { readonly kind: 'import' | 'export'; readonly name: string; readonly type: ExternNode }
)

export type StringEncoding = 'utf8' | 'utf16' | 'latin1+utf16'

/** `opts`, after refusal of `async` and `callback`. Indices are of the core index spaces. */
export interface CanonOptions {
  readonly encoding: StringEncoding
  readonly memory: number | null
  readonly realloc: number | null
  readonly postReturn: number | null
}

export interface CoreArgument {
  readonly name: string
  readonly instance: number
}

export interface Argument {
  readonly name: string
  readonly item: SortIndex
}

/** One definition of a component, in the order of the binary. */
export type Definition = { readonly offset: number } & (
  | { readonly kind: 'core-module'; readonly start: number; readonly end: number }
  | { readonly kind: 'core-type'; readonly type: CoreTypeNode }
  | {
      readonly kind: 'core-instantiate'
      readonly module: number
      readonly args: readonly CoreArgument[]
    }
  | {
      readonly kind: 'core-bundle'
      readonly exports: readonly { readonly name: string; readonly item: CoreSortIndex }[]
    }
  | { readonly kind: 'component'; readonly component: ComponentNode }
  | { readonly kind: 'instantiate'; readonly component: number; readonly args: readonly Argument[] }
  | { readonly kind: 'bundle'; readonly exports: readonly Argument[] }
  | { readonly kind: 'alias'; readonly alias: AliasNode }
  | { readonly kind: 'type'; readonly type: TypeNode }
  | {
      readonly kind: 'lift'
      readonly coreFunc: number
      readonly options: CanonOptions
      readonly type: number
    }
  | { readonly kind: 'lower'; readonly func: number; readonly options: CanonOptions }
  | { readonly kind: 'resource-new' | 'resource-drop' | 'resource-rep'; readonly type: number }
  | { readonly kind: 'import'; readonly name: string; readonly type: ExternNode }
  | {
      readonly kind: 'export'
      readonly name: string
      readonly item: SortIndex
      readonly type: ExternNode | null
    }
)

export interface ComponentNode {
  readonly definitions: readonly Definition[]
}

/** How many members a definition lists itself. */
export function memberCount(node: TypeNode): number {
  switch (node.kind) {
    case 'func':
      return node.params.length
    case 'record':
      return node.fields.length
    case 'variant':
      return node.cases.length
    case 'tuple':
      return node.elements.length
    case 'enum':
    case 'flags':
      return node.labels.length
    default:
      return 1
  }
}

/** What an index stands for, in words. */
export const SORTS = {
  func: 'a function',
  type: 'a type',
  instance: 'an instance',
  component: 'a component',
  module: 'a core module',
} as const

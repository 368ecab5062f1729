/**
 * Types: a type definition of a binary becomes a WIT type.
 *
 * Owns: building WIT types bottom-up, names, equality. Does not own: index spaces (scope.ts).
 *
 * Invariants:
 *   TY1. Every type that leaves here has been measured (layout.ts LA1, LA2).
 *   TY2. Types are immutable and shared; naming a type makes a copy.
 *
 * Source: Component Model Binary.md, "Type Definitions"; Explainer.md, "Type Checking".
 */
import type { FuncTypeNode, ValTypeNode } from './ast.ts'
import { layoutOf } from './layout.ts'
import type { WitField, WitPrimitive, WitResource, WitType } from './wit.ts'

/** The type of a function without its name. */
export interface FuncShape {
  readonly params: readonly WitField[]
  readonly result: WitType | null
}

/** How a type index is looked up; the caller owns the index space. */
export interface TypeLookup {
  value(index: number): WitType
  resource(index: number): WitResource
}

const primitives = new Map<WitPrimitive, WitType>()

function primitiveType(kind: WitPrimitive): WitType {
  let type = primitives.get(kind)
  if (type === undefined) {
    type = { kind }
    primitives.set(kind, type)
  }
  return type
}

function refer(ref: WitPrimitive | number, lookup: TypeLookup): WitType {
  return typeof ref === 'number' ? lookup.value(ref) : primitiveType(ref)
}

function referOptional(ref: WitPrimitive | number | null, lookup: TypeLookup): WitType | null {
  return ref === null ? null : refer(ref, lookup)
}

/** @throws ERR_COMPONENT_FORMAT */
export function buildType(node: ValTypeNode, lookup: TypeLookup): WitType {
  const type = build(node, lookup)
  layoutOf(type)
  return type
}

function build(node: ValTypeNode, lookup: TypeLookup): WitType {
  switch (node.kind) {
    case 'primitive':
      return primitiveType(node.primitive)
    case 'record':
      return {
        kind: 'record',
        name: null,
        fields: node.fields.map(({ label, type }) => ({ name: label, type: refer(type, lookup) })),
      }
    case 'variant':
      return {
        kind: 'variant',
        name: null,
        cases: node.cases.map(({ label, type }) => ({
          name: label,
          type: referOptional(type, lookup),
        })),
      }
    case 'list':
      return { kind: 'list', element: refer(node.element, lookup) }
    case 'tuple':
      return { kind: 'tuple', elements: node.elements.map((ref) => refer(ref, lookup)) }
    case 'flags':
      return { kind: 'flags', name: null, labels: node.labels }
    case 'enum':
      return { kind: 'enum', name: null, cases: node.labels }
    case 'option':
      return { kind: 'option', element: refer(node.element, lookup) }
    case 'result':
      return {
        kind: 'result',
        ok: referOptional(node.ok, lookup),
        err: referOptional(node.err, lookup),
      }
    default:
      return { kind: node.kind, resource: lookup.resource(node.resource) }
  }
}

export function buildFunc(node: FuncTypeNode, lookup: TypeLookup): FuncShape {
  return {
    params: node.params.map(({ label, type }) => ({ name: label, type: refer(type, lookup) })),
    result: referOptional(node.result, lookup),
  }
}

/** `type` as it is called in the scope that imports or exports it under `name`. */
export function nameType(type: WitType, name: string): WitType {
  if (!('name' in type) || type.name === name) return type
  const named = { ...type, name }
  layoutOf(named)
  return named
}

function equalOptional(a: WitType | null, b: WitType | null): boolean {
  return a === null || b === null ? a === b : equalTypes(a, b)
}

/** Structural equality; names of types do not count, names of their members do. */
function equalTypes(a: WitType, b: WitType): boolean {
  if (a === b) return true
  switch (a.kind) {
    case 'list':
    case 'option':
      return b.kind === a.kind && equalTypes(a.element, b.element)
    case 'record':
      return b.kind === 'record' && equalFields(a.fields, b.fields)
    case 'tuple':
      return (
        b.kind === 'tuple' &&
        a.elements.length === b.elements.length &&
        a.elements.every((type, index) => equalOptional(type, b.elements[index] ?? null))
      )
    case 'variant':
      return (
        b.kind === 'variant' &&
        a.cases.length === b.cases.length &&
        a.cases.every((item, index) => {
          const other = b.cases[index]
          return other?.name === item.name && equalOptional(item.type, other.type)
        })
      )
    case 'enum':
      return b.kind === 'enum' && equalLabels(a.cases, b.cases)
    case 'flags':
      return b.kind === 'flags' && equalLabels(a.labels, b.labels)
    case 'result':
      return b.kind === 'result' && equalOptional(a.ok, b.ok) && equalOptional(a.err, b.err)
    case 'own':
    case 'borrow':
      return b.kind === a.kind && a.resource === b.resource
    default:
      return a.kind === b.kind
  }
}

function equalLabels(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((label, index) => label === b[index])
}

function equalFields(a: readonly WitField[], b: readonly WitField[]): boolean {
  return (
    a.length === b.length &&
    a.every((field, index) => {
      const other = b[index]
      return other?.name === field.name && equalTypes(field.type, other.type)
    })
  )
}

export function equalShapes(a: FuncShape, b: FuncShape): boolean {
  return a === b || (equalFields(a.params, b.params) && equalOptional(a.result, b.result))
}

/** Nodes that a comparison of the shape may visit, for budgets. */
export function shapeSize(shape: FuncShape): number {
  let size = 1
  for (const { type } of shape.params) size += layoutOf(type).nodeCount
  return shape.result === null ? size : size + layoutOf(shape.result).nodeCount
}

/**
 * Types: a type definition of a binary becomes a WIT type.
 *
 * Owns: building WIT types bottom-up, names. Does not own: index spaces (scope.ts), equality (type-difference.ts).
 *
 * Invariants:
 *   TY1. Every type that leaves here has been measured (layout.ts LA1, LA2).
 *   TY2. Types are immutable and shared; naming a type makes a copy.
 *
 * Source: Component Model Binary.md, "Type Definitions"; Explainer.md, "Type Checking".
 */

import { formatError } from '../refuse.ts'
import { layoutOf } from '../wit/layout.ts'
import type { WitField, WitPrimitive, WitResource, WitType } from '../wit/wit.ts'
import type { FuncTypeNode, ValTypeNode } from './ast.ts'

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
  const result = referOptional(node.result, lookup)
  if (result !== null && layoutOf(result).hasBorrows)
    throw formatError('function type: a result cannot be borrowed')
  return {
    params: node.params.map(({ label, type }) => ({ name: label, type: refer(type, lookup) })),
    result,
  }
}

/** `type` as it is called in the scope that imports or exports it under `name`. */
export function nameType(type: WitType, name: string): WitType {
  if (!('name' in type) || type.name === name) return type
  const named = { ...type, name }
  layoutOf(named)
  return named
}

/** Nodes that a comparison of the shape may visit, for budgets. */
export function shapeSize(shape: FuncShape): number {
  let size = 1
  for (const { type } of shape.params) size += layoutOf(type).nodeCount
  return shape.result === null ? size : size + layoutOf(shape.result).nodeCount
}

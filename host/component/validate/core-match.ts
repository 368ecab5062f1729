/**
 * Core match: subtyping of what core modules import and export.
 *
 * Owns: `core:externtype` and module types. Does not own: references that need the types of a whole module to be
 * compared: they pass here, and the engine compares them when it links.
 *
 * Source: WebAssembly Core Specification, "Matching"; Component Model Explainer.md, "Type Checking".
 */

import { formatSignature } from '../abi/signature.ts'
import type { CoreExtern, CoreLimits, CoreType, Signature } from '../core/module.ts'
import { isReference } from '../core/module.ts'
import { formatError } from '../refuse.ts'
import type { Budget } from './budget.ts'
import type { ModuleType } from './entity.ts'

function limitsText({ minimum, maximum }: CoreLimits): string {
  return maximum === null ? `at least ${minimum}` : `${minimum} to ${maximum}`
}

function externText(extern: CoreExtern): string {
  switch (extern.kind) {
    case 'func':
    case 'tag': {
      const what = extern.kind === 'func' ? 'core function' : 'core tag'
      const { signature } = extern
      return `${what} ${signature === null ? 'of another proposal' : formatSignature(signature)}`
    }
    case 'table':
      return `core table of ${extern.element}, ${limitsText(extern.limits)} elements`
    case 'memory':
      return `core memory of ${limitsText(extern.limits)} pages`
    case 'global':
      return `${extern.mutable ? 'mutable' : 'immutable'} core global of ${extern.type}`
  }
}

function isSameType(a: CoreType, b: CoreType): boolean {
  return a === b || ((a === 'ref' || b === 'ref') && isReference(a) && isReference(b))
}

function areSameTypes(a: readonly CoreType[], b: readonly CoreType[]): boolean {
  return a.length === b.length && a.every((type, index) => isSameType(type, b[index] ?? 'i32'))
}

function isSameSignature(a: Signature | null, b: Signature | null): boolean {
  if (a === null || b === null) return true
  return areSameTypes(a.params, b.params) && areSameTypes(a.results, b.results)
}

function fits(expected: CoreLimits, got: CoreLimits): boolean {
  return (
    got.minimum >= expected.minimum &&
    (expected.maximum === null || (got.maximum !== null && got.maximum <= expected.maximum))
  )
}

function matches(expected: CoreExtern, got: CoreExtern): boolean {
  switch (expected.kind) {
    case 'func':
    case 'tag':
      return got.kind === expected.kind && isSameSignature(expected.signature, got.signature)
    case 'table':
      return (
        got.kind === 'table' &&
        isSameType(expected.element, got.element) &&
        fits(expected.limits, got.limits)
      )
    case 'memory':
      return got.kind === 'memory' && fits(expected.limits, got.limits)
    case 'global':
      return (
        got.kind === 'global' &&
        got.mutable === expected.mutable &&
        isSameType(expected.type, got.type)
      )
  }
}

/** @throws ERR_COMPONENT_FORMAT */
export function matchCore(
  expected: CoreExtern,
  got: CoreExtern | undefined,
  where: string,
  offset: number,
): void {
  if (got !== undefined && matches(expected, got)) return
  const found = got === undefined ? 'nothing' : externText(got)
  throw formatError(`${where}: expected ${externText(expected)}, got ${found}`, offset)
}

/** A module may import less and export more than is declared. @throws ERR_COMPONENT_FORMAT */
export function matchModule(
  expected: ModuleType,
  got: ModuleType,
  where: string,
  budget: Budget,
  offset: number,
): void {
  if (expected === got) return
  budget.spend(got.imports.size + expected.exports.size)
  for (const [key, { module, name, type }] of got.imports) {
    const declared = expected.imports.get(key)?.type
    const place = `${where} import "${module}" "${name}"`
    if (declared === undefined)
      throw formatError(`${place}: it is not declared, but the core module needs it`, offset)
    matchCore(type, declared, place, offset)
  }
  for (const [name, type] of expected.exports)
    matchCore(type, got.exports.get(name), `${where} export "${name}"`, offset)
}

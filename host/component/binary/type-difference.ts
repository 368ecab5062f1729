/**
 * Type difference: whether two types are the same, and if not, where they differ first.
 *
 * Owns: structural equality. Names of types do not count, names of their members do; resources are equal only
 * when they are the same one. Does not own: what must be equal (link-match.ts).
 *
 * Source: Component Model Explainer.md, "Type Checking".
 */

import type { WitField, WitResource, WitType } from '../wit/wit.ts'
import { formatType } from '../wit/wit-text.ts'
import type { FuncShape } from './types.ts'

export interface Difference {
  /** The way to the part that differs, such as ` parameter "p" field "age"`; empty for the whole. */
  readonly path: string
  readonly expected: string
  readonly got: string
}

/** Whether two names of resources are names of one resource type. */
export type SameResource = (a: WitResource, b: WitResource) => boolean

const isIdentical: SameResource = (a, b) => a === b

const NOTHING = 'nothing'

function differ(path: string, expected: string, got: string): Difference {
  return { path, expected, got }
}

function quote(labels: readonly string[]): string {
  const shown = labels.slice(0, 8).map((label) => JSON.stringify(label))
  return `${labels.length} labels (${shown.join(', ')}${labels.length > 8 ? ', …' : ''})`
}

function labelDifference(
  expected: readonly string[],
  got: readonly string[],
  path: string,
): Difference | null {
  const isEqual =
    expected.length === got.length && expected.every((label, index) => label === got[index])
  return isEqual ? null : differ(path, quote(expected), quote(got))
}

function optionalDifference(
  expected: WitType | null,
  got: WitType | null,
  path: string,
  isSame: SameResource,
): Difference | null {
  if (expected !== null && got !== null) return typeDifference(expected, got, path, isSame)
  if (expected === got) return null
  const show = (type: WitType | null): string => (type === null ? NOTHING : formatType(type))
  return differ(path, show(expected), show(got))
}

interface Member {
  readonly name: string
  readonly type: WitType | null
}

function memberDifference(
  what: string,
  expected: readonly Member[],
  got: readonly Member[],
  path: string,
  isSame: SameResource,
): Difference | null {
  const names = labelDifference(
    expected.map(({ name }) => name),
    got.map(({ name }) => name),
    path,
  )
  if (names !== null) return names
  for (const [index, { name, type }] of expected.entries()) {
    const place = `${path} ${what} "${name}"`
    const found = optionalDifference(type, got[index]?.type ?? null, place, isSame)
    if (found !== null) return found
  }
  return null
}

function elementDifference(
  expected: readonly WitType[],
  got: readonly WitType[],
  path: string,
  isSame: SameResource,
): Difference | null {
  if (expected.length !== got.length)
    return differ(path, `a tuple of ${expected.length}`, `a tuple of ${got.length}`)
  for (const [index, type] of expected.entries()) {
    const found = optionalDifference(type, got[index] ?? null, `${path} element ${index}`, isSame)
    if (found !== null) return found
  }
  return null
}

/** Null when the types are equal. */
export function typeDifference(
  expected: WitType,
  got: WitType,
  path = '',
  isSame: SameResource = isIdentical,
): Difference | null {
  if (expected === got) return null
  const differs = (): Difference => differ(path, formatType(expected), formatType(got))
  switch (expected.kind) {
    case 'list':
    case 'option':
      return got.kind === expected.kind
        ? typeDifference(expected.element, got.element, `${path} element`, isSame)
        : differs()
    case 'record':
      return got.kind === 'record'
        ? memberDifference('field', expected.fields, got.fields, path, isSame)
        : differs()
    case 'tuple':
      return got.kind === 'tuple'
        ? elementDifference(expected.elements, got.elements, path, isSame)
        : differs()
    case 'variant':
      return got.kind === 'variant'
        ? memberDifference('case', expected.cases, got.cases, path, isSame)
        : differs()
    case 'enum':
      return got.kind === 'enum' ? labelDifference(expected.cases, got.cases, path) : differs()
    case 'flags':
      return got.kind === 'flags' ? labelDifference(expected.labels, got.labels, path) : differs()
    case 'result':
      return got.kind === 'result'
        ? (optionalDifference(expected.ok, got.ok, `${path} ok`, isSame) ??
            optionalDifference(expected.err, got.err, `${path} err`, isSame))
        : differs()
    case 'own':
    case 'borrow':
      if (got.kind !== expected.kind) return differs()
      return isSame(expected.resource, got.resource)
        ? null
        : differ(
            path,
            `resource ${expected.resource.name}`,
            `another resource ${got.resource.name}`,
          )
    default:
      return expected.kind === got.kind ? null : differs()
  }
}

/** Null when the functions are of the same type: their parameters have the same names and types. */
export function shapeDifference(
  expected: FuncShape,
  got: FuncShape,
  isSame: SameResource = isIdentical,
): Difference | null {
  if (expected === got) return null
  const params = (fields: readonly WitField[]): string =>
    fields.length === 0 ? 'no parameters' : `parameters ${quote(fields.map(({ name }) => name))}`
  const haveSameNames =
    expected.params.length === got.params.length &&
    expected.params.every(({ name }, index) => name === got.params[index]?.name)
  if (!haveSameNames) return differ('', params(expected.params), params(got.params))
  return (
    memberDifference('parameter', expected.params, got.params, '', isSame) ??
    optionalDifference(expected.result, got.result, ' result', isSame)
  )
}

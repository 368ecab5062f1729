/**
 * Labels: names of fields, cases, parameters and functions, and their JavaScript spelling.
 *
 * Invariant L1: two labels of one type never have the same JavaScript spelling, so that a record read
 * from a component always has as many keys as it has fields.
 *
 * Source: Component Model Explainer.md, "Import and Export Definitions" (`label`) and "Name Uniqueness".
 */
import { formatError } from '../refuse.ts'

/** `label`: each fragment in one case. */
export const LABEL_PATTERN = '(?:[a-z][0-9a-z]*|[A-Z][0-9A-Z]*)(?:-(?:[0-9a-z]+|[0-9A-Z]+))*'
const LABEL = new RegExp(`^${LABEL_PATTERN}$`)
const SIZE_MAX = 4_096

/** `get-HTTP-status` becomes `getHttpStatus`, as jco spells it. */
export function camelCase(label: string): string {
  return label
    .split('-')
    .map((word, index) => {
      const lower = word.toLowerCase()
      return index === 0 ? lower : lower.charAt(0).toUpperCase() + lower.slice(1)
    })
    .join('')
}

/** @throws ERR_COMPONENT_FORMAT */
export function checkLabels(labels: readonly string[], what: string, offset: number): void {
  const seen = new Set<string>()
  for (const label of labels) {
    if (label.length > SIZE_MAX || !LABEL.test(label))
      throw formatError(
        `${what} ${JSON.stringify(label.slice(0, 80))} is not a kebab-case name`,
        offset,
      )
    const key = camelCase(label)
    if (seen.has(key)) throw formatError(`${what} "${label}" stands twice`, offset)
    seen.add(key)
  }
}

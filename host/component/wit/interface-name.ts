/**
 * Names of interfaces and their versions.
 */

/**
 * The name that all compatible versions share: `a:b/c@0.2.6` is `a:b/c@0.2`, `a:b/c@1.4.0` is `a:b/c@1`.
 * Source: Semantic Versioning 2.0.0, items 4 and 8; Component Model, "canonical interface names".
 */
export function compatibleName(interfaceName: string): string {
  const match = /^([^@]+)@(\d+)\.(\d+)\.\d+(?:[-+].*)?$/.exec(interfaceName)
  if (match === null) return interfaceName
  const [, name, major, minor] = match
  return major === '0' ? `${name}@0.${minor}` : `${name}@${major}`
}

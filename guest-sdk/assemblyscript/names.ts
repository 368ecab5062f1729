/**
 * Names.
 *
 * Owns: kebab-case (WIT) <-> camelCase and PascalCase (AssemblyScript), WIT keywords, parts of an
 * interface id.
 */

/** `applyOp` -> `apply-op`, `HTTPServer` -> `http-server`. */
export function kebab(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .replace(/_+/g, '-')
    .replace(/^-|-$/g, '')
    .toLowerCase()
}

export function camel(name: string): string {
  return name.toLowerCase().replace(/-(.)/g, (_match, letter: string) => letter.toUpperCase())
}

export function pascal(name: string): string {
  const spelled = camel(name)
  return spelled.charAt(0).toUpperCase() + spelled.slice(1)
}

/** True when `name` is a WIT identifier: words of letters and digits, each beginning with a letter. */
export function isWitName(name: string): boolean {
  return /^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/.test(name)
}

const KEYWORDS = new Set(
  (
    'as async bool borrow char constructor enum error-context export f32 f64 flags from func future ' +
    'import include interface list map option own package record resource result s16 s32 s64 s8 ' +
    'static stream string tuple type u16 u32 u64 u8 use variant with world'
  ).split(' '),
)

/** `name` as it is written in WIT text. */
export function witName(name: string): string {
  return KEYWORDS.has(name) ? `%${name}` : name
}

const RESERVED = new Set(
  (
    'abstract as async await break case catch class const constructor continue declare default delete ' +
    'do else enum export extends false finally for function get if implements import in instanceof ' +
    'interface let new null override package private protected public readonly return set static ' +
    'super switch this throw true try typeof var void while with yield'
  ).split(' '),
)

/** A WIT name as an AssemblyScript variable, function or property. */
export function identifier(name: string): string {
  const spelled = camel(name)
  return RESERVED.has(spelled) ? `${spelled}_` : spelled
}

const INTERFACE_ID = /^([a-z][a-z0-9-]*:[a-z][a-z0-9-]*)\/([a-z][a-z0-9-]*)(@\d+\.\d+\.\d+\S*)?$/

export interface InterfaceId {
  /** `namespace:package@version`; an imported package may have no version. */
  readonly packageId: string
  /** Name of the interface alone. */
  readonly name: string
  readonly isVersioned: boolean
}

/** Null when `id` is not `namespace:package/interface@1.2.3`, where the version may be missing. */
export function parseInterfaceId(id: string): InterfaceId | null {
  const [, packageName, name, version = ''] = INTERFACE_ID.exec(id) ?? []
  if (packageName === undefined || name === undefined || !isWitName(name)) return null
  return { packageId: `${packageName}${version}`, name, isVersioned: version !== '' }
}

export function splitInterfaceId(id: string): InterfaceId {
  const parts = parseInterfaceId(id)
  if (!parts) throw new Error(`'${id}' is not an interface id`)
  return parts
}

/**
 * Extern names: names of imports and exports, and their attributes.
 *
 * Owns: the grammar of names, which names of one scope are the same, what an annotated name may name.
 * Does not own: labels inside of types (labels.ts), what methods and constructors must look like.
 *
 * Invariants:
 *   EN1. A name is a plain name or an interface name. Names of dependencies, which import components, are refused as a
 *        feature that this host lacks.
 *   EN2. Names of one scope stay different for those who do not know `.`, `[...]` and upper case.
 *
 * Source: Component Model Explainer.md, "Import and Export Definitions", "Name Uniqueness"; Binary.md.
 */
import type { Reader } from '../bytes.ts'
import { featureError, formatError } from '../refuse.ts'
import { LABEL_PATTERN } from '../wit/labels.ts'

const SIZE_MAX = 4_096
const WORDS = '[a-z][0-9a-z]*(?:-[0-9a-z]+)*'
const NUMBER = '(?:0|[1-9][0-9]*)'
const PRERELEASE = `(?:${NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)`
const VERSION = `${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-${PRERELEASE}(?:\\.${PRERELEASE})*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?`
/** A canonical version is what of a version counts for compatibility. */
const CANONICAL = '(?:[1-9][0-9]*|0\\.[1-9][0-9]*|0\\.0\\.(?:0|[1-9][0-9]*))'
const INTERFACE = new RegExp(
  `^${WORDS}:${WORDS}/${LABEL_PATTERN}(?:@(?:${VERSION}|${CANONICAL}))?$`,
)
const PLAIN = new RegExp(
  `^(?:(?:\\[constructor\\])?${LABEL_PATTERN}|\\[(?:method|static)\\]${LABEL_PATTERN}\\.${LABEL_PATTERN})$`,
)
const DEPENDENCY = /^(?:unlocked-dep|locked-dep|url|relative-url|integrity)=/
/** Namespaces and packages in each other, a gated feature. */
const NESTED = new RegExp(`^(?:${WORDS}:)+${WORDS}(?:/${LABEL_PATTERN})+(?:@${VERSION})?$`)
const IMPLEMENTS = 0x00
const VERSION_SUFFIX = 0x01
const SUFFIXED = new RegExp(`^${VERSION}$`)
const CANONICAL_END = new RegExp(`@(${CANONICAL})$`)
const ATTRIBUTE_MAX = 0x02

export interface ExternName {
  readonly name: string
  /** It says which interface an instance implements, or what its version is in full. */
  readonly implements: boolean
  readonly hasVersionSuffix: boolean
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 80))
}

function checkName(name: string, offset: number): void {
  if (name.length <= SIZE_MAX && (PLAIN.test(name) || INTERFACE.test(name))) return
  if (name.length <= SIZE_MAX && NESTED.test(name))
    throw featureError(`nested package in ${shown(name)}`, offset)
  if (DEPENDENCY.test(name)) throw featureError(`import of a dependency by ${shown(name)}`, offset)
  throw formatError(`${shown(name)} is neither a plain name nor that of an interface`, offset)
}

/** `nameattributes`: attributes take no part in typing, so they are checked and dropped. */
export function readExternName(reader: Reader): ExternName {
  const offset = reader.position
  const form = reader.byte('name')
  if (form > 0x02) reader.fail('name: expected 0x00 to 0x02', offset)
  const name = reader.name('name')
  checkName(name, offset)
  const kinds = new Set<number>()
  if (form === 0x02)
    reader.vector('name attribute', () => {
      const at = reader.position
      const kind = reader.byte('name attribute')
      if (kind > ATTRIBUTE_MAX || kinds.has(kind))
        reader.fail(`name attribute ${kind} is unknown, or stands twice`, at)
      kinds.add(kind)
      const text = reader.name('name attribute')
      if (kind === VERSION_SUFFIX) checkVersion(name, text, at)
      if (kind !== IMPLEMENTS) return
      if (!INTERFACE.test(text)) reader.fail(`${shown(text)} is not the name of an interface`, at)
      if (!PLAIN.test(name)) reader.fail(`${shown(name)} cannot implement ${shown(text)}`, at)
    })
  return {
    name,
    implements: kinds.has(IMPLEMENTS),
    hasVersionSuffix: kinds.has(VERSION_SUFFIX),
  }
}

/** "Canonical Interface Name": the name has the part that counts, the suffix the rest of a whole version. */
function checkVersion(name: string, suffix: string, offset: number): void {
  const version = CANONICAL_END.exec(name)?.[1]
  if (version === undefined || !SUFFIXED.test(version + suffix))
    throw formatError(`${shown(name)} and ${shown(suffix)} together are no version`, offset)
}

/** What is named: annotated names are for functions, and instances alone implement interfaces. */
export function checkNamed({ name, ...named }: ExternName, sort: string, offset: number): void {
  if (name.startsWith('[') && sort !== 'func')
    throw formatError(`${shown(name)} is a ${sort}: only functions have annotated names`, offset)
  if (named.hasVersionSuffix && sort !== 'instance')
    throw formatError(`${shown(name)} is a ${sort}: only instances have versions`, offset)
  if (named.implements && sort !== 'instance')
    throw formatError(`${shown(name)} is a ${sort}: only instances implement interfaces`, offset)
}

/** The names of one scope (EN2). */
export class NameScope {
  readonly #what: string
  readonly #names = new Map<string, string>()

  constructor(what: string) {
    this.#what = what
  }

  /** @throws ERR_COMPONENT_FORMAT */
  add(name: string, offset: number): void {
    const key = canonicalName(name)
    const other = this.#names.get(key)
    if (other !== undefined) {
      const reason = other === name ? 'stands twice' : `is too much like ${shown(other)}`
      throw formatError(`${this.#what} ${shown(name)} ${reason}`, offset)
    }
    this.#names.set(key, name)
  }
}

function canonicalName(name: string): string {
  const lower = name.toLowerCase()
  if (!lower.startsWith('[') || lower.startsWith('[constructor]')) return lower
  const plain = lower.slice(lower.indexOf(']') + 1)
  const [resource, label] = plain.split('.')
  return resource === label ? String(label) : plain
}

/**
 * WIT files of one actor.
 *
 * Owns: which other files a WIT file needs, and putting them into one text, because the parser takes
 * one (`package a:b { ... }` holds another package).
 * Does not own: parsing.
 *
 * Invariants:
 *   W1. The file itself comes first, unchanged, so offsets in the text are offsets in the file.
 *   W2. A file is added only for an interface that is `use`d and not there yet. What nobody declares is
 *       left to the parser to complain about.
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { libraryWit, servedWit } from './package-files.ts'

export interface WitSource {
  /** The file, and what it needs. */
  readonly text: string
  /** `namespace:package@version` of the file. */
  readonly packageId: string
  /** Interfaces that the file itself declares. */
  readonly own: readonly string[]
}

interface Candidate {
  readonly text: string
  readonly packageId: string
  readonly interfaces: readonly string[]
}

const PACKAGE = /^([ \t]*)package\s+([^\s;{]+)\s*;/m
const USE = /\buse\s+(?:([a-z][\w-]*:[a-z][\w-]*)\/)?%?([a-z][\w-]*)(@[\w.+-]+)?\s*(?:\.|;|as\b)/g

/** Comments become spaces, so that offsets stay. */
export function withoutComments(text: string): string {
  return text.replace(/\/\/.*|\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
}

function candidate(text: string): Candidate {
  const code = withoutComments(text)
  const [, , packageId = ''] = PACKAGE.exec(code) ?? []
  return { text, packageId, interfaces: topInterfaces(code) }
}

/** Interfaces outside nested packages. */
export function topInterfaces(code: string): string[] {
  const found: string[] = []
  let depth = 0
  for (const [token, name] of code.matchAll(/\binterface\s+%?([a-z][\w-]*)\s*\{|[{}]/gi)) {
    if (name !== undefined && depth === 0) found.push(name)
    depth += token === '}' ? -1 : 1
  }
  return found
}

/** All WIT files below the actor's folder, and the library's. */
function candidates(folder: string | null): Candidate[] {
  const files = folder === null ? [] : witFilesIn(folder)
  return [...files, ...libraryWit(), ...servedWit()].map(candidate)
}

function witFilesIn(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.wit') && !/(^|[\\/])(build|node_modules)[\\/]/.test(file))
    .sort()
  return files.map((file) => readFileSync(path.join(folder, file), 'utf8'))
}

/** What `text`, a file in `folder` (null: of the library), needs to be parsed. */
export function gatherWit(text: string, folder: string | null): WitSource {
  const main = candidate(text)
  const all = candidates(folder).filter((one) => one.text !== text)
  const added: Candidate[] = [main]
  for (const one of added) {
    for (const [, name, wanted, version = ''] of withoutComments(one.text).matchAll(USE)) {
      const packageId = name === undefined ? one.packageId : `${name}${version}`
      const declares = (other: Candidate) =>
        other.packageId === packageId && other.interfaces.includes(wanted ?? '')
      if (added.some(declares)) continue
      const found = all.find(declares)
      if (found) added.push(found)
    }
  }
  return {
    text: joined(main, added.slice(1)),
    packageId: main.packageId,
    own: main.interfaces,
  }
}

function joined(main: Candidate, others: readonly Candidate[]): string {
  const body = ({ text }: Candidate) => text.replace(PACKAGE, '$1')
  const siblings = others.filter((one) => one.packageId === main.packageId)
  const foreign = new Map<string, string>()
  for (const one of others) {
    if (siblings.includes(one)) continue
    foreign.set(one.packageId, `${foreign.get(one.packageId) ?? ''}${body(one)}\n`)
  }
  const nested = [...foreign].map(([id, text]) => `\npackage ${id} {\n${text}}\n`)
  return [main.text, ...siblings.map((one) => `\n${body(one)}`), ...nested].join('')
}

/**
 * The committed components of guests and the sources that they were built from.
 *
 * Owns: test/fixtures/components/guests.json.
 * Does not own: building (build-guests.ts); the components of build-fixtures.ts, which are compared byte for
 * byte on every test run.
 *
 * Rust's compiler is not pinned, so a rebuilt component may have other bytes. Hashes of the sources say
 * whether a committed one is up to date where no Rust is installed.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'

export const MANIFEST = 'test/fixtures/components/guests.json'

export interface Guest {
  readonly name: string
  readonly language: 'c' | 'javascript' | 'rust'
  readonly folder: string
  /** SHA-256 of the sources, by path: files of a folder in one hash. */
  readonly sources: Readonly<Record<string, string>>
  readonly sizeBytes: number
  /** SHA-256 of the component. */
  readonly component: string
  /** What built it. */
  readonly tool: string
}

/** What goes into a component beside its own folder. */
const SHARED: Readonly<Record<Guest['language'], readonly string[]>> = {
  c: ['guest-sdk/c/include', 'guest-sdk/c/runtime'],
  javascript: [
    'guest-sdk/javascript/emit-glue.ts',
    'guest-sdk/javascript/engine-patch.ts',
    'guest-sdk/javascript/own-places.ts',
    'guest-sdk/javascript/runtime',
  ],
  rust: ['Cargo.lock', 'guest-sdk/rust/Cargo.toml', 'guest-sdk/rust/src', 'guest-sdk/rust/wit'],
}

const SOURCE = /\.(c|h|js|rs|toml|wit|ts|lock)$/

export function readManifest(): Guest[] {
  return JSON.parse(readFileSync(MANIFEST, 'utf8'))
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function sourceFiles(place: string): string[] {
  if (statSync(place).isFile()) return [place]
  const entries = readdirSync(place, { recursive: true, encoding: 'utf8' })
  const files = entries.filter((file) => SOURCE.test(file) && !/^(build|target|test)\//.test(file))
  return files.sort().map((file) => path.posix.join(place, file))
}

/** The crates of a registry; the packages of the workspace come and go without changing a component. */
function lockedCrates(): string {
  const packages = readFileSync('Cargo.lock', 'utf8').split('[[package]]')
  return packages.filter((text) => text.includes('\nsource = ')).join('')
}

function hashOf(place: string): string {
  if (place === 'Cargo.lock') return sha256(Buffer.from(lockedCrates()))
  const hash = createHash('sha256')
  for (const file of sourceFiles(place)) hash.update(`${file}\n${sha256(readFileSync(file))}\n`)
  return hash.digest('hex')
}

/** The hashes of what `guest` is built from, as the sources are now. */
export function sourceHashes({
  folder,
  language,
}: Pick<Guest, 'folder' | 'language'>): Record<string, string> {
  return Object.fromEntries([folder, ...SHARED[language]].map((place) => [place, hashOf(place)]))
}

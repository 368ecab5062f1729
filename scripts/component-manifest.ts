/**
 * The manifest of the committed components.
 *
 * Owns: test/fixtures/components/manifest.json: for each component its digest, and the hashes of the sources
 * that it was built from, so that a stale one is noticed without its compiler.
 * Does not own: building.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

export const COMPONENTS = 'test/fixtures/components'
export const MANIFEST = `${COMPONENTS}/manifest.json`

export interface ManifestEntry {
  readonly digest: string
  /** Hash by path, relative to the repository. */
  readonly sources: Readonly<Record<string, string>>
}

export type Manifest = Readonly<Record<string, ManifestEntry>>

function hashOf(contents: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(contents).digest('hex')}`
}

/** Files in `folder` that a build reads; what builds write is left out. */
export function sourcesIn(folder: string): string[] {
  const derived = `${path.basename(folder)}.wit`
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|wit|rs|c|h|toml)$|(^|[\\/])asconfig\.json$/.test(file))
    .filter((file) => !/(^|[\\/])(build|target|node_modules)[\\/]/.test(file) && file !== derived)
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`)
    .sort()
}

/** The entry of a component that was built from the files of `folder`. */
export function manifestEntry(folder: string, component: Uint8Array): ManifestEntry {
  const sources = sourcesIn(folder).map((file) => [file, hashOf(readFileSync(file))] as const)
  return { digest: hashOf(component), sources: Object.fromEntries(sources) }
}

export function readManifest(): Manifest {
  return JSON.parse(readFileSync(MANIFEST, 'utf8'))
}

/** Text of the manifest; components in the order of their names. */
export function manifestText(manifest: Manifest): string {
  const sorted = Object.entries(manifest).sort(([a], [b]) => (a < b ? -1 : 1))
  return `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`
}

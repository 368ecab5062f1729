/**
 * How a new project depends on the Loom that makes it.
 *
 * Owns: what its package.json says, so that `npm install` there finds the same Loom, wherever this one came from.
 *
 * Invariant OD1: a registry is named only where this Loom was installed from one. Its name there may be another package's.
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** What npm notes of the packages in a folder `node_modules`. */
const NOTES = '.package-lock.json'
const REGISTRY = /^https?:.*\/-\/[^/]+\.tgz$/

/** `root`: the folder of this Loom, without links. `target`: the folder of the new project. */
export function ownDependency(root: string, version: string, target: string): string {
  const parts = root.split(path.sep)
  const modules = parts.lastIndexOf('node_modules')
  if (modules === -1) return file(root, target)
  const folder = parts.slice(0, modules).join(path.sep)
  const origin = originOf(folder, parts.slice(modules).join('/'))
  if (origin === null || REGISTRY.test(origin)) return `^${version}`
  if (!origin.startsWith('file:')) return origin
  const packed = path.resolve(folder, origin.slice('file:'.length))
  return file(existsSync(packed) ? packed : root, target)
}

function file(to: string, target: string): string {
  return `file:${path.relative(target, to).replaceAll('\\', '/')}`
}

/** Where npm took the package `name` of `folder` from; null when npm did not install it. */
function originOf(folder: string, name: string): string | null {
  const notes = path.join(folder, 'node_modules', NOTES)
  if (!existsSync(notes)) return null
  const { packages = {} } = JSON.parse(readFileSync(notes, 'utf8')) as {
    readonly packages?: Readonly<Record<string, { readonly resolved?: string }>>
  }
  return packages[name]?.resolved ?? null
}

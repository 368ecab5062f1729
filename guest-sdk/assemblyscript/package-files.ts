/**
 * Files of the installed package.
 *
 * Owns: finding the AssemblyScript library, WIT and compiler options, from the sources
 * (guest-sdk/assemblyscript/) and from the build (dist/guest-sdk/assemblyscript/) alike.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

function findRoot(): string {
  let folder = import.meta.dirname
  while (!existsSync(path.join(folder, 'asconfig.json'))) {
    const parent = path.dirname(folder)
    if (parent === folder) throw new Error('the package has lost its asconfig.json')
    folder = parent
  }
  return folder
}

const root = findRoot()
const assembly = path.join(root, 'guest-sdk/assemblyscript/assembly')

/** Files of the SDK of one language that are used as they are. */
export function sdkFolder(language: string): string {
  return path.join(root, 'guest-sdk', language)
}

/** The modules that authors and generated code import as `loom/<name>`, by name. */
export function libraryModules(): Map<string, string> {
  const modules = new Map<string, string>()
  for (const file of readdirSync(assembly)) {
    if (!file.endsWith('.ts') || file.endsWith('.d.ts')) continue
    modules.set(file.slice(0, -'.ts'.length), readFileSync(path.join(assembly, file), 'utf8'))
  }
  return modules
}

/** The WIT of a release of one of the host's own packages, such as `actor@0.2.0`, as one text. */
function hostWit(release: string): string {
  const folder = path.join(root, `wit/loom-${release}`)
  const parts = readdirSync(folder)
    .filter((file) => file !== 'world.wit')
    .sort()
    .map((file) => readFileSync(path.join(folder, file), 'utf8').replace(/^package [^;]+;/m, ''))
  return `package loom:${release};\n${parts.join('')}`
}

/** WIT texts of what the host serves besides, to actors that ask for it. */
export function servedWit(): string[] {
  return [hostWit('actor@0.2.0'), hostWit('http@0.1.0')]
}

/** WIT texts of the interfaces that the library imports, one per package. */
export function libraryWit(): string[] {
  const wasi = ['clocks', 'random'].map((name) =>
    readFileSync(path.join(assembly, `wasi/${name}.wit`), 'utf8'),
  )
  return [hostWit('actor@0.1.0'), ...wasi]
}

/** The shared asconfig.json, with `overrides`, as arguments for the compiler. */
export function compilerArguments(
  overrides: Readonly<Record<string, string | number | boolean>>,
): string[] {
  const text = readFileSync(path.join(root, 'asconfig.json'), 'utf8')
  const { options } = JSON.parse(text) as { options: Record<string, string | number | boolean> }
  return Object.entries({ ...options, ...overrides }).flatMap(([name, value]) => {
    if (typeof value === 'boolean') return value ? [`--${name}`] : []
    return [`--${name}`, String(value)]
  })
}

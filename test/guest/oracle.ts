/**
 * A component as jco runs it: an independent implementation of the component model.
 *
 * Owns: transpiling a component once and making instances of it.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { transpileBytes } from '@bytecodealliance/jco-transpile'

type HostFunction = (...args: never[]) => unknown
/** Host functions in camelCase, by interface id without version. */
export type Imports = Readonly<Record<string, Readonly<Record<string, HostFunction>>>>
export type Methods = Readonly<Record<string, (...args: unknown[]) => unknown>>

export interface Oracle {
  /** Ids of the imported interfaces, with version. */
  readonly imports: readonly string[]
  /** Text of the generated declarations and binaries by file name. */
  readonly core: readonly WebAssembly.Module[]
  instantiate(imports?: Imports): Methods
  close(): Promise<void>
}

/** Any host function that a test does not care about. */
const QUIET: Imports = {
  'loom:actor/guest': { panic: () => undefined },
}

export async function openOracle(component: Uint8Array): Promise<Oracle> {
  const folder = await mkdtemp(path.join(tmpdir(), 'loom-oracle-'))
  const { files, imports, exports } = await transpileBytes(component, {
    name: 'actor',
    instantiation: 'sync',
  })
  const script = path.join(folder, 'actor.mjs')
  await writeFile(script, files['actor.js'] ?? '')
  const { instantiate } = await import(pathToFileURL(script).href)
  const modules = new Map<string, WebAssembly.Module>()
  for (const [name, bytes] of Object.entries(files)) {
    if (name.endsWith('.wasm')) modules.set(name, new WebAssembly.Module(bytes))
  }
  const exported = exports.find(([, kind]: [string, string]) => kind === 'instance')?.[0] ?? ''
  return {
    imports,
    core: [...modules.values()],
    instantiate(given: Imports = {}) {
      const instance = instantiate((name: string) => modules.get(name), { ...QUIET, ...given })
      return instance[exported] ?? Object.values(instance)[0]
    },
    close: () => rm(folder, { recursive: true, force: true }),
  }
}

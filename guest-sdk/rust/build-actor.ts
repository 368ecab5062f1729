/**
 * Building one actor in Rust.
 *
 * Owns: the order of the steps: find a toolchain, compile, wrap, write.
 * Does not own: the bindings (wit-bindgen makes them while the crate is compiled), the steps.
 *
 * Invariants:
 *   RB1. Nothing is written outside cargo's own folder unless the whole build succeeded.
 *   RB2. The component imports exactly what its code can reach; for wasm32-wasip2 also what Rust's standard
 *        library asks of WASI.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { displayPath, mistakeOf } from '../assemblyscript/actor-folder.ts'
import { BuildError, type Mistake } from '../assemblyscript/errors.ts'
import { filesOf, outsideOf, writeBuilt } from '../tool/built-files.ts'
import type { BuiltActor } from '../tool/command.ts'
import { witOf, wrap } from '../tool/component.ts'
import { compileCrate, sourcesOf } from './cargo.ts'
import { findToolchain, type Target } from './toolchain.ts'

export interface BuildOptions {
  /** The crate's folder, with its Cargo.toml. Default: the working directory. */
  readonly dir?: string
  /** Where the files are written. Default: `build` in the folder. */
  readonly outDir?: string
  /** False: build in memory and in cargo's folder only. Default: true. */
  readonly write?: boolean
  /** Default: wasm32-unknown-unknown, or wasm32-wasip2 where only that is installed. */
  readonly target?: Target
}

export interface BuiltRustActor extends BuiltActor {
  readonly target: Target
  /** Of the compiler. */
  readonly version: string
}

/** A component is a module of layer 1. */
function isComponent(bytes: Uint8Array): boolean {
  return bytes[6] === 1
}

function exportedInterfaces(wit: string): string {
  const [, world = ''] = /^world root \{([\s\S]*?)^\}/m.exec(wit) ?? []
  return [...world.matchAll(/^\s*export ([^\s;]+);/gm)].map(([, id = '']) => id).join(', ')
}

/**
 * Builds the actor in `options.dir` into a component and its WIT.
 *
 * @throws BuildError for what the author can mend, ToolchainError when Rust or its target is not installed.
 */
export async function buildActor(options: BuildOptions = {}): Promise<BuiltRustActor> {
  const dir = path.resolve(options.dir ?? '.')
  const manifest = path.join(dir, 'Cargo.toml')
  if (!existsSync(manifest)) throw mistakeOf(manifest, 'no such file')
  const toolchain = await findToolchain(dir, options.target)
  const { module, sources } = await compile(dir, toolchain)
  const component = isComponent(module) ? module : await wrap(module, manifest)
  const wit = await witOf(component)
  const interfaceId = exportedInterfaces(wit)
  if (interfaceId === '') throw mistakeOf(manifest, 'the component exports no interface')
  const name = path.basename(dir)
  const outDir = path.resolve(options.outDir ?? path.join(dir, 'build'))
  const built = { component, wit, files: filesOf(outDir, name) }
  if (options.write !== false) await writeBuilt(built)
  const { target, version } = toolchain
  const inputs = outsideOf(dir, sources)
  return { ...built, interfaceId, sizeBytes: component.length, target, version, inputs }
}

async function compile(
  dir: string,
  toolchain: Parameters<typeof compileCrate>[1],
): Promise<{ readonly module: Uint8Array; readonly sources: readonly string[] }> {
  try {
    const file = await compileCrate(dir, toolchain)
    return { module: await readFile(file), sources: sourcesOf(file) }
  } catch (error) {
    if (!(error instanceof BuildError)) throw error
    const shown = (one: Mistake): Mistake => ({ ...one, file: displayPath(one.file) })
    const [first, ...others] = error.mistakes.map(shown)
    throw first === undefined ? error : new BuildError([first, ...others])
  }
}

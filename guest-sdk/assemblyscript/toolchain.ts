/**
 * The build tools.
 *
 * Owns: loading AssemblyScript and the component tools, which are optional dependencies, and saying
 * what to install when they are missing.
 */
import type * as AssemblyScript from './compiler-api.ts'
import type { Compiler, ProgramApi } from './compiler-api.ts'
import { ToolchainError } from './errors.ts'

export type { AssemblyScript, Compiler, ProgramApi }

export interface ComponentTools {
  /** Adds the world's type to a core module, or with `dummy` makes a module that has only the type. */
  readonly componentEmbed: (options: {
    readonly binary?: Uint8Array
    readonly dummy?: boolean
    readonly witSource: string
    readonly world: string
    readonly stringEncoding: 'utf16'
  }) => Promise<Uint8Array>
  /** Wraps a core module with an embedded type into a component. */
  readonly componentNew: (core: Uint8Array, adapters: readonly never[]) => Promise<Uint8Array>
}

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'ERR_MODULE_NOT_FOUND'
}

/** The specifier is no literal, so that the types of the tool stay out of this project. */
async function load(specifier: string, packageName: string): Promise<unknown> {
  try {
    return await import(specifier)
  } catch (error) {
    if (!isMissing(error)) throw error
    const message = `${packageName} is not installed; run: npm install --save-dev ${packageName}`
    throw new ToolchainError(message, { cause: error })
  }
}

/** @throws ToolchainError when AssemblyScript is not installed. */
export async function loadCompiler(): Promise<Compiler> {
  return (await load('assemblyscript/asc', 'assemblyscript')) as Compiler
}

/** @throws ToolchainError when AssemblyScript is not installed. */
export async function loadProgramApi(): Promise<ProgramApi> {
  return (await load('assemblyscript', 'assemblyscript')) as ProgramApi
}

/** @throws ToolchainError when the component tools are not installed. */
export async function loadComponentTools(): Promise<ComponentTools> {
  const name = '@bytecodealliance/jco-transpile'
  return (await load(`${name}/wasm-tools`, name)) as ComponentTools
}

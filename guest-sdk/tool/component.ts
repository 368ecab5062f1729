/**
 * A core module and its WIT become a component.
 *
 * Owns: reading a world, wrapping with the official tools, the derived WIT of a component, and what their
 * complaints mean for the author.
 */
import { readFileSync } from 'node:fs'
import { displayPath } from '../assemblyscript/actor-folder.ts'
import { BuildError } from '../assemblyscript/errors.ts'
import type { Interface } from '../assemblyscript/model.ts'
import { definitions } from '../assemblyscript/model.ts'
import { placeAt } from '../assemblyscript/text-place.ts'
import { loadComponentTools } from '../assemblyscript/toolchain.ts'
import { decodeWorld, UnsupportedWit } from '../assemblyscript/wit-decode.ts'
import { witMistake } from '../assemblyscript/wit-mistake.ts'
import type { WitSource } from './wit-source.ts'
import { LIBRARY_INTERFACES } from './wit-source.ts'

export interface ActorWorld {
  readonly imports: readonly Interface[]
  readonly exports: readonly Interface[]
}

interface WasmTools {
  componentEmbed(options: {
    readonly binary?: Uint8Array
    readonly dummy?: boolean
    readonly witSource: string
    readonly world: string
  }): Promise<Uint8Array>
  componentNew(core: Uint8Array, adapters: readonly never[]): Promise<Uint8Array>
  componentWit(component: Uint8Array): Promise<string>
}

async function tools(): Promise<WasmTools> {
  return (await loadComponentTools()) as unknown as WasmTools
}

/**
 * The interfaces of the author's world. `language` is named where it cannot express a type.
 * @throws BuildError with the place of a mistake in the WIT.
 */
export async function readWorld(source: WitSource, language: string): Promise<ActorWorld> {
  const { componentEmbed } = await tools()
  try {
    const { text: witSource, world } = source
    return withoutOwnResources(decodeWorld(await componentEmbed({ dummy: true, witSource, world })))
  } catch (error) {
    const file = displayPath(source.file)
    if (error instanceof UnsupportedWit) {
      const message = `${error.what} cannot be used from ${language}`
      throw new BuildError([{ message, file, ...placeOf(error.what, source) }])
    }
    throw await mistakeIn(source, error)
  }
}

/** Of the name that `what` quotes, where the file has it; names of a world stand behind it. */
function placeOf(what: string, source: WitSource): { line: number; column: number } {
  const text = readFileSync(source.file, 'utf8')
  const [, name = ''] = /'%?([a-z][\w-]*)'/i.exec(what) ?? []
  const world = what.includes('world') ? text.search(/\bworld\s/) : 0
  const found = new RegExp(`(?<![\\w-])${name}(?![\\w-])`).exec(text.slice(Math.max(0, world)))
  return placeAt(text, name === '' || found === null ? 0 : Math.max(0, world) + found.index)
}

/** A component that has the contract of the WIT, and code that does nothing. @throws BuildError */
export async function contractComponent(source: WitSource): Promise<Uint8Array> {
  const { componentEmbed, componentNew } = await tools()
  const { text: witSource, world } = source
  try {
    return await componentNew(await componentEmbed({ dummy: true, witSource, world }), [])
  } catch (error) {
    throw await mistakeIn(source, error)
  }
}

async function mistakeIn(source: WitSource, error: unknown): Promise<BuildError> {
  const message = error instanceof Error ? error.message : String(error)
  const own = readFileSync(source.file, 'utf8')
  const file = displayPath(source.file)
  return new BuildError([await witMistake(own, message, file, await loadComponentTools())])
}

/** Throws for a resource that the actor would have to serve: callers could not hold its handles. */
function withoutOwnResources(world: ActorWorld): ActorWorld {
  const found = world.exports
    .flatMap((one) => definitions(one.funcs, one.types))
    .find(({ kind }) => kind === 'resource')
  if (found) throw new UnsupportedWit(`the resource '${found.name}' of an exported interface`)
  return world
}

/** The core module with the type of the author's world, and of what the run-time library may call. */
export async function embedWorld(core: Uint8Array, source: WitSource): Promise<Uint8Array> {
  const { componentEmbed } = await tools()
  const imports = LIBRARY_INTERFACES.map((id) => `  import ${id};\n`).join('')
  const world = `\nworld loom-build {\n  include ${source.world};\n${imports}}\n`
  return componentEmbed({ binary: core, witSource: source.text + world, world: 'loom-build' })
}

/** The component of a core module with an embedded type. @throws BuildError when it asks for WASI preview 1. */
export async function wrap(core: Uint8Array, file: string): Promise<Uint8Array> {
  const { componentNew } = await tools()
  const asked = WebAssembly.Module.imports(new WebAssembly.Module(Uint8Array.from(core)))
  const system = asked.filter(({ module }) => module === 'wasi_snapshot_preview1')
  const [first, ...others] = system.map(({ name }) => ({
    message: `the code needs '${name}' of an operating system, which an actor does not have`,
    file: displayPath(file),
    line: 1,
    column: 1,
  }))
  if (first !== undefined) throw new BuildError([first, ...others])
  try {
    return await componentNew(core, [])
  } catch (error) {
    const message = `the component could not be made: ${(error as Error).message}`
    throw new BuildError([{ message, file: displayPath(file), line: 1, column: 1 }])
  }
}

/** The WIT of a component, as the official tools print it. */
export async function witOf(component: Uint8Array): Promise<string> {
  const { componentWit } = await tools()
  return componentWit(component)
}

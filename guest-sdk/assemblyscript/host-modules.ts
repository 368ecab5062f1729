/**
 * Modules that stand for host interfaces.
 *
 * Owns: `loom/host/<interface>`, made from the library's WIT, and `./host/quotes`, made from the
 * author's `host/quotes.wit` when the compiler asks for it.
 * Does not own: the code in them (emit-import.ts).
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { emitDeclarations } from './emit-declarations.ts'
import { emitImports } from './emit-import.ts'
import type { Mistake } from './errors.ts'
import type { Interface } from './model.ts'
import { splitInterfaceId } from './names.ts'
import { libraryWit } from './package-files.ts'
import type { ComponentTools } from './toolchain.ts'
import { UnsupportedWit } from './wit-decode.ts'
import { witMistake } from './wit-mistake.ts'
import { readWit } from './wit-read.ts'

export interface LibraryHost {
  /** Sources by module name, such as `host/wall-clock`. */
  readonly modules: ReadonlyMap<string, string>
  readonly interfaces: readonly Interface[]
}

let library: Promise<LibraryHost> | null = null

/** The host interfaces that every actor may import. Read once in a process. */
export function libraryHost(tools: ComponentTools): Promise<LibraryHost> {
  library ??= readLibrary(tools)
  return library
}

async function readLibrary(tools: ComponentTools): Promise<LibraryHost> {
  const modules = new Map<string, string>()
  const interfaces: Interface[] = []
  for (const text of libraryWit()) {
    for (const one of await readWit(text, tools)) {
      interfaces.push(one)
      modules.set(`host/${splitInterfaceId(one.id).name}`, emitImports([one]))
    }
  }
  return { modules, interfaces }
}

/** WIT files in the folder of one actor, read when they are first imported. */
export class AuthorHost {
  readonly interfaces: Interface[] = []
  readonly mistakes: Mistake[] = []
  /** Declarations for editors, by path relative to the folder, without extension. */
  readonly declarations = new Map<string, string>()
  readonly #folder: string
  readonly #tools: ComponentTools
  readonly #modules = new Map<string, Promise<string | null>>()

  constructor(folder: string, tools: ComponentTools) {
    this.#folder = folder
    this.#tools = tools
  }

  /** Source of the module `name` (relative, without extension); null when there is no `name`.wit. */
  module(name: string): Promise<string | null> {
    let source = this.#modules.get(name)
    if (!source) {
      source = this.#generate(name)
      this.#modules.set(name, source)
    }
    return source
  }

  async #generate(name: string): Promise<string | null> {
    const file = `${name}.wit`
    const text = await readFile(path.resolve(this.#folder, file), 'utf8').catch(() => null)
    if (text === null) return null
    try {
      const interfaces = await readWit(text, this.#tools)
      refuseEqualNames(interfaces)
      this.interfaces.push(...interfaces.filter((one) => one.funcs.length > 0))
      this.declarations.set(name, emitDeclarations(interfaces))
      return emitImports(interfaces)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.mistakes.push(await witMistake(text, message, file, this.#tools))
      return null
    }
  }
}

/** All interfaces of one file become one module, so their functions need different names. */
function refuseEqualNames(interfaces: readonly Interface[]): void {
  const names = new Set<string>()
  for (const { name } of interfaces.flatMap((one) => one.funcs)) {
    if (names.has(name)) {
      throw new UnsupportedWit(`a file with two functions named \`${name}\``)
    }
    names.add(name)
  }
}

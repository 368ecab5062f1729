/**
 * Modules that stand for WIT.
 *
 * Owns: `loom/host/<interface>`, made from the library's WIT, and `loom/host/reminders` and the others that the host serves;
 * `./host/quotes`, made from the author's `host/quotes.wit` when the compiler asks for it; `./host/account-client`, made
 * from `host/account.wit`.
 * Does not own: the code in them (emit-import.ts), reading WIT (wit-read.ts).
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { emitClientWit } from './emit-client.ts'
import { emitDeclarations } from './emit-declarations.ts'
import { emitImports } from './emit-import.ts'
import type { Mistake } from './errors.ts'
import type { Definition, Interface } from './model.ts'
import { splitInterfaceId } from './names.ts'
import { libraryWit, servedWit } from './package-files.ts'
import type { ComponentTools } from './toolchain.ts'
import type { Contract, WitModule } from './wit-classes.ts'
import type { WitSource } from './wit-files.ts'
import { gatherWit } from './wit-files.ts'
import { witMistake } from './wit-mistake.ts'
import { readWit } from './wit-read.ts'

export interface LibraryHost {
  /** Sources by module name, such as `host/wall-clock`. */
  readonly sources: ReadonlyMap<string, string>
  readonly modules: readonly WitModule[]
}

let library: Promise<LibraryHost> | null = null

/** The host interfaces that every actor may import. Read once in a process. */
export function libraryHost(tools: ComponentTools): Promise<LibraryHost> {
  library ??= readLibrary(tools)
  return library
}

async function readLibrary(tools: ComponentTools): Promise<LibraryHost> {
  const sources = new Map<string, string>()
  const modules: WitModule[] = []
  const read = async (name: string, source: WitSource): Promise<void> => {
    const module = await readWit(`loom/${name}`, source, tools)
    modules.push(module)
    sources.set(name, emitImports(module))
  }
  for (const text of libraryWit()) {
    const all = gatherWit(text, null)
    for (const own of all.own) await read(`host/${own}`, { ...all, own: [own] })
  }
  for (const text of servedWit()) {
    const all = gatherWit(text, null)
    for (const [name, own] of SERVED)
      if (own.every((one) => all.own.includes(one))) await read(`host/${name}`, { ...all, own })
  }
  return { sources, modules }
}

/** What an actor may import of the host by name, and the interfaces that the module has. */
const SERVED: readonly (readonly [name: string, own: readonly string[]])[] = [
  ['actors', ['actors']],
  ['state', ['state']],
  ['reminders', ['reminders', 'reminder-handler']],
  ['timers', ['timers', 'timer-handler']],
  ['http', ['fetch']],
]

/** WIT files in the folder of one actor, read when they are first imported. */
export class AuthorHost {
  readonly modules: WitModule[] = []
  readonly mistakes: Mistake[] = []
  /** Declarations for editors, by path relative to the folder, without extension. */
  readonly declarations = new Map<string, string>()
  readonly #folder: string
  readonly #tools: ComponentTools
  readonly #sources = new Map<string, Promise<string | null>>()

  constructor(folder: string, tools: ComponentTools) {
    this.#folder = folder
    this.#tools = tools
  }

  /** Source of the module `name` (relative, without extension); null when there is no `name`.wit. */
  module(name: string): Promise<string | null> {
    let source = this.#sources.get(name)
    if (!source) {
      source = this.#generate(name)
      this.#sources.set(name, source)
    }
    return source
  }

  async #generate(name: string): Promise<string | null> {
    const text = await this.#text(name)
    if (text !== null) return this.#read(name, `${name}.wit`, text, gatherWit(text, this.#folder))
    const ofActor = CLIENT.exec(name)?.[1]
    return ofActor === undefined ? null : this.#client(name, ofActor)
  }

  /** `./host/account-client` without a file of its own is made from `./host/account.wit`. */
  async #client(name: string, ofActor: string): Promise<string | null> {
    const text = await this.#text(ofActor)
    if (text === null) return null
    const file = `${ofActor}.wit`
    const source = gatherWit(text, this.#folder)
    try {
      const { interfaces } = await readWit(`./${ofActor}`, source, this.#tools)
      const clients = interfaces.map((one) => emitClientWit(one))
      const own = interfaces.map((one) => `${splitInterfaceId(one.id).name}-client`)
      const combined = { ...source, text: `${source.text}\n${clients.join('\n')}`, own }
      return await this.#read(name, file, text, combined)
    } catch (error) {
      return this.#refuse(error, file, source, text)
    }
  }

  #text(name: string): Promise<string | null> {
    // A module outside the folder could not get declarations beside it.
    if (name.startsWith('..')) return Promise.resolve(null)
    return readFile(path.resolve(this.#folder, `${name}.wit`), 'utf8').catch(() => null)
  }

  async #read(name: string, file: string, text: string, source: WitSource): Promise<string | null> {
    try {
      const module = await readWit(`./${name}`, source, this.#tools)
      this.modules.push(module)
      this.declarations.set(name, emitDeclarations(module))
      return emitImports(module)
    } catch (error) {
      return this.#refuse(error, file, source, text)
    }
  }

  async #refuse(error: unknown, file: string, source: WitSource, text: string): Promise<null> {
    const message = error instanceof Error ? error.message : String(error)
    this.mistakes.push(await witMistake(source.text, message, file, this.#tools, text.length))
    return null
  }
}

const CLIENT = /^(.+)-client$/

/** What the modules of WIT declare, for the reader of the author's classes. */
export interface WitDeclarations {
  /** The type or resource that a class stands for. */
  definition(module: string, className: string): Definition | undefined
  /** The interface that an abstract class stands for. */
  contract(module: string, className: string): Contract | undefined
}

export function declarationsOf(modules: () => readonly WitModule[]): WitDeclarations {
  const find = (name: string) => modules().find((one) => one.name === name)
  return {
    definition: (module, className) =>
      find(module)?.types.find((type) => type.source.className === className),
    contract: (module, className) =>
      find(module)?.contracts.find((one) => one.className === className),
  }
}

/** The interfaces of `modules`. */
export function interfacesOf(modules: readonly WitModule[]): readonly Interface[] {
  return modules.flatMap((one) => one.interfaces)
}

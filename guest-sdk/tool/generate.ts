/**
 * `loom gen`: files made of a WIT file.
 *
 * Owns: which languages there are, and the names of the files.
 * Does not own: what is in them (guest-sdk/<language>).
 *
 * Invariant: a generator exists here only where the language's own ecosystem has none that serves; for the others the
 * message names the one to use.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { emitClientWit } from '../assemblyscript/emit-client.ts'
import { BuildError } from '../assemblyscript/errors.ts'
import { AuthorHost } from '../assemblyscript/host-modules.ts'
import { splitInterfaceId } from '../assemblyscript/names.ts'
import { loadComponentTools } from '../assemblyscript/toolchain.ts'
import { gatherWit } from '../assemblyscript/wit-files.ts'
import { readWit } from '../assemblyscript/wit-read.ts'
import { emitGlue } from '../c/emit-glue.ts'
import { emitHeader } from '../c/emit-header.ts'
import { Names } from '../c/names.ts'
import { withoutTwins } from '../c/twins.ts'
import { emitHostTypes, emitWorldTypes } from '../javascript/emit-types.ts'
import { readJavaScriptWorld } from '../javascript/world.ts'
import { readWorld } from './component.ts'
import { readWitFile } from './wit-source.ts'

/** Texts by path, relative to the folder where they go. */
type Files = ReadonlyMap<string, string>

/** Nothing is generated; the message says what is used instead. */
export class OtherGenerator extends Error {}

const GENERATORS: Readonly<Record<string, (file: string) => Promise<Files>>> = {
  client: generateClients,
  c: generateC,
  assemblyscript: generateAssemblyScript,
  javascript: generateJavaScript,
}

const ELSEWHERE: Readonly<Record<string, string>> = {
  rust:
    'Rust has wit-bindgen, which the crate loom-actor calls: put the WIT into the folder wit of the crate and write ' +
    '`loom_actor::bindings!();`',
}
const ALIASES: Readonly<Record<string, string>> = {
  as: 'assemblyscript',
  js: 'javascript',
  ts: 'javascript',
  typescript: 'javascript',
}

/** @throws OtherGenerator, BuildError */
export async function generate(language: string, file: string): Promise<Files> {
  const name = ALIASES[language] ?? language
  const generator = Object.hasOwn(GENERATORS, name) ? GENERATORS[name] : undefined
  if (generator !== undefined) return generator(file)
  const known = [...Object.keys(GENERATORS), ...Object.keys(ELSEWHERE)].join(', ')
  throw new OtherGenerator(ELSEWHERE[name] ?? `${language}: expected one of ${known}`)
}

/** `account.wit`: the client of each of its interfaces that has functions. */
async function generateClients(file: string): Promise<Files> {
  const text = readFileSync(file, 'utf8')
  const source = gatherWit(text, path.dirname(file))
  const { interfaces } = await readWit('./client', source, await loadComponentTools()).catch(
    (error: Error) => {
      throw new BuildError([{ message: error.message, file, line: 1, column: 1 }])
    },
  )
  const clients = interfaces.filter(
    ({ id, funcs }) => funcs.length > 0 && !splitInterfaceId(id).name.endsWith('-client'),
  )
  return new Map(
    clients.map((one) => [
      `${splitInterfaceId(one.id).name}-client.wit`,
      `package ${source.packageId};\n\n${emitClientWit(one)}`,
    ]),
  )
}

/** What `loom build` makes itself; for editors, and for builds without it. */
async function generateC(file: string): Promise<Files> {
  const source = readWitFile(file)
  const world = withoutTwins(await readWorld(source, 'C'), source)
  const names = new Names([...world.imports, ...world.exports])
  return new Map([
    ['world.h', emitHeader(world, names)],
    ['glue.c', emitGlue(world, names)],
  ])
}

/** The types that `loom build` writes itself: what the module exports, and all that it may import. */
async function generateJavaScript(file: string): Promise<Files> {
  const world = await readJavaScriptWorld(readWitFile(file))
  return new Map([
    ['world.d.ts', emitWorldTypes(world)],
    ['host.d.ts', emitHostTypes(world)],
  ])
}

/** Declarations for editors of what importing the file, and its clients, gives. */
async function generateAssemblyScript(file: string): Promise<Files> {
  const host = new AuthorHost(path.dirname(file), await loadComponentTools())
  const name = path.basename(file, '.wit')
  await host.module(name)
  if (host.mistakes.length === 0) await host.module(`${name}-client`)
  const [first, ...others] = host.mistakes
  if (first !== undefined) throw new BuildError([first, ...others])
  return new Map([...host.declarations].map(([path, text]) => [`${path}.d.ts`, text]))
}

/**
 * The WIT of an actor's folder as one text.
 *
 * Owns: finding the world, and adding what it refers to: other files of its package beside it, the packages in the
 * folder (`host/*.wit`, `deps/*.wit`) and the host's own.
 * Does not own: parsing (tool/component.ts).
 *
 * Invariant WS1: lines of the author's own file keep their numbers: everything else follows them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { mistakeOf } from '../assemblyscript/actor-folder.ts'
import { libraryWit, servedWit } from '../assemblyscript/package-files.ts'
import { topInterfaces, withoutComments } from '../assemblyscript/wit-files.ts'

export interface WitSource {
  /** The author's file, absolute. */
  readonly file: string
  /** The author's file and, behind it, every package that it may refer to. */
  readonly text: string
  /** The name of its only world. */
  readonly world: string
}

/** Interfaces that the host serves and that the run-time library of every SDK may call. */
export const LIBRARY_INTERFACES = [
  'loom:actor/context@0.1.0',
  'loom:actor/guest@0.1.0',
  'loom:actor/log@0.1.0',
  'wasi:clocks/monotonic-clock@0.2.0',
  'wasi:clocks/wall-clock@0.2.0',
  'wasi:random/random@0.2.0',
]

/** Everything of the host's own that code may import without a line in the WIT. */
export const HOST_INTERFACES = [
  ...LIBRARY_INTERFACES,
  ...['actors', 'context', 'guest', 'log', 'reminders', 'state', 'timers'].map(
    (name) => `loom:actor/${name}@0.2.0`,
  ),
  'loom:http/fetch@0.1.0',
]

function witFiles(folder: string): string[] {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => name.endsWith('.wit'))
  return names.sort().map((name) => path.join(folder, name))
}

function findWit(dir: string): string {
  const files = witFiles(dir)
  const usual = [path.join(dir, 'world.wit'), path.join(dir, `${path.basename(dir)}.wit`)]
  const found = usual.find((file) => files.includes(file)) ?? files[0]
  if (found === undefined) throw mistakeOf(dir, 'no world.wit')
  if (!usual.includes(found) && files.length > 1)
    throw mistakeOf(
      dir,
      `no world.wit, no ${path.basename(dir)}.wit, and not exactly one .wit file`,
    )
  return found
}

const PACKAGE_BLOCK = /^\s*package\s+[^;{]+\{/m
const PACKAGE = /^\s*package\s+([^;{]+);/m

/** A file of its own as a package nested in another file. */
export function nested(text: string): { readonly id: string; readonly text: string } {
  const [statement = '', id = ''] = PACKAGE.exec(text) ?? []
  return { id: id.trim(), text: `package ${id.trim()} {\n${text.replace(statement, '')}\n}\n` }
}

function worldOf(file: string, text: string): string {
  const worlds = [...withoutComments(text).matchAll(/\bworld\s+%?([a-z][a-z0-9-]*)\s*\{/gi)]
  const [first, second] = worlds
  if (first?.[1] === undefined) throw mistakeOf(file, 'no world: say what the actor exports')
  if (second !== undefined) throw mistakeOf(file, 'more than one world')
  return first[1]
}

/** Every package that a world may refer to, but for those that `own` has itself. */
function packagesFor(own: string, dir: string): string {
  const beside = ['host', 'deps'].flatMap((name) => witFiles(path.join(dir, name)))
  const packages = new Map<string, string>()
  const texts = beside.map((one) => readFileSync(one, 'utf8'))
  for (const text of [...texts, ...libraryWit(), ...servedWit()]) {
    const { id, text: wrapped } = nested(text)
    const declared = withoutComments(own).includes(`package ${id} {`)
    if (!declared && !packages.has(id)) packages.set(id, wrapped)
  }
  return [...packages.values()].join('')
}

/** A file, what stands beside it in the same package, and all that it may refer to. */
function textOf(file: string): { readonly main: string; readonly text: string } {
  const main = readFileSync(file, 'utf8')
  const dir = path.dirname(file)
  const others = witFiles(dir).filter((one) => path.resolve(one) !== path.resolve(file))
  const { id } = nested(main)
  // A derived WIT is whole: its world, and every interface that the world names.
  const isWhole = PACKAGE_BLOCK.test(withoutComments(main))
  const siblings = isWhole
    ? []
    : others.map((one) => readFileSync(one, 'utf8')).filter((text) => isSibling(text, id))
  const own = [main, ...siblings.map((text) => text.replace(PACKAGE, ''))].join('\n')
  return { main, text: `${own}\n${packagesFor(own, dir)}` }
}

function isSibling(text: string, id: string): boolean {
  return nested(text).id === id && !PACKAGE_BLOCK.test(withoutComments(text))
}

/** @throws BuildError when the folder has no WIT, or not exactly one world. */
export function readWitSource(dir: string): WitSource {
  const file = findWit(dir)
  const { main, text } = textOf(file)
  return { file, text, world: worldOf(file, main) }
}

const CONTRACT_WORLD = 'loom-contract'

/** As `readWitSource`, of a file; without a world its interfaces are taken as exported. @throws BuildError */
export function readWitFile(file: string): WitSource {
  const { main, text } = textOf(file)
  const code = withoutComments(main)
  if (/\bworld\s/.test(code)) return { file, text, world: worldOf(file, main) }
  const names = topInterfaces(code)
  if (names.length === 0) throw mistakeOf(file, 'no world and no interface')
  const exports = names.map((name) => `  export %${name};\n`).join('')
  const world = `\nworld ${CONTRACT_WORLD} {\n${exports}}\n`
  return { file, text: text + world, world: CONTRACT_WORLD }
}

/**
 * What clang and the linker complain about, in the terms of the contract.
 *
 * Owns: what was expected of a function of the interface, and where a name stands that the linker misses: it knows no lines.
 * Does not own: reading their output (clang.ts).
 */
import { readFileSync } from 'node:fs'
import type { Mistake } from '../assemblyscript/errors.ts'
import type { Func, Interface } from '../assemblyscript/model.ts'
import { splitInterfaceId } from '../assemblyscript/names.ts'
import { placeAt } from '../assemblyscript/text-place.ts'
import { type CWorld, prototype } from './emit-header.ts'
import type { Names } from './names.ts'

export interface Author {
  /** The author's .c and .h files by path. */
  readonly sources: ReadonlyMap<string, string>
  /** The file with the world, absolute. */
  readonly wit: string
  readonly world: CWorld
  readonly names: Names
}

interface Expected {
  readonly one: Interface
  readonly func: Func
}

/** `uint64_t it_add(uint32_t by)`; null for what no exported interface has. */
function expectedOf(name: string, { world, names }: Author): Expected | null {
  for (const one of world.exports)
    for (const func of one.funcs) if (names.function(one.id, func) === name) return { one, func }
  return null
}

/** `mistake` as the author reads it. */
export function explained(mistake: Mistake, author: Author): Mistake {
  const [, conflicting] = /^conflicting types for '(\w+)'/.exec(mistake.message) ?? []
  const declared = conflicting === undefined ? null : expectedOf(conflicting, author)
  if (declared !== null) {
    const expected = prototype(declared.one, declared.func, author.names)
    return { ...mistake, message: `${mistake.message}; expected ${expected}` }
  }
  const [, missing] = /^undefined: (\S+)$/.exec(mistake.message) ?? []
  return missing === undefined ? mistake : undefinedName(mistake, missing, author)
}

function undefinedName(mistake: Mistake, name: string, author: Author): Mistake {
  const expected = expectedOf(name, author)
  if (expected === null) {
    const pattern = new RegExp(`\\b${name.replaceAll('$', '\\$')}\\b`)
    for (const [file, text] of author.sources) {
      const found = file.endsWith('.c') ? pattern.exec(text) : null
      if (found !== null) return { ...mistake, file, ...placeAt(text, found.index) }
    }
    return mistake
  }
  const wanted = prototype(expected.one, expected.func, author.names)
  const message = `the world exports a function that is not defined: ${wanted}`
  return { message, file: author.wit, ...placeInWit(expected, author.wit) }
}

function placeInWit({ one, func }: Expected, file: string): { line: number; column: number } {
  const text = readFileSync(file, 'utf8')
  const { name } = splitInterfaceId(one.id)
  const start = Math.max(0, text.search(new RegExp(`\\binterface\\s+%?${name}\\b`)))
  const found = new RegExp(`(?<![\\w-])%?${func.name}\\s*:`).exec(text.slice(start))
  return placeAt(text, found === null ? 0 : start + found.index)
}

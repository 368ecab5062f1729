/**
 * Types that an actor's imports share with its exports.
 *
 * Owns: a copy of an exported interface, without its functions, from which imports take their types.
 *
 * An interface that uses a type of another one imports that other one. The compilers of other languages leave out the
 * functions that nobody calls; componentize-qjs imports all of them, so that an account that calls accounts would
 * import its own functions of a host that does not serve them.
 */
import type { Interface } from '../assemblyscript/model.ts'
import { splitInterfaceId } from '../assemblyscript/names.ts'

const FUNCTION = /(?<=^|[;{}])\s*%?[\w-]+\s*:\s*(async\s+)?func\b[^;]*;/g

/** Comments as blanks, so that offsets stay and braces are those of the code. */
function blanked(text: string): string {
  return text.replace(/\/\/.*|\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
}

/** Where the body of `interface name` lies, without its braces; null when the text has none. */
function bodyOf(text: string, name: string): { from: number; to: number } | null {
  const code = blanked(text)
  const start = new RegExp(`\\binterface\\s+%?${name}\\s*\\{`).exec(code)
  if (start === null) return null
  const from = start.index + start[0].length
  let depth = 1
  for (let at = from; at < code.length; at += 1) {
    if (code[at] === '{') depth += 1
    if (code[at] === '}') depth -= 1
    if (depth === 0) return { from, to: at }
  }
  return null
}

function withoutFunctions(body: string): string {
  return body.replace(FUNCTION, '')
}

/** `text` in which what is imported takes the types of what is exported from copies. */
export function setTypesApart(
  text: string,
  {
    imports,
    exports,
  }: { readonly imports: readonly Interface[]; readonly exports: readonly Interface[] },
): string {
  const nameOf = ({ id }: Interface): string => splitInterfaceId(id).name
  const exported = exports.map(nameOf)
  const users = imports.map(nameOf).filter((name) => !exported.includes(name))
  let result = text
  for (const name of exported) {
    const uses = new RegExp(`\\buse\\s+%?${name}\\s*\\.\\s*\\{`, 'g')
    let isUsed = false
    for (const user of users) {
      const place = bodyOf(result, user)
      if (place === null) continue
      const body = result.slice(place.from, place.to)
      const apart = body.replace(uses, `use ${name}-types.{`)
      isUsed ||= apart !== body
      result = result.slice(0, place.from) + apart + result.slice(place.to)
    }
    const place = isUsed ? bodyOf(result, name) : null
    if (place === null) continue
    const types = withoutFunctions(blanked(result.slice(place.from, place.to)))
    // Behind the interface itself, where the package is the same one.
    const end = place.to + 1
    result = `${result.slice(0, end)}\ninterface ${name}-types {${types}}\n${result.slice(end)}`
  }
  return result
}

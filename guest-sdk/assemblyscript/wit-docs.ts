/**
 * Doc comments of WIT text.
 *
 * Owns: finding them, because the parser's binary form (wit-decode.ts) has none.
 * Does not own: which items there are. A comment that is found at no item is lost, never misplaced.
 */
import type { Definition, Interface } from './model.ts'
import { splitInterfaceId } from './names.ts'

const TOKEN = /\/\/\/ ?(.*)|\/\*\*([\s\S]*?)\*\/|\/\/.*|\/\*[\s\S]*?\*\/|->|%?[\w-]+|[^\s\w]/g
const DECLARES = new Set(['interface', 'record', 'variant', 'enum', 'flags', 'resource', 'type'])

/** Comments by path, such as `account/account-error/not-open`. */
function commentsOf(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const path: string[] = []
  let comment: string[] = []
  let name = ''
  let depth = 0
  let isStart = true
  for (const [token, line, block] of text.matchAll(TOKEN)) {
    if (line !== undefined) comment.push(line.trimEnd())
    else if (block !== undefined) comment.push(...blockLines(block))
    if (token.startsWith('//') || token.startsWith('/*')) continue
    if (token === '{') path.push(name)
    if (token === '}') path.pop()
    if (token === '(' || token === '<') depth += 1
    if (token === ')' || token === '>') depth -= 1
    const isBoundary = token === '{' || token === '}' || token === ';' || token === ','
    if (isBoundary && depth === 0) {
      isStart = true
    } else if (isStart && !DECLARES.has(token)) {
      name = token.replace('%', '')
      if (comment.length > 0) found.set([...path, name].join('/'), comment.join('\n').trim())
      comment = []
      isStart = false
    }
  }
  return found
}

function blockLines(block: string): string[] {
  return block.split('\n').map((line) => line.replace(/^\s*\*? ?/, '').trimEnd())
}

/** The interfaces with the comments of `text`, in which they are defined. */
export function withDocs(interfaces: readonly Interface[], text: string): Interface[] {
  const comments = commentsOf(text)
  return interfaces.map((one) => {
    const { name } = splitInterfaceId(one.id)
    const at = (...parts: readonly string[]) => comments.get([name, ...parts].join('/')) ?? ''
    for (const type of one.types) documentType(type, at)
    for (const func of one.funcs) {
      const { member } = func
      func.doc = member
        ? at(member.resource.name, member.name === '' ? 'constructor' : member.name)
        : at(func.name)
    }
    return { ...one, doc: at() }
  })
}

function documentType(type: Definition, at: (...parts: string[]) => string): void {
  type.doc = at(type.name)
  for (const part of partsOf(type)) part.doc = at(type.name, part.name)
}

function partsOf(type: Definition): readonly { name: string; doc: string }[] {
  switch (type.kind) {
    case 'record':
      return type.fields
    case 'flags':
      return type.labels
    case 'resource':
      return []
    default:
      return type.cases
  }
}

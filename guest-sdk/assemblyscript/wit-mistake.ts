/**
 * Where a WIT file is wrong.
 *
 * Owns: finding line and column of a parser's complaint, which names none.
 * Does not own: parsing (toolchain.ts).
 *
 * A syntax error at token i stays the same whatever follows i, and changes when i is replaced by
 * garbage. So the parser itself is asked, in a binary search over the tokens. Other errors quote the
 * name that they are about; the first place where it occurs is reported.
 */
import type { Mistake } from './errors.ts'
import { placeAt } from './text-place.ts'
import type { ComponentTools } from './toolchain.ts'

/** A token that no WIT goes on with; the other one, where the complaint is about it. */
const GARBAGE = ['=', '->'] as const

async function complaint(text: string, tools: ComponentTools): Promise<string> {
  try {
    await tools.componentEmbed({
      dummy: true,
      witSource: text,
      world: 'w',
      stringEncoding: 'utf16',
    })
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/**
 * The mistake that `message`, the parser's complaint about `text`, describes. The file's own text is the
 * first `ownLength` characters; what is wrong further behind has no place in it.
 */
export async function witMistake(
  text: string,
  message: string,
  file: string,
  tools: ComponentTools,
  ownLength = text.length,
): Promise<Mistake> {
  const offset = (await syntaxErrorOffset(text, message, tools)) ?? quotedOffset(text, message)
  const place = placeAt(text, offset < ownLength ? offset : 0)
  return { message: plain(message), file, ...place }
}

function plain(message: string): string {
  const [line = ''] = message.split('\n')
  const [, missing] = /^(package '.*' not found)/.exec(line) ?? []
  return missing === undefined ? line : `${missing}; put its .wit file into the actor's folder`
}

async function syntaxErrorOffset(
  text: string,
  message: string,
  tools: ComponentTools,
): Promise<number | null> {
  const tokens = [...text.matchAll(/\/\/.*|\/\*[\s\S]*?\*\/|[%\w-]+|[^\s\w]/g)]
  const endOf = (index: number) => {
    const token = tokens[index]
    return token ? token.index + token[0].length : 0
  }
  const garbage = message.includes(`found '${GARBAGE[0]}'`) ? GARBAGE[1] : GARBAGE[0]
  let low = 0
  let high = tokens.length
  while (low < high) {
    const middle = (low + high) >> 1
    const prefix = text.slice(0, endOf(middle))
    if ((await complaint(`${prefix}\n${garbage}`, tools)) === message) high = middle
    else low = middle + 1
  }
  return tokens[low]?.index ?? null
}

function quotedOffset(text: string, message: string): number {
  const [, quoted = ''] = /[`'](\w[\w:@./-]*)[`']/.exec(message) ?? []
  if (quoted === '') return 0
  // The text writes a version behind the interface, not behind the package.
  const name = quoted.replace(/@.*$/, '').replaceAll('.', '\\.')
  const found = new RegExp(`(?<![\\w-])${name}(?![\\w-])`).exec(text)
  return found?.index ?? 0
}

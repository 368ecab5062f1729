/**
 * What the language does not have.
 *
 * Owns: saying so in plain words, with a way out, where the compiler says "Type expected."
 * Does not own: mistakes of types at the boundary (class-types.ts).
 */
import type { Mistake } from './errors.ts'

interface Limit {
  /** What the compiler says. */
  readonly said: RegExp
  /** What stands at the place, and before it on the same line. */
  readonly at?: RegExp
  readonly before?: RegExp
  readonly message: string
}

const LIMITS: readonly Limit[] = [
  {
    said: /^Not implemented: union types/,
    message:
      'AssemblyScript has no union types; use T | null, Option<T>, or an abstract class with subclasses',
  },
  {
    said: /^Not implemented: Closures/,
    message:
      'AssemblyScript has no closures: a function cannot use variables of the one around it; pass them',
  },
  {
    said: /^Not implemented: Exceptions/,
    message: 'AssemblyScript has no try/catch: throw ends the call; return a Result instead',
  },
  {
    said: /^Not implemented: Iterators/,
    message: 'AssemblyScript has no for..of; count with an index',
  },
  {
    said: /^Type expected/,
    at: /^async\b/,
    message: 'AssemblyScript has no async functions; a host call returns when it is done',
  },
  {
    said: /^Type expected/,
    at: /^\[/,
    message: "AssemblyScript has no tuple types; use Tuple2, Tuple3, ... from 'loom'",
  },
  {
    said: /^Type expected/,
    at: /^\s*\{/,
    before: /\)\s*$/,
    message: 'this method needs a return type (void, if it returns nothing)',
  },
  {
    said: /^Type expected/,
    at: /^\{/,
    message: 'AssemblyScript has no object types; write a class',
  },
]

/**
 * `mistakes` with known limits in our words. When there is one, what the compiler says after it is
 * only confusion, and is left out.
 */
export function explainLimits(
  mistakes: readonly Mistake[],
  texts: ReadonlyMap<string, string>,
): readonly Mistake[] {
  const explained = mistakes.flatMap((mistake) => {
    const message = explain(mistake, texts.get(mistake.file) ?? '')
    return message === null ? [] : [{ ...mistake, message }]
  })
  return explained.length > 0 ? explained : mistakes
}

function explain(mistake: Mistake, text: string): string | null {
  const line = text.split('\n')[mistake.line - 1] ?? ''
  const before = line.slice(0, mistake.column - 1)
  const at = line.slice(mistake.column - 1)
  const limit = LIMITS.find(
    (one) =>
      one.said.test(mistake.message) &&
      (one.at?.test(at) ?? true) &&
      (one.before?.test(before) ?? true),
  )
  return limit?.message ?? null
}

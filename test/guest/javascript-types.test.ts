// Aim: the declarations that an editor shows have the comments of the WIT, on both sides.
import { expect, test } from 'vitest'
import { emitHostTypes, emitWorldTypes } from '../../guest-sdk/javascript/emit-types.ts'
import { readJavaScriptWorld } from '../../guest-sdk/javascript/world.ts'
import { readWitSource } from '../../guest-sdk/tool/wit-source.ts'
import { withActor } from './actor-folder.ts'

const WIT = `package t:docs;

/// What a shelf does.
interface shelf {
  /// What is on it.
  record book {
    /// Without the author.
    title: string,
  }
  /// How it is bound.
  enum binding {
    /// By hand.
    leather,
    paper,
  }
  flags marks {
    /// Somebody has it.
    lent,
  }
  variant refusal {
    /// And how many there are.
    full(u32),
  }
  /// Puts one there.
  ///
  /// At the end.
  put: func(book: book, binding: binding, marks: marks) -> result<_, refusal>;
}

/// Of the embedder.
interface catalogue {
  /// One that is open.
  resource entry {
    /// Opens it.
    constructor(title: string);
    /// Turns the page.
    turn: func() -> u32;
  }
  /// How many there are.
  count: func() -> u32;
}

world library { import catalogue; export shelf; }
`

test('comments of the WIT are in the declarations', async () => {
  const world = await withActor({ 'world.wit': WIT }, (dir) =>
    readJavaScriptWorld(readWitSource(dir)),
  )
  const own = emitWorldTypes(world)
  for (const [comment, declared] of [
    ['What is on it.', 'export interface Book {'],
    ['Without the author.', 'title: string'],
    ['How it is bound.', 'export type Binding ='],
    ['By hand.', "| 'leather'"],
    ['Somebody has it.', 'lent?: boolean'],
    ['And how many there are.', "| { tag: 'full'; val: number }"],
  ])
    expect(own).toMatch(new RegExp(`/\\*\\* ${escaped(comment)} \\*/\\n\\s*${escaped(declared)}`))
  expect(own).toContain(
    '  /**\n   * Puts one there.\n   *\n   * At the end.\n   * @throws {Refusal}\n   */\n  put(',
  )
  expect(own).toMatch(/\* What a shelf does\.\n[^/]*\*\/\nexport interface Shelf \{/)
  const host = emitHostTypes(world)
  for (const comment of [
    'Of the embedder.',
    'One that is open.',
    'Opens it.',
    'How many there are.',
  ])
    expect(host).toContain(`/** ${comment} */`)
  expect(host).toMatch(/\/\*\* Turns the page\. \*\/\n\s*turn\(\): number/)
})

function escaped(text = ''): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

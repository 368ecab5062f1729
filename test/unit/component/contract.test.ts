// Aim: a contract is read from a component as it is, printed as WIT that gives the same contract, and compared by what
// breaks. Method: WIT text through the official tools into components; one change each for the comparison, and the
// same change the other way round. Random contracts are printed, read again and compared with themselves.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { componentEmbed, componentNew } from '@bytecodealliance/jco-transpile/wasm-tools'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { contractComponent } from '../../../guest-sdk/tool/component.ts'
import { readWitFile } from '../../../guest-sdk/tool/wit-source.ts'
import {
  componentBreaks,
  componentDeclarations,
  componentWit,
} from '../../../host/runtime/contracts.ts'

async function componentOf(text: string): Promise<Uint8Array> {
  const folder = mkdtempSync(path.join(tmpdir(), 'loom-contract-'))
  try {
    const file = path.join(folder, 'it.wit')
    writeFileSync(file, text)
    return await contractComponent(readWitFile(file))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const TYPES = `
  enum color { red, green }
  flags rights { read, write }
  variant shape { empty, circle(f32) }
  record item { name: string, price: u64, tint: color }
  type price = u64;`

/** The interface that every case below changes. */
const shop = (body: string, types = TYPES): string =>
  `package acme:shop@1.2.0;\ninterface shop {${types}\n${body}\n}`

const FUNCTIONS = `
  add: func(what: item, rights: rights) -> result<u32, string>;
  all: func() -> list<item>;
  draw: func(what: shape) -> shape;
  paint: func(it: option<color>) -> color;
  pair: func(it: tuple<u8, string>) -> tuple<u8, string>;`

async function breaks(before: string, after: string): Promise<string[]> {
  const found = componentBreaks(await componentOf(before), await componentOf(after))
  return found.map(({ side, where, message }) => `${side} ${where.replace(/^.*#/, '')}: ${message}`)
}

const OLD = shop(FUNCTIONS)
const IN_ADD = 'exports add: parameter "what", item, field "tint", color'

describe('what breaks', () => {
  test.each<[string, string, string[], string[]]>([
    ['nothing', OLD, [], []],
    ['a patch of the version', OLD.replace('1.2.0', '1.3.7'), [], []],
    [
      'a major version',
      OLD.replace('1.2.0', '2.0.0'),
      ['exports acme:shop/shop@1.2.0: the interface was removed'],
      ['exports acme:shop/shop@2.0.0: the interface was removed'],
    ],
    [
      'a function less',
      OLD.replace('all: func() -> list<item>;', ''),
      ['exports all: the function was removed'],
      [],
    ],
    [
      'a parameter more',
      OLD.replace('all: func()', 'all: func(start: u32)'),
      ['exports all: 0 parameters became 1'],
      ['exports all: 1 parameters became 0'],
    ],
    [
      'another type',
      OLD.replace('result<u32', 'result<u16'),
      ['exports add: result, ok: u32 became u16'],
      ['exports add: result, ok: u16 became u32'],
    ],
    [
      'a case more, in a parameter and in a result',
      OLD.replace('circle(f32)', 'circle(f32), square(f32)'),
      ['exports draw: result, shape: case "square" was added'],
      ['exports draw: parameter "what", shape: case "square" was removed'],
    ],
    [
      'a value of an enum more',
      OLD.replace('red, green', 'red, green, blue'),
      [
        'exports all: result, element, item, field "tint", color: case "blue" was added',
        'exports paint: result, color: case "blue" was added',
      ],
      [
        `${IN_ADD}: case "blue" was removed`,
        'exports paint: parameter "it", color: case "blue" was removed',
      ],
    ],
    [
      'a flag more',
      OLD.replace('read, write', 'read, write, run'),
      [],
      ['exports add: parameter "rights", rights: flag "run" was removed'],
    ],
    [
      'a field more',
      OLD.replace('price: u64', 'price: u64, vat: u8'),
      [
        'exports add: parameter "what", item: field "vat" was added',
        'exports all: result, element, item: field "vat" was added',
      ],
      [
        'exports add: parameter "what", item: field "vat" was removed',
        'exports all: result, element, item: field "vat" was removed',
      ],
    ],
    [
      'a field more that is an option: callers may leave it out, but clients do not know it',
      OLD.replace('price: u64', 'price: u64, vat: option<u8>'),
      ['exports all: result, element, item: field "vat" was added'],
      ['exports add: parameter "what", item: field "vat" was removed'],
    ],
    [
      'a payload less',
      OLD.replace('circle(f32)', 'circle'),
      [
        'exports draw: parameter "what", shape, case "circle": the value was removed',
        'exports draw: result, shape, case "circle": the value was removed',
      ],
      [
        'exports draw: parameter "what", shape, case "circle": a value was added',
        'exports draw: result, shape, case "circle": a value was added',
      ],
    ],
    [
      'a tuple of another length',
      OLD.replace('-> tuple<u8, string>', '-> tuple<u8>'),
      ['exports pair: result: tuple<u8, string> became tuple<u8>'],
      ['exports pair: result: tuple<u8> became tuple<u8, string>'],
    ],
    ['another name of a type', OLD.replaceAll('shape', 'form'), [], []],
    [
      'a second interface with a function of that name',
      `${OLD}\ninterface other { all: func(); }`,
      ['exports all: callers know it as all; now it is shop.all'],
      [
        'exports acme:shop/other@1.2.0: the interface was removed',
        'exports all: callers know it as shop.all; now it is all',
      ],
    ],
  ])('%s', async (_what, after, expected, backwards) => {
    expect(await breaks(OLD, after)).toEqual(expected)
    expect(await breaks(after, OLD)).toEqual(backwards)
  })

  const world = (imports: string): string =>
    `package acme:it;\ninterface quotes { latest: func(symbol: string) -> f64; }\nworld it { ${imports} export run: func(); }`

  test('an import that hosts do not serve', async () => {
    expect(await breaks(world(''), world('import quotes;'))).toEqual([
      'imports latest: the host has to provide it, and did not have to before',
    ])
    expect(await breaks(world('import quotes;'), world(''))).toEqual([])
    expect(await breaks(world(''), world('import wasi:clocks/wall-clock@0.2.0;'))).toEqual([])
    const other = world('import quotes;').replace('f64', 'f32')
    expect(await breaks(world('import quotes;'), other)).toEqual([
      'imports latest: result: f64 became f32',
    ])
  })
})

const COMPONENTS = 'test/fixtures/components'
const FILES = [COMPONENTS, `${COMPONENTS}/conformance`].flatMap((folder) =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.wasm'))
    .map((file) => `${folder}/${file}`),
)

async function reread(wit: string): Promise<Uint8Array> {
  const options = { dummy: true, witSource: wit, world: 'root' }
  return componentNew(await componentEmbed(options), [])
}

describe('the text of a contract is WIT, and says the same', () => {
  test.each(FILES)('%s', async (file) => {
    const component = readFileSync(file)
    const text = componentWit(component)
    const again = await reread(text)
    // Of an interface that is exported too, the text has one form: the whole.
    const isTwin = (name: string): boolean => text.includes(`  export ${name};`)
    const differences = [
      ...componentBreaks(component, again),
      ...componentBreaks(again, component),
    ].filter(({ side, where }) => side === 'exports' || !isTwin(where.replace(/#.*/, '')))
    expect(differences).toEqual([])
    expect(text).toMatch(/^ {2}export /m)
  })

  test('names that are keywords, and types of other interfaces', async () => {
    const component = await componentOf(`package a:b;
      interface types { record %record { %type: u8, %list: list<u8> } resource %resource { %use: func(); } }
      interface %interface { use types.{%record}; %func: func(%from: %record) -> %record; }
      world it { import types; export %interface; }`)
    const text = componentWit(component)
    expect(text).toContain('use types.{%record};')
    expect(text).toContain('%func: func(%from: %record) -> %record;')
    expect(await reread(text)).not.toHaveLength(0)
  })
})

/** What TypeScript says of modules. */
function problems(texts: Readonly<Record<string, string>>): string[] {
  const files = new Map(Object.entries(texts).map(([name, text]) => [`/${name}.ts`, text]))
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
    lib: ['lib.es2022.d.ts'],
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.getSourceFile = (name, ...rest) => {
    const text = files.get(name)
    return text === undefined
      ? getSourceFile(name, ...rest)
      : ts.createSourceFile(name, text, ts.ScriptTarget.ES2022)
  }
  host.fileExists = (name) => files.has(name) || fileExists(name)
  host.readFile = (name) => files.get(name) ?? readFile(name)
  return ts
    .getPreEmitDiagnostics(ts.createProgram([...files.keys()], options, host))
    .map(({ messageText, file, start }) => {
      const line = file?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0
      return `${file?.fileName}:${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    })
}

const CALLER = `import type { Methods } from './contract'
declare const shop: Methods
const item = { name: 'x', price: 1n, tint: 'red' } as const
const r = shop.add(item, { read: true, write: false })
if (r.tag === 'ok') r.val.toFixed(); else r.val.trim()
for (const { tint } of shop.all()) { const t: 'red' | 'green' = tint; t.trim() }
const s = shop.draw({ tag: 'circle', val: 1 })
if (s.tag === 'circle') s.val.toFixed()
shop.paint(null); shop.paint(undefined); shop.paint('green')
const sum: bigint = shop.sumUp([1, 2], 3) + shop['sum-up'](new Uint32Array(2), null)
const n = shop.nested()
if (n.tag === 'some') n.val?.trim()
const [a, b] = shop.pair([1, 'x'])
a.toFixed(); b.trim(); sum.toString()
// @ts-expect-error: fields are missing
shop.add({ name: 'x' }, { read: true, write: false })
// @ts-expect-error: no such case
shop.paint('blue')
// @ts-expect-error: not numbers
shop.sumUp(['x'], null)
// @ts-expect-error: too long
shop.pair([1, 'x', 2])
// @ts-expect-error: it has no value
shop.draw({ tag: 'empty', val: 1 })
// @ts-expect-error: no such method
shop.rob()
`

test('declarations let callers pass what the host takes, and nothing else, in every component', async () => {
  const wit = shop(`${FUNCTIONS}
    sum-up: func(numbers: list<u32>, class: option<u64>) -> u64;
    nested: func() -> option<option<char>>;`)
  const modules: Record<string, string> = {
    contract: componentDeclarations(await componentOf(wit), 'shop.wit'),
    caller: CALLER,
  }
  for (const [index, file] of FILES.entries())
    modules[`file-${index}`] = componentDeclarations(readFileSync(file), file)
  expect(problems(modules)).toEqual([])
})

// Aim: the build of an actor in JavaScript or TypeScript says what is wrong and where, in the author's words; what is
// thrown reaches the caller; promises, clocks and random numbers are those of the turn.
import { describe, expect, test } from 'vitest'
import { buildActor, type Engine } from '../../guest-sdk/javascript/index.ts'
import {
  type ActorHandle,
  fsBlobs,
  memory,
  openInspector,
  seededRandom,
  VirtualClock,
} from '../../host/index.ts'
import { errorOf, openHost, temporaryFolder } from '../support/host.ts'
import { absence, linkStarlingMonkey, sayAbsence } from '../support/starlingmonkey.ts'
import { mistakesIn, withActor } from './actor-folder.ts'

const TIMEOUT = { timeout: 300_000 }

const world = (functions: string): string =>
  `package test:it;\ninterface it {\n${functions}\n}\nworld actor {\n  export it;\n}\n`
const WIT = world('  add: func(by: u32) -> u64;')

type Files = Readonly<Record<string, string>>

describe('a mistake is told with its place', () => {
  const typed = (body: string): Files => ({
    'world.wit': WIT,
    'index.ts': `import type { It } from './build/world.d.ts'\nexport const it: It = {\n${body}\n}\n`,
  })
  test.each<[string, Files, RegExp]>([
    [
      'a result of another type',
      typed('  add: (by) => by + 1,'),
      /^index\.ts:3:16: Type 'number' is not assignable to type 'bigint \| Promise<bigint>'/,
    ],
    ['a method that TypeScript misses', typed(''), /^index\.ts:2:14: Property 'add' is missing/],
    [
      'a method that JavaScript lacks',
      { 'world.wit': WIT, 'index.js': 'export const it = {}\n' },
      /^index\.js:1:1: the world exports a method that is not there: it\.add$/,
    ],
    [
      'a timer',
      {
        'world.wit': WIT,
        'index.js': 'export const it = { add: () => setTimeout(() => {}, 1) }\n',
      },
      /^index\.js:1:32: Cannot find name 'setTimeout'/,
    ],
    [
      'the clock, before there is an actor',
      {
        'world.wit': WIT,
        'index.js':
          'const started = Date.now()\nexport const it = { add: () => BigInt(started) }\n',
      },
      /^index\.js:1:22: the module could not be evaluated: Date\.now\(\) asks the host, which is not there while the actor is built; call it in a method$/,
    ],
    [
      'random numbers, before there is an actor',
      {
        'world.wit': WIT,
        'index.js':
          'const id = crypto.randomUUID()\nexport const it = { add: () => BigInt(id.length) }\n',
      },
      /^index\.js:1:\d+: the module could not be evaluated: crypto\.randomUUID\(\) asks the host/,
    ],
    [
      'what is thrown at once',
      {
        'world.wit': WIT,
        'index.js': 'const apes = null\nexport const it = { add: () => 1n, apes: apes.count }\n',
      },
      /^index\.js:2:\d+: the module could not be evaluated: TypeError: .*cannot read property 'count' of null/,
    ],
    [
      'what is thrown by a module that is imported, with its cause',
      {
        'world.wit': WIT,
        'index.js': "import { count } from './apes.js'\nexport const it = { add: () => count }\n",
        'apes.js':
          "const find = () => {\n  throw new RangeError('no apes', { cause: new Error('no trees') })\n}\nexport const count = find()\n",
      },
      /^apes\.js:2:\d+: the module could not be evaluated: RangeError: no apes, caused by no trees$/,
    ],
    [
      'what is thrown and no error',
      {
        'world.wit': WIT,
        'index.js': "export const it = { add: () => 1n }\nthrow { tag: 'no-apes', left: 2n }\n",
      },
      /^index\.js:1:1: the module could not be evaluated: thrown: {"tag":"no-apes","left":"2n"}$/,
    ],
    [
      'a promise that is waited for in vain',
      {
        'world.wit': WIT,
        'index.js': 'await new Promise(() => {})\nexport const it = { add: () => 1n }\n',
      },
      /^index\.js:1:1: the module could not be evaluated: it waits for a promise that nothing settles$/,
    ],
    [
      'a syntax error',
      { 'world.wit': WIT, 'index.js': 'export const it = {\n' },
      /^index\.js:2:1: Expected `}`/,
    ],
    [
      'an interface that nobody has',
      {
        'world.wit': WIT,
        'index.js': "import { x } from 'acme:a/b'\nexport const it = { add: x }\n",
      },
      /^index\.js:1:19: no interface 'acme:a\/b': neither the world imports it nor does the host serve it/,
    ],
    [
      'a part of Node',
      {
        'world.wit': WIT,
        'index.js': "import { x } from 'parts'\nexport const it = { add: x }\n",
        'node_modules/parts/package.json':
          '{ "name": "parts", "type": "module", "main": "parts.js" }',
        'node_modules/parts/parts.js': "\nexport { createHash as x } from 'node:crypto'\n",
      },
      /^node_modules\/parts\/parts\.js:2:33: 'node:crypto' is a part of Node, which is not there$/,
    ],
    [
      "a part of Node, in the author's own words",
      { 'world.wit': WIT, 'index.js': "import 'fs'\nexport const it = { add: () => process.x }\n" },
      /^index\.js:2:32: Cannot find name 'process'\. It is a part of Node, which is not there\.$/,
    ],
    [
      'a package that is not installed',
      { 'world.wit': WIT, 'index.js': "\nimport x from 'no-such'\nexport const it = { add: x }\n" },
      /^index\.js:2:15: 'no-such' is neither installed nor an interface of the host$/,
    ],
    [
      'a module that is not there',
      { 'world.wit': WIT, 'index.js': "import './other.js'\nexport const it = {}\n" },
      /^index\.js:1:\d+: Could not resolve '\.\/other\.js'/,
    ],
    [
      'in the WIT',
      { 'world.wit': WIT.replace('u32', 'u33'), 'index.js': '' },
      /^world\.wit:3:\d+: .*u33/,
    ],
    ['no source', { 'world.wit': WIT }, /no \.ts or \.js file/],
  ])('%s', TIMEOUT, async (_, files, expected) => {
    expect(await mistakesIn(files, buildActor)).toEqual(
      expect.arrayContaining([expect.stringMatching(expected)]),
    )
  })
})

test(
  'a package is taken as browsers take it, and its size does not hide what the author throws',
  TIMEOUT,
  async () => {
    const exports = { browser: './browser.js', default: './node.js' }
    const table = Array.from({ length: 20_000 }, (_, index) => `  (a, b) => a * ${index} + b,`)
    const files = {
      'world.wit': WIT,
      'index.js': `import { table } from 'both'
export const it = {
  add(by) {
    if (by === 9) throw new RangeError('no nines')
    return BigInt(table[by](1, 1))
  },
}
`,
      'node_modules/both/package.json': JSON.stringify({ name: 'both', type: 'module', exports }),
      'node_modules/both/browser.js': `export const table = [\n${table.join('\n')}\n]\n`,
      'node_modules/both/node.js': "export { constants as table } from 'node:os'\n",
    }
    const { component } = await withActor(files, (dir) => buildActor({ dir, write: false }))
    const runtime = await openHost()
    await runtime.registerActorType('It', { type: 'wasm', component })
    const actor = await runtime.getActor('a', 'It')
    expect(await actor.call('add', 2)).toBe(3n)
    const error = await errorOf(actor.call('add', 9))
    expect([error.code, error.message]).toEqual([
      'ERR_TRAP',
      'RangeError: no nines (index.js:4:29)',
    ])
  },
)

const EVERYTHING_WIT = world(`  variant refusal { small(u64), other }
  record all {
    a: u8, b: s8, c: u16, d: s16, e: u32, f: s32, g: u64, h: s64, i: f32, j: f64, k: bool, l: char, m: string,
    n: list<u8>, o: list<u32>, p: list<s64>, q: list<string>, r: option<u64>, s: option<option<string>>,
    t: tuple<u64, string>, u: result<u64, string>, v: level, w: marks, x: list<refusal>,
  }
  enum level { low, very-high }
  flags marks { red, dark-blue }
  echo: func(value: all) -> all;
  later: func(by: u64) -> u64;
  never: func() -> u64;
  refuse: func(how: string) -> result<u64, refusal>;
  say: func(how: string) -> result<_, string>;
  wrong: func() -> all;
  draw: func() -> list<f64>;
  bytes: func(text: string) -> list<u8>;`)

const EVERYTHING_TS = `import { half } from './parts/half.ts'
import type { It, Refusal } from './build/world.d.ts'

class Refused extends Error {
  constructor(readonly payload: Refusal) { super('refused') }
}
let sum = 0n
const later = async (by: bigint): Promise<void> => {
  await null
  sum += by
}
export const it: It = {
  echo: (value) => value,
  async later(by) {
    await Promise.all([later(half(by)), later(half(by))])
    queueMicrotask(() => { sum += 1n })
    return sum
  },
  never: () => new Promise<bigint>(() => {}),
  refuse(how) {
    sum += 100n
    if (how === 'payload') throw new Refused({ tag: 'small', val: 2n ** 63n })
    if (how === 'plain') throw { tag: 'other' }
    if (how === 'bug') throw new TypeError('no apes', { cause: new Error('no trees') })
    return sum
  },
  say(how) {
    if (how === 'text') throw 'a text'
    throw new Error(how)
  },
  wrong: () => ({}) as never,
  draw: () => Float64Array.of(Math.random(), Math.random()),
  bytes: (text) => new TextEncoder().encode(text),
}
`

const VALUE = {
  a: 255,
  b: -128,
  c: 65_535,
  d: -32_768,
  e: 2 ** 32 - 1,
  f: -(2 ** 31),
  g: 2n ** 64n - 1n,
  h: -(2n ** 63n),
  i: 0.5,
  j: Number.MIN_VALUE,
  k: true,
  l: '🦀',
  m: 'é\0🦀',
  n: Uint8Array.of(0, 255),
  o: Uint32Array.of(0, 2 ** 32 - 1),
  p: BigInt64Array.of(-1n, 2n ** 62n + 1n),
  q: ['', 'b'],
  r: 2n ** 53n + 1n,
  s: { tag: 'some', val: undefined },
  t: [2n ** 60n + 1n, 't'],
  u: { tag: 'err', val: 'e' },
  v: 'very-high',
  w: { red: false, darkBlue: true },
  x: [{ tag: 'small', val: 1n }, { tag: 'other' }],
}

sayAbsence('javascript-sdk')
const ENGINES: readonly Engine[] = absence === null ? ['quickjs', 'starlingmonkey'] : ['quickjs']

test.each(ENGINES)(
  'values, promises and errors cross as they are, on %s',
  TIMEOUT,
  async (engine) => {
    const files = {
      'world.wit': EVERYTHING_WIT,
      'index.ts': EVERYTHING_TS,
      'parts/half.ts': 'export const half = (by: bigint): bigint => by / 2n\n',
    }
    const { component, warnings } = await withActor(files, (dir) => {
      if (engine === 'starlingmonkey') linkStarlingMonkey(dir)
      return buildActor({ dir, write: false, engine })
    })
    expect(warnings).toEqual([])
    const store = memory()
    const blobs = fsBlobs(temporaryFolder())
    const lines: string[] = []
    const runtime = await openHost({
      store,
      blobs,
      clock: new VirtualClock(9_000_000),
      random: seededRandom(4),
      log: ({ message }) => lines.push(message),
    })
    await runtime.registerActorType('It', { type: 'wasm', component })
    const actor: ActorHandle = await runtime.getActor('i', 'It')

    expect(await actor.call('echo', VALUE)).toEqual(VALUE)
    const empty = { ...VALUE, r: undefined, s: { tag: 'none' }, u: { tag: 'ok', val: 1n }, x: [] }
    expect(await actor.call('echo', empty)).toMatchObject({ u: { tag: 'ok', val: 1n }, x: [] })

    expect(await actor.call('later', 10n)).toBe(10n)
    expect(await actor.call('later', 2n)).toBe(13n)
    const never = await errorOf(actor.call('never'))
    expect(never).toMatchObject({ code: 'ERR_TRAP' })
    // StarlingMonkey ends without a word.
    if (engine === 'quickjs')
      expect(never.message).toMatch(/^it\.never: the promise is never settled: [a-z ]+$/)

    const small = { tag: 'err', val: { tag: 'small', val: 2n ** 63n } }
    expect(await actor.call('refuse', 'payload')).toEqual(small)
    expect(await actor.call('refuse', 'plain')).toEqual({ tag: 'err', val: { tag: 'other' } })
    const bug = await errorOf(actor.call('refuse', 'bug'))
    expect(bug).toMatchObject({ code: 'ERR_TRAP' })
    expect(bug.message).toMatch(/^TypeError: no apes, caused by no trees \(index\.ts:24:\d+\)$/)
    // Two refusals count, and what the failed call added does not.
    expect(await actor.call('refuse', '')).toEqual({ tag: 'ok', val: 314n })
    expect(await actor.call('say', 'text')).toEqual({ tag: 'err', val: 'a text' })
    expect(await actor.call('say', 'why')).toEqual({ tag: 'err', val: 'why' })
    const wrong = await errorOf(actor.call('wrong'))
    expect(wrong.message).toMatch(/^it\.wrong\.a: expected u8 .*, got undefined$/)
    expect(await actor.call('bytes', 'é🦀')).toEqual(new Uint8Array(Buffer.from('é🦀')))

    const first = await actor.call('draw')
    const other = await (await runtime.getActor('j', 'It')).call('draw')
    expect(first).not.toEqual(other)
    expect(lines).toEqual([])
    const { stateHash } = await runtime.describeActor('i', 'It')
    const inspector = await openInspector({ store, blobs })
    expect(await inspector.replay({ type: 'It', id: 'i' })).toMatchObject({ stateHash })
  },
)

import { readFile } from 'node:fs/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { buildActor } from '../../guest-sdk/assemblyscript/index.ts'
import { withActor } from './actor-folder.ts'
import type { Imports, Oracle } from './oracle.ts'
import { openOracle } from './oracle.ts'

const opened: Oracle[] = []
const fixtures = new Map<string, Promise<Oracle>>()

afterAll(async () => {
  for (const oracle of opened) await oracle.close()
})

async function open(component: Uint8Array): Promise<Oracle> {
  const oracle = await openOracle(component)
  opened.push(oracle)
  return oracle
}

/** A committed component, read once. */
function openFixture(name: string): Promise<Oracle> {
  const known = fixtures.get(name)
  if (known) return known
  const oracle = readFile(`test/fixtures/components/${name}.wasm`).then(open)
  fixtures.set(name, oracle)
  return oracle
}

async function openSource(source: string, files: Record<string, string> = {}): Promise<Oracle> {
  const built = await withActor({ 'actor.ts': source, ...files }, (dir) =>
    buildActor({ dir, write: false, entry: 'actor.ts' }),
  )
  return open(built.component)
}

/** A host that writes down what it is asked. */
function recordingHost(): { calls: unknown[][]; imports: Imports } {
  const calls: unknown[][] = []
  const record =
    (name: string, result?: unknown) =>
    (...args: unknown[]) => {
      calls.push([name, ...args])
      return result
    }
  const imports = {
    'loom:actor/guest': {
      panic: record('panic'),
      dateNow: record('date-now', 1_700_000_000_000),
      performanceNow: record('performance-now', 12.5),
      seed: record('seed', 42),
    },
    'loom:actor/log': { log: record('log') },
    'loom:actor/context': {
      self: record('self', { actorType: 'Quoter', id: 'anna' }),
      incarnation: record('incarnation', 'first'),
      invocationId: record('invocation-id', 'one'),
    },
    'wasi:clocks/wall-clock': { now: record('now', { seconds: 1_700n, nanoseconds: 5_999_999 }) },
    'wasi:clocks/monotonic-clock': { now: record('monotonic', 99n) },
    'wasi:random/random': {
      getRandomU64: record('random-u64', 77n),
      getRandomBytes: record('random-bytes', Uint8Array.of(1, 2, 3)),
    },
    'acme:pricing/quotes': { latest: (symbol: string) => (symbol === 'X' ? 2.5 : Number.NaN) },
  }
  return { calls, imports }
}

describe('the quoter', () => {
  test('asks the host for its price, the time, a random id and who it is', async () => {
    const oracle = await openFixture('quoter')
    const { calls, imports } = recordingHost()
    const quoter = oracle.instantiate(imports)
    const quote = { id: 77n, symbol: 'X', quantity: 3, total: 7.5, expiresAt: 1_710_005n }
    expect(quoter.offer?.('X', 3)).toEqual(quote)
    expect(calls).toEqual([
      ['self'],
      ['random-u64'],
      ['now'],
      ['log', 'info', 'anna was offered 3 X for 7.5'],
    ])
    expect(quoter.offers?.()).toEqual([quote])
    expect(quoter.accept?.(77n)).toEqual(quote)
    expect(quoter.offers?.()).toEqual([])
  })

  test('returns an error for what it cannot price', async () => {
    const oracle = await openFixture('quoter')
    const quoter = oracle.instantiate(recordingHost().imports)
    let thrown: unknown
    try {
      quoter.offer?.('Y', 3)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBe('no price for Y')
  })
})

test('a component imports only the functions that its code can reach', async () => {
  const counter = await openFixture('counter')
  expect(counter.imports).toEqual(['loom:actor/guest'])
  const wit = await readFile('actors/counter/counter.wit', 'utf8')
  expect(wit).not.toContain('date-now')
})

test.each(['counter', 'quoter', 'echo', 'faulty'])('%s has no import of env', async (name) => {
  const oracle = await openFixture(name)
  const modules = oracle.core.flatMap((one) => WebAssembly.Module.imports(one).map((i) => i.module))
  expect(modules).not.toContain('env')
  expect(oracle.imports.every((id) => /^(loom|wasi|acme):/.test(id))).toBe(true)
})

describe('a failure reaches the host before the trap', () => {
  test('throw, with its message and place', async () => {
    const oracle = await openFixture('faulty')
    const { calls, imports } = recordingHost()
    const faulty = oracle.instantiate(imports)
    const source = await readFile('test/fixtures/actors/faulty/faulty.ts', 'utf8')
    const lines = source.split('\n')
    const line = lines.findIndex((text) => text.includes('throw new Error(message)')) + 1
    expect(() => faulty.addThenAbort?.(1, 'no 🦊')).toThrow()
    expect(calls).toEqual([['panic', 'no 🦊', 'faulty.ts', line, 5]])
  })

  test('an index beyond an array', async () => {
    const oracle = await openFixture('faulty')
    const { calls, imports } = recordingHost()
    expect(() => oracle.instantiate(imports).addThenIndex?.(7)).toThrow()
    expect(calls).toEqual([
      ['panic', 'Index out of range', '~lib/array.ts', expect.any(Number), expect.any(Number)],
    ])
  })

  test.each([
    ['addThenUnreachable', 1],
    ['addThenOutOfBounds', 1],
    ['divide', 0],
  ])('%s traps without a message', async (method, argument) => {
    const oracle = await openFixture('faulty')
    const { calls, imports } = recordingHost()
    expect(() => oracle.instantiate(imports)[method]?.(argument)).toThrow(WebAssembly.RuntimeError)
    expect(calls).toEqual([])
  })
})

test('what the standard library asks of its surroundings goes through host imports', async () => {
  const oracle = await openSource(`
    @component("a:b/c@1.0.0") export class A {
      time(): i64 { return Date.now(); }
      later(): f64 { return performance.now(); }
      dice(): f64 { return Math.random(); }
      talk(): void {
        console.log("one"); console.debug("two"); console.warn("three"); console.error("four");
        console.info("five"); console.assert(false, "six"); trace("seven", 2, 1, 2.5);
      }
    }`)
  const { calls, imports } = recordingHost()
  const actor = oracle.instantiate(imports)
  expect(actor.time?.()).toBe(1_700_000_000_000n)
  expect(actor.later?.()).toBe(12.5)
  const other = oracle.instantiate(imports)
  expect(actor.dice?.()).toBe(other.dice?.())
  calls.length = 0
  actor.talk?.()
  expect(calls).toEqual([
    ['log', 'info', 'one'],
    ['log', 'debug', 'two'],
    ['log', 'warn', 'three'],
    ['log', 'error', 'four'],
    ['log', 'info', 'five'],
    ['log', 'error', 'Assertion failed: six'],
    ['log', 'trace', 'seven 1.0, 2.5'],
  ])
})

test('every module of the library works', async () => {
  const oracle = await openSource(`
    import { monotonicNow, now, wallClock } from "loom/clock";
    import { incarnation, invocationId, self } from "loom/context";
    import { debug, error, info, Level, log, trace, warn } from "loom/log";
    import { randomBytes, randomU64 } from "loom/random";
    @component("a:b/c@1.0.0") export class A {
      numbers(): Array<u64> {
        return [now(), wallClock().seconds, wallClock().nanoseconds, monotonicNow(), randomU64()];
      }
      texts(): string[] { return [self().actorType, self().id, incarnation(), invocationId()]; }
      bytes(): Uint8Array { return randomBytes(3); }
      talk(): void { trace("a"); debug("b"); info("c"); warn("d"); error("e"); log(Level.Warn, "f"); }
    }`)
  const { calls, imports } = recordingHost()
  const actor = oracle.instantiate(imports)
  expect(actor.numbers?.()).toEqual(BigUint64Array.of(1_700_005n, 1_700n, 5_999_999n, 99n, 77n))
  expect(actor.texts?.()).toEqual(['Quoter', 'anna', 'first', 'one'])
  expect(actor.bytes?.()).toEqual(Uint8Array.of(1, 2, 3))
  expect(calls).toContainEqual(['random-bytes', 3n])
  calls.length = 0
  actor.talk?.()
  expect(calls.map(([, level, text]) => `${level} ${text}`)).toEqual([
    'trace a',
    'debug b',
    'info c',
    'warn d',
    'error e',
    'warn f',
  ])
})

test('a host interface of the embedder may use every type', async () => {
  const oracle = await openSource(
    `import { Option, Result, Tuple2 } from "loom";
     import { store, new_, Item, Color, Perm, Shape, ShapeCircle, ShapeNone, Unit_ } from "./host/types";
     @component("a:b/c@1.0.0") export class A {
       run(): string {
         const item = new Item("é", 7, Color.DarkBlue, Perm.B, [new ShapeCircle(1.5), new ShapeNone()], null);
         const back = store(item, [1, 2], Option.some<u32>(3));
         if (back.isErr) return "err " + back.error;
         const it = back.value.a; new_(new Unit_(1));
         const circle = it.shapes[0] as ShapeCircle;
         return [it.name, it.age.toString(), (<i32>it.color).toString(), (<i32>it.perm).toString(),
           circle.value.toString(), it.note!, back.value.b.toString()].join("|");
       }
     }`,
    {
      'host/types.wit': `package x:y@1.0.0;
        interface kinds { enum color { red, dark-blue } }
        interface types {
          use kinds.{color};
          flags perm { a, b }
          variant shape { none, circle(f64) }
          record item { name: string, age: u8, color: color, perm: perm, shapes: list<shape>, note: option<string>, }
          record unit { switch: u8 }
          new: func(%type: unit);
          store: func(item: item, numbers: list<u16>, o: option<u32>) -> result<tuple<item, u64>, string>;
        }`,
    },
  )
  const given = {
    name: 'é',
    age: 7,
    color: 'dark-blue',
    perm: { a: false, b: true },
    shapes: [{ tag: 'circle', val: 1.5 }, { tag: 'none' }],
    note: undefined,
  }
  const seen: unknown[] = []
  const actor = oracle.instantiate({
    'x:y/types': {
      new: (unit: unknown) => {
        seen.push(unit)
      },
      store: (...args: unknown[]) => {
        seen.push(...args)
        return [{ ...given, note: 'noted', shapes: [{ tag: 'circle', val: 2.5 }] }, 9n]
      },
    },
  })
  expect(actor.run?.()).toBe('é|7|1|2|2.5|noted|9')
  expect(seen).toEqual([given, Uint16Array.of(1, 2), 3, { switch: 1 }])
})

test('the constructor runs in the first call, so that it may ask the host', async () => {
  const oracle = await openSource(`
    import { self } from "loom/context";
    @component("a:b/c@1.0.0") export class A {
      private name: string;
      constructor() { this.name = self().id; }
      whoami(): string { return this.name; }
    }`)
  const { calls, imports } = recordingHost()
  const actor = oracle.instantiate(imports)
  expect(calls).toEqual([])
  expect(actor.whoami?.()).toBe('anna')
  expect(actor.whoami?.()).toBe('anna')
  expect(calls).toEqual([['self']])
})

test.each(['minimal', 'incremental'] as const)(
  'the %s runtime keeps memory bounded over many calls',
  async (runtime) => {
    const source = `@component("a:b/c@1.0.0") export class A {
      private last: string = "";
      swap(text: string): string { const old = this.last; this.last = text + "!"; return old; }
      pages(): i32 { return memory.size(); }
    }`
    const { component } = await withActor({ 'actor.ts': source }, (dir) =>
      buildActor({ dir, write: false, runtime }),
    )
    const actor = (await open(component)).instantiate()
    let before = ''
    for (let i = 0; i < 5000; i += 1) {
      const text = `call ${i} ${'x'.repeat(i % 200)}`
      expect(actor.swap?.(text)).toBe(before)
      before = `${text}!`
    }
    expect(actor.pages?.()).toBeLessThanOrEqual(2)
  },
)

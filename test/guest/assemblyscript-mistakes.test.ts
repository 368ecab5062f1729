import { describe, expect, test } from 'vitest'
import { mistakesIn } from './actor-folder.ts'

/** Source of a component class with this body. The body is line 3. */
function actor(body: string, before = ''): string {
  return `${before}\n@component("a:b/c@1.0.0") export class A {\n${body} }\n`
}

const LIBRARY = 'import { Option, Result, Unit } from "loom";'

const table: readonly (readonly [what: string, source: string, ...expected: string[]])[] = [
  [
    'no component class',
    'export class A {}',
    '1:1: no exported class with @component("namespace:package/interface@1.2.3")',
  ],
  [
    'a component class that is not exported',
    '@component("a:b/c@1.0.0") class A { f(): void {} }',
    "1:33: 'A' has @component, so the file must export it",
  ],
  [
    'a decorator that is misspelled',
    '\n@componnent("a:b/c@1.0.0") export class A { f(): void {} }',
    '2:1: no exported class with @component("namespace:package/interface@1.2.3"): is that what @componnent means?',
  ],
  [
    'an interface id without version',
    '@component("a:b/c") export class A { f(): void {} }',
    '1:12: @component needs one string: "namespace:package/interface@1.2.3"',
  ],
  [
    'constructor arguments',
    actor('constructor(start: u64) {} f(): void {}'),
    '3:13: the constructor of a component class takes no arguments: an actor is created by its first call',
  ],
  ['no public method', actor('private f(): void {}'), "2:40: 'A' has no public method to export"],
  [
    'an accessor',
    actor('get total(): u64 { return 1; }'),
    "3:5: accessor 'total' cannot be exported; write a method, or make it private",
  ],
  [
    'a generic method',
    actor('f<T>(v: T): void {}'),
    "3:1: generic method 'f' cannot be exported; make it private",
  ],
  [
    'an optional parameter',
    actor('f(v?: string): void {}'),
    "3:3: parameter 'v' cannot be optional; take T | null or Option<T>",
  ],
  [
    'a default value',
    actor('f(v: i32 = 1): void {}'),
    "3:3: parameter 'v' cannot be optional; take T | null or Option<T>",
  ],
  [
    'two methods of one WIT name',
    actor('getURL(): void {}\ngetUrl(): void {}'),
    "4:1: method 'getURL' and method 'getUrl' are both 'get-url' in WIT",
  ],
  [
    'a method and a type of one WIT name',
    actor('state(): State { return new State(); }', 'export class State { x: i32 }'),
    "3:1: type 'State' and method 'state' are both 'state' in WIT",
  ],
  [
    'a name without WIT spelling',
    actor('f_1(): void {}'),
    "3:1: the name 'f_1' has no WIT spelling; use letters and digits, no digit first",
  ],
  ['an unknown type', actor('f(v: Foo): void {}'), "3:6: cannot find the type 'Foo'"],
  [
    'a type of the machine',
    actor('f(v: usize): void {}'),
    "3:6: 'usize' has no component type; use a type of fixed size",
  ],
  [
    'a number that may be null',
    actor('f(v: u32 | null): void {}'),
    "3:6: 'u32 | null': a number, bool or enum cannot be null; use Option<T>",
  ],
  [
    'a function type',
    actor('f(v: (x: i32) => void): void {}'),
    '3:6: a function cannot cross the component boundary; name a method instead',
  ],
  [
    'a standard class',
    actor('f(v: Date): void {}'),
    "3:6: 'Date' has no component type; copy it into a class or an Array",
  ],
  [
    'an interface',
    actor('f(v: I): void {}', 'export interface I { x: i32 }'),
    "3:6: 'I' cannot cross the component boundary; use a class",
  ],
  [
    'Unit as a parameter',
    actor('f(v: Unit): void {}', LIBRARY),
    "3:6: 'Unit' is only for Result<Unit, E> and Result<T, Unit>; use void or bool",
  ],
  [
    'a record that its file does not export',
    actor('f(v: R): void {}', 'class R { x: i32 }'),
    "3:6: type 'R' is part of the interface, so its file must export it",
  ],
  [
    'a record with a private field',
    actor('f(v: R): void {}', 'export class R { private x: i32 }'),
    "1:26: 'R.x' is not public, but its class is in the interface",
  ],
  [
    'a record without fields',
    actor('f(v: R): void {}', 'export class R {}'),
    "3:6: class 'R' has no public fields; a record needs at least one",
  ],
  [
    'a generic record',
    actor('f(v: R<i32>): void {}', 'export class R<T> { x: T }'),
    "3:6: generic class 'R' cannot be a record; write a concrete class",
  ],
  [
    'a type that contains itself',
    actor('f(v: R): void {}', 'export class R { next: R | null = null }'),
    "1:24: 'R' contains itself; a component type cannot (hold an index or id)",
  ],
  [
    'a variant without cases',
    actor('f(v: V): void {}', 'export abstract class V {}'),
    "3:6: abstract class 'V' has no subclasses; a variant needs a case",
  ],
  [
    'a case of a case',
    actor(
      'f(v: V): void {}',
      'export abstract class V {} export class B extends V {} export class C extends B {}',
    ),
    "1:69: 'C' extends a case of variant 'V'; extend 'V'",
  ],
  [
    'an enum that does not count from zero',
    actor('f(v: E): void {}', 'export enum E { A = 1, B }'),
    '1:17: enum values count 0, 1, 2; mark the enum with @flags for bits',
  ],
  [
    'flags that are not bits',
    actor('f(v: E): void {}', '@flags export enum E { A = 1 << 0, B = 3 }'),
    '1:36: the value of this flag must be 1 << 1',
  ],
  [
    'no return type',
    actor('f(v: i32) {}'),
    '3:10: this method needs a return type (void, if it returns nothing)',
  ],
  [
    'a union type',
    actor('f(v: string | i32): void {}'),
    '3:15: AssemblyScript has no union types; use T | null, Option<T>, or an abstract class with subclasses',
  ],
  [
    'an object type',
    actor('f(v: { x: i32 }): void {}'),
    '3:6: AssemblyScript has no object types; write a class',
  ],
  [
    'an async method',
    actor('async f(): Promise<i32> { return 1; }'),
    '3:1: AssemblyScript has no async functions; a host call returns when it is done',
  ],
  [
    'a closure',
    actor('f(v: i32): i32 { const g = (w: i32): i32 => v + w; return g(1); }'),
    '3:45: AssemblyScript has no closures: a function cannot use variables of the one around it; pass them',
  ],
  [
    'try and catch',
    actor('f(): i32 { try { return 1; } catch (e) { return 2; } }'),
    '3:12: AssemblyScript has no try/catch: throw ends the call; return a Result instead',
  ],
  [
    'a function without host',
    actor('f(): void { beep(); }', 'declare function beep(): void;'),
    "1:18: no host serves 'beep'; import host functions from 'loom/...' or from a .wit file",
  ],
  [
    'a standard function that no host serves',
    actor('f(): void { process.exit(1); }'),
    "3:13: no host serves 'process'; import host functions from 'loom/...' or from a .wit file",
  ],
  [
    'a type error, which the compiler finds',
    actor('f(v: i32): string { return v; }'),
    "3:28: Type 'i32' is not assignable to type '~lib/string/String'.",
  ],
  [
    'several mistakes at once',
    actor('f(v: usize): void {}\ng(v: Date): void {}\nh(): void {}'),
    "3:6: 'usize' has no component type; use a type of fixed size",
    "4:6: 'Date' has no component type; copy it into a class or an Array",
  ],
]

describe('a mistake of the author is told with its place', () => {
  test('in each of several classes', async () => {
    const wit = 'package a:b;\ninterface c { f: func(); }\ninterface d { g: func(); }\n'
    const source = `import { C, D } from './q'
@component() export class X extends C {}
@component() export class Y extends D {}
`
    expect(await mistakesIn({ 'actor.ts': source, 'q.wit': wit })).toEqual([
      "actor.ts:2:27: 'X' lacks methods of 'a:b/c': f(): void",
      "actor.ts:3:27: 'Y' lacks methods of 'a:b/d': g(): void",
    ])
  })

  test.each(table.map(([what, source, ...expected]) => ({ what, source, expected })))(
    '$what',
    async ({ source, expected }) => {
      expect(await mistakesIn({ 'actor.ts': source })).toEqual(
        expected.map((place) => `actor.ts:${place}`),
      )
    },
  )

  test('in another file than the entry', async () => {
    const files = {
      'index.ts':
        'import { R } from "./types/r";\n@component("a:b/c@1.0.0") export class A { f(v: R): void {} }',
      'types/r.ts': '// A comment.\nexport class R { x: usize; }',
    }
    expect(await mistakesIn(files)).toEqual([
      "types/r.ts:2:21: 'usize' has no component type; use a type of fixed size",
    ])
  })
})

describe('a mistake in the WIT of a host interface is told with its place', () => {
  const entry =
    'import { f } from "./host/q";\n@component("a:b/c@1.0.0") export class A { g(): f64 { return f(); } }'
  const table = {
    'a syntax error': [
      'package x:y@1.0.0;\n\ninterface q {\n  f func() -> f64;\n}\n',
      "4:5: expected ':', found keyword `func`",
    ],
    'an unknown type': [
      'package x:y@1.0.0;\ninterface q {\n  f: func(s: strin) -> f64;\n}\n',
      '3:14: name `strin` does not exist',
    ],
    'a stream': [
      'package x:y@1.0.0;\ninterface q {\n  f: func(s: stream<u8>) -> f64;\n}\n',
      '1:1: a type of this kind cannot be used from AssemblyScript',
    ],
    'a large tuple': [
      'package x:y@1.0.0;\ninterface q {\n  f: func(t: tuple<u8, u8, u8, u8, u8, u8, u8, u8, u8>) -> f64;\n}\n',
      '1:1: a tuple of more than 8 cannot be used from AssemblyScript',
    ],
    'a file that is not there': [
      'package x:y@1.0.0;\ninterface q {\n  use a:b/kinds.{k};\n  f: func() -> f64;\n}\n',
      "3:7: package 'a:b' not found; put its .wit file into the actor's folder",
    ],
  }
  test.each(Object.entries(table))('%s', async (_what, [wit = '', expected]) => {
    expect(await mistakesIn({ 'actor.ts': entry, 'host/q.wit': wit })).toEqual([
      `host/q.wit:${expected}`,
    ])
  })
})

test('a folder without an entry is refused', async () => {
  expect(await mistakesIn({ 'a.ts': '', 'b.ts': '' })).toEqual([
    expect.stringMatching(
      /^:1:1: no loom-actor-\S+\.ts, no index\.ts, and not exactly one \.ts file$/,
    ),
  ])
})

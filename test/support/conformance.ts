// The conformance guests (test/fixtures/guests/conformance) as models: what the host at the end of a chain of
// guests does, and what one guest makes of what stands behind it. A value of a list is a typed array or an array.
import { readFileSync } from 'node:fs'
import type { WitValue } from '../../host/component/wit/wit.ts'

type Fn = (...args: never[]) => unknown
type Table = Readonly<Record<string, Fn>>

export const WORLDS = [
  'strings',
  'numbers',
  'lists',
  'records',
  'variants',
  'results',
  'many',
] as const

export function conformanceGuest(name: string): Uint8Array {
  return readFileSync(new URL(`../fixtures/components/conformance/${name}.wasm`, import.meta.url))
}

export function conformanceInterface(world: string): string {
  return `test:conformance/${world}`
}

type Result = { tag: 'ok' | 'err'; val?: unknown }
const result = (fails: boolean, ok?: unknown, err?: unknown): Result => {
  const val = fails ? err : ok
  return val === undefined ? { tag: fails ? 'err' : 'ok' } : { tag: fails ? 'err' : 'ok', val }
}
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
const sum = (items: Uint32Array): bigint => items.reduce((total, item) => total + BigInt(item), 0n)
const measure = (text: string): [number, number] => [[...text].length, Buffer.byteLength(text)]
const swap = ([a, b]: [unknown, unknown]): unknown[] => [b, a]
const text = (...args: unknown[]): string => args.map(String).join('|')

export const LIMITS = [
  ...[0xff, -0x80, 0x7f, 0xffff, -0x8000, 0x7fff, 0xffff_ffff, -0x8000_0000, 0x7fff_ffff],
  ...[2n ** 64n - 1n, -(2n ** 63n), 2n ** 63n - 1n],
  ...[Number.NEGATIVE_INFINITY, 2 ** -1022, '\u{10ffff}'],
] as const

/** One argument comes back as it is, several as a tuple. */
const identity = (...args: unknown[]): unknown => (args.length === 1 ? args[0] : args)

const HOSTS: Table = {
  turn: (value: string) => value,
  join: (a: string, b: string, c: string) => a + b + c,
  split: (value: string, at: string) => value.split(at),
  measure,
  limits: () => LIMITS,
  'nan-f32': () => 0,
  'nan-f64': () => 0,
  'bits-f32': () => 0,
  'bits-f64': () => 0n,
  keep: () => undefined,
  kept: () => 0,
  count: (to: number) => Uint32Array.from(upTo(to)),
  total: sum,
  names: (count: number) => upTo(count).map((index) => `host ${index}`),
  pages: () => 0,
  swap,
  nest: swap,
  bare: (fails: boolean) => result(fails),
  'only-ok': (fails: boolean, value: bigint) => result(fails, value),
  'only-err': (fails: boolean, value: string) => result(fails, undefined, value),
  'string-or-string': (fails: boolean, value: string) => result(fails, value, value),
  'float-or-reason': result,
  'list-or-failure': result,
  'list-or-trouble': result,
  nested: (fails: boolean, inner: unknown) => result(fails, inner, 5n),
  sixteen: text,
  seventeen: text,
  texts: (...args: string[]) => args,
  pair: (a: bigint, b: number) => [b, a],
  flat: (a: bigint) => [a],
}

export function conformanceHost(world: string, name: string): Fn {
  if (name === 'pass-two' && world === 'records') return (a: unknown, b: unknown) => [b, a]
  return HOSTS[name] ?? identity
}

const reverse = (value: string): string => [...value].reverse().join('')
const COLOURS = ['red', 'green', 'blue', 'black', 'white']
const after = (colour: string): string => COLOURS[(COLOURS.indexOf(colour) + 1) % 5] ?? ''

/** Every flag the other way round, in records too. */
function flip(value: WitValue): WitValue {
  if (typeof value === 'boolean') return !value
  return Object.fromEntries(Object.entries(value as object).map(([key, part]) => [key, flip(part)]))
}

function floatBits(value: number): number {
  return new DataView(Float32Array.of(value).buffer).getUint32(0, true)
}

function doubleBits(value: number): bigint {
  return new DataView(Float64Array.of(value).buffer).getBigUint64(0, true)
}

function format(...args: unknown[]): string {
  return args
    .map((arg, index) => {
      if (index === 8) return floatBits(arg as number)
      return index === 9 ? doubleBits(arg as number) : arg
    })
    .map(String)
    .join(' ')
}

type Next = (...args: unknown[]) => never

/** What a guest does with what stands behind it, where it does not come back as if it had done nothing. */
const GUESTS: Readonly<Record<string, (next: Next) => Fn>> = {
  turn: (next) => (value: string) => `${next(reverse(value))}\u2713`,
  join: (next) => (a: string, b: string, c: string) => `<${next(c, b, a)}>`,
  split: (next) => (value: string, at: string) => [
    ...(next(value, at) as string[]),
    ...value.split(at),
  ],
  measure: (next) => (value: string) => {
    const own = measure(value)
    return (next(value) as number[]).map((count, index) => count + (own[index] ?? 0))
  },
  'nan-f32': () => (bits: number) => new Float32Array(Uint32Array.of(bits).buffer)[0],
  'nan-f64': () => (bits: bigint) => new Float64Array(BigUint64Array.of(bits).buffer)[0],
  'bits-f32': () => floatBits,
  'bits-f64': () => doubleBits,
  count: (next) => (to: number) =>
    (next(to) as Uint32Array).map((item: number, index: number) => item + index),
  total: (next) => (items: Uint32Array) => (next(items) as bigint) + sum(items),
  names: (next) => (count: number) => [
    ...(next(count) as string[]),
    ...upTo(count).map((index) => `name ${index}`),
  ],
  next: (next) => (colour: string) => after(next(after(colour))),
  'only-ok': (next) => (fails: boolean, value: bigint) => {
    const told = next(fails, BigInt.asUintN(64, value + 1n)) as Result
    return fails ? told : { tag: 'ok', val: BigInt.asUintN(64, 2n * (told.val as bigint)) }
  },
  'only-err': (next) => (fails: boolean, value: string) => {
    const told = next(fails, value) as Result
    return fails ? { tag: 'err', val: `${told.val} (at ${Buffer.byteLength(value)})` } : told
  },
  'string-or-string': (next) => (fails: boolean, value: string) => {
    const { tag, val } = next(fails, value) as Result
    return { tag, val: `${tag}: ${val}` }
  },
  'float-or-reason':
    (next) =>
    (...args: unknown[]) => {
      const { tag, val } = next(...args) as Result
      return { tag, val: tag === 'ok' ? -(val as number) : val }
    },
  'list-or-failure':
    (next) =>
    (...args: unknown[]) => {
      const { tag, val } = next(...args) as Result
      if (tag === 'ok') return { tag, val }
      const { code, message, causes } = val as { code: number; message: string; causes: string[] }
      return { tag, val: { code: ~code, message, causes: [...causes, message] } }
    },
  sixteen:
    (next) =>
    (...args: unknown[]) => {
      const [m, n, o, p] = args.slice(12)
      return `${format(...args)} ${next(...args.slice(0, 12), p, o, n, m)}`
    },
  seventeen:
    (next) =>
    (...args: unknown[]) => {
      const [m, n, o, p, q] = args.slice(12)
      const told = next(...args.slice(0, 12), p, o, n, m, 255 - (q as number))
      return `${format(...args)} ${told}`
    },
}

/** What comes out of a chain of `depth` guests. */
export function conformanceModel(
  world: string,
  name: string,
  depth: number,
  args: readonly WitValue[],
): unknown {
  let next = conformanceHost(world, name) as Next
  for (let link = 0; link < depth; link++) {
    const behind = next
    const guest = GUESTS[name]?.(behind)
    if (guest !== undefined) next = guest as Next
    else if (name.startsWith('flip-'))
      next = ((value: WitValue) => flip(behind(name === 'flip-one' ? flip(value) : value))) as Next
  }
  return next(...args)
}

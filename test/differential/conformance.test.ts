// Aim: what toolchains make of every family of types crosses the boundary unchanged, in both directions, and
// as through jco. Method: the conformance guests, alone and one behind the other, with random values; each
// guest passes on what it is given and returns what it is told, so a model says what must come out.
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Component, HostFunction } from '../../host/component/component.ts'
import { loadComponent } from '../../host/component/load.ts'
import { checkArguments } from '../../host/component/values/arguments.ts'
import { camelCase } from '../../host/component/wit/labels.ts'
import type { WitFunction, WitType, WitValue } from '../../host/component/wit/wit.ts'
import { chain } from '../support/compose.ts'
import {
  conformanceGuest,
  conformanceHost,
  conformanceInterface,
  conformanceModel,
  WORLDS,
} from '../support/conformance.ts'
import { times } from '../support/long.ts'
import {
  createOracle,
  hasByteOrderMark,
  type Oracle,
  oracleCall,
  oracleHost,
} from '../support/oracle.ts'
import { seedsOf } from '../support/seed.ts'
import { holdsType, valueArbitrary } from '../support/wit-arbitrary.ts'

const SEEDS = seedsOf('conformance', times(1))
const VALUES_PER_FUNCTION = 15

/** Chains, by what stands in them; jco knows no latin1+utf16. */
const CHAINS: readonly (readonly [string, readonly string[], boolean])[] = [
  ...WORLDS.map((world) => [world, [world], true] as const),
  ...WORLDS.map((world) => [world, [world, world], true] as const),
  ['strings', ['strings-utf16'], true],
  ['strings', ['strings-compact'], false],
  ['strings', ['strings', 'strings-utf16'], true],
  ['strings', ['strings-utf16', 'strings-compact', 'strings'], false],
  ['strings', ['strings-compact', 'strings-utf16', 'strings-compact', 'strings'], false],
]

/** Functions with values of their own choice, and those that count. */
const OTHERWISE_TESTED = new Set(['keep', 'kept', 'pages', 'count', 'names'])

/** jco mistakes options of options. */
const isNestedOption = (type: WitType) => type.kind === 'option' && type.element.kind === 'option'

interface Side {
  readonly call: (func: WitFunction, args: readonly WitValue[]) => unknown
  /** What the host was called with. */
  readonly told: unknown[]
}

function ourSide(world: string, component: Component): Side {
  const told: unknown[] = []
  const instance = component.instantiate((_, { name }): HostFunction => {
    const host = conformanceHost(world, name) as HostFunction
    return (...args) => {
      told.push([name, args])
      return host(...args)
    }
  })
  return {
    told,
    call(func, args) {
      const target = component.exports.find((item) => item.func.name === func.name)
      if (target === undefined) throw new Error(`no export ${func.name}`)
      return instance.call(target, checkArguments(func, args))
    },
  }
}

function theirSide(world: string, component: Component, oracle: Oracle): Side {
  const told: unknown[] = []
  const name = conformanceInterface(world)
  const functions = component.imports.flatMap((group) => group.functions)
  const imports = functions.map((func) => {
    const host = conformanceHost(world, func.name) as (...args: WitValue[]) => WitValue
    const noting = (...args: WitValue[]): WitValue => {
      told.push([func.name, args])
      return host(...args)
    }
    return [camelCase(func.name), oracleHost(func, noting)] as const
  })
  const exports = oracle.instantiate({ [name]: Object.fromEntries(imports) })
  return { told, call: (func, args) => oracleCall(exports, name, func, args) }
}

describe.each(CHAINS)('%s through %j', (world, links, hasOracle) => {
  const bytes =
    links.length === 1
      ? conformanceGuest(links[0] ?? '')
      : chain(links.map(conformanceGuest), conformanceInterface(world))

  let component: Component
  let oracle: Oracle | null = null
  beforeAll(async () => {
    component = await loadComponent(bytes)
    oracle = hasOracle ? await createOracle(bytes) : null
  })

  test.each(SEEDS)(
    'random values come out as the model says, and as from jco (seed %i)',
    (seed) => {
      const ours = ourSide(world, component)
      const theirs = oracle === null ? null : theirSide(world, component, oracle)
      const functions = component.exports
        .map(({ func }) => func)
        .filter(({ name }) => !OTHERWISE_TESTED.has(name))
      expect(functions.length).toBeGreaterThan(3)
      for (const func of functions) {
        const types = func.params.map(({ type }) => type)
        const values = fc.tuple(...types.map(valueArbitrary))
        const isComparable = !types.some((type) => holdsType(type, isNestedOption))
        for (const args of fc.sample(values, { seed, numRuns: VALUES_PER_FUNCTION })) {
          const got = ours.call(func, args)
          const note = `${func.name}, seed ${seed}`
          expect(got, note).toEqual(conformanceModel(world, func.name, links.length, args))
          if (theirs !== null && isComparable && !args.some(hasByteOrderMark)) {
            expect(got, note).toEqual(theirs.call(func, args))
            expect(ours.told, note).toEqual(theirs.told)
          }
          ours.told.length = 0
          if (theirs !== null) theirs.told.length = 0
        }
      }
    },
  )
})

function named(component: Component, name: string): WitFunction {
  const target = component.exports.find(({ func }) => func.name === name)
  if (target === undefined) throw new Error(`no export ${name}`)
  return target.func
}

async function startNamed(world: string, links = [world]) {
  const guests = links.map(conformanceGuest)
  const component = await loadComponent(chain(guests, conformanceInterface(world)))
  const { call } = ourSide(world, component)
  return {
    component,
    call: (name: string, ...args: WitValue[]) => call(named(component, name), args),
  }
}

describe('what random values do not reach', () => {
  test('lists of 100,000 elements, of numbers and of texts', async () => {
    const { component, call } = await startNamed('lists', ['lists', 'lists'])
    expect(component.hidden).toEqual([])
    const counted = Uint32Array.from({ length: 100_000 }, (_, index) => 3 * index)
    expect(call('count', 100_000)).toEqual(counted)
    expect(call('total', counted)).toBe((3n * 3n * (99_999n * 100_000n)) / 2n)
    const names = call('names', 100_000) as string[]
    expect(names).toHaveLength(300_000)
    expect([names[0], names[299_999]]).toEqual(['host 0', 'name 99999'])
    expect(call('pass-strings', names.slice(0, 100_000))).toEqual(names.slice(0, 100_000))
    const bytes = new Uint8Array(4_000_000).map((_, index) => index % 251)
    expect(Buffer.compare(call('pass-bytes', bytes) as Uint8Array, bytes)).toBe(0)
  })

  test('a guest that frees what it is given and returns does not grow', async () => {
    const { call } = await startNamed('lists')
    const texts = Array.from({ length: 500 }, (_, index) => 'text '.repeat(index % 40))
    const round = (): void => {
      call('pass-strings', texts)
      call('names', 500)
      call('pass-nested', [[new Uint8Array(3_000)], [], [new Uint8Array(1), new Uint8Array(0)]])
    }
    for (let turn = 0; turn < 5; turn++) round()
    const pages = call('pages')
    for (let turn = 0; turn < 100; turn++) round()
    expect(call('pages')).toBe(pages)
  })

  test('a guest keeps a value between calls, each instance its own', async () => {
    const { call, component } = await startNamed('numbers', ['numbers', 'numbers'])
    call('keep', 40)
    expect(call('kept')).toBe(40 + 20)
    expect(ourSide('numbers', component).call(named(component, 'kept'), [])).toBe(0)
  })

  test.each([
    ['nan-f32', 'bits-f32', 0x7fc0_0000, [0x7fa0_0001, 0xffc0_0000, 0x7f80_0001, 0xffff_ffff]],
    [
      'nan-f64',
      'bits-f64',
      0x7ff8_0000_0000_0000n,
      [0x7ff4_0000_0000_0001n, 0xfff8_0000_0000_0000n, 2n ** 64n - 1n],
    ],
  ] as const)(
    '%s: every NaN that crosses is the canonical one',
    async (make, read, canonical, all) => {
      const { call } = await startNamed('numbers')
      for (const bits of all) expect(call(make, bits)).toBeNaN()
      expect(call(read, Number.NaN)).toBe(canonical)
      const typed = make === 'nan-f32' ? Float32Array : Float64Array
      const payload = new Uint8Array(typed.BYTES_PER_ELEMENT).fill(0xff)
      expect(call(read, new typed(payload.buffer)[0] as number)).toBe(canonical)
    },
  )
})

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Component } from '../../host/component/component.ts'
import { loadComponent } from '../../host/component/load.ts'
import { checkArguments } from '../../host/component/values/arguments.ts'
import type { WitFunction, WitType, WitValue } from '../../host/component/wit/wit.ts'
import { capture, hashState, restore, takeBaseline } from '../../host/image/image.ts'
import { times } from '../support/long.ts'
import {
  createOracle,
  hasByteOrderMark,
  type Oracle,
  oracleCall,
  oracleHost,
} from '../support/oracle.ts'
import { seedsOf } from '../support/seed.ts'
import { run, thrown } from '../support/wat.ts'
import { holdsType, valueArbitrary } from '../support/wit-arbitrary.ts'

const SEEDS = seedsOf('fixtures', times(1))

function fixture(name: string): Uint8Array {
  return readFileSync(new URL(`../fixtures/components/${name}.wasm`, import.meta.url))
}

function hostOf(_: string, func: WitFunction): (...args: WitValue[]) => WitValue {
  return () => (func.result?.kind === 'f64' ? 0.25 : undefined)
}

function runOracle(oracle: Oracle, component: Component) {
  const imports: Record<string, Record<string, unknown>> = {}
  for (const { name, functions } of component.imports)
    imports[name.replace(/@.*/, '')] = Object.fromEntries(
      functions.map((func) => [func.name, oracleHost(func, hostOf(name, func))]),
    )
  return oracle.instantiate(imports)
}

/** jco mistakes options of options. */
const isNestedOption = (type: WitType) => type.kind === 'option' && type.element.kind === 'option'

/** What the echo fixture returns; of equal keys of its map the last value stays, in the first's place. */
function echoed(name: string, value: WitValue): unknown {
  return name === 'echo-map' ? [...new Map(value as [string, number][])] : value
}

describe('the echo fixture', () => {
  let component: Component
  let oracle: Oracle
  beforeAll(async () => {
    component = await loadComponent(fixture('echo'))
    oracle = await createOracle(fixture('echo'))
  })

  test.each(SEEDS)(
    'returns random values as they are, and as jco returns them (seed %i)',
    (seed) => {
      const instance = component.instantiate(hostOf)
      const theirs = runOracle(oracle, component)
      for (const target of component.exports.filter(({ func }) => func.name.startsWith('echo-'))) {
        const { func, interfaceName } = target
        const [param] = func.params
        if (param === undefined) continue
        for (const value of fc.sample(valueArbitrary(param.type), { numRuns: 12, seed })) {
          const got = instance.call(target, checkArguments(func, [value]))
          expect(got, `${func.name}, seed ${seed}`).toEqual(echoed(func.name, value))
          if (!holdsType(param.type, isNestedOption) && !hasByteOrderMark(value))
            expect(got, func.name).toEqual(oracleCall(theirs, interfaceName, func, [value]))
        }
      }
    },
  )

  test.each(SEEDS)(
    'takes sixteen flat parameters in registers and more through memory, as jco (seed %i)',
    (seed) => {
      const instance = component.instantiate(hostOf)
      const theirs = runOracle(oracle, component)
      for (const name of ['many-params', 'sixteen-params', 'mixed', 'repeat']) {
        const target = component.exports.find(({ func }) => func.name === name)
        if (target === undefined) throw new Error(`no export ${name}`)
        const params = fc.tuple(...target.func.params.map(({ type }) => valueArbitrary(type)))
        for (const args of fc.sample(params, { numRuns: 8, seed })) {
          if (name === 'repeat') args[1] = 3
          if (args.some(hasByteOrderMark)) continue
          const got = instance.call(target, checkArguments(target.func, args))
          expect(got, name).toEqual(oracleCall(theirs, target.interfaceName, target.func, args))
        }
      }
    },
  )
})

describe('the faulty fixture', () => {
  let component: Component
  let oracle: Oracle
  beforeAll(async () => {
    component = await loadComponent(fixture('faulty'))
    oracle = await createOracle(fixture('faulty'))
  })

  test.each<[string, WitValue[]]>([
    ['add-then-unreachable', [1]],
    ['add-then-out-of-bounds', [1]],
    ['add-then-abort', [1, 'why']],
    ['add-then-index', [1_000]],
    ['divide', [0]],
    ['overflow', [1_000_000_000]],
  ])('%s traps where jco traps', (name, args) => {
    const running = run(component, { panic: () => undefined, seed: () => 0.25 })
    const theirs = runOracle(oracle, component)
    const target = component.exports.find(({ func }) => func.name === name)
    if (target === undefined) throw new Error(`no export ${name}`)
    expect(running.call('add', 2)).toBe(2n)
    expect(thrown(() => running.call(name, ...args))).toMatchObject({ code: 'ERR_TRAP' })
    expect(
      thrown(() => oracleCall(theirs, target.interfaceName, target.func, args)),
    ).toBeInstanceOf(Error)
    expect(thrown(() => running.call('add', 2))).toMatchObject({ code: 'ERR_INVARIANT' })
  })

  test('an image brings back fields, module variables and static fields', () => {
    const hosts = { panic: () => undefined, seed: () => 0.25 }
    const baseline = takeBaseline(run(component, hosts).instance.state)
    const first = run(component, hosts)
    first.call('add', 3)
    first.call('random')
    const image = capture(first.instance.state, baseline)
    const second = run(component, hosts)
    second.call('hoard', 16)
    const third = run(component, hosts)
    restore(third.instance.state, baseline, image)
    expect(hashState(third.instance.state)).toBe(hashState(first.instance.state))
    expect(third.call('state')).toEqual(first.call('state'))
    expect(third.call('random')).toBe(first.call('random'))
    expect(hashState(third.instance.state)).toBe(hashState(first.instance.state))
  })
})

test.each(SEEDS)('a recycled counter cannot be told from a fresh one (seed %i)', async (seed) => {
  const component = await loadComponent(fixture('counter'))
  const hosts = { panic: () => undefined }
  const baseline = takeBaseline(run(component, hosts).instance.state)
  fc.assert(
    fc.property(
      fc.array(fc.nat(1_000), { maxLength: 8 }),
      fc.array(fc.nat(1_000), { maxLength: 8 }),
      (past, turns) => {
        const recycled = run(component, hosts)
        for (const by of past) recycled.call('increment', by)
        const fresh = run(component, hosts)
        restore(recycled.instance.state, baseline, capture(fresh.instance.state, baseline))
        for (const by of turns)
          expect(recycled.call('increment', by)).toBe(fresh.call('increment', by))
        expect(hashState(recycled.instance.state)).toBe(hashState(fresh.instance.state))
      },
    ),
    { numRuns: 25, seed },
  )
})

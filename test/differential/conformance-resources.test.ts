// Aim: resources of toolchains work in both directions: constructors, methods, statics, own and borrow, in
// lists, records, variants, options and results, and what is dropped is dropped everywhere. Method: random
// calls of the guest `resources`, alone and behind itself, beside a model and jco.
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Component, HostFunction } from '../../host/component/component.ts'
import { loadComponent } from '../../host/component/load.ts'
import { checkArguments } from '../../host/component/values/arguments.ts'
import { camelCase } from '../../host/component/wit/labels.ts'
import type { WitFunction, WitType, WitValue } from '../../host/component/wit/wit.ts'
import { chain } from '../support/compose.ts'
import { conformanceGuest, conformanceInterface } from '../support/conformance.ts'
import {
  GuestThings,
  type Handle,
  HostThings,
  mapHandles,
  type Things,
  thingsMethod,
} from '../support/conformance-resources.ts'
import { times } from '../support/long.ts'
import { createOracle, type Oracle } from '../support/oracle.ts'
import { seedsOf } from '../support/seed.ts'

const NAME = conformanceInterface('resources')
const dispose: symbol = (Symbol as { dispose?: symbol }).dispose ?? Symbol.for('dispose')

/** One implementation: calls by WIT name; its handles are its own. */
interface Side {
  readonly host: HostThings
  call(func: WitFunction, args: readonly WitValue[]): WitValue
}

type Method = (...args: unknown[]) => unknown

function callThings(things: Things, name: string, args: readonly unknown[]): unknown {
  return (things[thingsMethod(name)] as Method).apply(things, [...args])
}

function mapArguments(
  func: WitFunction,
  args: readonly unknown[],
  change: (handle: never) => unknown,
): WitValue[] {
  return func.params.map(({ type }, index) => mapHandles(type, args[index] as WitValue, change))
}

function mapResult(
  { result }: WitFunction,
  value: unknown,
  change: (handle: never) => unknown,
): WitValue {
  return result === null ? undefined : mapHandles(result, value as WitValue, change)
}

function ourSide(component: Component): Side {
  const host = new HostThings()
  const handles: Handle[] = []
  const toRep = (handle: Handle): number =>
    handles.indexOf(handle) >= 0 ? handles.indexOf(handle) : handles.push(handle) - 1
  const toHandle = (rep: number): Handle => handles[rep] ?? {}
  const instance = component.instantiate((_, func): HostFunction => {
    if (func.name === '[resource-drop]thing')
      return (rep) => void host.drop(toHandle(rep as number))
    return (...args) =>
      mapResult(func, callThings(host, func.name, mapArguments(func, args, toHandle)), toRep)
  })
  return {
    host,
    call(func, args) {
      const target = component.exports.find((item) => item.func.name === func.name)
      if (target === undefined) throw new Error(`no export ${func.name}`)
      return instance.call(target, checkArguments(func, args))
    },
  }
}

/** jco wants a class; own and borrow are its instances, and a result is thrown. */
function theirSide(component: Component, oracle: Oracle): Side {
  const host = new HostThings()
  class Thing {
    handle: Handle
    constructor(text: string) {
      this.handle = host.make(text)
    }
    static around(handle: Handle): Thing {
      return Object.assign(Object.create(Thing.prototype) as Thing, { handle })
    }
    [dispose](): void {
      host.drop(this.handle)
    }
  }
  const bare = (func: WitFunction, value: WitValue): unknown => {
    if (func.result?.kind !== 'result') return value
    const { tag, val } = value as { tag: string; val: unknown }
    if (tag === 'ok') return val
    throw Object.assign(new Error('err'), { payload: val })
  }
  const imports: Record<string, unknown> = { Thing }
  for (const func of component.imports.flatMap(({ functions }) => functions)) {
    const perform = (...args: unknown[]): unknown => {
      const given = mapArguments(func, args, ({ handle }: Thing) => handle)
      return bare(func, mapResult(func, callThings(host, func.name, given), Thing.around))
    }
    const method = camelCase(func.name.replace(/^.*\./, ''))
    if (func.name.startsWith('[method]'))
      Object.assign(Thing.prototype, {
        [method](this: Thing, ...args: unknown[]) {
          return perform(this, ...args)
        },
      })
    else if (func.name.startsWith('[static]')) Object.assign(Thing, { [method]: perform })
    else if (!func.name.startsWith('[')) imports[method] = perform
  }
  const exports = oracle.instantiate({ [NAME]: imports })[NAME] as unknown as Record<string, Method>
  const Exported = exports.Thing as unknown as (new (
    text: unknown,
  ) => Record<string, Method>) &
    Record<string, Method>
  const perform = (func: WitFunction, args: readonly unknown[]): unknown => {
    const method = camelCase(func.name.replace(/^.*\./, ''))
    if (func.name.startsWith('[constructor]')) return new Exported(args[0])
    if (func.name.startsWith('[method]'))
      return (args[0] as Record<string, Method>)[method]?.(...args.slice(1))
    return func.name.startsWith('[static]')
      ? Exported[method]?.(...args)
      : exports[method]?.(...args)
  }
  const call = (func: WitFunction, args: readonly unknown[]): WitValue => {
    if (func.result?.kind !== 'result') return perform(func, args) as WitValue
    try {
      return { tag: 'ok', val: perform(func, args) as WitValue }
    } catch (error) {
      if (!(error instanceof Error && 'payload' in error)) throw error
      return { tag: 'err', val: error.payload as WitValue }
    }
  }
  return { host, call }
}

function modelSide(depth: number): Side {
  const host = new HostThings()
  let things = new GuestThings(host)
  for (let link = 1; link < depth; link++) things = new GuestThings(things)
  return { host, call: (func, args) => callThings(things, func.name, args) as WitValue }
}

/** A thing as each side knows it. */
type Live = readonly unknown[]

/** Numbers below `count`, again the same from the same start. */
function numbersFrom(start: number): (count: number) => number {
  let state = start
  return (count) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (state >> 8) % count
  }
}

/** Random arguments, or null where a thing is wanted and none is there. What is given away leaves `live`. */
function drawArguments(
  func: WitFunction,
  pick: (count: number) => number,
  texts: readonly string[],
  live: Live[],
): WitValue[] | null {
  // Nothing is lent and given away in the same call: that is refused, and tested elsewhere.
  const lent: Live[] = []
  let isPossible = true
  const drawThing = (isOwn: boolean): unknown => {
    const free = isOwn ? live.filter((thing) => !lent.includes(thing)) : live
    const thing = free[pick(Math.max(free.length, 1))]
    if (thing === undefined) isPossible = false
    else if (isOwn) live.splice(live.indexOf(thing), 1)
    else lent.push(thing)
    return thing
  }
  const draw = (type: WitType): unknown => {
    switch (type.kind) {
      case 'own':
      case 'borrow':
        return drawThing(type.kind === 'own')
      case 'list': {
        const count = Math.min(pick(4), type.element.kind === 'string' ? 4 : live.length)
        return Array.from({ length: count }, () => draw(type.element))
      }
      case 'option':
        return live.length > 0 && pick(3) > 0 ? draw(type.element) : undefined
      case 'record':
        return Object.fromEntries(type.fields.map((field) => [field.name, draw(field.type)]))
      case 'variant': {
        const item = type.cases[live.length === 0 ? 0 : pick(type.cases.length)]
        if (item === undefined || item.type === null) return { tag: item?.name ?? '' }
        return { tag: item.name, val: draw(item.type) }
      }
      case 'u32':
        return pick(4)
      default:
        return texts[pick(texts.length)] ?? ''
    }
  }
  const before = [...live]
  const args = func.params.map(({ type }) => draw(type) as WitValue)
  if (isPossible) return args
  live.splice(0, live.length, ...before)
  return null
}

describe.each([1, 2])('%i guests in a chain', (depth) => {
  const guests = Array.from({ length: depth }, () => conformanceGuest('resources'))
  let component: Component
  let oracle: Oracle
  beforeAll(async () => {
    const bytes = chain(guests, NAME)
    component = await loadComponent(bytes)
    oracle = await createOracle(bytes)
  })

  /** Calls one function on every side, with each side's handles, and finds the things that came back. */
  function callAll(
    sides: readonly Side[],
    func: WitFunction,
    args: readonly WitValue[],
  ): { outcomes: unknown[]; made: Live[] } {
    const made: unknown[][] = []
    const alive = functionOf('alive')
    const outcomes = sides.map((side, index) => {
      const given = mapArguments(func, args, (thing: Live) => thing[index])
      const handles: unknown[] = []
      const value = mapResult(func, side.call(func, given), (handle) => handles.push(handle))
      made.push(handles)
      return [value, side.call(alive, []), [...side.host.texts.values()]]
    })
    const [ours = []] = made
    return { outcomes, made: ours.map((_, at) => made.map((handles) => handles[at])) }
  }

  function functionOf(name: string): WitFunction {
    const target = component.exports.find(({ func }) => func.name === name)
    if (target === undefined) throw new Error(`no export ${name}`)
    return target.func
  }

  test.each(seedsOf(`resources, ${depth} guests`, times(1)))(
    'random calls do the same as the model, and as jco (seed %i)',
    (seed) => {
      const functions = component.exports.map(({ func }) => func)
      const step = fc.tuple(
        fc.constantFrom(...functions),
        fc.nat(2 ** 31 - 1),
        fc.array(fc.string({ maxLength: 8 }), { minLength: 1, maxLength: 4 }),
      )
      const called = new Set<string>()
      for (const steps of fc.sample(fc.array(step, { minLength: 30, maxLength: 80 }), {
        seed,
        numRuns: 8,
      })) {
        const sides = [ourSide(component), theirSide(component, oracle), modelSide(depth)]
        const live: Live[] = []
        for (const [func, start, texts] of steps) {
          const args = drawArguments(func, numbersFrom(start), texts, live)
          if (args === null) continue
          called.add(func.name)
          const { outcomes, made } = callAll(sides, func, args)
          const [ours, theirs, model] = outcomes
          expect(ours, `${func.name}, seed ${seed}`).toEqual(model)
          expect(theirs, `jco: ${func.name}, seed ${seed}`).toEqual(model)
          live.push(...made)
        }
      }
      expect(called.size).toBe(functions.length)
    },
  )
})

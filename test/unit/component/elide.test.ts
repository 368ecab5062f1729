// Aim: leaving out core modules that only pass calls on changes nothing that a guest, an image or a caller can see.
// Method: each component twice, as it is loaded and with every core module instantiated; the same calls to both.
// Then components whose shims are not quite of the known form, each of which must be instantiated whole.
import { readdirSync, readFileSync } from 'node:fs'
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isLoomError } from '../../../host/base/errors.ts'
import { decodeComponent } from '../../../host/component/binary/decode.ts'
import type { ComponentInstance, ImportResolver } from '../../../host/component/component.ts'
import { compileModule } from '../../../host/component/core/compile.ts'
import { CoreModules } from '../../../host/component/core/core-modules.ts'
import { meterModule } from '../../../host/component/core/fuel.ts'
import { instrumentAll } from '../../../host/component/core/instrument.ts'
import { instantiate } from '../../../host/component/instance/instantiate.ts'
import {
  type ComponentPlan,
  modulesOf,
  planComponent,
} from '../../../host/component/instance/plan.ts'
import { elideShims } from '../../../host/component/link/elide.ts'
import { Linker, type LinkPlan } from '../../../host/component/link/link.ts'
import { checkArguments } from '../../../host/component/values/arguments.ts'
import type { WitFunction, WitValue } from '../../../host/component/wit/wit.ts'
import { capture, takeBaseline } from '../../../host/image/image.ts'
import { encodeImage } from '../../../host/image/image-codec.ts'
import { seedOf } from '../../support/seed.ts'
import { holdsType, valueArbitrary } from '../../support/wit-arbitrary.ts'

interface Plans {
  readonly whole: ComponentPlan
  readonly elided: ComponentPlan
}

async function plansOf(bytes: Uint8Array): Promise<Plans> {
  const link = new Linker(new CoreModules(bytes)).link(decodeComponent(bytes))
  const cores = link.modules.map(({ core }) => core)
  const metered = cores.map((core) => meterModule(bytes, core))
  const planOf = async (linked: LinkPlan): Promise<ComponentPlan> => {
    const instrumented = instrumentAll(bytes, cores, metered, modulesOf(linked.steps))
    const modules = await Promise.all(instrumented.map((module) => compileModule(module.bytes)))
    return planComponent(link, linked, instrumented, modules)
  }
  return { whole: await planOf(link), elided: await planOf(elideShims(bytes, link, metered)) }
}

function coreCount({ link }: ComponentPlan): number {
  return link.steps.filter(({ kind }) => kind === 'instantiate').length
}

/** Outcome of an action: what it gave, or the error that left it. */
function outcomeOf(action: () => unknown): unknown {
  try {
    return { value: action() }
  } catch (error) {
    if (!isLoomError(error)) throw error
    return { code: error.code, message: error.message }
  }
}

/** Some methods of the fixtures loop for ever, or fill memory. */
const LIMITS = { fuelPerTurn: 3_000_000, memoryPagesMax: 100, resultBytesMax: 2 ** 22 }

const FOLDER = 'test/fixtures/components'
const FIXTURES = readdirSync(FOLDER, { recursive: true })
  .map(String)
  .filter((name) => name.endsWith('.wasm'))
/** Linked by hand, or with the adapter of `wasi_snapshot_preview1` in between: what they keep of their modules. */
const LARGER: Readonly<Record<string, number>> = {
  'libc.wasm': 4,
  'bank-js.wasm': 7,
  'cart.wasm': 7,
  'counter-ts.wasm': 7,
  'probe-js.wasm': 7,
}

/** The host answers every call with the least value of the type, and notes it. */
function noting(notes: unknown[]): ImportResolver {
  return (interfaceName, func) =>
    (...args) => {
      notes.push([interfaceName, func.name, structuredClone(args)])
      if (func.result === null) return undefined
      return fc.sample(valueArbitrary(func.result), { numRuns: 1, seed: 1 })[0] as WitValue
    }
}

const hasHandles = ({ params, result }: WitFunction): boolean =>
  [...params.map(({ type }) => type), ...(result === null ? [] : [result])].some((type) =>
    holdsType(type, ({ kind }) => kind === 'own' || kind === 'borrow'),
  )

describe('components of toolchains', () => {
  test.each(FIXTURES)('%s does with few core instances what it does with all', async (name) => {
    const { whole, elided } = await plansOf(readFileSync(`${FOLDER}/${name}`))
    expect(coreCount(whole)).toBeGreaterThan(1)
    expect(coreCount(elided)).toBe(LARGER[name] ?? 1)
    expect(elided.initialSizeBytes).toBe(whole.initialSizeBytes)
    const seed = seedOf(`elided ${name}`)
    const sides = [whole, elided].map((plan) => {
      const notes: unknown[] = []
      const make = (): ComponentInstance => instantiate(plan, noting(notes), LIMITS)
      const baseline = takeBaseline(make().state)
      let instance = make()
      const outcomes = plan.exports.flatMap(({ target }) => {
        if (hasHandles(target.func)) return []
        const values = fc.tuple(...target.func.params.map(({ type }) => valueArbitrary(type)))
        return fc.sample(values, { numRuns: 4, seed }).map((args) => {
          const outcome = outcomeOf(() => instance.call(target, checkArguments(target.func, args)))
          if (!instance.idle) instance = make()
          const image = encodeImage(capture(instance.state, baseline))
          return [target.func.name, outcome, image.toString('base64')]
        })
      })
      return { outcomes, notes }
    })
    expect(sides[1]).toEqual(sides[0])
    expect(sides[0]?.outcomes.length ?? 0).toBeGreaterThanOrEqual(
      name.includes('resources') ? 0 : 1,
    )
  })
})

/** What a component made by hand is changed by. */
interface Parts {
  readonly shim: string
  readonly main: string
  readonly fixup: string
  readonly fixupArguments: string
  readonly more: string
}

const PARTS: Parts = {
  shim: `(type $t (func (param i32) (result i32)))
    (table (export "$imports") 1 1 funcref)
    (func (export "0") (param i32) (result i32)
      local.get 0 i32.const 0 call_indirect (type $t))`,
  main: `(import "h" "double" (func $double (param i32) (result i32)))
    (memory (export "memory") 1)
    (global $started (mut i32) (i32.const 0))
    (func (export "start") (global.set $started (call $double (i32.const 20))))
    (func (export "run") (param i32) (result i32)
      (i32.add (global.get $started) (call $double (local.get 0))))`,
  fixup: `(import "" "0" (func (param i32) (result i32)))
    (import "" "start" (func $start))
    (import "" "$imports" (table 1 1 funcref))
    (elem (i32.const 0) func 0) (start $start)`,
  fixupArguments: '',
  more: '',
}

function componentText({ shim, main, fixup, fixupArguments, more }: Parts): string {
  return `(component
    (import "double" (func $double (param "a" u32) (result u32)))
    (core module $shim ${shim}) (core module $main ${main}) (core module $fixup ${fixup})
    (core instance $s (instantiate $shim))
    (core instance $m (instantiate $main (with "h" (instance (export "double" (func $s "0"))))))
    (core func $lowered (canon lower (func $double) (memory (core memory $m "memory"))))
    ${more}
    (core instance $f (instantiate $fixup (with "" (instance (export "0" (func $lowered))
      (export "start" (func $m "start")) ${fixupArguments} (export "$imports" (table $s "$imports"))))))
    (func (export "run") (param "a" u32) (result u32) (canon lift (core func $m "run"))))`
}

async function plansWith(change: Partial<Parts>): Promise<Plans> {
  return await plansOf(await parse(componentText({ ...PARTS, ...change })))
}

const double: ImportResolver = () => (value) => 2 * (value as number)

function runs(plan: ComponentPlan): unknown {
  return outcomeOf(() => {
    const instance = instantiate(plan, double, null)
    const target = plan.exports[0]?.target
    if (target === undefined) throw new Error('it exports nothing')
    return [
      instance.call(target, [1]),
      instance.state.globals.length,
      instance.state.memories.length,
    ]
  })
}

describe('a component made by hand', () => {
  test('is elided in the known form; its start function runs when the elements are there', async () => {
    const { whole, elided } = await plansWith({})
    expect(coreCount(elided)).toBe(1)
    expect(runs(elided)).toEqual({ value: [42, 1, 1] })
    expect(runs(whole)).toEqual(runs(elided))
  })

  const body = 'local.get 0 i32.const 0 call_indirect (type $t)'
  const CHANGES: Record<string, Partial<Parts>> = {
    'a function of the shim does more': {
      shim: PARTS.shim.replace(body, `${body} i32.const 1 i32.add`),
    },
    'a function of the shim has a local': {
      shim: PARTS.shim.replace(body, `(local i32) ${body}`),
    },
    'a function of the shim passes another element on': {
      shim: PARTS.shim.replace('i32.const 0', 'i32.const 1').replace('1 1 funcref', '2 2 funcref'),
    },
    'a function of the shim expects another type in its element': {
      shim: PARTS.shim
        .replace('(type $t', '(type $other (func (param i32) (result i64))) (type $t')
        .replace('call_indirect (type $t)', 'call_indirect (type $other) i32.wrap_i64'),
    },
    'the shim has a memory': { shim: `${PARTS.shim} (memory 1)` },
    'the shim has a global': { shim: `${PARTS.shim} (global (mut i32) (i32.const 0))` },
    'the shim fills its table itself': { shim: `${PARTS.shim} (elem (i32.const 0) func 0)` },
    'the fixup has code': { fixup: `${PARTS.fixup} (func)` },
    'the fixup leaves the element empty': {
      fixup: PARTS.fixup.replace('(elem (i32.const 0) func 0)', ''),
    },
    'the fixup has two segments': { fixup: `${PARTS.fixup} (elem (i32.const 0) func 0)` },
    'the fixup fills with another function': {
      fixup: PARTS.fixup.replace('func 0)', 'func $start)'),
    },
    'the table is larger than the fixup may take': {
      shim: PARTS.shim.replace('1 1 funcref', '1 2 funcref'),
    },
    'the segment ends beyond the table': {
      fixup: PARTS.fixup.replace('(i32.const 0) func', '(i32.const 1) func'),
    },
    'main wants another type': {
      main: PARTS.main
        .replace('(param i32) (result i32))', '(param i32) (result i64))')
        .replaceAll('(call $double', '(i32.wrap_i64 (call $double')
        .replace('(i32.const 20))', '(i32.const 20)))')
        .replace('(local.get 0))', '(local.get 0)))'),
    },
    'main starts itself, before the elements are there': {
      main: `${PARTS.main} (start 1)`,
    },
    'another instance has the table': {
      more: `(core module $spy (import "" "t" (table 1 1 funcref)) (func (export "noop")))
        (core instance (instantiate $spy (with "" (instance (export "t" (table $s "$imports"))))))`,
    },
    'what is started is of another type': {
      main: PARTS.main.replace('(func (export "start")', '(func (export "start") (param i32)'),
    },
  }

  test.each(Object.entries(CHANGES))('is instantiated whole when %s', async (_, change) => {
    const { whole, elided } = await plansWith(change)
    expect(coreCount(elided)).toBe(3 + (change.more === undefined ? 0 : 1))
    expect(runs(elided)).toEqual(runs(whole))
  })
})

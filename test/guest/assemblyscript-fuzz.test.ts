// Aim: any interface echoes, host -> export -> host function -> export -> host, whether the class gives the
// interface or follows one, with either collector. Method: random types and values (test/support), an actor
// that is generated for them, the binder. A failure prints its seed; LOOM_FUZZ_SEED and LOOM_FUZZ_ROUNDS repeat
// it or go on for longer.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { asType } from '../../guest-sdk/assemblyscript/as-type.ts'
import { buildActor } from '../../guest-sdk/assemblyscript/index.ts'
import type { Func, Type } from '../../guest-sdk/assemblyscript/model.ts'
import { loadComponentTools } from '../../guest-sdk/assemblyscript/toolchain.ts'
import type { WitModule } from '../../guest-sdk/assemblyscript/wit-classes.ts'
import { gatherWit } from '../../guest-sdk/assemblyscript/wit-files.ts'
import { readWit } from '../../guest-sdk/assemblyscript/wit-read.ts'
import { loadComponent } from '../../host/component/load.ts'
import { checkArguments } from '../../host/component/values/arguments.ts'
import type { WitType, WitValue } from '../../host/component/wit/wit.ts'
import { renderTypes } from '../support/probe.ts'
import { typeArbitrary, valueArbitrary } from '../support/wit-arbitrary.ts'
import { withActor } from './actor-folder.ts'

const SEED = Number(process.env.LOOM_FUZZ_SEED ?? 1)
const ROUNDS = Number(process.env.LOOM_FUZZ_ROUNDS ?? 1)
const FUNCTIONS = 10
const CALLS = 40

type Form = 'class' | 'contract'

/** A function: indices of its parameters' types; the result is the first one's. */
type Shape = readonly number[]

interface Sample {
  readonly types: readonly WitType[]
  readonly shapes: readonly Shape[]
}

/** Every fourth function has so many parameters that they are passed in memory. */
function sampleOf(seed: number): Sample {
  const types = fc.sample(typeArbitrary({ depth: 3, nestedOptions: true }), {
    numRuns: FUNCTIONS,
    seed,
  })
  const any = fc.nat(FUNCTIONS - 1)
  const few = fc.array(any, { maxLength: 2 })
  const many = fc.array(any, { minLength: 6, maxLength: 9 })
  const shapes = types.map((_type, index) => {
    const [others = []] = fc.sample(index % 4 === 3 ? many : few, {
      numRuns: 1,
      seed: seed + index,
    })
    return [index, ...others]
  })
  return { types, shapes }
}

function witOf({ types, shapes }: Sample, form: Form): string {
  const { definitions, names, references } = renderTypes(types)
  const use = names.length === 0 ? '' : `use types.{${names.join(', ')}};`
  const funcs = shapes.map((shape, index) => {
    const params = shape.map((type, i) => `p${i}: ${references[type]}`)
    return `m${index}: func(${params.join(', ')}) -> ${references[index]};`
  })
  const body = `${use}\n${funcs.join('\n')}`
  return `package fuzz:all@1.0.0;
interface types {\n${definitions.join('\n')}\n}
interface host {\n${body}\n}
${form === 'contract' ? `interface api {\n${body}\n}` : ''}
`
}

/** An actor whose methods pass what they get to the host, and return what it says. */
function actorSource({ interfaces, types, contracts }: WitModule, form: Form): string {
  const spell = (type: Type) => asType(type, ({ className }) => className)
  const host = interfaces.find((one) => one.id.includes('/host@'))?.funcs ?? []
  const method = (func: Func, index: number) => {
    const params = func.params.map((param) => `${param.name}: ${spell(param.type)}`)
    const args = func.params.map((param) => param.name)
    const result = func.result ? spell(func.result) : 'void'
    return `m${index}(${params.join(', ')}): ${result} { return host.${func.method}(${args.join(', ')}); }`
  }
  const names = types.map((type) => type.source.className)
  const api = contracts.find((one) => one.interface.id.includes('/api@'))?.className ?? ''
  if (form === 'contract') names.push(api)
  const heads = {
    class: '@component("fuzz:actor/actor@1.0.0") export class Fuzz',
    contract: `@component() export class Fuzz extends ${api}`,
  }
  return `import { Option, Result, Tuple1, Tuple2, Tuple3, Tuple4, Unit, char } from "loom";
import * as host from "./host";
${names.length > 0 ? `import { ${names.join(', ')} } from "./host";` : ''}
${heads[form]} {
${host.map(method).join('\n')}
}`
}

async function build(sample: Sample, form: Form, runtime: 'minimal' | 'incremental') {
  const wit = witOf(sample, form)
  const module = await readWit('./host', gatherWit(wit, null), await loadComponentTools())
  const files = { 'index.ts': actorSource(module, form), 'host.wit': wit }
  return withActor(files, (dir) => buildActor({ dir, write: false, runtime }))
}

const runs = Array.from({ length: ROUNDS }, (_, round) => SEED + round).flatMap((seed) => [
  { seed, form: 'class' as const, runtime: 'minimal' as const },
  { seed: seed + 1_000_000, form: 'contract' as const, runtime: 'incremental' as const },
])

describe('any interface echoes through an export and a host function', () => {
  test.each(runs)('seed $seed, $form first, $runtime runtime', async ({ seed, form, runtime }) => {
    const sample = sampleOf(seed)
    const { component: binary } = await build(sample, form, runtime)
    let expected: readonly WitValue[] = []
    let given: WitValue
    const component = await loadComponent(binary)
    const instance = component.instantiate(() => (...args) => {
      expect(args).toEqual(expected)
      return given
    })
    const values = sample.types.map((type, index) =>
      fc.sample(valueArbitrary(type), { numRuns: CALLS, seed: seed + index }),
    )
    const pick = (type: number, call: number) => values[type]?.[call % CALLS] as WitValue
    expect(component.exports).toHaveLength(FUNCTIONS)
    for (let call = 0; call < CALLS; call += 1) {
      for (const [index, shape] of sample.shapes.entries()) {
        const target = component.exports.find(({ func }) => func.name === `m${index}`)
        if (!target) throw new Error(`no method m${index}`)
        expected = shape.map((type, i) => pick(type, call + i))
        given = pick(index, call + 1)
        const got = instance.call(target, checkArguments(target.func, [...expected]))
        expect(got, `m${index}`).toEqual(given)
      }
    }
  })
})

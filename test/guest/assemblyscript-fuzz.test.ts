/**
 * Random interfaces, echoed: host -> export -> host function -> export -> host.
 *
 * Owns: random WIT types, actors that use them, and values. A failure prints its seed;
 * LOOM_FUZZ_SEED and LOOM_FUZZ_ROUNDS repeat it or go on for longer.
 */
import { afterAll, describe, expect, test } from 'vitest'
import { asType } from '../../guest-sdk/assemblyscript/as-type.ts'
import { buildActor } from '../../guest-sdk/assemblyscript/index.ts'
import type { Interface, Type } from '../../guest-sdk/assemblyscript/model.ts'
import { namedTypes } from '../../guest-sdk/assemblyscript/model.ts'
import { camel } from '../../guest-sdk/assemblyscript/names.ts'
import { loadComponentTools } from '../../guest-sdk/assemblyscript/toolchain.ts'
import { readWit } from '../../guest-sdk/assemblyscript/wit-read.ts'
import { withActor } from './actor-folder.ts'
import type { Oracle } from './oracle.ts'
import { openOracle } from './oracle.ts'

const SEED = Number(process.env.LOOM_FUZZ_SEED ?? 1)
const ROUNDS = Number(process.env.LOOM_FUZZ_ROUNDS ?? 1)
const FUNCTIONS = 8
const CALLS = 60

class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0
    return Math.floor((this.#state / 2 ** 32) * limit)
  }

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[this.below(list.length)] ?? list[0]
  }

  times<T>(count: number, make: (index: number) => T): T[] {
    return Array.from({ length: count }, (_, index) => make(index))
  }

  u64(): bigint {
    return (BigInt(this.below(2 ** 32)) << 32n) | BigInt(this.below(2 ** 32))
  }
}

const SCALARS = [
  'bool',
  'u8',
  's8',
  'u16',
  's16',
  'u32',
  's32',
  'u64',
  's64',
  'f32',
  'f64',
  'char',
  'string',
] as const

/** WIT text of a type; definitions that it needs are added to `definitions`. */
function randomType(random: Random, depth: number, definitions: string[]): string {
  const inner = () => randomType(random, depth - 1, definitions)
  const kind = depth <= 0 ? 0 : random.below(10)
  if (kind < 3) return random.pick(SCALARS)
  if (kind === 3) return `list<${inner()}>`
  if (kind === 4) {
    const type = inner()
    return type.startsWith('option<') ? type : `option<${type}>` // jco misreads option<option<t>>
  }
  if (kind === 5) return `tuple<${random.times(2 + random.below(3), inner).join(', ')}>`
  if (kind === 6) return random.pick([`result<${inner()}, ${inner()}>`, `result<_, ${inner()}>`])
  const body = {
    7: () => ['record', random.times(1 + random.below(5), (i) => `f${i}: ${inner()}`)] as const,
    8: () =>
      [
        'variant',
        random.times(1 + random.below(5), (i) => (random.below(4) ? `c${i}(${inner()})` : `c${i}`)),
      ] as const,
    9: () =>
      random.below(2)
        ? (['enum', random.times(1 + random.below(6), (i) => `e${i}`)] as const)
        : (['flags', random.times(1 + random.below(20), (i) => `g${i}`)] as const),
  }[kind as 7 | 8 | 9]
  const [keyword, parts] = body()
  const name = `t${definitions.length}`
  definitions.push(`${keyword} ${name} { ${parts.join(', ')} }`)
  return name
}

function randomWit(random: Random): string {
  const definitions: string[] = []
  const funcs = random.times(FUNCTIONS, (index) => {
    const count = 1 + random.below(index % 4 === 3 ? 9 : 3)
    const params = random.times(count, () => randomType(random, 3, definitions))
    const named = params.map((type, i) => `p${i}: ${type}`)
    return `m${index}: func(${named.join(', ')}) -> tuple<${random.pick(params as [string])}, u8>;`
  })
  return `package fuzz:host@1.0.0;\ninterface host {\n${[...definitions, ...funcs].join('\n')}\n}\n`
}

/** An actor whose methods pass what they get to the host, and return what it says. */
function actorSource({ funcs }: Interface): string {
  const spell = (type: Type) => asType(type, (source) => source.className)
  const names = namedTypes(funcs).flatMap((type) => [type.source.className])
  const methods = funcs.map((func) => {
    const params = func.params.map((param) => `${param.name}: ${spell(param.type)}`)
    const args = func.params.map((param) => param.name)
    const result = func.result ? spell(func.result) : 'void'
    return `${func.method}(${params.join(', ')}): ${result} { return host.${func.method}(${args.join(', ')}); }`
  })
  return `import { Option, Result, Tuple2, Tuple3, Tuple4, Unit, char } from "loom";
import * as host from "./host";
${names.length > 0 ? `import { ${names.join(', ')} } from "./host";` : ''}
@component("fuzz:actor/actor@1.0.0") export class Fuzz {
${methods.join('\n')}
}`
}

const ARRAYS: Readonly<Record<string, (values: never[]) => unknown>> = {
  u8: (values) => Uint8Array.from(values),
  s8: (values) => Int8Array.from(values),
  u16: (values) => Uint16Array.from(values),
  s16: (values) => Int16Array.from(values),
  u32: (values) => Uint32Array.from(values),
  s32: (values) => Int32Array.from(values),
  u64: (values) => BigUint64Array.from(values),
  s64: (values) => BigInt64Array.from(values),
  f32: (values) => Float32Array.from(values),
  f64: (values) => Float64Array.from(values),
}

function randomValue(random: Random, type: Type): unknown {
  const value = (one: Type) => randomValue(random, one)
  switch (type.kind) {
    case 'list': {
      const items = random.times(random.below(5), () => value(type.element))
      return ARRAYS[type.element.kind]?.(items as never[]) ?? items
    }
    case 'option':
      return random.below(3) ? value(type.element) : undefined
    case 'tuple':
      return type.elements.map(value)
    case 'result': {
      const [tag, payload] = random.below(2)
        ? (['err', type.err] as const)
        : (['ok', type.ok] as const)
      return { tag, val: payload ? value(payload) : undefined }
    }
    case 'record':
      return Object.fromEntries(type.fields.map((field) => [camel(field.name), value(field.type)]))
    case 'variant': {
      const one = type.cases[random.below(type.cases.length)]
      return one?.type ? { tag: one.name, val: value(one.type) } : { tag: one?.name }
    }
    case 'enum':
      return type.cases[random.below(type.cases.length)]?.name
    case 'flags':
      return Object.fromEntries(type.labels.map(({ name }) => [camel(name), random.below(2) === 1]))
    default:
      return randomScalar(random, type.kind)
  }
}

function randomScalar(random: Random, kind: (typeof SCALARS)[number]): unknown {
  switch (kind) {
    case 'bool':
      return random.below(2) === 1
    case 'u64':
      return random.u64()
    case 's64':
      return BigInt.asIntN(64, random.u64())
    case 'f32':
      return Math.fround(random.below(2 ** 31) / 777 - 9e5)
    case 'f64':
      return random.below(2 ** 31) / 777.7 - 9e5
    case 'char':
      return random.pick(['a', 'é', '日', '🎌'])
    case 'string':
      return random.times(random.below(9), () => random.pick(['a', 'é', '日', '🎌', '\0'])).join('')
    default: {
      const bits = Number(kind.slice(1))
      const number = random.below(2 ** bits)
      return kind.startsWith('s') ? number - 2 ** (bits - 1) : number
    }
  }
}

let opened: Oracle | null = null

afterAll(() => opened?.close())

const runs = Array.from({ length: ROUNDS }, (_, round) => SEED + round).flatMap((seed) =>
  (['minimal', 'incremental'] as const).map((runtime) => ({ seed, runtime })),
)

describe('any interface echoes through an export and a host function', () => {
  test.each(runs)('seed $seed, $runtime runtime', async ({ seed, runtime }) => {
    const random = new Random(seed)
    const wit = randomWit(random)
    const [host] = await readWit(wit, await loadComponentTools())
    if (!host) throw new Error('no interface')
    const files = { 'index.ts': actorSource(host), 'host.wit': wit }
    const { component } = await withActor(files, (dir) =>
      buildActor({ dir, write: false, runtime }),
    )
    await opened?.close()
    opened = await openOracle(component)
    let expected: unknown[] = []
    let given: unknown
    const functions = host.funcs.map((func) => [
      func.method,
      (...args: unknown[]) => {
        expect(args).toEqual(expected)
        return given
      },
    ])
    const actor = opened.instantiate({ 'fuzz:host/host': Object.fromEntries(functions) })
    for (let call = 0; call < CALLS * FUNCTIONS; call += 1) {
      const func = host.funcs[call % FUNCTIONS]
      if (!func?.result) throw new Error('no function')
      expected = func.params.map((param) => randomValue(random, param.type))
      given = randomValue(random, func.result)
      expect(actor[func.method]?.(...expected)).toEqual(given)
    }
  })
})

// Aim: any WIT type gets through C and back: in flat and in stored form, as argument and as result of exports
// and of host functions. Method: worlds of random types, actors in C that echo them, compiled by the SDK; values
// go in, and must come back unchanged. LOOM_SEED repeats a run, LOOM_FUZZ_ROUNDS goes on for longer.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Func, Interface } from '../../guest-sdk/assemblyscript/model.ts'
import { cType } from '../../guest-sdk/c/c-type.ts'
import { prototype } from '../../guest-sdk/c/emit-header.ts'
import { buildActor } from '../../guest-sdk/c/index.ts'
import { member, Names } from '../../guest-sdk/c/names.ts'
import { readWorld } from '../../guest-sdk/tool/component.ts'
import { readWitSource } from '../../guest-sdk/tool/wit-source.ts'
import { loadComponent } from '../../host/component/load.ts'
import type { WitType, WitValue } from '../../host/component/wit/wit.ts'
import { renderTypes } from '../support/probe.ts'
import { seedOf } from '../support/seed.ts'
import { run } from '../support/wat.ts'
import { typeArbitrary, valueArbitrary } from '../support/wit-arbitrary.ts'
import { withActor } from './actor-folder.ts'

const ROUNDS = Number(process.env.LOOM_FUZZ_ROUNDS ?? 2)
const TYPES = 10
const VALUES = 12

/**
 * echo: T -> T; via: T -> host -> T; swap: two types in a tuple and back, often more than sixteen flat
 * parameters; trade: the same through the host.
 */
function renderWit(types: readonly WitType[]): string {
  const { definitions, names, references } = renderTypes(types)
  const use = names.length === 0 ? '' : `use types.{${names.join(', ')}};`
  const at = (index: number): string => references[index % references.length] ?? 'u8'
  const functions = (echo: string, swap: string): string =>
    references
      .map(
        (type, index) => `${echo}${index}: func(p: ${type}) -> ${type};
${swap}${index}: func(p: ${type}, %short: ${at(index + 1)}) -> tuple<${at(index + 1)}, ${type}>;`,
      )
      .join('\n')
  return `package test:echo;
interface types { ${definitions.join('\n')} }
interface host { ${use} ${functions('take', 'trade')} }
interface api { ${use} ${functions('echo', 'swap')} ${functions('via', 'barter')} }
world echo-actor { import host; export api; }`
}

const HOSTS: Readonly<Record<string, string>> = { via: 'take', barter: 'trade' }

/** The body of one function: returns its arguments, or asks the host. */
function define(one: Interface, func: Func, names: Names): string {
  const args = func.params.map(({ name }) => member(name))
  const [, kind = '', index] = /^([a-z]+)(\d+)$/.exec(func.name) ?? []
  const host = HOSTS[kind]
  const swapped = `(${func.result === null ? '' : cType(func.result, names)}){${args.toReversed().join(', ')}}`
  const value =
    host !== undefined
      ? `host_${host}${index}(${args.join(', ')})`
      : kind === 'swap'
        ? swapped
        : args[0]
  return `${prototype(one, func, names)} { return ${value}; }\n`
}

async function buildEcho(wit: string): Promise<Uint8Array> {
  return withActor({ 'world.wit': wit }, async (dir) => {
    const world = await readWorld(readWitSource(dir), 'C')
    const names = new Names([...world.imports, ...world.exports])
    const bodies = world.exports.flatMap((one) => one.funcs.map((func) => define(one, func, names)))
    const source = `#include "world.h"\n${bodies.join('')}`
    const sources = { 'world.wit': wit, 'echo.c': source }
    return withActor(sources, async (folder) => {
      const built = await buildActor({ dir: folder, write: false })
      expect(built.warnings).toEqual([])
      return built.component
    })
  })
}

const SEED = seedOf('echo in C')

test.each(Array.from({ length: ROUNDS }, (_, round) => SEED + round))(
  'random types pass through C unchanged (seed %i)',
  { timeout: 300_000 },
  async (seed) => {
    const options = { depth: 3, nestedOptions: true }
    const types = fc.sample(typeArbitrary(options), { numRuns: TYPES, seed })
    const wit = renderWit(types)
    const component = await loadComponent(await buildEcho(wit))
    const hosts = Object.fromEntries(
      component.imports.flatMap(({ functions }) =>
        functions.map(({ name }) => [
          name,
          (...args: WitValue[]) => (args.length === 1 ? (args[0] as WitValue) : args.toReversed()),
        ]),
      ),
    )
    const { call } = run(component, hosts)
    types.forEach((type, index) => {
      const other = types[(index + 1) % types.length] as WitType
      const pairs = fc.sample(fc.tuple(valueArbitrary(type), valueArbitrary(other)), {
        numRuns: VALUES,
        seed: seed + index,
      })
      for (const [value, second] of pairs) {
        const note = `seed ${seed}, type ${index} of ${wit}`
        for (const name of ['echo', 'via'])
          expect(call(`${name}${index}`, value), note).toEqual(value)
        for (const name of ['swap', 'barter'])
          expect(call(`${name}${index}`, value, second), note).toEqual([second, value])
      }
    })
  },
)

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Component, ComponentInstance } from '../../host/component/component.ts'
import { loadComponent } from '../../host/component/load.ts'
import { checkArguments } from '../../host/component/values/arguments.ts'
import type { WitValue } from '../../host/component/wit/wit.ts'
import { times } from '../support/long.ts'
import {
  createOracle,
  hasByteOrderMark,
  hasEmptyString,
  type Oracle,
  oracleCall,
  oracleHost,
} from '../support/oracle.ts'
import { buildProbe, type Encoding, PROBE_API, PROBE_HOST } from '../support/probe.ts'
import { seedsOf } from '../support/seed.ts'
import { typeArbitrary, valueArbitrary } from '../support/wit-arbitrary.ts'

const SEEDS = seedsOf('probe', times(1))
const identity = (value: WitValue): WitValue => value

function exportOf(component: Component, name: string) {
  const target = component.exports.find(({ func }) => func.name === name)
  if (target === undefined) throw new Error(`no export ${name}`)
  return target
}

function call(component: Component, instance: ComponentInstance, name: string, args: WitValue[]) {
  const target = exportOf(component, name)
  return instance.call(target, checkArguments(target.func, args))
}

function runOracle(oracle: Oracle, component: Component) {
  const functions = component.imports.flatMap((group) => group.functions)
  return oracle.instantiate({
    [PROBE_HOST]: Object.fromEntries(
      functions.map((func) => [func.name, oracleHost(func, identity)]),
    ),
  })
}

const SLOT_COUNT = 16

/** jco sign-extends a negative s8..s32 that shares a 64-bit slot; `lower_flat_variant` zero-extends. */
function clearSignExtension(dump: WitValue, reference: WitValue): WitValue {
  const bytes = Uint8Array.from(dump as Uint8Array)
  const view = new DataView(bytes.buffer)
  const words = new DataView((reference as Uint8Array).buffer)
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const low = view.getInt32(8 * slot, true)
    const high = view.getInt32(8 * slot + 4, true)
    if (low < 0 && high === -1 && words.getInt32(8 * slot + 4, true) === 0)
      view.setInt32(8 * slot + 4, 0, true)
  }
  return bytes
}

/** Every encoding with every seed, each with types of its own. */
const withEach = (encodings: readonly Encoding[]): [Encoding, number][] =>
  SEEDS.flatMap((seed) =>
    encodings.map((encoding, at): [Encoding, number] => [encoding, seed + at]),
  )

test.each(withEach(['utf8', 'utf16']))(
  'random types pass %s as through jco, in values and in bytes (seed %i)',
  async (encoding, seed) => {
    const types = fc.sample(typeArbitrary({ depth: 3 }), { numRuns: 16, seed })
    const binary = await buildProbe(types, encoding)
    const component = await loadComponent(binary)
    const oracle = await createOracle(binary)
    const ours = component.instantiate(() => identity)
    const theirs = runOracle(oracle, component)
    const reset = (theirs[PROBE_API] as Record<string, () => void>).reset
    types.forEach((type, index) => {
      const note = `seed ${seed}, type ${JSON.stringify(type).slice(0, 400)}`
      for (const value of fc.sample(valueArbitrary(type), { numRuns: 8, seed: seed + index }))
        for (const name of [`via${index}`, `dump${index}`]) {
          call(component, ours, 'reset', [])
          reset?.()
          const got = call(component, ours, name, [value])
          const isVia = name.startsWith('via')
          if (isVia) expect(got, note).toEqual(value)
          if (hasByteOrderMark(value)) continue
          const { func } = exportOf(component, name)
          const expected = oracleCall(theirs, PROBE_API, func, [value]) as WitValue
          if (isVia) expect(got, note).toEqual(expected)
          else if (!hasEmptyString(value))
            expect(got, note).toEqual(clearSignExtension(expected, got))
        }
    })
  },
)

test.each(withEach(['utf8', 'utf16', 'compact-utf16']))(
  'random types, nested options among them, come back unchanged through %s (seed %i)',
  async (encoding, seed) => {
    const options = { depth: 4, nestedOptions: true }
    const types = fc.sample(typeArbitrary(options), { numRuns: 30, seed })
    const component = await loadComponent(await buildProbe(types, encoding))
    const instance = component.instantiate(() => identity)
    types.forEach((type, index) => {
      for (const value of fc.sample(valueArbitrary(type), { numRuns: 20, seed: seed + index })) {
        call(component, instance, 'reset', [])
        expect(call(component, instance, `via${index}`, [value]), `seed ${seed}`).toEqual(value)
      }
    })
  },
)

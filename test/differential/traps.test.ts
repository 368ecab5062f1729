// Aim: what a guest must not return or pass on traps, and what it may gives the value that the specification says.
// Method: random bytes as values of random types, in results and in arguments of imports. A model written from
// the specification decides; jco is the second judge, and where it differs the reason must be one of those below.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isLoomError } from '../../host/base/errors.ts'
import type { Component, ComponentInstance } from '../../host/component/component.ts'
import { loadComponent } from '../../host/component/load.ts'
import { checkArguments } from '../../host/component/values/arguments.ts'
import { camelCase } from '../../host/component/wit/labels.ts'
import type { WitFunction, WitType } from '../../host/component/wit/wit.ts'
import { AbiModel, coerces, flattened, ModelTooLarge, ModelTrap } from '../support/abi-model.ts'
import { times } from '../support/long.ts'
import { createOracle, type Oracle, oracleCall } from '../support/oracle.ts'
import { buildRaw, RAW_API, RAW_BYTES, RAW_HOST, RAW_TEXT, rawMemory } from '../support/raw.ts'
import { seedsOf } from '../support/seed.ts'
import { holdsType, typeArbitrary } from '../support/wit-arbitrary.ts'

interface Outcome {
  /** What came back, or what the host was given; null when it trapped. */
  readonly value: { readonly of: unknown } | null
  readonly message: string
}

const returned = (value: unknown): Outcome => ({ value: { of: value }, message: '' })

/** A side calls an export with bytes; after a trap it goes on with a new instance. */
type Side = (name: string, bytes: Uint8Array) => Outcome

function ourSide(component: Component): Side {
  let given: { of: unknown } | null = null
  const start = (): ComponentInstance =>
    component.instantiate(() => (value) => {
      given = { of: value }
      return undefined
    })
  let instance = start()
  return (name, bytes) => {
    const target = component.exports.find(({ func }) => func.name === name)
    if (target === undefined) throw new Error(`no export ${name}`)
    try {
      const value = instance.call(target, checkArguments(target.func, [bytes]))
      return name.startsWith('pass') ? { value: given, message: '' } : returned(value)
    } catch (error) {
      instance = start()
      if (!isLoomError(error) || error.code !== 'ERR_TRAP') throw error
      return { value: null, message: error.message }
    }
  }
}

function theirSide(component: Component, oracle: Oracle): Side {
  let given: { of: unknown } | null = null
  const note = (value: unknown): void => {
    given = { of: value }
  }
  const names = component.imports.flatMap(({ functions }) => functions.map(({ name }) => name))
  const host = Object.fromEntries(names.map((name) => [camelCase(name), note]))
  const start = () => oracle.instantiate({ [RAW_HOST]: host })
  let exports = start()
  return (name, bytes) => {
    const func = component.exports.find((item) => item.func.name === name)?.func as WitFunction
    try {
      const value = oracleCall(exports, RAW_API, func, [bytes])
      return name.startsWith('pass') ? { value: given, message: '' } : returned(value)
    } catch (error) {
      exports = start()
      return { value: null, message: String(error) }
    }
  }
}

/** Words that may be a discriminant, a length, a pointer, a number; some bytes of any kind. */
const word = fc.oneof(
  { weight: 4, arbitrary: fc.nat(3) },
  { weight: 3, arbitrary: fc.nat(40).map((offset) => RAW_TEXT + offset) },
  { weight: 2, arbitrary: fc.nat(15).map((offset) => RAW_BYTES + 8 * offset) },
  { weight: 1, arbitrary: fc.integer() },
  { weight: 1, arbitrary: fc.constantFrom(65_530, 0x10_ffff, 0x11_0000, 0xd800, 256, 255, 300) },
)
const rawBytes = fc
  .array(word, { minLength: 40, maxLength: 40 })
  .map((words) => new Uint8Array(Int32Array.from(words).buffer))

/** What the specification says: the core values, or the result area, are the bytes (raw.ts). */
function modelOutcome(type: WitType, name: string, bytes: Uint8Array): Outcome | null {
  const model = new AbiModel(rawMemory(bytes))
  const flat = flattened(type)
  const limit = name.startsWith('pass') ? 16 : 1
  const read = (core: string, at: number): bigint =>
    core.endsWith('32') ? BigInt(view.getUint32(at, true)) : view.getBigUint64(at, true)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    if (flat.length > limit) return returned(model.loadChecked(type, RAW_BYTES))
    const values = flat.map((core, slot) => ({ type: core, bits: read(core, 8 * slot) }))
    return returned(model.liftFlat(type, values))
  } catch (error) {
    if (error instanceof ModelTooLarge) return null
    if (error instanceof ModelTrap) return { value: null, message: 'trap' }
    throw error
  }
}

/** jco mistakes options of options. */
const isNestedOption = (type: WitType) => type.kind === 'option' && type.element.kind === 'option'

/** What traps by "Loading", and jco 1.35 lets pass: it replaces ill-formed text and reads beyond memory. */
const OURS_ALONE = /is not UTF-8$|ends beyond memory of \d+$|is not aligned to \d+ bytes$/
/** What jco refuses, though `lift_flat_unsigned`, `unpack_flags_from_int` and `convert_int_to_bool` do not. */
const THEIRS_ALONE = /must be between|extraneous bits set|invalid variant discriminant for bool/

function compare(mine: Outcome, other: Outcome, note: string): string {
  if (mine.value !== null && other.value !== null) expect(mine.value, note).toEqual(other.value)
  else if (mine.value === null && other.value === null) return 'both trap'
  else if (mine.value === null) expect(mine.message, note).toMatch(OURS_ALONE)
  else expect(other.message, note).toMatch(THEIRS_ALONE)
  return mine.value !== null && other.value !== null ? 'same' : 'one traps'
}

/**
 * jco 1.35 takes a core value of a case as it stands in its place ("Flat Lifting", `lift_flat_variant`, CoerceValueIter):
 * an i32 that shares its place with an i64 or a float is read as the wrong number, or refused. The model is
 * the judge there, alone.
 */
const isJudgedByBoth = (type: WitType, name: string) => name.startsWith('back') || !coerces(type)

test.each(seedsOf('traps', times(1)))(
  'random bytes trap, or give the same values (seed %i)',
  async (seed) => {
    const comparable = typeArbitrary({ depth: 2 }).filter(
      (type) => !holdsType(type, isNestedOption),
    )
    const types = fc.sample(comparable, { numRuns: 12, seed })
    const bytes = await buildRaw(types)
    const component = await loadComponent(bytes)
    const ours = ourSide(component)
    const theirs = theirSide(component, await createOracle(bytes))
    const count: Record<string, number> = { same: 0, 'both trap': 0, 'one traps': 0 }
    for (const [index, type] of types.entries())
      for (const raw of fc.sample(rawBytes, { numRuns: 8, seed: seed + index }))
        for (const name of [`back${index}`, `pass${index}`]) {
          const note = `${name}, seed ${seed}, ${JSON.stringify(type).slice(0, 300)}`
          const mine = ours(name, raw)
          const model = modelOutcome(type, name, raw)
          if (model !== null) expect(mine.value, `the model: ${note}`).toEqual(model.value)
          if (!isJudgedByBoth(type, name)) continue
          const outcome = compare(mine, theirs(name, raw), note)
          count[outcome] = (count[outcome] ?? 0) + 1
        }
    expect(count.same, JSON.stringify(count)).toBeGreaterThan(3)
    expect(count['both trap'], JSON.stringify(count)).toBeGreaterThan(3)
  },
)

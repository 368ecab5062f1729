// Aim: what a guest must not return or pass on traps, and what it may gives the same value, as through jco.
// Method: random bytes as values of random types, in results and in arguments of imports. Where the two differ,
// the reason must be one of those below, each of which the specification decides for us.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isLoomError } from '../../host/base/errors.ts'
import { checkArguments } from '../../host/component/arguments.ts'
import type { Component, ComponentInstance } from '../../host/component/component.ts'
import { camelCase } from '../../host/component/labels.ts'
import { loadComponent } from '../../host/component/load.ts'
import type { WitFunction, WitType } from '../../host/component/wit.ts'
import { createOracle, type Oracle, oracleCall } from '../support/oracle.ts'
import { buildRaw, RAW_API, RAW_BYTES, RAW_HOST, RAW_TEXT } from '../support/raw.ts'
import { FIXED_SEED, seedsOf } from '../support/seed.ts'
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

/** jco mistakes options of options. */
const isNestedOption = (type: WitType) => type.kind === 'option' && type.element.kind === 'option'

/** What traps by "Loading", and jco 1.35 lets pass: it replaces ill-formed text and reads beyond memory. */
const OURS_ALONE = /is not UTF-8$|ends beyond memory of \d+$|is not aligned to \d+ bytes$/
/**
 * What jco refuses, though `lift_flat_unsigned`, `unpack_flags_from_int`, `convert_int_to_bool` and, for the
 * discriminant of a case that shares its place with a 64-bit one, `wrap_i64_to_i32` do not.
 */
const THEIRS_ALONE =
  /must be between|extraneous bits set|invalid variant discriminant|Invalid code point/

/** jco forgets `wrap_i64_to_i32` where a case shares its place with a 64-bit one: then it is no value of the type. */
function isValue(type: WitType, value: unknown): boolean {
  try {
    checkArguments({ name: 'f', params: [{ name: 'p', type }], result: null }, [value])
    return true
  } catch {
    return false
  }
}

function compare(type: WitType, mine: Outcome, other: Outcome, note: string): string {
  if (mine.value !== null && other.value !== null) {
    if (!isValue(type, other.value.of)) return 'mistaken'
    expect(mine.value, note).toEqual(other.value)
    return 'same'
  }
  if (mine.value === null && other.value === null) return 'both trap'
  if (mine.value === null) expect(mine.message, note).toMatch(OURS_ALONE)
  else expect(other.message, note).toMatch(THEIRS_ALONE)
  return 'one traps'
}

// jco mistakes flat arguments that share a 64-bit place in many ways, so those are compared for one seed only.
test.each(seedsOf('traps'))(
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
    const count: Record<string, number> = { same: 0, 'both trap': 0, 'one traps': 0, mistaken: 0 }
    for (const [index, type] of types.entries())
      for (const raw of fc.sample(rawBytes, { numRuns: 8, seed: seed + index }))
        for (const name of seed === FIXED_SEED
          ? [`back${index}`, `pass${index}`]
          : [`back${index}`]) {
          const note = `${name}, seed ${seed}, ${JSON.stringify(type).slice(0, 300)}`
          const outcome = compare(type, ours(name, raw), theirs(name, raw), note)
          count[outcome] = (count[outcome] ?? 0) + 1
        }
    expect(count.same, JSON.stringify(count)).toBeGreaterThan(3)
    expect(count['both trap'], JSON.stringify(count)).toBeGreaterThan(3)
    expect(count.mistaken, JSON.stringify(count)).toBeLessThan(60)
  },
)

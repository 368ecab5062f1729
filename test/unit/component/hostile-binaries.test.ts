// Aim: a damaged or lying component is refused, or it runs and can only trap; the process lives and another
// instance's memory stays as it was. Method: components with bytes replaced, lengths that lie and bits flipped
// are loaded, made and called, under limits, beside a victim.
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { isLoomError } from '../../../host/base/errors.ts'
import { seededRandom } from '../../../host/base/random.ts'
import type {
  Component,
  ComponentInstance,
  GuestLimits,
} from '../../../host/component/component.ts'
import { loadComponent } from '../../../host/component/load.ts'
import { readComponent } from '../../../host/component/read.ts'
import { checkArguments } from '../../../host/component/values/arguments.ts'
import type { WitFunction, WitValue } from '../../../host/component/wit/wit.ts'
import { hashState } from '../../../host/image/image.ts'
import { conformanceGuest, conformanceHost } from '../../support/conformance.ts'
import { seedsOf } from '../../support/seed.ts'
import { ALLOCATOR } from '../../support/wat.ts'
import { valueArbitrary } from '../../support/wit-arbitrary.ts'

const LIMITS: GuestLimits = { fuelPerTurn: 300_000, memoryPagesMax: 64, resultBytesMax: 1_000_000 }
const PAGE_SIZE_BYTES = 65_536

/** What a damaged component may end in; ERR_INVARIANT would be a mistake of the host. */
const CODES = /^ERR_(COMPONENT_FORMAT|COMPONENT_FEATURE|TRAP|FUEL|BUSY|HOST_CALL|ARGUMENT_TYPE)$/

/** How far damaged components came. */
interface Count {
  refused: number
  made: number
  returned: number
  failed: number
}

function expectCoded(error: unknown, note: string): void {
  if (!isLoomError(error)) throw new Error(note, { cause: error })
  expect(error.code, `${note}: ${error.message}`).toMatch(CODES)
}

function values(func: WitFunction, seed: number): WitValue[] {
  const args = fc.tuple(...func.params.map(({ type }) => valueArbitrary(type)))
  return fc.sample(args, { seed, numRuns: 1 })[0] ?? []
}

/** What a host function of any type returns. */
function anyHost(func: WitFunction, seed: number): () => WitValue {
  return () =>
    func.result === null
      ? undefined
      : fc.sample(valueArbitrary(func.result), { seed, numRuns: 1 })[0]
}

/** Makes an instance and calls its exports, until one throws. */
function exercise(component: Component, seed: number, note: string, count: Count): void {
  if (component.initialSizeBytes > LIMITS.memoryPagesMax * PAGE_SIZE_BYTES) return
  let instance: ComponentInstance
  try {
    instance = component.instantiate((_, func) => anyHost(func, seed), LIMITS)
    count.made++
  } catch (error) {
    expectCoded(error, note)
    return
  }
  for (const target of component.exports.slice(0, 12)) {
    try {
      instance.call(target, checkArguments(target.func, values(target.func, seed)))
      count.returned++
    } catch (error) {
      expectCoded(error, `${note}, ${target.func.name}`)
      count.failed++
      return
    }
  }
}

async function tryAll(bytes: Uint8Array, seed: number, note: string, count: Count): Promise<void> {
  let component: Component
  try {
    readComponent(bytes)
    component = await loadComponent(bytes)
  } catch (error) {
    expectCoded(error, note)
    count.refused++
    return
  }
  exercise(component, seed, note, count)
}

let victim: ComponentInstance
beforeAll(async () => {
  const component = await loadComponent(conformanceGuest('lists'))
  victim = component.instantiate((_, { name }) => conformanceHost('lists', name) as () => WitValue)
})

/** Runs `action` beside the victim. */
async function besideVictim(action: (count: Count) => Promise<void>): Promise<Count> {
  const before = hashState(victim.state)
  const count: Count = { refused: 0, made: 0, returned: 0, failed: 0 }
  await action(count)
  expect(hashState(victim.state)).toBe(before)
  return count
}

/** Every kind of section, one import, strings and lists both ways. */
const SMALL = `(component
  (import "take" (func $take (param "n" u32) (param "m" u32)))
  (core func $take (canon lower (func $take)))
  (core module $m
    (import "" "take" (func $take (param i32 i32)))
    (memory (export "memory") 1 2) ${ALLOCATOR}
    (table 1 funcref) (elem (i32.const 0) func $take) (data (i32.const 32) "text")
    (func (export "f") (param i32 i32) (result i32)
      (call $take (local.get 0) (local.get 1))
      (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16)))
  (core instance $i (instantiate $m (with "" (instance (export "take" (func $take))))))
  (func (export "f") (param "v" (list string)) (result (list string))
    (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))`

describe('a small component', () => {
  let whole: Uint8Array
  beforeAll(async () => {
    whole = await parse(SMALL)
  })

  test('runs as it is', async () => {
    const count = await besideVictim((all) => tryAll(whole, 1, 'whole', all))
    expect(count).toEqual({ refused: 0, made: 1, returned: 1, failed: 0 })
  })

  test('with any byte replaced is refused or only traps', async () => {
    const count = await besideVictim(async (all) => {
      for (let at = 8; at < whole.length; at++)
        for (const byte of [0x00, 0xff, (whole[at] ?? 0) + 1]) {
          const bytes = Uint8Array.from(whole)
          bytes[at] = byte
          await tryAll(bytes, at, `byte ${at} is ${byte & 0xff}`, all)
        }
    })
    expect(count.refused).toBeGreaterThan(300)
    expect(count.returned).toBeGreaterThan(50)
  })

  test('with any byte made a length of 4 GiB, of its neighbour or of nothing is refused or only traps', async () => {
    const lies = [
      [0xff, 0xff, 0xff, 0xff, 0x0f],
      [0x80, 0x80, 0x80, 0x80, 0x08],
      [0xff, 0xff, 0xff, 0x7f],
      [0x80, 0x00],
      [],
    ]
    const count = await besideVictim(async (all) => {
      for (let at = 8; at < whole.length; at++)
        for (const lie of lies) {
          const bytes = Buffer.concat([
            whole.subarray(0, at),
            Buffer.from(lie),
            whole.subarray(at + 1),
          ])
          await tryAll(bytes, at, `byte ${at} is ${lie.join(' ')}`, all)
        }
    })
    expect(count.refused).toBeGreaterThan(1_000)
  })

  test('cut off at any byte is refused', async () => {
    const count = await besideVictim(async (all) => {
      for (let end = 0; end < whole.length; end++)
        await tryAll(whole.subarray(0, end), end, `cut at ${end}`, all)
    })
    expect(count.made).toBeLessThan(20)
    expect(count.refused + count.made).toBe(whole.length)
  })
})

describe('components of a toolchain with flipped bits', () => {
  test.each(
    seedsOf('flipped components').flatMap((seed) =>
      ['strings', 'resources'].map((name) => [name, seed] as const),
    ),
  )('%s are refused or only trap (seed %i)', async (name, seed) => {
    const whole = conformanceGuest(name)
    const random = seededRandom(seed)
    const count = await besideVictim(async (all) => {
      for (let round = 0; round < 40; round++) {
        const bytes = Uint8Array.from(whole)
        for (let flip = 0; flip <= round % 3; flip++) {
          const at = 8 + Number(random.u64() % BigInt(bytes.length - 8))
          bytes[at] = (bytes[at] ?? 0) ^ (1 << ((random.bytes(1)[0] ?? 0) % 8))
        }
        await tryAll(bytes, seed, `${name}, seed ${seed}, round ${round}`, all)
      }
    })
    expect(count.refused + count.made).toBeGreaterThan(20)
  })
})

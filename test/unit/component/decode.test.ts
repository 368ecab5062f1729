import { readFileSync } from 'node:fs'
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools'
import { beforeAll, describe, expect, test } from 'vitest'
import { isLoomError } from '../../../host/base/errors.ts'
import { seededRandom } from '../../../host/base/random.ts'
import { loadComponent } from '../../../host/component/load.ts'
import { readComponent } from '../../../host/component/read.ts'
import { seedsOf } from '../../support/seed.ts'

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00]
const binary = (...bytes: number[]): Uint8Array => Uint8Array.from([...HEADER, ...bytes])

async function refusal(bytes: Uint8Array): Promise<unknown> {
  return await loadComponent(bytes).then(
    () => {
      throw new Error('was not refused')
    },
    (error: unknown) => error,
  )
}

describe('bytes that are no component', () => {
  test.each<[string, Uint8Array, string]>([
    ['nothing', Uint8Array.of(), 'truncated: magic number is missing (at byte 0)'],
    ['text', Buffer.from('not wasm'), 'the magic number is wrong (at byte 0)'],
    ['a core module', Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), 'this is a core module'],
    [
      'another version',
      Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0e, 0, 1, 0]),
      'unknown version 0x0e of layer 0x01',
    ],
    [
      'a section beyond the end',
      binary(7, 5, 0),
      'section 7 needs 5 bytes, 1 are left (at byte 10)',
    ],
    ['a count beyond the end', binary(7, 2, 0xff, 0x01), 'count 255 exceeds the 0 bytes left'],
    [
      'a number of more than 32 bits',
      binary(7, 6, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f),
      'more than 32 bits (at byte 10)',
    ],
    ['bytes after the last item', binary(7, 3, 1, 0x7f, 0x00), '1 bytes too many'],
    ['an unknown section', binary(13, 0), 'unknown section 13'],
    ['an unknown type', binary(7, 2, 1, 0x00), 'unknown type 0x00 (at byte 11)'],
    ['an empty record', binary(7, 3, 1, 0x72, 0), 'a record needs at least one member'],
    [
      'a label in snake case',
      binary(7, 8, 1, 0x6d, 1, 3, 0x61, 0x5f, 0x62, 0x00),
      'is not a kebab-case name',
    ],
    ['a label twice', binary(7, 7, 1, 0x6d, 2, 1, 0x61, 1, 0x41), 'stands twice'],
    ['a type that is not there', binary(7, 3, 1, 0x70, 9), 'type 9 does not exist; there are 0'],
    [
      'an alias to an outer scope that is not there',
      binary(6, 5, 1, 3, 2, 1, 0),
      'fewer than 1 scopes',
    ],
    [
      'a lifted function that is not there',
      binary(8, 6, 1, 0, 0, 0, 0, 0),
      'type 0 does not exist',
    ],
    [
      'a core module that is cut off',
      binary(1, 4, 0, 0x61, 0x73, 0x6d),
      'preamble of a core module',
    ],
    [
      'a core module that does not compile',
      binary(1, 11, 0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 8, 1, 5),
      'does not compile',
    ],
  ])('%s', async (_, bytes, message) => {
    expect(await refusal(bytes)).toMatchObject({
      code: 'ERR_COMPONENT_FORMAT',
      message: expect.stringContaining(message),
    })
  })
})

describe('features that are not supported are named', () => {
  test.each<[string, string, string]>([
    ['an async function', '(type (func async (param "a" u32)))', 'async function type'],
    ['a stream', '(type (stream u8))', 'stream'],
    ['a future', '(type (future u8))', 'future'],
    ['an imported component', '(import "c" (component))', 'imported component "c"'],
    ['an imported core module', '(import "m" (core module))', 'imported core module "m"'],
    ['a waitable', '(canon waitable-set.new (core func))', 'canon waitable'],
    ['a resource of 64 bits', '(type (resource (rep i64)))', 'resource of 64 bits'],
    ['a core subtype', '(core type (module (type (sub (func)))))', 'core subtype'],
    ['a shared memory', '(core module (memory 1 1 shared))', 'shared memory (threads)'],
    ['a 64-bit memory', '(core module (memory i64 1))', '64-bit memory'],
    [
      'a mutable reference',
      '(core module (global (mut externref) (ref.null extern)))',
      'mutable global 0 of type reference',
    ],
    [
      'a mutable vector',
      '(core module (global (mut v128) (v128.const i32x4 0 0 0 0)))',
      'mutable global 0 of type v128',
    ],
  ])('%s', async (_, text, feature) => {
    expect(await refusal(await parse(`(component ${text})`))).toMatchObject({
      code: 'ERR_COMPONENT_FEATURE',
      message: expect.stringContaining(feature),
    })
  })
})

describe('types that are too large', () => {
  /** Type 0 is u8, and each next one is made of the previous one twice. */
  const doubling = (count: number, kind: 'tuple' | 'list'): Uint8Array => {
    const types: number[] = [0x7d]
    let index = 0
    // Type indices are signed LEB128, so 64 takes two bytes.
    const ref = (at: number): number[] => (at < 64 ? [at] : [(at & 0x7f) | 0x80, at >> 7])
    for (let step = 0; step < count; step++) {
      if (kind === 'list') types.push(0x70, ...ref(index++))
      else types.push(0x6f, 2, ...ref(index), ...ref(index++))
    }
    const section = [...ref(count + 1).map((byte) => byte), ...types]
    return binary(7, (section.length & 0x7f) | 0x80, section.length >> 7, ...section)
  }
  test('a tuple of tuples that doubles in size', async () => {
    expect(await refusal(doubling(40, 'tuple'))).toMatchObject({ code: 'ERR_COMPONENT_FORMAT' })
  })
  test('lists in lists, a hundred deep', async () => {
    expect(await refusal(doubling(120, 'list'))).toMatchObject({
      message: expect.stringContaining('types nest deeper than 100'),
    })
  })
  test('components in components, without end', async () => {
    let nested: Uint8Array = binary()
    for (let depth = 0; depth < 40; depth++) {
      const { length } = nested
      nested = binary(4, (length & 0x7f) | 0x80, length >> 7, ...nested)
    }
    expect(await refusal(nested)).toMatchObject({
      message: expect.stringContaining('components nest deeper than 32'),
    })
  })
  test('instances of instances that double at every level', async () => {
    const levels = Array.from(
      { length: 40 },
      (_, level) =>
        `(component $c${level + 1} (alias outer 1 $c${level} (component $x)) (instance (instantiate $x)) (instance (instantiate $x)))`,
    )
    const text = `(component (component $c0) ${levels.join('\n')} (instance (instantiate $c40)))`
    expect(await refusal(await parse(text))).toMatchObject({
      code: 'ERR_COMPONENT_FORMAT',
      message: expect.stringMatching(/steps|deeper/),
    })
  })
})

describe('damaged binaries', () => {
  const seeds = seedsOf('damaged binaries')
  let whole: Uint8Array
  beforeAll(() => {
    whole = readFileSync(new URL('../../fixtures/components/quoter.wasm', import.meta.url))
  })

  function tryLink(bytes: Uint8Array, note: string): void {
    try {
      readComponent(bytes)
    } catch (error) {
      expect(isLoomError(error), `${note}: ${String(error)}`).toBe(true)
      expect(error, note).toMatchObject({ code: expect.stringMatching(/^ERR_COMPONENT_/) })
    }
  }

  test('cut off at any byte, they are refused', () => {
    for (let end = 0; end < whole.length; end += end < 600 ? 1 : 37)
      tryLink(whole.subarray(0, end), `cut at ${end}`)
  })

  test.each(seeds)(
    'with flipped bits, they load or are refused, and never fail otherwise (seed %i)',
    async (seed) => {
      const random = seededRandom(seed)
      for (let round = 0; round < 400; round++) {
        const bytes = Uint8Array.from(whole)
        const flips = 1 + ((random.bytes(1)[0] ?? 0) % 4)
        for (let flip = 0; flip < flips; flip++) {
          const at = Number(random.u64() % BigInt(bytes.length))
          bytes[at] = (bytes[at] ?? 0) ^ (1 << ((random.bytes(1)[0] ?? 0) % 8))
        }
        tryLink(bytes, `seed ${seed}, round ${round}`)
        if (round % 25 === 0)
          await loadComponent(bytes).then(
            () => undefined,
            (error: unknown) =>
              expect(isLoomError(error), `seed ${seed}, round ${round}`).toBe(true),
          )
      }
    },
  )

  test.each(seeds)('with random bytes after the header, they are refused (seed %i)', (seed) => {
    const random = seededRandom(seed + 1)
    for (let round = 0; round < 1_000; round++) {
      const tail = random.bytes(1 + (round % 60))
      tail[0] = (tail[0] ?? 0) % 13
      tryLink(binary(...tail), `seed ${seed + 1}, round ${round}`)
    }
  })
})

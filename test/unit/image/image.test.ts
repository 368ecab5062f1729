import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { GlobalValue, InstanceState, StateGlobals } from '../../../host/component/component.ts'
import {
  canRestore,
  capture,
  hashState,
  imageSize,
  PAGE_SIZE_BYTES,
  restore,
  takeBaseline,
} from '../../../host/image/image.ts'
import { decodeImage, encodeImage } from '../../../host/image/image-codec.ts'
import { thrown } from '../../support/wat.ts'

interface Shape {
  readonly pages: readonly number[]
  readonly globals: readonly GlobalValue[]
}

function makeGlobals(initial: readonly GlobalValue[]): StateGlobals {
  const cells = initial.map((value) => {
    const type = typeof value === 'bigint' ? 'i64' : 'f64'
    return new WebAssembly.Global({ value: type, mutable: true }, value)
  })
  return {
    length: cells.length,
    read: () => cells.map(({ value }) => value),
    write: (values) => {
      cells.forEach((cell, index) => {
        cell.value = values[index] ?? 0
      })
    },
  }
}

function makeState({ pages, globals }: Shape): InstanceState {
  return {
    memories: pages.map((initial) => {
      const memory = new WebAssembly.Memory({ initial, maximum: 16 })
      new Uint8Array(memory.buffer).fill(7, 100, 5_000)
      return memory
    }),
    globals: makeGlobals(globals),
    tables: [],
    elements: [],
  }
}

const write = fc.record({
  memory: fc.nat(1),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 700 }),
})

const scenario = fc.record({
  pages: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 2 })),
  growth: fc.tuple(fc.nat(2), fc.nat(2)),
  writes: fc.array(write, { maxLength: 12 }),
  globals: fc.tuple(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.double()),
  gap: fc.constantFrom(4, 32, 256, 4_096),
})

type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never

function change(state: ReturnType<typeof makeState>, { growth, writes, globals }: Scenario): void {
  for (const [index, memory] of state.memories.entries()) memory.grow(growth[index] ?? 0)
  for (const { memory, at, bytes } of writes) {
    const target = new Uint8Array(state.memories[memory]?.buffer ?? new ArrayBuffer(0))
    const offset = Math.floor(at * target.length)
    target.set(bytes.subarray(0, target.length - offset), offset)
  }
  state.globals.write(globals)
}

type State = ReturnType<typeof makeState>

/** Compared by hand: the assertion library looks at one byte at a time. */
function expectEqual(got: State, expected: State): void {
  got.memories.forEach((memory, index) => {
    const other = expected.memories[index]?.buffer ?? new ArrayBuffer(0)
    expect(Buffer.from(memory.buffer).equals(Buffer.from(other))).toBe(true)
  })
  expect(got.globals.read()).toStrictEqual(expected.globals.read())
  expect(hashState(got)).toBe(hashState(expected))
}

describe('capture and restore', () => {
  test('what was captured comes back byte for byte, into fresh and recycled instances', () => {
    fc.assert(
      fc.property(scenario, scenario, (first, second) => {
        const shape: Shape = { pages: first.pages, globals: [1n, -0] }
        const baseline = takeBaseline(makeState(shape))
        const source = makeState(shape)
        change(source, first)
        const image = decodeImage(encodeImage(capture(source, baseline, first.gap)))
        const fresh = makeState(shape)
        restore(fresh, baseline, image, true)
        expectEqual(fresh, source)
        const recycled = makeState(shape)
        change(recycled, second)
        if (!canRestore(recycled, image)) return
        restore(recycled, baseline, image)
        expectEqual(recycled, source)
      }),
      { numRuns: 60 },
    )
  })

  test('an untouched instance has an empty image', () => {
    const state = makeState({ pages: [2], globals: [] })
    expect(imageSize(capture(state, takeBaseline(state)))).toBe(0)
  })

  test('a run over the end of the baseline is kept whole', () => {
    const state = makeState({ pages: [1], globals: [] })
    const baseline = takeBaseline(state)
    state.memories[0]?.grow(1)
    new Uint8Array(state.memories[0]?.buffer ?? new ArrayBuffer(0)).fill(
      9,
      PAGE_SIZE_BYTES - 10,
      PAGE_SIZE_BYTES + 10,
    )
    const { memories } = capture(state, baseline)
    expect([...(memories[0]?.spans ?? [])]).toEqual([PAGE_SIZE_BYTES - 12, 24])
  })

  test('the hash tells a page more, a byte and a global apart', () => {
    const hashes = [
      makeState({ pages: [1], globals: [0] }),
      makeState({ pages: [2], globals: [0] }),
      makeState({ pages: [1], globals: [-0] }),
      makeState({ pages: [1], globals: [0n] }),
    ].map(hashState)
    expect(new Set(hashes).size).toBe(4)
  })

  test('an image of another component does not fit', () => {
    const one = makeState({ pages: [1], globals: [] })
    const two = makeState({ pages: [1, 1], globals: [] })
    const image = capture(one, takeBaseline(one))
    expect(thrown(() => restore(two, takeBaseline(two), image))).toMatchObject({
      code: 'ERR_SNAPSHOT_CORRUPT',
    })
  })

  test('an image that needs more pages than the memory may have does not fit', () => {
    const state = makeState({ pages: [1], globals: [] })
    const baseline = takeBaseline(state)
    const image = {
      globals: [],
      tables: [],
      elements: [],
      memories: [{ pageCount: 17, spans: new Uint32Array(), bytes: new Uint8Array() }],
    }
    expect(thrown(() => restore(state, baseline, image))).toMatchObject({
      code: 'ERR_SNAPSHOT_CORRUPT',
    })
  })
})

describe('an image at rest', () => {
  const state = makeState({ pages: [1], globals: [-5n, 1.5] })
  const baseline = takeBaseline(state)
  new Uint8Array(state.memories[0]?.buffer ?? new ArrayBuffer(0)).fill(1, 2_000, 2_600)
  const encoded = encodeImage(capture(state, baseline))

  test('every flipped bit and every truncation is noticed', () => {
    for (let at = 0; at < encoded.length; at++) {
      const bit = 1 << (at % 8)
      const flipped = Buffer.from(encoded)
      flipped[at] = (flipped[at] ?? 0) ^ bit
      expect(thrown(() => decodeImage(flipped))).toMatchObject({ code: 'ERR_SNAPSHOT_CORRUPT' })
      expect(thrown(() => decodeImage(encoded.subarray(0, at)))).toMatchObject({
        code: 'ERR_SNAPSHOT_CORRUPT',
      })
    }
  })

  test('versions 1 and 2 are read for ever, and still written where they suffice', () => {
    const memories = [
      { pageCount: 2, spans: Uint32Array.of(8, 3, 70_000, 1), bytes: Uint8Array.of(1, 2, 3, 4) },
    ]
    const without = { globals: [5n, 1.5], memories, tables: [], elements: [] }
    const first = 'TElNRwHvQ96GlMQSAQUAAAAAAAAAAAAAAAAAAPg/AsQQCAAAAAMAAABwEQEAAQAAAMQEAQIDBA=='
    const second =
      'TElNRwLU53F3lcQSAQUAAAAAAAAAAAAAAAAAAPg/kcQCCQkCxBAIAAAAAwAAAHARAQABAAAAxAQBAgME'
    for (const [golden, image] of [
      [first, without],
      [second, { ...without, tables: [Uint8Array.of(9, 9)] }],
    ] as const) {
      expect(decodeImage(Buffer.from(golden, 'base64'))).toEqual(image)
      expect(encodeImage(image).toString('base64')).toBe(golden)
    }
  })

  test('runs that lie about themselves are refused though the checksum is right', () => {
    const bytes = new Uint8Array(4)
    const cases = [
      { pageCount: 1, spans: Uint32Array.of(8, 2, 4, 2), bytes },
      { pageCount: 1, spans: Uint32Array.of(0, 4, 2, 0), bytes },
      { pageCount: 1, spans: Uint32Array.of(65_534, 4), bytes },
      { pageCount: 1, spans: Uint32Array.of(0, 8), bytes },
      { pageCount: 70_000, spans: Uint32Array.of(0, 4), bytes },
    ]
    for (const memory of cases)
      expect(
        thrown(() =>
          decodeImage(encodeImage({ globals: [], memories: [memory], tables: [], elements: [] })),
        ),
      ).toMatchObject({ code: 'ERR_SNAPSHOT_CORRUPT' })
  })
})

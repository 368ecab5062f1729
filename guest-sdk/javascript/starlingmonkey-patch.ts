/**
 * What StarlingMonkey does otherwise for actors: its clocks stand, and its random numbers are constants.
 *
 * Owns: the functions that stand in for what the engine imports of WASI.
 * Does not own: clocks and random numbers of actors (runtime/date-starlingmonkey.js, runtime/random.js).
 *
 * Invariant SP1: no call of a clock or of random numbers is left in the engine. It uses them for its collector and for
 * the order of its hash tables: recorded, they would be a host call whenever it collects; not recorded, the same source
 * would give other bytes each time, and a replay another memory.
 */
import { type CoreModule, constant, type NewFunction } from './core-module.ts'

const I32 = 0x7f
const I64 = 0x7e
const ZERO_64 = [0x42, 0]
const SUCCESS = constant(0)
/** Any byte. */
const RANDOM = 0x5a

const get = (local: number): number[] => [0x20, local]
const STORE_64 = [0x37, 3, 0]
const MEMORY_FILL = [0xfc, 11, 0]

/** `clock_time_get(clock, precision, where)`. */
const CLOCK: NewFunction = {
  signature: { params: [I32, I64, I32], results: [I32] },
  locals: [],
  code: [...get(2), ...ZERO_64, ...STORE_64, ...SUCCESS],
}

/** `random_get(where, size)`. */
const RANDOM_BYTES: NewFunction = {
  signature: { params: [I32, I32], results: [I32] },
  locals: [],
  code: [...get(0), ...constant(RANDOM), ...get(1), ...MEMORY_FILL, ...SUCCESS],
}

const NUMBER: NewFunction = { signature: { params: [], results: [I64] }, locals: [], code: ZERO_64 }

const STAND_INS: readonly (readonly [imported: RegExp, standIn: NewFunction])[] = [
  [/^wasi_snapshot_preview1#clock_time_get$/, CLOCK],
  [/^wasi_snapshot_preview1#random_get$/, RANDOM_BYTES],
  [/^wasi:clocks\/monotonic-clock@[^#]*#now$/, NUMBER],
  [/^wasi:random\/random@[^#]*#get-random-u64$/, NUMBER],
]

/** Makes the changes. @throws when the engine is not like the one that is known. */
export function withoutClocks(engine: CoreModule): void {
  for (const [imported, standIn] of STAND_INS) {
    const id = engine.imports.find((one) => imported.test(one))
    if (id === undefined) throw new Error(`the engine does not import ${imported.source}`)
    engine.redirectImport(id, engine.addFunction(standIn))
  }
}

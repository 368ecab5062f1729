/**
 * What the engine of componentize-qjs does otherwise for actors.
 *
 * Owns: the changes, as functions of WebAssembly that stand in for those of the engine.
 * Does not own: the engine (engine.ts), editing binaries (core-module.ts), the JavaScript that relies on the
 * changes (runtime/).
 *
 * Invariants:
 *   EP1. While an actor is built, clocks stand at zero and seeds are constants, so that the same source gives the
 *        same bytes. Built, it asks the host.
 *   EP2. Integers of 64 bits cross as texts of 16 hexadecimal digits. The engine makes numbers of them, which
 *        hold 53 bits.
 *   EP3. A string that is TRAP ends the call without a word: the reason was told before (runtime/actor.js).
 *   EP4. With `jobs`, a method is called three times: to begin, as a promise whose only purpose is that the
 *        engine runs its jobs, and for the result (runtime/actor.js).
 */
import { type CoreModule, constant, type NewFunction, type Signature } from './core-module.ts'
import { signed, unsigned } from './encode.ts'

const I32 = 0x7f
const I64 = 0x7e

const op = {
  unreachable: 0x00,
  loop: [0x03, 0x40],
  if: [0x04, 0x40],
  else: 0x05,
  end: 0x0b,
  return: 0x0f,
  drop: 0x1a,
  store64: [0x37, 3],
  load32: [0x28, 2, 0],
  load64: [0x29, 0, 0],
  loadByte: [0x2d, 0, 0],
  storeByte: [0x3a, 0, 0],
  eq: 0x46,
  notEqual: 0x47,
  lessUnsigned: 0x49,
  greaterUnsigned: 0x4b,
  equal64: 0x51,
  add: 0x6a,
  subtract: 0x6b,
  multiply: 0x6c,
  or64: 0x84,
  shiftLeft64: 0x86,
  shiftRight64: 0x88,
  wrap: 0xa7,
  extend: 0xad,
} as const

const get = (local: number): number[] => [0x20, ...unsigned(local)]
const set = (local: number): number[] => [0x21, ...unsigned(local)]
const tee = (local: number): number[] => [0x22, ...unsigned(local)]
const getGlobal = (index: number): number[] => [0x23, ...unsigned(index)]
const setGlobal = (index: number): number[] => [0x24, ...unsigned(index)]
const call = (index: number): number[] => [0x10, ...unsigned(index)]
const branchIf = [0x0d, 0]
const constant64 = (value: bigint): number[] => [0x42, ...signed(value)]

/** Digits of a 64-bit integer as text. */
const DIGITS = 16
const ZERO_CHARACTER = 48
const NINE_CHARACTER = 57
/** From `:`, which follows `9`, to `a`. */
const LETTER_GAP = 39

/** The text that ends a call (EP3): 8 bytes that no text has by chance. Also in runtime/actor.js. */
const TRAP = '\u0000!trap!\u0000'

const pushes = (width: number): Signature => ({ params: [I32, width], results: [] })
const pops = (width: number): Signature => ({ params: [I32], results: [width] })

/** Takes an integer from the host as text. Locals: 0 context, 1 value, 2 text, 3 index, 4 digit. */
function pushLong(engine: CoreModule): NewFunction {
  const allocate = engine.exported('cabi_realloc')
  const pushString = engine.exported('wit_dylib_push_string')
  const code = [
    ...constant(0),
    ...constant(0),
    ...constant(1),
    ...constant(DIGITS),
    ...call(allocate),
    ...set(2),
    ...op.loop,
    ...[...get(2), ...get(3), op.add],
    ...[...get(1), ...constant64(60n), op.shiftRight64, op.wrap, ...tee(4)],
    ...[...constant(ZERO_CHARACTER), op.add],
    ...[
      ...get(4),
      ...constant(9),
      op.greaterUnsigned,
      ...constant(LETTER_GAP),
      op.multiply,
      op.add,
    ],
    ...op.storeByte,
    ...[...get(1), ...constant64(4n), op.shiftLeft64, ...set(1)],
    ...[...get(3), ...constant(1), op.add, ...tee(3), ...constant(DIGITS), op.lessUnsigned],
    ...branchIf,
    op.end,
    ...[...get(0), ...get(2), ...constant(DIGITS), ...call(pushString)],
  ]
  return { signature: pushes(I64), locals: [I32, I32, I32], code }
}

/** Gives an integer to the host that is a text. Locals: 0 context, 1 frame, 2 text, 3 index, 4 digit, 5 value. */
function popLong(engine: CoreModule): NewFunction {
  const stack = engine.importedGlobal('env#__stack_pointer')
  const popString = engine.exported('wit_dylib_pop_string')
  const code = [
    ...[...getGlobal(stack), ...constant(16), op.subtract, ...tee(1), ...setGlobal(stack)],
    ...[...get(0), ...get(1), ...call(popString), ...constant(DIGITS), op.notEqual],
    ...[...op.if, op.unreachable, op.end],
    ...[...get(1), ...op.load32, ...set(2)],
    ...op.loop,
    ...[...get(2), ...get(3), op.add, ...op.loadByte, ...tee(4)],
    ...[...constant(ZERO_CHARACTER), op.subtract],
    ...[...get(4), ...constant(NINE_CHARACTER), op.greaterUnsigned],
    ...[...constant(LETTER_GAP), op.multiply, op.subtract, op.extend],
    ...[...get(5), ...constant64(4n), op.shiftLeft64, op.or64, ...set(5)],
    ...[...get(3), ...constant(1), op.add, ...tee(3), ...constant(DIGITS), op.lessUnsigned],
    ...branchIf,
    op.end,
    ...[...get(1), ...constant(16), op.add, ...setGlobal(stack)],
    ...get(5),
  ]
  return { signature: pops(I64), locals: [I32, I32, I32, I32, I64], code }
}

/** EP3. Locals: 0 context, 1 where the address goes, 2 length. */
function popString(engine: CoreModule): NewFunction {
  const original = engine.exported('wit_dylib_pop_string')
  const bytes = Buffer.from(TRAP)
  const code = [
    ...[...get(0), ...get(1), ...call(original), ...tee(2)],
    ...[...constant(bytes.length), op.eq, ...op.if],
    ...[...get(1), ...op.load32, ...op.load64, ...constant64(bytes.readBigInt64LE()), op.equal64],
    ...[...op.if, op.unreachable, op.end],
    op.end,
    ...get(2),
  ]
  return { signature: { params: [I32, I32], results: [I32] }, locals: [I32], code }
}

/** EP4. Locals: 0 context, 1 index of the method. */
function callWithJobs(engine: CoreModule): NewFunction {
  const original = engine.exported('wit_dylib_export_call')
  const start = engine.exported('wit_dylib_export_start')
  const callAsync = engine.exported('wit_dylib_export_async_call')
  const code = [
    ...[...get(0), ...get(1), ...call(original)],
    ...[...get(1), ...call(start), ...get(1), ...call(callAsync), op.drop],
    ...[...get(0), ...get(1), ...call(original)],
  ]
  return { signature: { params: [I32, I32], results: [] }, locals: [], code }
}

function importCalled(engine: CoreModule, wanted: RegExp): { id: string; index: number } {
  const index = engine.imports.findIndex((id) => wanted.test(id))
  const id = engine.imports[index]
  if (id === undefined) throw new Error(`the engine does not import ${wanted.source}`)
  return { id, index }
}

/** EP1. `isBuilt` is a global that is 1 once the actor is built. */
function constantsAtBuild(engine: CoreModule, isBuilt: number): void {
  const wall = importCalled(engine, /^wasi:clocks\/wall-clock@[^#]*#now$/)
  const monotonic = importCalled(engine, /^wasi:clocks\/monotonic-clock@[^#]*#now$/)
  const seed = importCalled(engine, /^wasi:random\/insecure-seed@[^#]*#insecure-seed$/)
  const zeros = (offset: number): number[] => [...get(0), ...constant64(0n), ...op.store64, offset]
  const live = (arguments_: number[], index: number): number[] => [
    ...[...getGlobal(isBuilt), ...op.if],
    ...[...arguments_, ...call(index), op.return, op.end],
  ]
  const wallNow = engine.addFunction({
    signature: { params: [I32], results: [] },
    locals: [],
    code: [...live(get(0), wall.index), ...zeros(0), ...zeros(8)],
  })
  const monotonicNow = engine.addFunction({
    signature: { params: [], results: [I64] },
    locals: [],
    code: [...live([], monotonic.index), ...constant64(0n)],
  })
  const constantSeed = engine.addFunction({
    signature: { params: [I32], results: [] },
    locals: [],
    code: [...zeros(0), ...zeros(8)],
  })
  engine.redirectImport(wall.id, wallNow)
  engine.redirectImport(monotonic.id, monotonicNow)
  engine.redirectImport(seed.id, constantSeed)
}

/** The engine's `init` ends the build. It has 8 parameters and a result. */
function initialize(engine: CoreModule, isBuilt: number): NewFunction {
  const original = engine.exported('init')
  const params = Array<number>(8).fill(I32)
  const code = [...params.flatMap((_, index) => get(index)), ...call(original)]
  const ended = [...constant(1), ...setGlobal(isBuilt)]
  return { signature: { params, results: [I32] }, locals: [], code: [...code, ...ended] }
}

/** Makes the changes. @throws when the engine is not like the ones that are known. */
export function patchEngine(engine: CoreModule, { jobs }: { readonly jobs: boolean }): void {
  const isBuilt = engine.addGlobal()
  constantsAtBuild(engine, isBuilt)
  engine.replaceExport('init', engine.addFunction(initialize(engine, isBuilt)))
  engine.replaceExport('wit_dylib_pop_string', engine.addFunction(popString(engine)))
  for (const sign of ['u', 's']) {
    engine.replaceExport(`wit_dylib_push_${sign}64`, engine.addFunction(pushLong(engine)))
    engine.replaceExport(`wit_dylib_pop_${sign}64`, engine.addFunction(popLong(engine)))
  }
  if (jobs) engine.replaceExport('wit_dylib_export_call', engine.addFunction(callWithJobs(engine)))
}

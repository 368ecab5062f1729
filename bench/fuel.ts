/**
 * Fuel bench: what metering costs, metered against plain in the same run.
 *
 * Measures: core functions that loop, call, branch and write memory; `increment` of the counter component
 * through the binder; size and time of the rewriting. Does not measure: turns, journaling, and the
 * first calls of a module, which the engine's baseline compiler has made.
 *
 * Run: npm run bench -- fuel
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { FUEL_PER_TURN, MEMORY_PAGES_MAX, RESULT_SIZE_MAX_BYTES } from '../host/base/limits.ts'
import type { ComponentInstance, GuestLimits } from '../host/component/component.ts'
import { type InstrumentedModule, instrument } from '../host/component/core/instrument.ts'
import { readCoreModule } from '../host/component/core/module.ts'
import { instantiate } from '../host/component/instance/instantiate.ts'
import { type ComponentPlan, planComponent } from '../host/component/instance/plan.ts'
import { readComponent } from '../host/component/read.ts'
import { printTable } from './support/measure.ts'

const ROUND_COUNT = 40

const CORE = `(module (memory 1)
  (func (export "tight loop") (param $n i32) (result i32) (local $s i32)
    (loop (local.set $s (i32.add (i32.mul (local.get $s) (i32.const 31)) (local.get $n)))
      (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $s))
  (func (export "loop over memory") (param $n i32) (result i32) (local $s i32)
    (loop
      (i32.store (i32.and (local.get $s) (i32.const 65532)) (local.get $n))
      (local.set $s (i32.add (i32.mul (local.get $s) (i32.const 31))
        (i32.load (i32.and (local.get $n) (i32.const 65532)))))
      (br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $s))
  (func $fib (export "calls (fib)") (param $n i32) (result i32)
    (if (result i32) (i32.lt_u (local.get $n) (i32.const 2)) (then (local.get $n))
      (else (i32.add (call $fib (i32.sub (local.get $n) (i32.const 1)))
                     (call $fib (i32.sub (local.get $n) (i32.const 2)))))))
  (func (export "interpreter (br_table)") (param $n i32) (result i32) (local $s i32)
    (loop $next
      (block $done
        ${'(block '.repeat(16)}
        (br_table ${Array.from({ length: 16 }, (_, at) => at).join(' ')} (i32.and (i32.shr_u (local.get $s) (i32.const 3)) (i32.const 15)))
        ${Array.from(
          { length: 16 },
          (_, at) =>
            `) ${`(local.set $s (i32.xor (i32.mul (local.get $s) (i32.const ${2 * at + 5})) (local.get $n)))`.repeat(1 + (at % 4))} (br $done)`,
        ).join('\n')})
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $s)))`

const LOADS: readonly (readonly [name: string, n: number])[] = [
  ['tight loop', 4_000_000],
  ['loop over memory', 2_000_000],
  ['calls (fib)', 25],
  ['interpreter (br_table)', 500_000],
]

interface Row {
  readonly what: string
  /** Times in milliseconds. */
  readonly plainMs: number
  readonly meteredMs: number
}

function timeMs(action: () => unknown): number {
  const start = process.hrtime.bigint()
  action()
  return Number(process.hrtime.bigint() - start) / 1e6
}

/** Best of rounds in turn, so that a busy moment of the machine hits both. */
function compare(what: string, plain: () => unknown, metered: () => unknown): Row {
  let plainMs = Number.POSITIVE_INFINITY
  let meteredMs = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUND_COUNT; round++) {
    plainMs = Math.min(plainMs, timeMs(plain))
    meteredMs = Math.min(meteredMs, timeMs(metered))
  }
  return { what, plainMs, meteredMs }
}

type Exports = Record<string, (n: number) => unknown>

async function coreRows(): Promise<Row[]> {
  const { parse } = await import('@bytecodealliance/jco-transpile/wasm-tools')
  const binary = await parse(CORE)
  const metered = instrument(binary, readCoreModule(binary, 0, binary.length))
  const counter = () => new WebAssembly.Global({ value: 'i64', mutable: true }, 2n ** 62n)
  const imports = { 'loom:meter': { fuel: counter(), room: counter() } }
  const plainExports = new WebAssembly.Instance(new WebAssembly.Module(binary)).exports as Exports
  const module = new WebAssembly.Module(metered.bytes)
  const exports = new WebAssembly.Instance(module, imports).exports as Exports
  return LOADS.map(([name, n]) =>
    compare(
      name,
      () => plainExports[name]?.(n),
      () => exports[name]?.(n),
    ),
  )
}

/** The component as the host plans it, and as it would be without metering. */
function plansOf(bytes: Uint8Array): { plain: ComponentPlan; metered: ComponentPlan } {
  const link = readComponent(bytes).link
  const planOf = (modules: readonly InstrumentedModule[]): ComponentPlan =>
    planComponent(
      link,
      link,
      modules,
      modules.map((module) => new WebAssembly.Module(module.bytes)),
    )
  const plain = link.modules.map(({ core }): InstrumentedModule => {
    const start = (core.sections[0]?.start ?? 8) - 8
    const end = core.sections.at(-1)?.end ?? start
    return {
      bytes: bytes.slice(start, end),
      memories: [],
      globals: [],
      hidden: [],
      tables: [],
      functions: [],
      changesTables: false,
      counters: null,
    }
  })
  return {
    plain: planOf(plain),
    metered: planOf(link.modules.map(({ core }) => instrument(bytes, core))),
  }
}

const LIMITS: GuestLimits = {
  fuelPerTurn: FUEL_PER_TURN,
  memoryPagesMax: MEMORY_PAGES_MAX,
  resultBytesMax: RESULT_SIZE_MAX_BYTES,
}
const CALL_COUNT = 100_000

function counterRow(bytes: Uint8Array): Row {
  const { plain, metered } = plansOf(bytes)
  const start = (plan: ComponentPlan, limits: GuestLimits | null): (() => void) => {
    const instance: ComponentInstance = instantiate(plan, () => () => undefined, limits)
    const target = plan.exports.find(({ target: { func } }) => func.name === 'increment')?.target
    if (target === undefined) throw new Error('counter has no increment')
    const args = [1]
    return () => {
      for (let call = 0; call < CALL_COUNT; call++) instance.call(target, args)
    }
  }
  return compare('counter increment x 100,000', start(plain, null), start(metered, LIMITS))
}

function printSizes(name: string, bytes: Uint8Array): void {
  const link = readComponent(bytes).link
  let before = 0
  let after = 0
  const tookMs = timeMs(() => {
    for (const { core } of link.modules) {
      before += (core.sections.at(-1)?.end ?? 0) - (core.sections[0]?.start ?? 0)
      after += instrument(bytes, core).bytes.length
    }
  })
  console.log(
    `${name}: core modules ${before} -> ${after} bytes, rewritten in ${tookMs.toFixed(1)} ms`,
  )
}

const fixture = (name: string): Uint8Array =>
  readFileSync(path.join(import.meta.dirname, `../../test/fixtures/components/${name}.wasm`))

console.log(`Node ${process.version}\n`)
const rows = [...(await coreRows()), counterRow(fixture('counter'))]
printTable(
  ['what', 'plain', 'metered', 'metered / plain'],
  rows.map(({ what, plainMs, meteredMs }) => [
    what,
    `${plainMs.toFixed(1)} ms`,
    `${meteredMs.toFixed(1)} ms`,
    `${(meteredMs / plainMs).toFixed(2)}x`,
  ]),
)
console.log()
for (const name of ['counter', 'faulty', 'quoter']) printSizes(name, fixture(name))

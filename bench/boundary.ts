/**
 * Boundary bench: what a crossing between host and guest costs, in one run, against the raw core export and
 * jco's glue for the same component.
 *
 * Does not measure: compiling, checking of arguments (a row of its own), journaling, other guest languages.
 * Run: node scripts/build.mjs && node dist/bench/boundary.js [utf8 | utf16]
 * One encoding per process is more exact: the second one finds call sites that have seen the first.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ComponentInstance } from '../host/component/component.ts'
import { loadComponent } from '../host/component/load.ts'
import { checkArguments } from '../host/component/values/arguments.ts'
import type { WitValue } from '../host/component/wit/wit.ts'
import { capture, restore, takeBaseline } from '../host/image/image.ts'
import { benchAwaitingImport } from './support/awaiting-import.ts'
import { RawComponent } from './support/counter.ts'

const INTERFACE = 'bench:boundary/api'

const CORE = `(module
  (import "h" "tick" (func $tick (param i32) (result i32)))
  (memory (export "memory") 1)
  (global $n (mut i64) (i64.const 0))
  (global $heap (mut i32) (i32.const 4096))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $p i32)
    (local.set $p (i32.and (i32.add (global.get $heap) (i32.sub (local.get 2) (i32.const 1))) (i32.sub (i32.const 0) (local.get 2))))
    (global.set $heap (i32.add (local.get $p) (local.get 3)))
    (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536)))
      (then (drop (memory.grow (i32.const 4)))))
    (local.get $p))
  (func (export "increment") (param i32) (result i64)
    (i32.store (i32.const 2048) (local.get 0))
    (global.set $n (i64.add (global.get $n) (i64.extend_i32_u (local.get 0)))) (global.get $n))
  (func (export "through") (param i32) (result i32) (call $tick (local.get 0)))
  (func (export "echo") (param i32 i32) (result i32)
    (global.set $heap (i32.const 4096))
    (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16))
  (func (export "record") (param i32 i32 i32 i32) (result i32)
    (global.set $heap (i32.const 4096))
    (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1))
    (i32.store (i32.const 24) (local.get 2)) (i32.store (i32.const 28) (local.get 3)) (i32.const 16)))`

const options = '(memory (core memory $i "memory")) (realloc (core func $i "realloc"))'

function componentText(encoding: string): string {
  return `(component
  (import "bench:boundary/host" (instance $h (export "tick" (func (param "a" u32) (result u32)))))
  (core module $m ${CORE.slice('(module'.length, -1)})
  (core func $tick (canon lower (func $h "tick")))
  (core instance $i (instantiate $m (with "h" (instance (export "tick" (func $tick))))))
  (type $order' (record (field "name" string) (field "counts" (list u32))))
  (func $increment (param "by" u32) (result u64) (canon lift (core func $i "increment")))
  (func $through (param "a" u32) (result u32) (canon lift (core func $i "through")))
  (func $echo (param "text" string) (result string) (canon lift (core func $i "echo") ${options} string-encoding=${encoding}))
  (func $record (param "order" $order') (result $order') (canon lift (core func $i "record") ${options} string-encoding=${encoding}))
  (component $c
    (import "increment" (func $increment (param "by" u32) (result u64)))
    (import "through" (func $through (param "a" u32) (result u32)))
    (import "echo" (func $echo (param "text" string) (result string)))
    (type $o (record (field "name" string) (field "counts" (list u32))))
    (import "order-type" (type $order (eq $o)))
    (import "record" (func $record (param "order" $order) (result $order)))
    (type $e (record (field "name" string) (field "counts" (list u32))))
    (export $order2 "order" (type $e))
    (export "increment" (func $increment)) (export "through" (func $through)) (export "echo" (func $echo))
    (export "record" (func $record) (func (param "order" $order2) (result $order2))))
  (instance $api (instantiate $c (with "increment" (func $increment)) (with "through" (func $through))
    (with "echo" (func $echo)) (with "order-type" (type $order')) (with "record" (func $record))))
  (export "${INTERFACE}" (instance $api)))`
}

const ROUND_COUNT = 60
const ROUND_MS = 2
const WARM_MS = 150

/** Runs `action` for about ROUND_MS. Units of the result: nanoseconds per run. */
function round(action: () => unknown, count: number): number {
  const start = process.hrtime.bigint()
  for (let index = 0; index < count; index++) action()
  return Number(process.hrtime.bigint() - start) / count
}

/**
 * The best round of each action, which on a shared machine is the least wrong. The actions take turns, so
 * that a busy neighbour harms all of them alike.
 */
function measure(actions: readonly ((() => unknown) | undefined)[]): (number | undefined)[] {
  const best = actions.map((action) =>
    action === undefined ? undefined : Number.POSITIVE_INFINITY,
  )
  const counts = actions.map((action) => {
    if (action === undefined) return 0
    // Long enough for the engine to have compiled what it will.
    const warmUntil = process.hrtime.bigint() + BigInt(WARM_MS * 1e6)
    while (process.hrtime.bigint() < warmUntil) action()
    let count = 1
    while (round(action, count) * count < (ROUND_MS * 1e6) / 4) count *= 4
    return count * 4
  })
  for (let turn = 0; turn < ROUND_COUNT; turn++)
    actions.forEach((action, index) => {
      if (action === undefined) return
      best[index] = Math.min(
        best[index] ?? Number.POSITIVE_INFINITY,
        round(action, counts[index] ?? 1),
      )
    })
  return best
}

interface Row {
  readonly what: string
  readonly raw?: () => unknown
  readonly ours: () => unknown
  readonly jco?: (() => unknown) | undefined
}

function print(rows: readonly Row[]): void {
  const cell = (value: string, width: number) => value.padStart(width)
  const time = (ns: number) =>
    ns < 10_000 ? `${ns.toFixed(1)} ns` : `${(ns / 1_000).toFixed(1)} us`
  console.log(
    `${'what'.padEnd(34)}${cell('raw', 12)}${cell('ours', 12)}${cell('jco', 12)}${cell('ours/raw', 10)}${cell('jco/ours', 10)}`,
  )
  for (const { what, raw, ours, jco } of rows) {
    const [rawNs, oursNs, jcoNs] = measure([raw, ours, jco])
    const show = (ns: number | undefined) => cell(ns === undefined ? '-' : time(ns), 12)
    const ratio = (a: number | undefined, b: number | undefined) =>
      cell(a === undefined || b === undefined ? '-' : `${(a / b).toFixed(1)}x`, 10)
    console.log(
      `${what.padEnd(34)}${show(rawNs)}${show(oursNs)}${show(jcoNs)}${ratio(oursNs, rawNs)}${ratio(jcoNs, oursNs)}`,
    )
  }
}

type JsFunction = (...args: unknown[]) => unknown
type JcoModule = {
  instantiate(
    getModule: (name: string) => WebAssembly.Module | undefined,
    imports: unknown,
  ): Record<string, Record<string, JsFunction>>
}

const tick = (a: WitValue): WitValue => a

async function loadJco(binary: Uint8Array): Promise<() => Record<string, JsFunction>> {
  const { transpileBytes } = await import('@bytecodealliance/jco-transpile')
  const { files } = await transpileBytes(binary, {
    name: 'bench',
    instantiation: 'sync',
    wasiShim: false,
    emitTypescriptDeclarations: false,
  })
  const folder = mkdtempSync(path.join(os.tmpdir(), 'loom-bench-'))
  writeFileSync(path.join(folder, 'bench.mjs'), files['bench.js'] ?? '')
  const glue = (await import(pathToFileURL(path.join(folder, 'bench.mjs')).href)) as JcoModule
  rmSync(folder, { recursive: true })
  const modules = new Map(
    Object.entries(files)
      .filter(([name]) => name.endsWith('.wasm'))
      .map(([name, bytes]) => [name, new WebAssembly.Module(bytes)]),
  )
  const imports = { 'bench:boundary/host': { tick } }
  return () => glue.instantiate((name) => modules.get(name), imports)[INTERFACE] ?? {}
}

async function bench(encoding: string): Promise<void> {
  const { parse } = await import('@bytecodealliance/jco-transpile/wasm-tools')
  const binary = await parse(componentText(encoding))
  const component = await loadComponent(binary)
  const create = (): ComponentInstance => component.instantiate(() => tick)
  const createJco = await loadJco(binary)
  const rawModule = new WebAssembly.Module(await parse(CORE))
  const createRaw = () => new WebAssembly.Instance(rawModule, { h: { tick: (a: number) => a } })
  const instance = create()
  const jco = createJco()
  const raw = createRaw().exports as Record<string, JsFunction>
  const target = (name: string) => {
    const found = component.exports.find(({ func }) => func.name === name)
    if (found === undefined) throw new Error(`no export ${name}`)
    return found
  }
  const [increment, through, echo, record] = ['increment', 'through', 'echo', 'record'].map(target)
  if (!increment || !through || !echo || !record) throw new Error('exports are missing')
  const call = (to: typeof increment, args: readonly WitValue[]) => () => instance.call(to, args)
  const short = 'sixteen letters!'
  const long = 'x'.repeat(65_536)
  const wide = '語'.repeat(65_536)
  const order = { name: short, counts: Uint32Array.from({ length: 32 }, (_, index) => index) }
  const baseline = takeBaseline(create().state)
  const counter = create()
  counter.call(increment, [7])
  const image = capture(counter.state, baseline)
  const recycled = create()
  console.log(`\nstring encoding ${encoding}, Node ${process.version}`)
  const seven = [7]
  print([
    {
      what: 'u32 -> u64',
      raw: () => raw.increment?.(7),
      ours: call(increment, seven),
      jco: () => jco.increment?.(7),
    },
    {
      what: 'u32 -> u64, arguments checked',
      raw: () => raw.increment?.(7),
      ours: () => instance.call(increment, checkArguments(increment.func, seven)),
    },
    {
      what: 'u32 -> import u32 -> u32',
      raw: () => raw.through?.(7),
      ours: call(through, seven),
      jco: () => jco.through?.(7),
    },
    { what: 'string of 16', ours: call(echo, [short]), jco: () => jco.echo?.(short) },
    { what: 'string of 64 Ki, ASCII', ours: call(echo, [long]), jco: () => jco.echo?.(long) },
    { what: 'string of 64 Ki, CJK', ours: call(echo, [wide]), jco: () => jco.echo?.(wide) },
    {
      what: 'record { string, list<u32> of 32 }',
      ours: call(record, [order]),
      jco: () => jco.record?.(order),
    },
    { what: 'instantiate', raw: createRaw, ours: create, jco: createJco },
    { what: 'capture, one 64 KiB page', ours: () => capture(counter.state, baseline) },
    {
      what: 'restore into a recycled instance',
      ours: () => restore(recycled.state, baseline, image),
    },
    {
      what: 'restore into a fresh instance',
      ours: () => restore(recycled.state, baseline, image, true),
    },
  ])
}

/** Making an instance of what a toolchain built: the counter, whose binary has two modules more that pass calls on. */
async function benchInstantiation(): Promise<void> {
  const bytes = readFileSync('test/fixtures/components/counter.wasm')
  const component = await loadComponent(bytes)
  const plain = new RawComponent(bytes, false)
  const instrumented = new RawComponent(bytes, true)
  const ours = (): unknown => component.instantiate(() => () => undefined)
  console.log(`\ninstantiate the counter, Node ${process.version}`)
  print([
    { what: 'raw: its main module', raw: () => plain.instantiateMain(), ours },
    { what: 'raw: the same, instrumented', raw: () => instrumented.instantiateMain(), ours },
    { what: 'raw: its three modules', raw: () => plain.instantiate(), ours },
  ])
}

const encodings = process.argv.length > 2 ? process.argv.slice(2) : ['utf8', 'utf16']
for (const encoding of encodings) await bench(encoding)
await benchInstantiation()
await benchAwaitingImport()

/**
 * What an import that waits costs: the promise is settled already, so that only the crossing is measured.
 *
 * Raw: the same core function through `promising` and `Suspending`, without a binder. jco: its glue in JSPI mode.
 * Unwound: what is done where a guest cannot be parked: the call fails, a fresh instance gets the state back, and
 * the call is made again with the answer at hand. The last rows are whole turns on the memory store.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ComponentInstance } from '../../host/component/component.ts'
import { hasParking } from '../../host/component/instance/parking.ts'
import { loadComponent } from '../../host/component/load.ts'
import type { WitValue } from '../../host/component/wit/wit.ts'
import { capture, restore, takeBaseline } from '../../host/image/image.ts'
import { createRuntime, fsBlobs, memory } from '../../host/index.ts'
import { printTable } from './measure.ts'

const CORE = `(module
  (import "h" "ask" (func $ask (param i32) (result i32)))
  (memory (export "memory") 1)
  (global $n (mut i32) (i32.const 0))
  (func (export "through") (param i32) (result i32)
    (i32.store (i32.const 2048) (local.get 0))
    (global.set $n (i32.add (global.get $n) (call $ask (local.get 0)))) (global.get $n)))`

const COMPONENT = `(component
  (import "bench:waiting/host" (instance $h (export "ask" (func (param "a" u32) (result u32)))))
  (core module $m ${CORE.slice('(module'.length, -1)})
  (core func $ask (canon lower (func $h "ask")))
  (core instance $i (instantiate $m (with "h" (instance (export "ask" (func $ask))))))
  (func $through (param "a" u32) (result u32) (canon lift (core func $i "through")))
  (component $c (import "through" (func $through (param "a" u32) (result u32)))
    (export "through" (func $through)))
  (instance $api (instantiate $c (with "through" (func $through))))
  (export "bench:waiting/api" (instance $api)))`

type Action = () => Promise<unknown>

const ROUND_COUNT = 40
const ROUND_MS = 4
const WARM_MS = 200

async function round(action: Action, count: number): Promise<number> {
  const start = process.hrtime.bigint()
  for (let index = 0; index < count; index++) await action()
  return Number(process.hrtime.bigint() - start) / count
}

/** The best round of each action, which take turns. Units: nanoseconds. */
async function measure(actions: readonly Action[]): Promise<number[]> {
  const counts: number[] = []
  for (const action of actions) {
    const warmUntil = process.hrtime.bigint() + BigInt(WARM_MS * 1e6)
    while (process.hrtime.bigint() < warmUntil) await action()
    counts.push(Math.max(1, Math.round((ROUND_MS * 1e6) / (await round(action, 50)))))
  }
  const best = actions.map(() => Number.POSITIVE_INFINITY)
  for (let turn = 0; turn < ROUND_COUNT; turn++)
    for (const [index, action] of actions.entries())
      best[index] = Math.min(best[index] ?? 0, await round(action, counts[index] ?? 1))
  return best
}

type JsFunction = (...args: unknown[]) => Promise<unknown>

/** Null where jco's glue does not run: it needs JSPI as well. */
async function loadJco(binary: Uint8Array): Promise<JsFunction | null> {
  const { transpileBytes } = await import('@bytecodealliance/jco-transpile')
  const { files } = await transpileBytes(binary, {
    name: 'bench',
    instantiation: 'async',
    wasiShim: false,
    emitTypescriptDeclarations: false,
    asyncMode: 'jspi',
    asyncImports: ['bench:waiting/host#ask'],
    asyncExports: ['bench:waiting/api#through'],
  })
  const folder = mkdtempSync(path.join(tmpdir(), 'loom-bench-'))
  try {
    writeFileSync(path.join(folder, 'bench.mjs'), files['bench.js'] ?? '')
    const glue = await import(pathToFileURL(path.join(folder, 'bench.mjs')).href)
    const getModule = (name: string): WebAssembly.Module =>
      new WebAssembly.Module(files[name] ?? new Uint8Array())
    const imports = { 'bench:waiting/host': { ask: async (a: number) => a } }
    const instance = await glue.instantiate(getModule, imports)
    const through = instance['bench:waiting/api'].through as JsFunction
    await through(7)
    return through
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** One awaiting turn after the other, on the memory store. */
async function openTurns(binary: Uint8Array, awaiting: 'auto' | 'unwind' | 'sync') {
  const folder = mkdtempSync(path.join(tmpdir(), 'loom-bench-'))
  const runtime = await createRuntime({
    store: memory(),
    blobs: fsBlobs(folder),
    awaiting: awaiting === 'unwind' ? 'unwind' : 'auto',
    limits: { snapshotIntervalTurns: 100 },
  })
  const ask = awaiting === 'sync' ? (a: number) => a : async (a: number) => a
  runtime.provide('bench:waiting/host', { ask })
  await runtime.registerActorType('Waiting', { type: 'wasm', component: binary })
  const actor = await runtime.getActor('a', 'Waiting')
  const close = async (): Promise<void> => {
    await runtime.close()
    rmSync(folder, { recursive: true })
  }
  return { call: () => actor.call('through', 7), close }
}

export async function benchAwaitingImport(): Promise<void> {
  const { parse } = await import('@bytecodealliance/jco-transpile/wasm-tools')
  const binary = await parse(COMPONENT)
  const component = await loadComponent(binary)
  const through = component.exports[0]
  if (through === undefined) throw new Error('the component exports nothing')
  const rows: [string, Action][] = [['the awaited work: await of a settled promise', async () => 7]]
  if (hasParking() && WebAssembly.promising !== undefined) {
    const module = new WebAssembly.Module(await parse(CORE))
    const ask = new WebAssembly.Suspending(async (a: number) => a)
    const { exports } = new WebAssembly.Instance(module, { h: { ask } })
    const raw = WebAssembly.promising(exports.through as (...args: unknown[]) => unknown)
    rows.push(['raw promising + Suspending', () => raw(7)])
    const host = async (a: WitValue): Promise<WitValue> => a
    const instance = component.parking(() => true).instantiate(() => host)
    rows.push(['ours, parked', () => instance.callParking(through, [7])])
    const jco = await loadJco(binary).catch((error: unknown) => {
      console.log(`jco: not measured: ${String(error)}`)
      return null
    })
    if (jco !== null) rows.push(['jco, JSPI mode', () => jco(7)])
  }
  const create = (answer: { now: WitValue }): ComponentInstance =>
    component.instantiate(() => () => {
      if (answer.now === undefined) throw new Error('has to wait')
      return answer.now
    })
  const baseline = takeBaseline(create({ now: 7 }).state)
  const image = capture(create({ now: 7 }).state, baseline)
  rows.push([
    'ours, unwound: fail, instantiate, restore, call',
    async () => {
      const answer: { now: WitValue } = { now: undefined }
      try {
        create(answer).call(through, [7])
      } catch {
        answer.now = await (async () => 7)()
      }
      const again = create(answer)
      restore(again.state, baseline, image, true)
      again.call(through, [7])
    },
  ])
  console.log(`\nawaiting import, Node ${process.version}`)
  const times = await measure(rows.map(([, action]) => action))
  const [work = 0] = times
  const us = (ns: number): string => `${(ns / 1_000).toFixed(2)} us`
  printTable(
    ['what', 'per call', 'beyond the awaited work'],
    rows.map(([what], index) => [what, us(times[index] ?? 0), us((times[index] ?? 0) - work)]),
  )
  await benchTurns(binary)
}

async function benchTurns(binary: Uint8Array): Promise<void> {
  const modes = ['sync', 'auto', 'unwind'] as const
  const hosts = await Promise.all(modes.map((mode) => openTurns(binary, mode)))
  const times = await measure(hosts.map(({ call }) => call))
  const names = { sync: 'import that does not wait', auto: 'default', unwind: 'always unwound' }
  printTable(
    ['whole turn, memory store (its commits take a macrotask each)', 'per turn'],
    modes.map((mode, index) => [names[mode], `${((times[index] ?? 0) / 1_000).toFixed(1)} us`]),
  )
  for (const { close } of hosts) await close()
}

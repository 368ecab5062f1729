/**
 * Guests of each language.
 *
 * Measures, of the counter and the bank account in AssemblyScript, Rust, C and JavaScript, on QuickJS and, where
 * get-starlingmonkey.js has built them, on StarlingMonkey: size of the component,
 * instantiation, a warm call without and with a text and a record, and what one actor's image takes, beyond
 * the baseline that all share. With --build also the time of a build, where the tools are installed.
 * Does not measure: journaling, awaiting calls; a build's first run, which fetches crates.
 *
 * Run: npm run bench -- guests; node dist/bench/guests.js --build
 */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { buildActor as buildAssemblyScript } from '../guest-sdk/assemblyscript/index.ts'
import { buildActor as buildC } from '../guest-sdk/c/index.ts'
import { buildActor as buildJavaScript } from '../guest-sdk/javascript/index.ts'
import { buildActor as buildRust } from '../guest-sdk/rust/index.ts'
import type { Component, HostFunction } from '../host/component/component.ts'
import { loadComponent } from '../host/component/load.ts'
import { checkArguments } from '../host/component/values/arguments.ts'
import type { WitFunction } from '../host/component/wit/wit.ts'
import { capture, imageSize, PAGE_SIZE_BYTES, takeBaseline } from '../host/image/image.ts'
import { guestCache } from '../scripts/starlingmonkey-sources.ts'
import { printTable } from './support/measure.ts'

const INSTANCES = 300
const CALLS = 100_000

const LANGUAGES = [
  {
    language: 'AssemblyScript',
    counter: 'counter',
    bank: 'bank',
    build: () => buildAssemblyScript({ dir: 'actors/counter', write: false }),
  },
  {
    language: 'Rust',
    counter: 'counter-rust',
    bank: 'bank-rust',
    build: () => buildRust({ dir: 'actors/counter-rust', write: false }),
  },
  {
    language: 'C',
    counter: 'counter-c',
    bank: 'bank-c',
    build: () => buildC({ dir: 'actors/counter-c', write: false }),
  },
  {
    language: 'TypeScript, JavaScript',
    counter: 'counter-ts',
    bank: 'bank-js',
    build: () => buildJavaScript({ dir: 'actors/counter-ts', write: false }),
  },
  ...starlingMonkey(),
]

/** Its components are not committed; those of the tests are taken, if they are there. */
function starlingMonkey() {
  const file = (name: string) => path.join(guestCache(), `${name}.wasm`)
  if (!existsSync(file('bank-js'))) return []
  const dir = path.join(guestCache(), 'actors/counter-ts')
  const build = () => buildJavaScript({ dir, write: false, engine: 'starlingmonkey' })
  return [{ language: 'StarlingMonkey', counter: file('counter-ts'), bank: file('bank-js'), build }]
}

function host(_interface: string, { name }: WitFunction): HostFunction {
  return name === 'now' ? () => ({ seconds: 1n, nanoseconds: 0 }) : () => undefined
}

type Call = (method: string, ...args: readonly unknown[]) => unknown

function start(component: Component): {
  call: Call
  instance: ReturnType<Component['instantiate']>
} {
  const instance = component.instantiate(host)
  const targets = new Map(component.exports.map((target) => [target.func.name, target]))
  const call: Call = (method, ...args) => {
    const target = targets.get(method)
    if (target === undefined) throw new Error(`no method ${method}`)
    return instance.call(target, checkArguments(target.func, args))
  }
  return { call, instance }
}

function microseconds(count: number, task: () => void): number {
  for (let index = 0; index < count / 4; index++) task()
  const started = process.hrtime.bigint()
  for (let index = 0; index < count; index++) task()
  return Number(process.hrtime.bigint() - started) / 1_000 / count
}

function withExtension(file: string): string {
  return file.endsWith('.wasm') ? file : `${file}.wasm`
}

async function measure(file: string, kind: string): Promise<string[]> {
  const bytes = readFileSync(path.resolve('test/fixtures/components', withExtension(file)))
  const component = await loadComponent(bytes)
  const instantiate = microseconds(INSTANCES, () => component.instantiate(host))
  const { call, instance } = start(component)
  const baseline = takeBaseline(component.instantiate(host).state)
  if (kind === 'bank') call('open', 'ada')
  const warm =
    kind === 'bank'
      ? microseconds(CALLS, () => call('deposit', 1n))
      : microseconds(CALLS, () => call('increment', 1))
  const rich = kind === 'bank' ? microseconds(CALLS / 10, () => call('statement')) : null
  const image = capture(instance.state, baseline)
  const pages = image.memories.reduce((sum, { pageCount }) => sum + pageCount, 0)
  return [
    `${(bytes.length / 1_024).toFixed(1)} KB`,
    `${instantiate.toFixed(0)} us`,
    `${(1_000 * warm).toFixed(0)} ns`,
    rich === null ? '' : `${rich.toFixed(1)} us`,
    `${imageSize(image)} B`,
    `${(pages * PAGE_SIZE_BYTES) / 1_024} KB`,
  ]
}

async function buildSeconds(build: () => Promise<unknown>): Promise<string> {
  const started = performance.now()
  try {
    await build()
  } catch (error) {
    return (error as Error).name
  }
  return `${((performance.now() - started) / 1_000).toFixed(1)} s`
}

const isBuilding = process.argv.includes('--build')
const rows: string[][] = []
for (const { language, counter, bank, build } of LANGUAGES) {
  const time = isBuilding ? [await buildSeconds(build)] : []
  rows.push([`counter, ${language}`, ...(await measure(counter, 'counter')), ...time])
  rows.push([`bank, ${language}`, ...(await measure(bank, 'bank')), ...time.map(() => '')])
}
console.log(`Node ${process.version}\n`)
const columns = [
  '',
  'component',
  'instantiate',
  'scalar call',
  'list of 10 records',
  'image',
  'memory',
]
printTable([...columns, ...(isBuilding ? ['build'] : [])], rows)

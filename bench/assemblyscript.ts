/**
 * AssemblyScript bench: the same class through its component and through `@assemblyscript/loader`, and what a
 * build costs.
 *
 * Does not measure: journaling, fuel; building from the command line adds the start of two processes.
 * Run: node scripts/build.mjs && node dist/bench/assemblyscript.js
 */
import { readdirSync } from 'node:fs'
import { buildActor } from '../guest-sdk/assemblyscript/index.ts'
import { loadComponent } from '../host/component/load.ts'
import { checkArguments } from '../host/component/values/arguments.ts'
import type { WitValue } from '../host/component/wit/wit.ts'
import { printTable } from './support/measure.ts'
import { buildYardstick } from './support/yardstick.ts'

const ROUNDS = 7
const ROUND_MS = 40

/** The best of some rounds: the others were disturbed. Units: nanoseconds. */
function nsPerCall(call: () => unknown): number {
  let best = Number.POSITIVE_INFINITY
  let batch = 1
  for (let round = 0; round < ROUNDS; ) {
    const start = performance.now()
    for (let left = batch; left > 0; left -= 1) call()
    const elapsedMs = performance.now() - start
    if (elapsedMs < ROUND_MS) batch *= 2
    else {
      best = Math.min(best, (elapsedMs * 1e6) / batch)
      round += 1
    }
  }
  return best
}

function ns(value: number): string {
  return value < 10_000 ? `${Math.round(value)} ns` : `${(value / 1000).toFixed(1)} us`
}

async function benchCalls(): Promise<void> {
  const { component: binary, loader } = await buildYardstick()
  const component = await loadComponent(binary)
  const instance = component.instantiate(() => () => undefined)
  const bound = (method: string, args: readonly WitValue[]): (() => unknown) => {
    const target = component.exports.find(({ func }) => func.name === method)
    if (!target) throw new Error(`no method ${method}`)
    const checked = checkArguments(target.func, [...args])
    return () => instance.call(target, checked)
  }
  const numbers = Float64Array.from({ length: 1000 }, (_, index) => index / 3)
  const text = (length: number) => 'loom'.repeat(length / 4)
  const rows: readonly [string, () => unknown, () => unknown][] = [
    ['increment(u32) -> u64', bound('increment', [3]), () => loader.increment(3)],
    ['scale(f64, f64) -> f64', bound('scale', [1.5, 2]), () => loader.scale(1.5, 2)],
    ...[16, 1024, 65_536].map((length): [string, () => unknown, () => unknown] => [
      `label(string of ${length}) -> string`,
      bound('label', [text(length)]),
      () => loader.label(text(length)),
    ]),
    ['sum(1,000 f64) -> f64', bound('sum', [numbers]), () => loader.sum(numbers)],
    ['range(1,000) -> list<u32>', bound('range', [1000]), () => loader.range(1000)],
  ]
  printTable(
    ['call', 'component', 'loader', 'loader/component'],
    rows.map(([what, ours, theirs]) => {
      const [a, b] = [nsPerCall(ours), nsPerCall(theirs)]
      return [what, ns(a), ns(b), `${(b / a).toFixed(1)}x`]
    }),
  )
}

/** Wall-clock and CPU time of one build in this process. Units: milliseconds. */
async function timeBuild(
  dir: string,
): Promise<{ wallMs: number; cpuMs: number; sizeBytes: number }> {
  const cpu = process.cpuUsage()
  const start = performance.now()
  const { sizeBytes } = await buildActor({ dir, write: false })
  const wallMs = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  return { wallMs, cpuMs: (user + system) / 1000, sizeBytes }
}

async function benchBuilds(): Promise<void> {
  const rows: string[][] = []
  for (const name of readdirSync('actors')) {
    const dir = `actors/${name}`
    if (!readdirSync(dir).includes(`${name}.ts`)) continue
    const first = await timeBuild(dir)
    const again = await timeBuild(dir)
    rows.push(
      [name, String(again.sizeBytes)].concat(
        [first, again].map(
          ({ wallMs, cpuMs }) => `${wallMs.toFixed(0)} (${cpuMs.toFixed(0)} CPU) ms`,
        ),
      ),
    )
  }
  printTable(['actor', 'bytes', 'build, once', 'again, same process'], rows)
}

console.log('### calls\n')
await benchCalls()
console.log('\n### builds\n')
await benchBuilds()

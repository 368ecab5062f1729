/**
 * What an edit of the counter costs, from the saved file to the new component, through the command line.
 *
 * Measures, in AssemblyScript, C and TypeScript: `loom build` after an edit, in new processes; and an edit under
 * `loom build --watch`, until its line about the build. Against: Node alone; Node that only loads the AssemblyScript
 * compiler, which is the least that a new process could take; `loom build` of what has not changed.
 * CPU time is of all processes that end, so not of one that stays.
 * Does not measure: Rust, where cargo decides; the first build of a resident process.
 *
 * Run: npm run bench -- builds
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import readline from 'node:readline'
import { fileURLToPath } from 'node:url'
import { printTable, withFolder } from './support/measure.ts'

const ROUNDS = 3
const WATCHED_EDITS = 6
const LOOM = path.resolve('dist/host/cli/main.js')
/** Where what the compiler imports is found: it may have packages of its own. */
const COMPILER = path.dirname(fileURLToPath(import.meta.resolve('assemblyscript/asc')))

const LANGUAGES = [
  { language: 'AssemblyScript', name: 'counter', source: 'counter.ts', sum: '+= by' },
  { language: 'C', name: 'counter-c', source: 'counter.c', sum: '+= by' },
  { language: 'TypeScript', name: 'counter-ts', source: 'counter-ts.ts', sum: '+ BigInt(by)' },
]

interface Time {
  readonly wallMs: number
  readonly cpuMs: number
}

/** Has every Node below note its CPU time in a file when it ends. */
const NOTE_CPU = [
  "import { appendFileSync } from 'node:fs'",
  "process.on('exit', () => {",
  '  const { user, system } = process.cpuUsage()',
  "  appendFileSync(process.env.BENCH_CPU, (user + system) / 1000 + '\\n')",
  '})',
].join('\n')

async function timeNode(args: readonly string[], folder: string, cwd = '.'): Promise<Time> {
  const file = path.join(folder, 'cpu')
  writeFileSync(file, '')
  const options = `--import=data:text/javascript,${encodeURIComponent(NOTE_CPU)}`
  const env = { ...process.env, NODE_OPTIONS: options, BENCH_CPU: file }
  const start = performance.now()
  const child = spawn(process.execPath, args, {
    cwd,
    env,
    stdio: 'ignore',
  })
  const [code] = await once(child, 'exit')
  const wallMs = performance.now() - start
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`)
  const parts = readFileSync(file, 'utf8').trim().split('\n').map(Number)
  return { wallMs, cpuMs: parts.reduce((sum, part) => sum + part, 0) }
}

/** The best of some rounds: the others were disturbed. */
async function best(rounds: number, task: () => Promise<Time>): Promise<Time> {
  const times: Time[] = []
  for (let round = 0; round < rounds; round++) times.push(await task())
  return {
    wallMs: Math.min(...times.map(({ wallMs }) => wallMs)),
    cpuMs: Math.min(...times.map(({ cpuMs }) => cpuMs)),
  }
}

/** Each edit is another one: what has not changed is not built. */
class Edited {
  readonly dir: string
  readonly #file: string
  readonly #sum: string
  readonly #text: string
  #count = 0

  constructor(folder: string, name: string, source: string, sum: string) {
    this.dir = path.join(folder, name)
    const isCopied = (file: string): boolean => path.basename(file) !== 'build'
    cpSync(`actors/${name}`, this.dir, { recursive: true, filter: isCopied })
    this.#file = path.join(this.dir, source)
    this.#sum = sum
    this.#text = readFileSync(this.#file, 'utf8')
    if (!this.#text.includes(sum)) throw new Error(`${source} has no ${sum}`)
  }

  edit(): void {
    this.#count += 1
    const more = this.#sum.includes('BigInt') ? `${this.#count}n` : `${this.#count}`
    writeFileSync(this.#file, this.#text.replace(this.#sum, `${this.#sum} + ${more}`))
  }
}

async function timeWatched(edited: Edited): Promise<readonly number[]> {
  const args = [LOOM, 'build', edited.dir, '--watch', '--json']
  const child: ChildProcess = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { stdout } = child
  if (stdout === null) throw new Error('no output')
  const lines = readline.createInterface({ input: stdout })[Symbol.asyncIterator]()
  await lines.next()
  const times: number[] = []
  for (let count = 0; count < WATCHED_EDITS; count++) {
    const start = performance.now()
    edited.edit()
    await lines.next()
    times.push(performance.now() - start)
  }
  child.kill('SIGINT')
  await once(child, 'exit')
  return times.sort((a, b) => a - b)
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`
}

function rowOf(what: string, { wallMs, cpuMs }: Time, cold: Time): string[] {
  const ratio = `${(wallMs / cold.wallMs).toFixed(2)}x`
  return [what, seconds(wallMs), Number.isNaN(cpuMs) ? '' : seconds(cpuMs), ratio]
}

async function benchLanguage(
  folder: string,
  { language, name, source, sum }: (typeof LANGUAGES)[number],
): Promise<string[][]> {
  const edited = new Edited(folder, name, source, sum)
  const cold = await best(ROUNDS, () => {
    edited.edit()
    return timeNode([LOOM, 'build', edited.dir], folder)
  })
  const times = await timeWatched(edited)
  const [fastest = 0] = times
  const median = times[Math.floor(times.length / 2)] ?? fastest
  const watched = (wallMs: number): Time => ({ wallMs, cpuMs: Number.NaN })
  return [
    ...(name === 'counter' ? await benchFloor(folder, cold, edited.dir) : []),
    rowOf(`${language}: edit, loom build`, cold, cold),
    rowOf(`${language}: edit, --watch, best`, watched(fastest), cold),
    rowOf(`${language}: edit, --watch, median`, watched(median), cold),
  ]
}

/** Against a build of the counter in AssemblyScript. */
async function benchFloor(folder: string, cold: Time, dir: string): Promise<string[][]> {
  const load = (name: string): readonly string[] => [
    '--liftoff-only',
    '--input-type=module',
    '-e',
    `await import('${name}')`,
  ]
  const floors: readonly [string, readonly string[], string?][] = [
    ['node alone', ['-e', '0']],
    ['node, import binaryen', load('binaryen'), COMPILER],
    ['node, import assemblyscript/asc', load('assemblyscript/asc'), COMPILER],
    ['loom build, unchanged', [LOOM, 'build', dir]],
  ]
  const rows: string[][] = []
  for (const [what, args, cwd] of floors)
    rows.push(rowOf(what, await best(ROUNDS, () => timeNode(args, folder, cwd)), cold))
  return rows
}

await withFolder(async (folder) => {
  const rows: string[][] = []
  for (const one of LANGUAGES) rows.push(...(await benchLanguage(folder, one)))
  console.log(`Node ${process.version}\n`)
  printTable(['', 'time', 'CPU', 'of a build in new processes'], rows)
})

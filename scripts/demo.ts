// npm run demo: a counter that survives kill -9, shown on real parts.
//
// Builds the counter from AssemblyScript, pushes it into a data folder of its own, lets several clients call
// it over HTTP, kills the host in the middle, starts it again, and checks afterwards that every acknowledged
// call is in the journal exactly once and that a replay from the first entry ends in the live state.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const CALLS = 1_000
const CLIENTS = 16
const ACTORS = ['c1', 'c2', 'c3', 'c4']
const KILL_AFTER_ACKNOWLEDGED = 400
const KILL_DELAY_MS = 3
const RETRIES_MAX = 100
const RETRY_DELAY_MS = 50
const RETRY_EVERY = 20
const START_TIMEOUT_MS = 30_000

const root = path.resolve(import.meta.dirname, '../..')
const cli = path.join(root, 'dist/host/cli/main.js')
const folder = mkdtempSync(path.join(os.tmpdir(), 'loom-demo-'))
const data = path.join(folder, 'data')
const startedMs = performance.now()

function say(text: string): void {
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1).padStart(5)
  console.log(`${seconds} s  ${text}`)
}

function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message)
}

/** Runs one command of the CLI and gives back its lines of JSON. */
async function loom(...args: string[]): Promise<unknown[]> {
  const maxBuffer = 64 * 1024 * 1024
  const run = promisify(execFile)(process.execPath, [cli, ...args, '--json'], { maxBuffer })
  const { stdout } = await run.catch((error: Error & { stderr?: string }) => {
    throw new Error(`loom ${args.join(' ')} failed: ${error.stderr?.trim() || error.message}`)
  })
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

/** Lines of JSON are what the CLI documents; the demo reads them by name. */
function field(line: unknown, name: string): unknown {
  return typeof line === 'object' && line !== null
    ? (line as Readonly<Record<string, unknown>>)[name]
    : undefined
}

interface Host {
  readonly address: string
  readonly process: ChildProcess
}

let running: ChildProcess | null = null

async function startHost(): Promise<Host> {
  const child = spawn(process.execPath, [cli, 'serve', '--port', '0', '--data', data], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running = child
  const lines = createInterface({ input: child.stdout })
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS)
  try {
    for await (const line of lines) {
      const match = /^listening on (http:\S+)$/.exec(line)
      if (match?.[1] !== undefined) return { address: match[1], process: child }
    }
  } finally {
    clearTimeout(timer)
  }
  throw new Error('the host ended before it took calls')
}

/** Where the clients find the host; while it is down, a promise of the next one. */
class Hosts {
  current: Promise<Host>
  kills = 0

  constructor(first: Host) {
    this.current = Promise.resolve(first)
  }

  /** Kills the host as a power cut would, and starts another on the same folder. */
  restart(onDead: () => Promise<void>): void {
    const dying = this.current
    this.kills++
    this.current = dying.then(async ({ process: child }) => {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
      await onDead()
      return await startHost()
    })
  }
}

interface Call {
  readonly key: string
  readonly actor: string
  readonly by: number
}

interface Acknowledged extends Call {
  readonly result: number
}

const calls: readonly Call[] = Array.from({ length: CALLS }, (_, index) => ({
  key: `call-${index}`,
  actor: ACTORS[index % ACTORS.length] ?? '',
  by: (index % 97) + 1,
}))

interface Workload {
  readonly hosts: Hosts
  readonly acknowledged: Map<string, Acknowledged>
  cutOff: number
}

/** Calls until the answer is there, with the same key each time. */
async function callUntilAnswered(load: Workload, call: Call): Promise<number> {
  for (let attempt = 0; attempt < RETRIES_MAX; attempt++) {
    const { address } = await load.hosts.current
    try {
      const response = await fetch(
        `${address}/v1.0/actors/Counter/${call.actor}/method/increment`,
        {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': call.key },
          body: JSON.stringify([call.by]),
        },
      )
      const body: unknown = await response.json()
      if (response.ok) return Number(body)
      check(response.status === 503, `${call.key} was refused: ${JSON.stringify(body)}`)
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      load.cutOff++
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS))
  }
  throw new Error(`${call.key} got no answer in ${RETRIES_MAX} attempts`)
}

async function runClients(load: Workload, onAcknowledged: () => void): Promise<void> {
  const waiting = [...calls]
  const client = async (): Promise<void> => {
    for (let call = waiting.shift(); call !== undefined; call = waiting.shift()) {
      const result = await callUntilAnswered(load, call)
      load.acknowledged.set(call.key, { ...call, result })
      onAcknowledged()
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
}

interface JournaledCall {
  readonly by: number
  readonly result: number
}

/** Turns by idempotency key. Fails when a key stands in the journal twice. */
async function readJournals(): Promise<ReadonlyMap<string, JournaledCall>> {
  const turns = new Map<string, JournaledCall>()
  for (const actor of ACTORS) {
    for (const line of await loom('journal', `Counter/${actor}`, '--data', data)) {
      if (field(line, 'kind') !== 'turn') continue
      const key = String(field(line, 'idempotencyKey'))
      check(!turns.has(key), `${key} is in the journal twice`)
      const args = field(line, 'args')
      turns.set(key, {
        by: Number(Array.isArray(args) ? args[0] : undefined),
        result: Number(field(field(line, 'outcome'), 'value')),
      })
    }
  }
  return turns
}

async function checkAcknowledged(acknowledged: Iterable<Acknowledged>): Promise<number> {
  const turns = await readJournals()
  for (const { key, by, result } of acknowledged) {
    const turn = turns.get(key)
    check(turn !== undefined, `${key} was acknowledged, but is not in the journal`)
    check(turn.by === by, `${key} was sent with ${by}, but is journaled with ${turn.by}`)
    check(turn.result === result, `${key} was answered ${result}, but journaled ${turn.result}`)
  }
  return turns.size
}

/** A client that did not hear the answer, or forgot it, may ask again at any time. */
async function checkRetries(load: Workload): Promise<void> {
  const retried = [...load.acknowledged.values()].filter((_, index) => index % RETRY_EVERY === 0)
  for (const call of retried) {
    const result = await callUntilAnswered(load, call)
    check(result === call.result, `${call.key} was answered ${call.result}, then ${result}`)
  }
  const turns = await checkAcknowledged(load.acknowledged.values())
  check(turns === CALLS, `after retries the journals hold ${turns} calls instead of ${CALLS}`)
  say(
    `${retried.length} old calls, asked again with their keys, got their old answers and ran nothing`,
  )
}

async function checkState({ address }: Host, actor: string): Promise<void> {
  const mine = calls.filter((call) => call.actor === actor)
  const sum = mine.reduce((total, { by }) => total + by, 0)
  const url = `${address}/v1.0/actors/Counter/${actor}`
  const value = await (await fetch(`${url}/method/value`, { method: 'POST' })).json()
  check(value === sum, `Counter/${actor} is ${value}, but its calls add up to ${sum}`)
  const live: unknown = await (await fetch(url)).json()
  const [replayed] = await loom('replay', `Counter/${actor}`, '--data', data)
  const [liveHash, replayedHash] = [live, replayed].map((each) => field(each, 'stateHash'))
  check(typeof liveHash === 'string' && liveHash.length > 0, `Counter/${actor} has no state hash`)
  check(liveHash === replayedHash, `Counter/${actor}: live ${liveHash}, replayed ${replayedHash}`)
  say(
    `Counter/${actor} is ${value}: the sum of its ${mine.length} calls; memory hash ${liveHash.slice(0, 19)}… live and after replaying ${field(replayed, 'turns')} turns`,
  )
}

function killAndRestart(load: Workload): void {
  say(`${load.acknowledged.size} calls are acknowledged: kill -9 of the host`)
  load.hosts.restart(async () => {
    const turns = await checkAcknowledged(load.acknowledged.values())
    const more = turns - load.acknowledged.size
    say(
      `the dead host's folder holds all ${load.acknowledged.size} acknowledged calls, and ${more} whose answer was cut off; starting it again`,
    )
  })
}

async function demo(): Promise<void> {
  say('building actors/counter (AssemblyScript) into a component')
  const out = path.join(folder, 'build')
  const [built] = await loom('build', path.join(root, 'actors/counter'), '--out', out)
  say(`built counter.wasm, ${field(built, 'sizeBytes')} bytes; pushing it as actor type Counter`)
  await loom('push', path.join(out, 'counter.wasm'), '--type', 'Counter', '--data', data)

  const first = await startHost()
  say(`started a host at ${first.address} (pid ${first.process.pid}) on ${data}`)
  const hosts = new Hosts(first)
  const load: Workload = { hosts, acknowledged: new Map(), cutOff: 0 }
  say(
    `${CLIENTS} clients make ${CALLS} calls on ${ACTORS.length} actors, each with a key of its own`,
  )
  await runClients(load, () => {
    if (load.acknowledged.size !== KILL_AFTER_ACKNOWLEDGED) return
    // Answers come in groups: a moment later, other calls are on their way.
    setTimeout(() => killAndRestart(load), KILL_DELAY_MS)
  })
  const second = await hosts.current
  say(`all ${CALLS} calls are acknowledged; ${load.cutOff} attempts were cut off and tried again`)
  check(hosts.kills === 1, 'the host was not killed')

  const turns = await checkAcknowledged(load.acknowledged.values())
  check(turns === CALLS, `${CALLS} calls were made, but the journals hold ${turns}`)
  say(
    `the journals hold each of the ${CALLS} calls exactly once, with the result that was answered`,
  )
  await checkRetries(load)
  for (const actor of ACTORS) await checkState(second, actor)

  const exit = once(second.process, 'exit')
  second.process.kill('SIGTERM')
  const [ended] = await exit
  check(ended === 0, `the host ended with code ${ended} after SIGTERM`)
  say('the host shut down in order')
}

function cleanUp(): void {
  if (running?.exitCode === null && running.signalCode === null) running.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    cleanUp()
    process.exit(1)
  })
try {
  await demo()
  console.log('demo: ok')
} catch (error) {
  console.error(`demo: FAILED: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
} finally {
  cleanUp()
}

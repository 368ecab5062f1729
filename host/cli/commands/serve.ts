/**
 * `loom serve`: the host on a data folder, with its HTTP server.
 *
 * States: opening -> serving -> closing -> ended. A first SIGTERM or SIGINT, or the loss of the folder, leads
 * to closing; a second signal ends the process at once, and nothing acknowledged is lost by that.
 */
import os from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import type { LoomError } from '../../base/errors.ts'
import type { JournalPolicy, Runtime, RuntimeLimits } from '../../runtime/api.ts'
import { DEFAULT_HOST, DEFAULT_PORT } from '../../server/defaults.ts'
import type { HttpServer } from '../../server/server.ts'
import { openRuntime } from '../data-folder.ts'
import { logToStderr } from '../log.ts'
import {
  addExample,
  allowFetchOption,
  type DataOptions,
  dataOption,
  type FetchOptions,
  type JsonOptions,
  jsonOption,
  loadProvided,
  type ProvideOptions,
  parseTime,
  provideOption,
} from '../options.ts'
import { note, print, printJson } from '../output.ts'

interface ServeOptions extends DataOptions, JsonOptions, ProvideOptions, FetchOptions {
  readonly port: number
  readonly host: string
  readonly takeOver?: true
  readonly drainTimeout: number
  readonly actorIdleTimeout?: number
  readonly journalKeep?: JournalPolicy
}

/** A supervisor that stops a process usually kills it after 10 to 30 seconds. */
const DRAIN_TIMEOUT_MS = 10_000
/** After the drain, time for the last answers to reach their clients. */
const ANSWER_GRACE_MS = 1_000
const PORT_MAX = 65_535
/** What a shell reports for a process that signal n ended. */
const EXIT_SIGNAL_BASE = 128

export function addServeCommand(program: Command): void {
  const command = program
    .command('serve')
    .description('host the actors of a data folder and take calls over HTTP')
    .option('--port <n>', 'port to listen on; 0 takes a free one', parsePort, DEFAULT_PORT)
    .option('--host <address>', 'address to listen on', DEFAULT_HOST)
    .option(
      '--drain-timeout <time>',
      'how long a shutdown waits for calls that run',
      parseTime,
      DRAIN_TIMEOUT_MS,
    )
    .option(
      '--actor-idle-timeout <time>',
      'evict actors that were not called for so long; default 15m',
      parseTime,
    )
    .option(
      '--journal-keep <part>',
      'what is kept of journals: all, snapshots=N or bytes=N; default all',
      parseJournalKeep,
    )
    .option('--take-over', 'displace a frozen host: its later writes are refused')
    .addOption(provideOption())
    .addOption(allowFetchOption())
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(serve)
  addExample(command, 'loom serve --port 3500', 'loom serve --port 0 --provide ./quotes.mjs')
}

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= PORT_MAX) return port
  throw new InvalidArgumentError(`expected a port from 0 to ${PORT_MAX}`)
}

async function serve(options: ServeOptions): Promise<void> {
  const stopped = stopSignal()
  const log = logToStderr(options.json === true)
  const { startServer } = await import('../../server/server.ts')
  const provided = await loadProvided(options.provide)
  const runtime = await openRuntime({
    data: options.data,
    provided,
    takeOver: options.takeOver === true,
    log,
    limits: limitsOf(options),
    ...(options.allowFetch === undefined ? {} : { fetch: options.allowFetch }),
    ...(options.journalKeep === undefined ? {} : { journal: options.journalKeep }),
  })
  let lost: LoomError | null = null
  try {
    const { host, port } = options
    const server = await startServer({
      runtime,
      host,
      port,
      log,
      closeGraceMs: options.drainTimeout + ANSWER_GRACE_MS,
    })
    try {
      await runtime.announce(server.address)
      sayListening(options, runtime, server)
      lost = await Promise.race([stopped, runtime.lost])
    } finally {
      await drain(runtime, server, options.drainTimeout).catch((error) => {
        // What a lost host fails to write at its end belongs to the new owner.
        if (lost === null) throw error
      })
    }
  } finally {
    await runtime.close().catch((error) => {
      if (lost === null) throw error
    })
  }
  if (lost !== null) throw lost
}

/** Answers what has arrived; what still runs at the deadline is given up, and its callers are told. */
async function drain(runtime: Runtime, server: HttpServer, timeoutMs: number): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs
  const answered = server.close()
  const deadline = new AbortController()
  await Promise.race([answered, delay(timeoutMs, undefined, { signal: deadline.signal })])
  deadline.abort()
  const leftMs = Math.max(1, Math.ceil(deadlineMs - performance.now()))
  await Promise.all([runtime.close({ timeoutMs: leftMs }), answered])
}

function parseJournalKeep(text: string): JournalPolicy {
  if (text === 'all') return { keep: 'all' }
  const [, name, count] = /^(snapshots|bytes)=([1-9]\d{0,14})$/.exec(text) ?? []
  if (name === 'snapshots') return { keep: { snapshots: Number(count) } }
  if (name === 'bytes') return { keep: { bytes: Number(count) } }
  throw new InvalidArgumentError('expected all, snapshots=N or bytes=N')
}

function limitsOf({ actorIdleTimeout }: ServeOptions): Partial<RuntimeLimits> {
  return actorIdleTimeout === undefined ? {} : { idleTimeoutMs: actorIdleTimeout }
}

function sayListening(options: ServeOptions, runtime: Runtime, server: HttpServer): void {
  const { address } = server
  if (options.json === true) printJson({ address, epoch: runtime.epoch, pid: process.pid })
  else print(`listening on ${address}`)
}

/** Resolves at the first signal; the second one ends the process. */
function stopSignal(): Promise<null> {
  return new Promise((resolve) => {
    let count = 0
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => {
        if (++count > 1) process.exit(EXIT_SIGNAL_BASE + os.constants.signals[signal])
        note('shutting down; a second signal ends at once')
        resolve(null)
      })
  })
}

/**
 * `loom call`: one call of one actor.
 *
 * A live host on the folder takes the call; otherwise this process becomes the host for as long as the
 * call takes.
 */
import type { Command } from 'commander'
import { type ActorKey, checkIdempotencyKey, parseActorKey } from '../../base/names.ts'
import type { JsonValue } from '../../runtime/api.ts'
import { actOnFolder } from '../acting.ts'
import { callThroughHost, type HttpCall } from '../live-host.ts'
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
  type ProvidedByName,
  type ProvideOptions,
  parseTime,
  provideOption,
} from '../options.ts'
import { print, toJson } from '../output.ts'
import { withProgress } from '../progress.ts'
import { parseCallArgument } from '../values.ts'

interface CallOptions extends DataOptions, JsonOptions, ProvideOptions, FetchOptions {
  readonly idempotencyKey?: string
  readonly timeout?: number
}

const INDENT = 2

export function addCallCommand(program: Command): void {
  const command = program
    .command('call')
    .description('call a method of an actor')
    .argument('<actor>', 'TYPE/ID')
    .argument('<method>', 'method of the actor')
    .argument('[args...]', 'arguments: JSON, or text that is not JSON')
    .option('--idempotency-key <key>', 'a retry with the same key runs nothing again')
    .option('--timeout <time>', 'stop waiting after this; the call may still happen', parseTime)
    .addOption(provideOption())
    .addOption(allowFetchOption())
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(call)
  addExample(
    command,
    'loom call Counter/c1 increment 5',
    'loom call Counter/c1 increment 5 --idempotency-key order-17',
  )
}

async function call(
  actor: string,
  method: string,
  args: readonly string[],
  options: CallOptions,
): Promise<void> {
  const key = parseActorKey(actor)
  const { idempotencyKey, timeout } = options
  if (idempotencyKey !== undefined) checkIdempotencyKey(idempotencyKey)
  const json = options.json === true
  const provided = await loadProvided(options.provide)
  const request: HttpCall = {
    method,
    args: args.map(parseCallArgument),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  }
  const result = await withProgress(`calling ${actor} ${method}`, json, () =>
    callSomewhere(key, request, options, provided),
  )
  print(json ? toJson(result) : toJson(result, INDENT))
}

function callSomewhere(
  key: ActorKey,
  request: HttpCall,
  options: CallOptions,
  provided: ProvidedByName,
): Promise<JsonValue> {
  const { data, json, allowFetch } = options
  const fetch = allowFetch === undefined ? {} : { fetch: allowFetch }
  return actOnFolder(
    { data, provided, ...fetch, ...(json === true ? {} : { log: logToStderr(false) }) },
    (host) => callThroughHost(host, key, request),
    (runtime) => runtime.executeJson(key.id, key.type, request),
  )
}

/**
 * Options that several commands share, and how commands run.
 */

import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { durationMs } from '../base/duration.ts'
import { LoomError } from '../base/errors.ts'
import type { FetchPolicy, FetchRule, ProvidedInterface } from '../runtime/api.ts'

export interface DataOptions {
  readonly data: string
}

export interface JsonOptions {
  readonly json?: true
}

export interface ProvideOptions {
  readonly provide?: readonly string[]
}

export function dataOption(): Option {
  return new Option('--data <dir>', 'the data folder').env('LOOM_DATA').default('./.loom')
}

export function jsonOption(): Option {
  return new Option('--json', 'print JSON, one object per line; errors as JSON too')
}

export function provideOption(): Option {
  return new Option(
    '--provide <module>',
    'module whose default export holds interfaces for guests; may be repeated',
  ).argParser((value: string, previous: readonly string[] = []) => [...previous, value])
}

export type FetchByType = Readonly<Record<string, FetchPolicy>>

export interface FetchOptions {
  readonly allowFetch?: FetchByType
}

export function allowFetchOption(): Option {
  return new Option(
    '--allow-fetch <rule>',
    'where actors may send HTTP requests: "TYPE [METHOD...] ORIGIN [ADDRESS...]"; may be repeated',
  ).argParser((text: string, previous: FetchByType = {}) => addFetchRule(previous, text))
}

function addFetchRule(policies: FetchByType, text: string): FetchByType {
  const [type = '', ...words] = text.trim().split(/\s+/)
  const at = words.findIndex((word) => word.includes('://'))
  const origin = words[at]
  if (origin === undefined)
    throw new InvalidArgumentError('expected such as "Quoter GET POST https://api.example.com"')
  const methods = words.slice(0, at)
  const addresses = words.slice(at + 1)
  const rule: FetchRule = { origin, addresses, ...(methods.length > 0 && { methods }) }
  return { ...policies, [type]: { allow: [...(policies[type]?.allow ?? []), rule] } }
}

/** Adds the example that every command's --help ends with. */
export function addExample(command: Command, ...lines: readonly string[]): Command {
  const title = lines.length === 1 ? 'Example:' : 'Examples:'
  return command.addHelpText(
    'after',
    `\n${title}\n${lines.map((line) => `  $ ${line}`).join('\n')}`,
  )
}

/** A command on one actor: `loom NAME TYPE/ID [--data] [--json]`. */
export function addActorCommand(
  program: Command,
  name: string,
  description: string,
  action: (actor: string, options: DataOptions & JsonOptions) => Promise<void>,
): void {
  const command = program
    .command(name)
    .description(description)
    .argument('<actor>', 'TYPE/ID')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(action)
  addExample(command, `loom ${name} Counter/c1`)
}

/** An option's duration, such as 1h30m. Units: milliseconds. */
export function parseTime(text: string): number {
  const ms = durationMs(text, 'time')
  if (ms > 0) return ms
  throw new InvalidArgumentError('expected more than nothing')
}

export type ProvidedByName = Readonly<Record<string, ProvidedInterface>>

/**
 * The interfaces in the default exports of modules:
 *
 *     export default { 'acme:pricing/quotes': { latest: (symbol) => 42 } }
 *
 * @throws ERR_OPTION
 */
export async function loadProvided(files: readonly string[] = []): Promise<ProvidedByName> {
  const provided = new Map<string, ProvidedInterface>()
  for (const file of files) {
    for (const [name, functions] of Object.entries(await defaultExportOf(file))) {
      if (!isInterface(functions))
        throw new LoomError(
          'ERR_OPTION',
          `--provide ${file}: ${JSON.stringify(name)} must be an object of functions`,
        )
      if (provided.has(name))
        throw new LoomError('ERR_OPTION', `--provide ${file}: ${name} is provided twice`)
      provided.set(name, functions)
    }
  }
  return Object.fromEntries(provided)
}

async function defaultExportOf(file: string): Promise<object> {
  let loaded: { readonly default?: unknown }
  try {
    loaded = await import(pathToFileURL(path.resolve(file)).href)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new LoomError('ERR_OPTION', `--provide ${file}: ${reason}`, { cause: error })
  }
  if (typeof loaded.default === 'object' && loaded.default !== null) return loaded.default
  throw new LoomError(
    'ERR_OPTION',
    `--provide ${file}: expected a default export { 'package:name/interface': { function } }`,
  )
}

function isInterface(value: unknown): value is ProvidedInterface {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((member) => typeof member === 'function')
  )
}

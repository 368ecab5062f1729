/**
 * `loom import`: an actor out of a file that `loom journal --export` wrote.
 */
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { LoomError } from '../../base/errors.ts'
import { formatActorKey, parseActorKey } from '../../base/names.ts'
import { actOnFolder } from '../acting.ts'
import { actorPath, askHost } from '../live-host.ts'
import {
  addExample,
  type DataOptions,
  dataOption,
  type JsonOptions,
  jsonOption,
} from '../options.ts'
import { print, printJson } from '../output.ts'

interface ImportOptions extends DataOptions, JsonOptions {
  readonly as?: string
}

export function addImportCommand(program: Command): void {
  const command = program
    .command('import')
    .description('import an actor that was exported to a file')
    .argument('<file>', 'what `loom journal --export` wrote')
    .option('--as <actor>', 'TYPE/ID: another name for it')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(importFile)
  addExample(command, 'loom import c1.loom', 'loom import c1.loom --as Counter/copy')
}

async function importFile(file: string, options: ImportOptions): Promise<void> {
  const bytes = await read(file)
  const { parseExport } = await import('../../runtime/actor-import.ts')
  const { record } = parseExport(bytes)
  const key = options.as === undefined ? record : parseActorKey(options.as)
  await actOnFolder<unknown>(
    { data: options.data, provided: {}, create: true },
    (host) => askHost(host, 'PUT', `${actorPath(key)}/journal`, bytes),
    (runtime) => runtime.importActor(bytes, key),
  )
  const { type, id } = key
  if (options.json === true) printJson({ imported: { type, id } })
  else print(`imported ${formatActorKey(key)}`)
}

async function read(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new LoomError('ERR_OPTION', `cannot read the file: ${reason}`, { cause: error })
  }
}

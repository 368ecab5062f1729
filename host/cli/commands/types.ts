/**
 * `loom types`: the actor types in the data folder, with their methods.
 */
import type { Command } from 'commander'
import { withInspector } from '../data-folder.ts'
import {
  addExample,
  type DataOptions,
  dataOption,
  type JsonOptions,
  jsonOption,
} from '../options.ts'
import { colors, note, print, printJson } from '../output.ts'

export function addTypesCommand(program: Command): void {
  const command = program
    .command('types')
    .description('list actor types and their methods')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(listTypes)
  addExample(command, 'loom types')
}

async function listTypes(options: DataOptions & JsonOptions): Promise<void> {
  const types = await withInspector(options.data, (inspector) => inspector.actorTypes())
  if (options.json === true) {
    for (const type of types) printJson(type)
    return
  }
  if (types.length === 0) note('no actor types; `loom push` adds one')
  for (const { name, digest, methods } of types) {
    print(`${colors.bold(name)} ${colors.dim(digest ?? 'typescript')}`)
    for (const { name: method, signature } of methods)
      print(`  ${method}${signature === null ? '' : `: ${signature}`}`)
  }
}

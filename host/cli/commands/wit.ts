/**
 * `loom wit`: the contract of a component as WIT text.
 */
import type { Command } from 'commander'
import { namingFile, readContractFile } from '../contract-file.ts'
import { addExample, type JsonOptions, jsonOption } from '../options.ts'
import { print, printJson } from '../output.ts'

export function addWitCommand(program: Command): void {
  const command = program
    .command('wit')
    .description('print the contract of a component: what it exports and imports')
    .argument('<file>', 'a component, or a .wit file, which is resolved')
    .addOption(jsonOption())
    .action(printWit)
  addExample(command, 'loom wit actors/counter/build/counter.wasm')
}

async function printWit(file: string, options: JsonOptions): Promise<void> {
  const component = await readContractFile(file)
  const { componentWit } = await import('../../runtime/contracts.ts')
  try {
    const wit = componentWit(component)
    if (options.json === true) printJson({ wit })
    else print(wit.trimEnd())
  } catch (error) {
    throw namingFile(file, error)
  }
}

/**
 * `loom diff`: whether a new component can take an old one's place.
 */
import type { Command } from 'commander'
import { LoomError } from '../../base/errors.ts'
import type { Break } from '../../runtime/contracts.ts'
import { namingFile, readContractFile } from '../contract-file.ts'
import { addExample, type JsonOptions, jsonOption } from '../options.ts'
import { colors, print, printJson } from '../output.ts'

export function addDiffCommand(program: Command): void {
  const command = program
    .command('diff')
    .description('say whether a new contract is compatible, or list what it breaks')
    .argument('<old>', 'a component or a .wit file')
    .argument('<new>', 'a component or a .wit file')
    .addOption(jsonOption())
    .action(compare)
  addExample(command, 'loom diff counter-1.wasm counter-2.wasm')
}

async function compare(before: string, after: string, options: JsonOptions): Promise<void> {
  const breaks = await breaksOf(before, after)
  const compatible = breaks.length === 0
  if (options.json === true) printJson({ compatible, breaks })
  else if (compatible)
    print(`${colors.green('compatible')} ${after} can take the place of ${before}`)
  for (const { side, where, message } of options.json === true ? [] : breaks)
    print(
      `${colors.red('breaks')} ${side === 'exports' ? 'callers' : 'hosts'}: ${where}: ${message}`,
    )
  if (compatible) return
  const count = breaks.length === 1 ? '1 change breaks' : `${breaks.length} changes break`
  throw new LoomError('ERR_INCOMPATIBLE', `${after}: ${count} what ${before} promises`)
}

async function breaksOf(before: string, after: string): Promise<readonly Break[]> {
  const [old, young] = [await readContractFile(before), await readContractFile(after)]
  const { componentBreaks, componentWit } = await import('../../runtime/contracts.ts')
  for (const [file, component] of [
    [before, old],
    [after, young],
  ] as const)
    try {
      componentWit(component)
    } catch (error) {
      throw namingFile(file, error)
    }
  return componentBreaks(old, young)
}

/**
 * `loom replay`: runs a journal again from its first entry and compares everything.
 */
import type { Command } from 'commander'
import { parseActorKey } from '../../base/names.ts'
import { withInspector } from '../data-folder.ts'
import {
  addExample,
  type DataOptions,
  dataOption,
  type JsonOptions,
  jsonOption,
} from '../options.ts'
import { colors, print, printJson } from '../output.ts'
import { withProgress } from '../progress.ts'

export function addReplayCommand(program: Command): void {
  const command = program
    .command('replay')
    .description('replay a journal from its first entry; exit 1 at the first difference')
    .argument('<actor>', 'TYPE/ID')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(replay)
  addExample(command, 'loom replay Counter/c1')
}

async function replay(actor: string, options: DataOptions & JsonOptions): Promise<void> {
  const key = parseActorKey(actor)
  const json = options.json === true
  const report = await withInspector(options.data, (inspector) =>
    withProgress(`replaying ${actor}`, json, (progress) =>
      inspector.replay(key, (turns, of) => progress.update(`${turns} of ${of} turns`)),
    ),
  )
  if (json) {
    printJson(report)
    return
  }
  print(`replayed ${report.turns} turns, ${colors.green('identical')}`)
  print(colors.dim(`state ${report.stateHash}, ${report.failed} failed turns passed over`))
}

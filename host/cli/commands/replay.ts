/**
 * `loom replay`: runs a journal again from its first entry and compares everything.
 */
import type { Command } from 'commander'
import { parseActorKey } from '../../base/names.ts'
import { withInspector } from '../data-folder.ts'
import { addActorCommand, type DataOptions, type JsonOptions } from '../options.ts'
import { colors, print, printJson } from '../output.ts'
import { withProgress } from '../progress.ts'

export function addReplayCommand(program: Command): void {
  addActorCommand(
    program,
    'replay',
    'replay a journal from its first entry; exit 1 at the first difference',
    replay,
  )
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

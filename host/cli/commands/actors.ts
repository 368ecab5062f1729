/**
 * `loom actors`: the actors that have a journal.
 */
import type { Command } from 'commander'
import { checkTypeName, formatActorKey } from '../../base/names.ts'
import { withInspector } from '../data-folder.ts'
import {
  addExample,
  type DataOptions,
  dataOption,
  type JsonOptions,
  jsonOption,
} from '../options.ts'
import { colors, note, print, printJson } from '../output.ts'

interface ActorsOptions extends DataOptions, JsonOptions {
  readonly type?: string
}

export function addActorsCommand(program: Command): void {
  const command = program
    .command('actors')
    .description('list actors')
    .option('--type <name>', 'only actors of this type')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(listActors)
  addExample(command, 'loom actors --type Counter')
}

async function listActors(options: ActorsOptions): Promise<void> {
  const { type } = options
  if (type !== undefined) checkTypeName(type)
  await withInspector(options.data, async (inspector) => {
    let count = 0
    for await (const actor of inspector.actors(type)) {
      count++
      if (options.json === true) printJson(actor)
      else
        print(
          `${formatActorKey(actor)}  ${colors.dim(`${actor.seqNext} entries, created ${new Date(actor.createdAtMs).toISOString()}`)}`,
        )
    }
    if (count === 0 && options.json !== true) note('no actors')
  })
}

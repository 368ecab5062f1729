/**
 * `loom journal`: what happened to an actor.
 */
import type { Command } from 'commander'
import { parseActorKey } from '../../base/names.ts'
import type { JournalLine } from '../../runtime/api.ts'
import { withInspector } from '../data-folder.ts'
import {
  addExample,
  type DataOptions,
  dataOption,
  type JsonOptions,
  jsonOption,
} from '../options.ts'
import { colors, print, printJson, toJson } from '../output.ts'

const SEQ_WIDTH = 6

export function addJournalCommand(program: Command): void {
  const command = program
    .command('journal')
    .description("print an actor's journal")
    .argument('<actor>', 'TYPE/ID')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(printJournal)
  addExample(command, 'loom journal Counter/c1', 'loom journal Counter/c1 --json | head -3')
}

async function printJournal(actor: string, options: DataOptions & JsonOptions): Promise<void> {
  const key = parseActorKey(actor)
  await withInspector(options.data, async (inspector) => {
    for await (const line of inspector.journal(key)) {
      if (options.json === true) printJson({ seq: line.seq, ...line.entry })
      else print(formatLine(line))
    }
  })
}

function formatLine({ seq, entry }: JournalLine): string {
  const time = new Date(entry.atMs).toISOString()
  const start = `${colors.dim(`${String(seq).padStart(SEQ_WIDTH)}  ${time}`)}  `
  if (entry.kind === 'created')
    return `${start}created ${entry.type}/${entry.id} ${colors.dim(entry.digest)}`
  const args = entry.args.map((arg) => toJson(arg)).join(', ')
  const outcome =
    entry.outcome.kind === 'returned'
      ? `-> ${toJson(entry.outcome.value)}`
      : colors.red(`failed: ${entry.outcome.code}: ${entry.outcome.message}`)
  const extras = [
    ...entry.calls.map((call) => `${call.target} -> ${toJson(call.result)}`),
    ...(entry.idempotencyKey === null ? [] : [`key ${toJson(entry.idempotencyKey)}`]),
  ]
  const tail = extras.length === 0 ? '' : colors.dim(`  [${extras.join('; ')}]`)
  return `${start}${colors.bold(entry.method)}(${args}) ${outcome}${tail}`
}

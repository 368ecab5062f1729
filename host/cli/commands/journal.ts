/**
 * `loom journal`: what happened to an actor.
 */
import { rename, rm, writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { isLoomError, LoomError } from '../../base/errors.ts'
import { parseActorKey } from '../../base/names.ts'
import type {
  Effect,
  JournalEntry,
  JournalLine,
  RecordedCall,
  TurnHead,
  TurnOutcome,
} from '../../runtime/api.ts'
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
    .option('--export <file>', 'write the whole actor to a file instead, for `loom import`')
    .option('--with-component', "put the component's bytes into the file")
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(printJournal)
  addExample(
    command,
    'loom journal Counter/c1',
    'loom journal Counter/c1 --json | head -3',
    'loom journal Counter/c1 --export c1.loom --with-component',
  )
}

interface JournalOptions extends DataOptions, JsonOptions {
  readonly export?: string
  readonly withComponent?: true
}

async function printJournal(actor: string, options: JournalOptions): Promise<void> {
  const key = parseActorKey(actor)
  const { export: file, withComponent = false } = options
  if (file !== undefined) {
    await withInspector(options.data, (inspector) =>
      writePieces(file, inspector.export(key, { withComponent })),
    )
    if (options.json === true) printJson({ exported: file })
    else print(`exported ${actor} to ${file}`)
    return
  }
  await withInspector(options.data, async (inspector) => {
    for await (const line of inspector.journal(key)) {
      if (options.json === true) printJson({ seq: line.seq, ...line.entry })
      else print(formatLine(line))
    }
  })
}

/** The file appears whole or not at all. */
async function writePieces(file: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const partial = `${file}.partial`
  try {
    await writeFile(partial, pieces)
    await rename(partial, file)
  } catch (error) {
    await rm(partial, { force: true })
    if (isLoomError(error)) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new LoomError('ERR_OPTION', `cannot write the file: ${reason}`, { cause: error })
  }
}

function formatLine({ seq, entry }: JournalLine): string {
  const time = new Date(entry.atMs).toISOString()
  return `${colors.dim(`${String(seq).padStart(SEQ_WIDTH)}  ${time}`)}  ${formatEntry(entry)}`
}

function formatEntry(entry: JournalEntry): string {
  switch (entry.kind) {
    case 'created':
      return `created ${entry.type}/${entry.id} ${colors.dim(entry.digest)}${formatCalls(entry)}`
    case 'turn':
      return `${formatHead(entry)} ${formatOutcome(entry)}${formatCalls(entry)}${formatEffects(entry)}`
    case 'opened':
      return `${formatHead(entry)} waits${formatCalls(entry)}`
    case 'continued':
      return `... waits again${formatCalls(entry)}`
    case 'closed':
      return `... of ${entry.openedSeq} ${formatOutcome(entry)}${formatCalls(entry)}${formatEffects(entry)}`
    case 'deleted':
      return 'deleted'
  }
}

function formatHead({ method, args, idempotencyKey, caller }: TurnHead): string {
  const shown = args.map((arg) => toJson(arg)).join(', ')
  const by = caller === null ? '' : colors.dim(` by ${caller}`)
  const key = idempotencyKey === null ? '' : colors.dim(` key ${toJson(idempotencyKey)}`)
  return `${colors.bold(method)}(${shown})${by}${key}`
}

function formatOutcome({ outcome }: { readonly outcome: TurnOutcome }): string {
  return outcome.kind === 'returned'
    ? `-> ${toJson(outcome.value)}`
    : colors.red(`failed: ${outcome.code}: ${outcome.message}`)
}

function formatCalls({ calls }: { readonly calls: readonly RecordedCall[] }): string {
  if (calls.length === 0) return ''
  const shown = calls.map(({ target, result }) => `${target} -> ${toJson(result)}`)
  return colors.dim(`  [${shown.join('; ')}]`)
}

function formatEffects({ effects }: { readonly effects: readonly Effect[] }): string {
  if (effects.length === 0) return ''
  return colors.dim(`  {${effects.map(formatEffect).join('; ')}}`)
}

function formatEffect(effect: Effect): string {
  switch (effect.kind) {
    case 'set':
      return `set ${toJson(effect.key)} = ${toJson(effect.value)}`
    case 'delete':
      return `delete ${toJson(effect.key)}`
    case 'send': {
      const { target, method, args } = effect
      const shown = typeof args === 'string' ? args : toJson(args)
      return `send ${target.type}/${target.id} ${method}${shown}`
    }
    default:
      return `${effect.kind} ${toJson(effect.name)}`
  }
}

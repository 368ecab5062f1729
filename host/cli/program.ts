/**
 * The command line `loom`.
 *
 * Owns: the list of commands, and how any error becomes a message and an exit code.
 */
import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { LoomError, toLoomError } from '../base/errors.ts'
import { addActorsCommand } from './commands/actors.ts'
import { addBuildCommand } from './commands/build.ts'
import { addCallCommand } from './commands/call.ts'
import { addDeleteCommand } from './commands/delete.ts'
import { addDiffCommand } from './commands/diff.ts'
import { addGenCommand } from './commands/gen.ts'
import { addImportCommand } from './commands/import.ts'
import { addInspectCommand } from './commands/inspect.ts'
import { addJournalCommand } from './commands/journal.ts'
import { addNewCommand } from './commands/new.ts'
import { addPushCommand } from './commands/push.ts'
import { addQuarantineCommand } from './commands/quarantine.ts'
import { addRemindersCommand } from './commands/reminders.ts'
import { addReplayCommand } from './commands/replay.ts'
import { addServeCommand } from './commands/serve.ts'
import { addTypesCommand } from './commands/types.ts'
import { addWitCommand } from './commands/wit.ts'
import { addExample } from './options.ts'
import { printError } from './output.ts'

function version(): string {
  const manifest: unknown = createRequire(import.meta.url)('loom/package.json')
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown'
}

function createProgram(): Command {
  const program = new Command('loom')
    .description('Durable virtual actors that are WebAssembly components.')
    .version(version())
    .exitOverride()
    // Usage errors are printed as every other error is, in `runCli`.
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError(true)
  addNewCommand(program)
  addBuildCommand(program)
  addPushCommand(program)
  addTypesCommand(program)
  addWitCommand(program)
  addDiffCommand(program)
  addGenCommand(program)
  addServeCommand(program)
  addCallCommand(program)
  addActorsCommand(program)
  addInspectCommand(program)
  addJournalCommand(program)
  addReplayCommand(program)
  addRemindersCommand(program)
  addImportCommand(program)
  addDeleteCommand(program)
  addQuarantineCommand(program)
  return addExample(
    program,
    'loom build actors/counter',
    'loom push actors/counter/build/counter.wasm --type Counter',
    'loom call Counter/c1 increment 5',
  )
}

/** Runs one command line; resolves with the exit code. */
export async function runCli(args: readonly string[]): Promise<number> {
  const json = args.includes('--json')
  try {
    await createProgram().parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    if (!(error instanceof CommanderError)) return printError(toLoomError(error), json)
    if (error.exitCode === 0) return 0
    // `loom` alone has printed its help.
    if (error.code === 'commander.help') return 2
    const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ')
    return printError(new LoomError('ERR_OPTION', message), json)
  }
}

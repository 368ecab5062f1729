/**
 * `loom gen`: files made of WIT, for authors of guests.
 *
 * Does not own: generators. They are part of the guest SDKs, and run as a child process.
 */
import path from 'node:path'
import type { Command } from 'commander'
import { readComponent } from '../contract-file.ts'
import { addExample, type JsonOptions, jsonOption } from '../options.ts'
import { colors, print, printJson } from '../output.ts'
import { askSdk } from '../sdk-process.ts'

interface GenOptions extends JsonOptions {
  readonly out?: string
}

export function addGenCommand(program: Command): void {
  const command = program
    .command('gen')
    .description('make files of a WIT file: bindings, or the client of an actor')
    .argument(
      '<what>',
      'c, assemblyscript, javascript, typescript: bindings in that language; client: the WIT of a typed client',
    )
    .argument('<file>', 'a .wit file')
    .option('--out <dir>', 'where to write; default: beside the file')
    .addOption(jsonOption())
    .action(generate)
  addExample(command, 'loom gen client actors/bank/account.wit --out wit', 'loom gen c world.wit')
}

async function generate(what: string, file: string, options: GenOptions): Promise<void> {
  await readComponent(file)
  const { out = path.dirname(file) } = options
  const { files } = await askSdk<{ readonly files: readonly string[] }>('tool/wit-cli.js', [
    'gen',
    what,
    file,
    out,
  ])
  if (options.json === true) printJson({ files })
  else for (const written of files) print(`${colors.green('written')} ${written}`)
}

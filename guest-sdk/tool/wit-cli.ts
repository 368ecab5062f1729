/**
 * WIT files as a process, so that the host never loads a WIT parser:
 *
 *   node wit-cli.js component FILE           the contract as a component: { ok: true, component: base64 }
 *   node wit-cli.js gen LANGUAGE FILE OUT    files made of it, written to OUT: { ok: true, files: [path] }
 *
 * One JSON object on stdout; failures and exit codes as in command.ts.
 */
import path from 'node:path'
import { displayPath } from '../assemblyscript/actor-folder.ts'
import { writeAtomic } from '../assemblyscript/write-atomic.ts'
import { useBaselineCode } from './baseline-code.ts'
import { reportFailure, UsageError } from './command.ts'
import { contractComponent } from './component.ts'
import { generate, OtherGenerator } from './generate.ts'
import { readWitFile } from './wit-source.ts'

async function writeGenerated(language: string, file: string, out: string): Promise<string[]> {
  const written: string[] = []
  for (const [name, text] of await generate(language, file)) {
    const target = path.join(out, name)
    await writeAtomic(target, text)
    written.push(displayPath(target))
  }
  return written
}

async function run([command, ...args]: readonly string[]): Promise<object> {
  if (command === 'component' && args[0] !== undefined) {
    const component = await contractComponent(readWitFile(args[0]))
    return { component: Buffer.from(component).toString('base64') }
  }
  const [language, file, out] = args
  if (command === 'gen' && language !== undefined && file !== undefined && out !== undefined)
    return { files: await writeGenerated(language, file, out) }
  throw new UsageError('usage: component FILE | gen LANGUAGE FILE OUT')
}

useBaselineCode()
try {
  console.log(JSON.stringify({ ok: true, ...(await run(process.argv.slice(2))) }))
} catch (error) {
  const shown = error instanceof OtherGenerator ? new UsageError(error.message) : error
  process.exitCode = reportFailure(shown, true)
}

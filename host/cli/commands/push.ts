/**
 * `loom push`: a component into the blob store, named as an actor type.
 */
import path from 'node:path'
import type { Command } from 'commander'
import { checkTypeName } from '../../base/names.ts'
import { namingFile, readComponent } from '../contract-file.ts'
import {
  addExample,
  type DataOptions,
  dataOption,
  type JsonOptions,
  jsonOption,
  loadProvided,
  type ProvideOptions,
  provideOption,
} from '../options.ts'
import { colors, print, printJson } from '../output.ts'
import { withProgress } from '../progress.ts'

interface PushOptions extends DataOptions, JsonOptions, ProvideOptions {
  readonly type: string
}

export function addPushCommand(program: Command): void {
  const command = program
    .command('push')
    .description('store a component and name it as an actor type')
    .argument('<file>', 'the component')
    .requiredOption('--type <name>', 'name of the actor type')
    .addOption(provideOption())
    .addOption(dataOption())
    .addOption(jsonOption())
    .action(push)
  addExample(command, 'loom push actors/counter/build/counter.wasm --type Counter')
}

async function push(file: string, options: PushOptions): Promise<void> {
  const json = options.json === true
  checkTypeName(options.type)
  const bytes = await readComponent(file)
  const provided = await loadProvided(options.provide)
  const { digest, methods } = await withProgress(`pushing ${file}`, json, async () => {
    const [{ openDataFolder }, { publishComponent }] = await Promise.all([
      import('../../runtime/data-folder.ts'),
      import('../../runtime/publish.ts'),
    ])
    const { blobs } = openDataFolder(options.data)
    const fileName = path.basename(file)
    return await publishComponent({
      blobs,
      bytes,
      fileName,
      typeName: options.type,
      provided,
    }).catch((error) => {
      throw namingFile(file, error)
    })
  })
  if (json) {
    printJson({ name: options.type, digest, sizeBytes: bytes.length, methods })
    return
  }
  print(`${colors.green('pushed')} ${options.type} ${digest} (${bytes.length} bytes)`)
}

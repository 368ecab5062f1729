/**
 * `loom push`: a component into the blob store, named as an actor type.
 */
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Command } from 'commander'
import { isLoomError, LoomError } from '../../base/errors.ts'
import { COMPONENT_SIZE_MAX_BYTES } from '../../base/limits.ts'
import { checkTypeName } from '../../base/names.ts'
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

/** The engine knows bytes only; people know files. */
function namingFile(file: string, error: unknown): unknown {
  if (!isLoomError(error) || !error.code.startsWith('ERR_COMPONENT_')) return error
  return new LoomError(error.code, `${file}: ${error.message}`, { cause: error, data: error.data })
}

/** @throws ERR_OPTION, ERR_COMPONENT_FORMAT */
async function readComponent(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file)
    if (size > COMPONENT_SIZE_MAX_BYTES)
      throw new LoomError(
        'ERR_COMPONENT_FORMAT',
        `${file}: ${size} bytes, more than the ${COMPONENT_SIZE_MAX_BYTES} of the largest component`,
      )
    return await readFile(file)
  } catch (error) {
    if (isLoomError(error)) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new LoomError('ERR_OPTION', `cannot read ${file}: ${reason}`, { cause: error })
  }
}

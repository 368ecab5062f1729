/**
 * `loom types`: the actor types in the data folder with their methods, or TypeScript declarations for callers.
 */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Command } from 'commander'
import { LoomError } from '../../base/errors.ts'
import { namingFile, readContractFile } from '../contract-file.ts'
import { withInspector } from '../data-folder.ts'
import {
  addExample,
  type DataOptions,
  dataOption,
  type JsonOptions,
  jsonOption,
} from '../options.ts'
import { colors, note, print, printJson } from '../output.ts'

interface TypesOptions extends DataOptions, JsonOptions {
  readonly out?: string
}

export function addTypesCommand(program: Command): void {
  const command = program
    .command('types')
    .description('write TypeScript declarations for callers; without a file, list actor types')
    .argument('[file]', 'a component, a .wit file, or the name of an actor type in the data folder')
    .option('--out <file>', 'where to write the declarations; default: stdout')
    .addOption(dataOption())
    .addOption(jsonOption())
    .action((file: string | undefined, options: TypesOptions) =>
      file === undefined ? listTypes(options) : declareTypes(file, options),
    )
  addExample(command, 'loom types', 'loom types actors/bank/build/bank.wasm --out bank.d.ts')
}

async function declareTypes(file: string, options: TypesOptions): Promise<void> {
  const declarations = await declarationsOf(file, options)
  const { out } = options
  if (options.json === true) printJson({ declarations })
  else if (out === undefined) print(declarations.trimEnd())
  if (out === undefined) return
  try {
    await writeFile(out, declarations)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new LoomError('ERR_OPTION', `cannot write ${out}: ${reason}`, { cause: error })
  }
  note(`written ${out}`)
}

async function declarationsOf(file: string, { data }: DataOptions): Promise<string> {
  const { componentDeclarations } = await import('../../runtime/contracts.ts')
  const isFile = /[./\\]/.test(file)
  const component = isFile ? await readContractFile(file) : await pushedComponent(file, data)
  try {
    return componentDeclarations(component, path.basename(file))
  } catch (error) {
    throw namingFile(file, error)
  }
}

/** The component that a type's name points to. @throws ERR_TYPE_UNKNOWN */
function pushedComponent(name: string, data: string): Promise<Uint8Array> {
  return withInspector(data, async (inspector) => {
    const found = (await inspector.actorTypes()).find((type) => type.name === name)
    if (found?.digest !== undefined && found.digest !== null)
      return inspector.blobs.get(found.digest)
    throw new LoomError('ERR_TYPE_UNKNOWN', `no component is pushed as the actor type ${name}`)
  })
}

async function listTypes(options: DataOptions & JsonOptions): Promise<void> {
  const types = await withInspector(options.data, (inspector) => inspector.actorTypes())
  if (options.json === true) {
    for (const type of types) printJson(type)
    return
  }
  if (types.length === 0) note('no actor types; `loom push` adds one')
  for (const { name, digest, methods } of types) {
    print(`${colors.bold(name)} ${colors.dim(digest ?? 'typescript')}`)
    for (const { name: method, signature } of methods)
      print(`  ${method}${signature === null ? '' : `: ${signature}`}`)
  }
}

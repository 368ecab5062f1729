/**
 * Files that hold a contract: a component, or WIT text.
 */
import { readFile, stat } from 'node:fs/promises'
import { isLoomError, LoomError } from '../base/errors.ts'
import { COMPONENT_SIZE_MAX_BYTES } from '../base/limits.ts'
import { askSdk } from './sdk-process.ts'

/** @throws ERR_OPTION, ERR_COMPONENT_FORMAT */
export async function readComponent(file: string): Promise<Uint8Array> {
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

/** The engine knows bytes only; people know files. */
export function namingFile(file: string, error: unknown): unknown {
  if (!isLoomError(error) || !error.code.startsWith('ERR_COMPONENT_')) return error
  return new LoomError(error.code, `${file}: ${error.message}`, { cause: error, data: error.data })
}

/**
 * A component with the contract of the file, which may be WIT text (`.wit`): then its code does nothing.
 * @throws ERR_OPTION, ERR_BUILD, ERR_TOOLCHAIN, ERR_COMPONENT_FORMAT
 */
export async function readContractFile(file: string): Promise<Uint8Array> {
  const bytes = await readComponent(file)
  if (!file.endsWith('.wit')) return bytes
  const { component } = await askSdk<{ readonly component: string }>('tool/wit-cli.js', [
    'component',
    file,
  ])
  return Buffer.from(component, 'base64')
}

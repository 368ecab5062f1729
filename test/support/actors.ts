// The committed components (scripts/build-fixtures.ts builds them), and pushing them.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { loom, PACKAGE_ROOT } from './processes.ts'

const components = path.join(PACKAGE_ROOT, 'test/fixtures/components')
export const COUNTER = path.join(components, 'counter.wasm')
export const QUOTER = path.join(components, 'quoter.wasm')
/** Fails in every way that a host must survive. */
export const FAULTY = path.join(components, 'faulty.wasm')

export async function push(data: string, file: string, type: string): Promise<void> {
  const { code, stderr } = await loom(['push', file, '--type', type, '--data', data])
  if (code !== 0) throw new Error(`loom push ${type}: ${stderr}`)
}

export async function pushCounter(data: string): Promise<void> {
  await push(data, COUNTER, 'Counter')
}

export async function counterBytes(): Promise<Uint8Array> {
  return await readFile(COUNTER)
}

// Components for end-to-end tests, built from source once per run of the tests (build.ts).
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { loom, PACKAGE_ROOT } from './processes.ts'

export const TEST_ACTORS = path.join(PACKAGE_ROOT, 'dist/test-actors')
export const COUNTER = path.join(TEST_ACTORS, 'counter.wasm')
export const QUOTER = path.join(TEST_ACTORS, 'quoter.wasm')
/** Traps when asked to: test/fixtures/actors/trapper. */
export const TRAPPER = path.join(TEST_ACTORS, 'trapper.wasm')

/** Pushes the counter into a data folder; fails the test if that fails. */
export async function pushCounter(data: string): Promise<void> {
  await push(data, COUNTER, 'Counter')
}

export async function push(data: string, file: string, type: string): Promise<void> {
  const { code, stderr } = await loom(['push', file, '--type', type, '--data', data])
  if (code !== 0) throw new Error(`loom push ${type}: ${stderr}`)
}

export async function counterBytes(): Promise<Uint8Array> {
  return await readFile(COUNTER)
}

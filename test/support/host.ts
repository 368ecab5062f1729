// Opens runtimes for tests: a memory store unless given another, blobs in a temporary folder.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import {
  createRuntime,
  fsBlobs,
  memory,
  type Runtime,
  type RuntimeOptions,
} from '../../host/index.ts'
import { Ledger } from './ledger-actor.ts'

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'loom-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export async function macrotasks(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** A host that was crashed, or waits for a promise of the test, never finishes closing. */
const CLOSE_MACROTASKS = 500

/** A runtime with the Ledger type; closed after the test. */
export async function openHost(options: Partial<RuntimeOptions> = {}): Promise<Runtime> {
  const runtime = await createRuntime({
    store: memory(),
    blobs: fsBlobs(temporaryFolder()),
    ...options,
  })
  onTestFinished(() =>
    Promise.race([runtime.close().catch(() => {}), macrotasks(CLOSE_MACROTASKS)]),
  )
  await runtime.registerActorType('Ledger', { type: 'typescript', actorClass: Ledger })
  return runtime
}

/** What `promise` rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    const value = await promise
    throw new Error(`expected a rejection, got ${String(value)}`)
  } catch (error) {
    return error as Error & { code?: string }
  }
}

/** True when `promise` has not settled after `turns` macrotasks. */
export async function isPending(promise: Promise<unknown>, turns = 5): Promise<boolean> {
  let settled = false
  const note = (): void => {
    settled = true
  }
  promise.then(note, note)
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
  return !settled
}

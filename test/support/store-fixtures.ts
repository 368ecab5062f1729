/**
 * Small things that every test of a store needs.
 */
import { accessSync, constants, mkdtempSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'vitest'
import { type ErrorCode, isLoomError } from '../../host/base/errors.ts'
import type { ActorRecord, Commit, StoreOpenOptions } from '../../host/store/store.ts'

const SHARED_MEMORY = '/dev/shm'

/**
 * A new folder for tests whose subject is not the disk: in memory where the platform offers that,
 * because a shared disk takes up to 10 ms for each sync.
 */
export function scratchFolder(name: string): string {
  try {
    accessSync(SHARED_MEMORY, constants.W_OK)
    return mkdtempSync(path.join(SHARED_MEMORY, `loom-${name}-`))
  } catch {
    return mkdtempSync(path.join(os.tmpdir(), `loom-${name}-`))
  }
}

export const options: StoreOpenOptions = { wallMs: () => 1_700_000_000_000 }

export function recordOf(id: string, type = 'Counter'): ActorRecord {
  return { type, id, incarnation: `life-of-${id}`, digest: 'sha256:00', createdAtMs: 1 }
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

export function texts(rows: readonly { bytes: Uint8Array }[]): string[] {
  return rows.map((row) => new TextDecoder().decode(row.bytes))
}

/** The commit that appends `values` at `seq`; creates the actor at seq 0. */
export function commitOf(id: string, seq: number, ...values: string[]): Commit {
  const entries = values.map(text)
  return seq === 0 ? { seq, entries, create: recordOf(id) } : { seq, entries }
}

export async function rejects(promise: Promise<unknown>, code: ErrorCode): Promise<Error> {
  try {
    await promise
  } catch (error) {
    expect(isLoomError(error) ? error.code : error).toBe(code)
    return error as Error
  }
  throw new Error(`expected ${code}, but it resolved`)
}

/**
 * The data folder as commands use it: read it, or run actors on it.
 *
 * Invariant D1: whatever a command opened is closed when its task ends, also when it fails.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { isLoomError } from '../base/errors.ts'
import type { Inspector, LogLine, Runtime } from '../runtime/api.ts'
import { createRuntime } from '../runtime/create-runtime.ts'
import { openDataFolder } from '../runtime/data-folder.ts'
import { openInspector } from '../runtime/inspector.ts'
import type { ProvidedByName } from './options.ts'

export interface OpenRuntimeOptions {
  readonly data: string
  readonly provided: ProvidedByName
  readonly takeOver?: boolean
  readonly log?: (line: LogLine) => void
}

/** Reads the folder beside whatever host may own it. */
export async function withInspector<T>(
  data: string,
  task: (inspector: Inspector) => Promise<T>,
): Promise<T> {
  const { store, blobs } = openDataFolder(data)
  const inspector = await openInspector({ store, blobs })
  try {
    return await task(inspector)
  } finally {
    await inspector.close()
  }
}

/** Claims the folder. The caller closes the runtime. */
export async function openRuntime(options: OpenRuntimeOptions): Promise<Runtime> {
  const { store, blobs } = openDataFolder(options.data)
  const runtime = await createRuntime({
    store,
    blobs,
    takeOver: options.takeOver ?? false,
    ...(options.log === undefined ? {} : { log: options.log }),
  })
  try {
    for (const [name, functions] of Object.entries(options.provided))
      runtime.provide(name, functions)
  } catch (error) {
    await runtime.close()
    throw error
  }
  return runtime
}

/** A host that is starting or ending owns the folder without an address; it is given this long. */
const OWNED_RETRY_MS = 5_000
const OWNED_POLL_MS = 50

/** Runs `attempt` again while the folder's owner may be about to take calls or to leave. */
export async function retryWhileOwned<T>(attempt: () => Promise<T>): Promise<T> {
  const deadlineMs = performance.now() + OWNED_RETRY_MS
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const owned = isLoomError(error) && error.code === 'ERR_DATA_OWNED'
      if (!owned || performance.now() > deadlineMs) throw error
      await delay(OWNED_POLL_MS)
    }
  }
}

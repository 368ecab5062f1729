/**
 * The data folder as commands use it: read it, or run actors on it.
 *
 * The engine is imported when it is needed: it takes longer to load than most commands run.
 *
 * Invariant D1: whatever a command opened is closed when its task ends, also when it fails.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { isLoomError } from '../base/errors.ts'
import type { Inspector, JournalPolicy, LogLine, Runtime, RuntimeLimits } from '../runtime/api.ts'
import type { FetchByType, ProvidedByName } from './options.ts'

export interface OpenRuntimeOptions {
  readonly data: string
  readonly provided: ProvidedByName
  readonly fetch?: FetchByType
  readonly takeOver?: boolean
  readonly log?: (line: LogLine) => void
  readonly limits?: Partial<RuntimeLimits>
  readonly journal?: JournalPolicy
  /** Run open turns of all actors. Default true. */
  readonly resume?: boolean
}

/** Reads the folder beside whatever host may own it. */
export async function withInspector<T>(
  data: string,
  task: (inspector: Inspector) => Promise<T>,
): Promise<T> {
  const inspector = await openForReading(data)
  try {
    return await task(inspector)
  } finally {
    await inspector.close()
  }
}

async function openForReading(data: string): Promise<Inspector> {
  const [{ openInspector }, { openDataFolder, hasStore }, { memory }] = await Promise.all([
    import('../runtime/inspector.ts'),
    import('../runtime/data-folder.ts'),
    import('../runtime/drivers.ts'),
  ])
  const { store, blobs } = openDataFolder(data)
  // Types were pushed, but no host has run yet: there are no actors, and that is no error.
  const isNew = !hasStore(data) && (await blobs.names()).length > 0
  return await openInspector({ store: isNew ? memory() : store, blobs })
}

/** Claims the folder. The caller closes the runtime. */
export async function openRuntime(options: OpenRuntimeOptions): Promise<Runtime> {
  const [{ createRuntime }, { openDataFolder }] = await Promise.all([
    import('../runtime/create-runtime.ts'),
    import('../runtime/data-folder.ts'),
  ])
  const { store, blobs } = openDataFolder(options.data)
  const runtime = await createRuntime({
    store,
    blobs,
    takeOver: options.takeOver ?? false,
    resume: options.resume ?? true,
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    ...(options.log === undefined ? {} : { log: options.log }),
    ...(options.journal === undefined ? {} : { journal: options.journal }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
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

/**
 * Acting on a data folder: through its live host when there is one, else as its host for as long as it takes.
 */
import { existsSync } from 'node:fs'
import type { Runtime } from '../runtime/api.ts'
import {
  type OpenRuntimeOptions,
  openRuntime,
  retryWhileOwned,
  withInspector,
} from './data-folder.ts'
import { findLiveHost, type LiveHost } from './live-host.ts'

export interface ActingOptions extends OpenRuntimeOptions {
  /** Make the folder when there is none. Default false. */
  readonly create?: boolean
}

export function actOnFolder<T>(
  options: ActingOptions,
  throughHost: (host: LiveHost) => Promise<T>,
  asHost: (runtime: Runtime) => Promise<T>,
): Promise<T> {
  return retryWhileOwned(async () => {
    const host = await liveHost(options)
    if (host !== null) return await throughHost(host)
    const runtime = await openRuntime({ ...options, resume: false })
    try {
      return await asHost(runtime)
    } finally {
      await runtime.close()
    }
  })
}

async function liveHost({ data, create = false }: ActingOptions): Promise<LiveHost | null> {
  if (create && !existsSync(data)) return null
  return await withInspector(data, async (inspector) => findLiveHost(await inspector.host()))
}

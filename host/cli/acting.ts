/**
 * Acting on a data folder: through its live host when there is one, else as its host for as long as it takes.
 */
import type { Runtime } from '../runtime/api.ts'
import {
  type OpenRuntimeOptions,
  openRuntime,
  retryWhileOwned,
  withInspector,
} from './data-folder.ts'
import { findLiveHost, type LiveHost } from './live-host.ts'

export function actOnFolder<T>(
  options: OpenRuntimeOptions,
  throughHost: (host: LiveHost) => Promise<T>,
  asHost: (runtime: Runtime) => Promise<T>,
): Promise<T> {
  return retryWhileOwned(async () => {
    const host = await withInspector(options.data, async (inspector) =>
      findLiveHost(await inspector.host()),
    )
    if (host !== null) return await throughHost(host)
    const runtime = await openRuntime(options)
    try {
      return await asHost(runtime)
    } finally {
      await runtime.close()
    }
  })
}

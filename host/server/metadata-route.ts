/**
 * The route of what this host is, as Dapr has it: clients ask there until the host is ready (docs/http-api.md).
 *
 * Owns: its body. Does not own: whether the host takes calls (server.ts).
 */
import { createRequire } from 'node:module'
import type { FastifyInstance } from 'fastify'
import type { Runtime } from '../runtime/api.ts'
import { JSON_TYPE } from './json.ts'

export function addMetadataRoute(app: FastifyInstance, runtime: Runtime): void {
  const { version: runtimeVersion }: { version: string } = createRequire(import.meta.url)(
    'loom/package.json',
  )
  app.get('/v1.0/metadata', async (_request, reply) => {
    const activeActors = runtime.residentCounts()
    const actorRuntime = {
      runtimeStatus: 'RUNNING',
      activeActors,
      hostReady: true,
      placement: 'placement: connected',
    }
    const body = { id: 'loom', runtimeVersion, actors: activeActors, actorRuntime }
    return reply.type(JSON_TYPE).send(JSON.stringify(body))
  })
}

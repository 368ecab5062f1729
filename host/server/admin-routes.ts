/**
 * The HTTP routes that change actors otherwise than by calling them (docs/http-api.md).
 *
 * Owns: deletion, deactivation, import, quarantine. Does not own: calls and looking (routes.ts).
 */
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { IMPORT_SIZE_MAX_BYTES } from '../base/limits.ts'
import type { Runtime } from '../runtime/api.ts'
import { JSON_TYPE, jsonArray } from './json.ts'
import { parseActorPath, refuseWebPages } from './request.ts'

type PathParams = Readonly<Record<string, string>>

export function addAdminRoutes(app: FastifyInstance, runtime: Runtime): void {
  addLifeRoutes(app, runtime)
  addQuarantineRoutes(app, runtime)
}

function addLifeRoutes(app: FastifyInstance, runtime: Runtime): void {
  app.delete<{ Params: PathParams }>('/v1.0/actors/:type/:id', async (request, reply) => {
    refuseWebPages(request.headers)
    const { type, id } = parseActorPath(request.params)
    await runtime.deleteActor(id, type)
    return reply.type(JSON_TYPE).send(JSON.stringify({ deleted: true }))
  })

  const limits = { bodyLimit: IMPORT_SIZE_MAX_BYTES }
  app.put<{ Params: PathParams }>(
    '/v1.0/actors/:type/:id/journal',
    limits,
    async (request, reply) => {
      refuseWebPages(request.headers)
      const key = parseActorPath(request.params)
      const file = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const imported = await runtime.importActor(file, key)
      return reply.type(JSON_TYPE).send(JSON.stringify({ imported }))
    },
  )

  app.post<{ Params: PathParams }>('/v1.0/actors/:type/:id/deactivate', async (request, reply) => {
    refuseWebPages(request.headers)
    const { type, id } = parseActorPath(request.params)
    const deactivated = await runtime.deactivate(id, type)
    return reply.type(JSON_TYPE).send(JSON.stringify({ deactivated }))
  })
}

function addQuarantineRoutes(app: FastifyInstance, runtime: Runtime): void {
  app.get('/v1.0/quarantine', async (_request, reply) => {
    const rows = runtime.quarantined()[Symbol.asyncIterator]()
    const first = await rows.next()
    return reply.type(JSON_TYPE).send(Readable.from(jsonArray(first, rows)))
  })

  app.delete<{ Params: PathParams }>('/v1.0/quarantine/:type/:id', async (request, reply) => {
    refuseWebPages(request.headers)
    const { type, id } = parseActorPath(request.params)
    const released = await runtime.release(id, type)
    return reply.type(JSON_TYPE).send(JSON.stringify({ released }))
  })
}

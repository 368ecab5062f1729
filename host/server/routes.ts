/**
 * The HTTP routes (docs/http-api.md).
 *
 * Owns: which path does what. Does not own: listening and closing (server.ts), error bodies.
 */
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { LoomError } from '../base/errors.ts'
import { checkTypeName } from '../base/names.ts'
import type { Runtime } from '../runtime/api.ts'
import { addAdminRoutes } from './admin-routes.ts'
import { JSON_TYPE, jsonArray } from './json.ts'
import { addMetadataRoute } from './metadata-route.ts'
import {
  type PathParams,
  parseActorPath,
  parseArguments,
  parseIdempotencyKey,
  parseTimeout,
  refuseWebPages,
} from './request.ts'
import { addTickRoutes } from './tick-routes.ts'

/** Why the host takes no calls, or null while it does. */
export type HealthProbe = () => LoomError | null

export function addRoutes(app: FastifyInstance, runtime: Runtime, probe: HealthProbe): void {
  addMethodRoute(app, runtime)
  addQueryRoute(app, runtime)
  addReadingRoutes(app, runtime)
  addAdminRoutes(app, runtime)
  addTickRoutes(app, runtime)
  addMetadataRoute(app, runtime)
  addHealthRoute(app, runtime, probe)
  app.setNotFoundHandler((request) => {
    const path = request.url.split('?', 1)[0]
    throw new LoomError('ERR_ROUTE_UNKNOWN', `no route ${request.method} ${JSON.stringify(path)}`)
  })
}

function addMethodRoute(app: FastifyInstance, runtime: Runtime): void {
  app.route<{ Params: PathParams }>({
    method: ['POST', 'PUT'],
    url: '/v1.0/actors/:type/:id/method/:method',
    handler: async (request, reply) => {
      refuseWebPages(request.headers)
      const key = parseActorPath(request.params)
      const idempotencyKey = parseIdempotencyKey(request.raw.headersDistinct['idempotency-key'])
      const timeoutMs = parseTimeout(request.headers['loom-timeout'])
      const args = parseArguments(request.body)
      const result = await runtime.executeJson(key.id, key.type, {
        method: request.params.method ?? '',
        args,
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      })
      return reply.type(JSON_TYPE).send(JSON.stringify(result ?? null))
    },
  })
}

/** A query: nothing is run that could change anything, so that a GET is safe. */
function addQueryRoute(app: FastifyInstance, runtime: Runtime): void {
  app.get<{ Params: PathParams; Querystring: { args?: unknown } }>(
    '/v1.0/actors/:type/:id/method/:method',
    async (request, reply) => {
      refuseWebPages(request.headers)
      const key = parseActorPath(request.params)
      const { args } = request.query
      const given = parseArguments(args === undefined ? undefined : Buffer.from(String(args)))
      const asked = { method: request.params.method ?? '', args: given, query: true } as const
      const result = await runtime.executeJson(key.id, key.type, asked)
      return reply.type(JSON_TYPE).send(JSON.stringify(result ?? null))
    },
  )
}

function addReadingRoutes(app: FastifyInstance, runtime: Runtime): void {
  app.get<{ Params: PathParams }>('/v1.0/actors/:type/:id', async (request, reply) => {
    const { type, id } = parseActorPath(request.params)
    const description = await runtime.describeActor(id, type)
    return reply.type(JSON_TYPE).send(JSON.stringify(description))
  })

  app.get<{ Querystring: { type?: unknown } }>('/v1.0/actors', async (request, reply) => {
    const { type } = request.query
    if (type !== undefined) checkTypeName(type)
    const actors = runtime.actors(type)[Symbol.asyncIterator]()
    // The first actor is read before the response starts, so that an error can still be told.
    const first = await actors.next()
    return reply.type(JSON_TYPE).send(Readable.from(jsonArray(first, actors)))
  })
}

function addHealthRoute(app: FastifyInstance, runtime: Runtime, probe: HealthProbe): void {
  app.get('/healthz', async (_request, reply) => {
    const reason = probe()
    // A process that finds this host's address on the store checks epoch and pid before it trusts it.
    const identity = { epoch: runtime.epoch, pid: process.pid }
    if (reason === null)
      return reply.type(JSON_TYPE).send(JSON.stringify({ status: 'ok', ...identity }))
    return reply
      .status(503)
      .type(JSON_TYPE)
      .send(JSON.stringify({ errorCode: reason.code, message: reason.message, ...identity }))
  })
  // As Dapr has it, for the probes and clients that ask there.
  for (const path of ['/v1.0/healthz', '/v1.0/healthz/outbound'])
    app.get(path, async (_request, reply) => reply.status(204).send())
}

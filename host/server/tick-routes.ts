/**
 * Routes of reminders and timers, as Dapr has them (docs/http-api.md).
 *
 * Owns: their paths and bodies. Does not own: what a schedule means (actor/ticks/schedule.ts).
 */
import type { FastifyInstance } from 'fastify'
import { LoomError } from '../base/errors.ts'
import type { Runtime, TickOptions } from '../runtime/api.ts'
import { JSON_TYPE } from './json.ts'
import {
  type PathParams,
  parseActorPath,
  parseIdempotencyKey,
  parseObject,
  refuseWebPages,
} from './request.ts'

const SETTING = ['POST', 'PUT'] as const

export function addTickRoutes(app: FastifyInstance, runtime: Runtime): void {
  addSettingRoutes(app, runtime)
  addListingRoutes(app, runtime)
}

function addSettingRoutes(app: FastifyInstance, runtime: Runtime): void {
  for (const kind of ['reminders', 'timers'] as const) {
    app.route<{ Params: PathParams }>({
      method: [...SETTING],
      url: `/v1.0/actors/:type/:id/${kind}/:name`,
      handler: async (request, reply) => {
        refuseWebPages(request.headers)
        const { type, id } = parseActorPath(request.params)
        const idempotencyKey = parseIdempotencyKey(request.raw.headersDistinct['idempotency-key'])
        const body = parseObject(request.body)
        const options = {
          ...tickOptions(body),
          ...(body.overwrite === false && { overwrite: false }),
          ...(idempotencyKey !== undefined && { idempotencyKey }),
        }
        const actor = await runtime.getActor(id, type)
        await actor[kind].set(request.params.name ?? '', options)
        return reply.status(204).send()
      },
    })
    app.delete<{ Params: PathParams }>(
      `/v1.0/actors/:type/:id/${kind}/:name`,
      async (request, reply) => {
        refuseWebPages(request.headers)
        const { type, id } = parseActorPath(request.params)
        const actor = await runtime.getActor(id, type)
        await actor[kind].cancel(request.params.name ?? '')
        return reply.status(204).send()
      },
    )
  }
}

const KINDS = {
  reminders: { one: 'reminder', missing: 'ERR_ACTOR_REMINDER_NOT_FOUND' },
  timers: { one: 'timer', missing: 'ERR_ACTOR_TIMER_NOT_FOUND' },
} as const

function addListingRoutes(app: FastifyInstance, runtime: Runtime): void {
  for (const kind of ['reminders', 'timers'] as const) {
    const listed = async (params: PathParams) => {
      const { type, id } = parseActorPath(params)
      const actor = await runtime.getActor(id, type)
      return { type, id, all: await actor[kind].list() }
    }

    app.get<{ Params: PathParams }>(`/v1.0/actors/:type/:id/${kind}`, async (request, reply) => {
      const { all } = await listed(request.params)
      return reply.type(JSON_TYPE).send(JSON.stringify(all.map(jsonReminder)))
    })

    app.get<{ Params: PathParams }>(
      `/v1.0/actors/:type/:id/${kind}/:name`,
      async (request, reply) => {
        const { type, id, all } = await listed(request.params)
        const { name } = request.params
        const found = all.find((tick) => tick.name === name)
        const { one, missing } = KINDS[kind]
        if (found === undefined)
          throw new LoomError(missing, `${type}/${id} has no ${one} ${JSON.stringify(name)}`)
        const { data, due, period, ttl } = jsonReminder(found)
        const times = {
          dueTime: due || undefined,
          period: period || undefined,
          ttl: ttl || undefined,
        }
        const shown = { actorID: id, actorType: type, data, ...times }
        return reply.type(JSON_TYPE).send(JSON.stringify(shown))
      },
    )
  }
}

/** Components are given bytes: those of JSON text, when they were set over HTTP. */
function jsonReminder<T extends { readonly data?: unknown }>(reminder: T): T {
  const { data } = reminder
  if (!(data instanceof Uint8Array)) return reminder
  if (data.length === 0) return { ...reminder, data: undefined }
  const text = Buffer.from(data).toString()
  try {
    return { ...reminder, data: JSON.parse(text) }
  } catch {
    return { ...reminder, data: Buffer.from(data).toString('base64') }
  }
}

const MISSED = ['once', 'skip', 'all']

/** @throws ERR_OPTION when a field is no text. */
function tickOptions(body: Readonly<Record<string, unknown>>): TickOptions {
  const { dueTime, period, ttl, missed, data } = body
  for (const [name, value] of Object.entries({ dueTime, period, ttl }))
    if (value !== undefined && value !== null && typeof value !== 'string')
      throw new LoomError('ERR_OPTION', `${name}: expected a text, got a ${typeof value}`)
  if (missed !== undefined && !MISSED.includes(String(missed)))
    throw new LoomError('ERR_OPTION', `missed: expected one of ${MISSED.join(', ')}`)
  return {
    ...(typeof dueTime === 'string' && { due: dueTime }),
    ...(typeof period === 'string' && { period }),
    ...(typeof ttl === 'string' && { ttl }),
    ...(missed !== undefined && { missed: missed as 'once' | 'skip' | 'all' }),
    ...(data !== undefined && { data }),
  }
}

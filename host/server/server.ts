/**
 * The HTTP server in front of a runtime.
 *
 * Owns: the listening socket, from `startServer` to `close`.
 * Does not own: the runtime: whoever made it closes it, after the server.
 *
 * Invariants:
 *   V1. Every request is answered: with a result, or with an error body (error-response.ts).
 *   V2. `close` stops listening, answers what had arrived, and only then resolves; a request that does not
 *       end within the grace time is cut off.
 *   V3. Once the runtime is lost, no further call reaches it, and /healthz says why.
 */
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { ERRORS, LoomError } from '../base/errors.ts'
import { ACTOR_ID_SIZE_MAX_BYTES, BODY_SIZE_MAX_BYTES } from '../base/limits.ts'
import type { LogLine, Runtime } from '../runtime/api.ts'
import { DEFAULT_HOST, DEFAULT_PORT } from './defaults.ts'
import { drain } from './drain.ts'
import { asLoomError, malformedRequestBytes, toErrorResponse } from './error-response.ts'
import { JSON_TYPE } from './json.ts'
import { addRoutes } from './routes.ts'

export interface ServerOptions {
  readonly runtime: Runtime
  /** Default `127.0.0.1`: there is no authentication (docs/http-api.md). */
  readonly host?: string
  /** 0 takes a free port. Default 3500. */
  readonly port?: number
  /** Receives errors that are Loom's own fault. Default: dropped. */
  readonly log?: (line: LogLine) => void
  /** How long `close` waits for running requests. Units: milliseconds. Default 10,000. */
  readonly closeGraceMs?: number
}

export interface HttpServer {
  /** `http://127.0.0.1:3500`; for a wildcard host, an address that this machine reaches it by. */
  readonly address: string
  /** Stops listening, answers running requests, and resolves when every connection is closed (V2). */
  close(): Promise<void>
}

const CLOSE_GRACE_MS = 10_000
/** Time for one request to arrive whole. A body of 4 MiB takes 34 s at 1 Mbit/s. */
const REQUEST_TIMEOUT_MS = 60_000
/** Percent-encoding makes three characters of a byte; the router counts the decoded ones or fewer. */
const PATH_SEGMENT_LENGTH_MAX = ACTOR_ID_SIZE_MAX_BYTES * 3

/**
 * Starts to take calls.
 * @throws ERR_OPTION when the address cannot be listened on.
 */
export async function startServer(options: ServerOptions): Promise<HttpServer> {
  const { runtime, host = DEFAULT_HOST, port = DEFAULT_PORT } = options
  const health: { reason: LoomError | null } = { reason: null }
  void runtime.lost.then((error) => {
    health.reason ??= error
  })
  const app = createApp(options.log ?? (() => {}))
  addGate(app, () => health.reason)
  addRoutes(app, runtime, () => health.reason)
  try {
    await app.listen({ host, port })
  } catch (error) {
    throw listenError(error, host, port)
  }
  let closed: Promise<void> | undefined
  return {
    address: addressOf(app, host),
    close() {
      health.reason ??= new LoomError('ERR_CLOSING', 'the host is shutting down')
      closed ??= closeApp(app, options.closeGraceMs ?? CLOSE_GRACE_MS)
      return closed
    },
  }
}

function createApp(log: (line: LogLine) => void): FastifyInstance {
  const app = Fastify({
    bodyLimit: BODY_SIZE_MAX_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: PATH_SEGMENT_LENGTH_MAX },
    // The gate answers while closing, in Loom's error format.
    return503OnClosing: false,
    frameworkErrors: (error, _request, reply: FastifyReply) => {
      sendError(reply, asLoomError(error))
    },
    clientErrorHandler: (error, socket) => {
      if (error.code === 'ECONNRESET' || socket.destroyed) return
      if (socket.writable) socket.write(malformedRequestBytes(error))
      socket.destroySoon()
    },
  })
  // Bodies are read as bytes whatever their Content-Type says: `curl -d` sends a form's.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.setErrorHandler(async (error, request, reply) => {
    const loomError = asLoomError(error)
    if (loomError.code === 'ERR_BODY_SIZE') await drain(request.raw)
    if (ERRORS[loomError.code].kind === 'bug')
      log({ level: 'error', message: `internal error: ${detailOf(loomError)}` })
    return sendError(reply, loomError)
  })
  return app
}

function sendError(reply: FastifyReply, error: LoomError): FastifyReply {
  const { status, headers, body } = toErrorResponse(error)
  return reply.status(status).headers(headers).type(JSON_TYPE).send(JSON.stringify(body))
}

/** For the log only (H2). */
function detailOf(error: LoomError): string {
  const source = error.cause instanceof Error ? error.cause : error
  return source.stack ?? source.message
}

/** Refuses calls once the host is lost or closing (V3), and lets no connection outlive it. */
function addGate(app: FastifyInstance, reason: () => LoomError | null): void {
  app.addHook('onRequest', async (request) => {
    const error = reason()
    if (error !== null && request.routeOptions.url !== '/healthz') throw error
  })
  app.addHook('onSend', async (_request, reply) => {
    if (reason() !== null) reply.header('connection', 'close')
  })
}

async function closeApp(app: FastifyInstance, graceMs: number): Promise<void> {
  const cutOff = setTimeout(() => app.server.closeAllConnections(), graceMs)
  try {
    await app.close()
  } finally {
    clearTimeout(cutOff)
  }
}

function listenError(error: unknown, host: string, port: number): LoomError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  const reason = code === 'EADDRINUSE' ? 'the port is taken' : code
  return new LoomError('ERR_OPTION', `cannot listen on ${host}:${port}: ${reason}`, {
    cause: error,
    data: { host, port },
  })
}

function addressOf(app: FastifyInstance, host: string): string {
  const bound = app.server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

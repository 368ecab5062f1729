/**
 * What routes share.
 */
import type { FastifyRequest } from 'fastify'
import { LoomError } from '../base/errors.ts'

export type PathParams = Readonly<Record<string, string>>

/** JSON in, JSON out: strings that are sent are JSON already. */
export const JSON_TYPE = 'application/json; charset=utf-8'

/**
 * Browsers name the page that a script runs on; a page must not be able to call actors on the machine of whoever
 * looks at it. Programs send no Origin.
 */
export function refuseWebPages(request: FastifyRequest): void {
  if (request.headers.origin !== undefined)
    throw new LoomError('ERR_OPTION', 'calls from web pages (Origin header) are not served')
}

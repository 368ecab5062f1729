/**
 * Reading on after a refusal.
 *
 * A client that still sends its body while the connection is closed behind the answer gets a reset
 * connection instead of the answer. So the rest of a refused body is read and dropped first, within bounds.
 */
import type { IncomingMessage } from 'node:http'
import { BODY_SIZE_MAX_BYTES } from '../base/limits.ts'

/** Bodies far beyond the limit are cut off, answer or not. */
const DRAIN_SIZE_MAX_BYTES = 4 * BODY_SIZE_MAX_BYTES
const DRAIN_TIMEOUT_MS = 5_000

/** Resolves when the request has been read, or was not worth reading to its end. */
export function drain(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    let sizeBytes = 0
    const count = (chunk: Buffer): void => {
      sizeBytes += chunk.length
      if (sizeBytes > DRAIN_SIZE_MAX_BYTES) finish()
    }
    const finish = (): void => {
      clearTimeout(timer)
      request.off('data', count)
      resolve()
    }
    const timer = setTimeout(finish, DRAIN_TIMEOUT_MS)
    for (const event of ['end', 'close', 'error'] as const) request.once(event, finish)
    request.on('data', count)
    request.resume()
  })
}

/**
 * Digests: SHA-256 as the identity of bytes, written `sha256:<64 hex digits>`.
 */
import { createHash } from 'node:crypto'
import { LoomError } from './errors.ts'

export type Digest = `sha256:${string}`

const PATTERN = /^sha256:[0-9a-f]{64}$/

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

export function isDigest(value: unknown): value is Digest {
  return typeof value === 'string' && PATTERN.test(value)
}

/** @throws ERR_NAME */
export function checkDigest(value: unknown): asserts value is Digest {
  if (!isDigest(value))
    throw new LoomError(
      'ERR_NAME',
      `digest ${JSON.stringify(value)}: expected "sha256:" and 64 hex digits`,
    )
}

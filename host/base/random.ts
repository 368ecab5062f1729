/**
 * Random: the only door through which randomness enters the host.
 */
import { randomFillSync } from 'node:crypto'

export interface Random {
  /** Units: `length` bytes, unpredictable for systemRandom. */
  bytes(length: number): Uint8Array
  /** A uniform 64-bit unsigned integer. */
  u64(): bigint
  /** A random id of 128 bits, as 32 hex digits. */
  id(): string
}

function fromBytes(bytes: (length: number) => Uint8Array): Random {
  return {
    bytes,
    u64() {
      const eight = bytes(8)
      return new DataView(eight.buffer, eight.byteOffset, 8).getBigUint64(0, true)
    },
    id: () => Buffer.from(bytes(ID_SIZE_BYTES)).toString('hex'),
  }
}

/** Asked for at once: each question costs as much as a turn. Units: bytes. */
const POOL_SIZE_BYTES = 4_096
/** More than this is asked for by itself. Units: bytes. */
const POOLED_SIZE_MAX_BYTES = 64

const ID_SIZE_BYTES = 16

const pool = Buffer.alloc(POOL_SIZE_BYTES)
let poolUsed = POOL_SIZE_BYTES

/** Where in the pool the next `length` bytes lie. */
function takePooled(length: number): number {
  if (poolUsed + length > POOL_SIZE_BYTES) {
    randomFillSync(pool)
    poolUsed = 0
  }
  const start = poolUsed
  poolUsed += length
  return start
}

/** What was given out is wiped from the pool: nobody reads it there, and no error could give it out again. */
function systemBytes(length: number): Uint8Array {
  if (length > POOLED_SIZE_MAX_BYTES) return randomFillSync(new Uint8Array(length))
  const start = takePooled(length)
  const bytes = Uint8Array.prototype.slice.call(pool, start, poolUsed)
  pool.fill(0, start, poolUsed)
  return bytes
}

/** As of `systemBytes`, which would copy them twice. */
function systemId(): string {
  const start = takePooled(ID_SIZE_BYTES)
  const id = pool.toString('hex', start, poolUsed)
  pool.fill(0, start, poolUsed)
  return id
}

export const systemRandom: Random = { ...fromBytes(systemBytes), id: systemId }

/** A repeatable generator for tests (xorshift32). The seed is any non-zero 32-bit integer. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0 || 1
  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state
  }
  return fromBytes((length) => Uint8Array.from({ length }, () => next() >>> 24))
}

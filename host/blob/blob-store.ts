/**
 * The BlobStore contract: immutable bytes by digest, and names that point to digests.
 *
 * Invariants:
 *   B1. `get` returns bytes whose SHA-256 is the digest asked for, or throws ERR_BLOB_CORRUPT.
 *   B2. A blob or name appears whole or not at all, also when the process dies while writing.
 *   B3. After `put` or `setName` resolves, the write survives process kill and power loss.
 */
import type { Digest } from '../base/digest.ts'

export interface NamedBlob {
  readonly name: string
  readonly digest: Digest
}

export interface BlobStore {
  /** Stores `bytes` and returns their digest. Storing the same bytes twice is harmless. */
  put(bytes: Uint8Array): Promise<Digest>
  /**
   * @throws ERR_BLOB_UNKNOWN  no such blob.
   * @throws ERR_BLOB_CORRUPT  the stored bytes do not match (B1).
   */
  get(digest: Digest): Promise<Uint8Array>
  has(digest: Digest): Promise<boolean>
  /**
   * Gives a blob up; there need not be one. No name may point to it. After it resolves, a crash does not bring the blob
   * back.
   */
  remove(digest: Digest): Promise<void>
  /**
   * Points `name` (such as `counter.wasm` or `types/Counter`) to a stored blob, replacing what it pointed to.
   * @throws ERR_NAME          segments must be file-safe: no "..", no leading dot, no control characters.
   * @throws ERR_BLOB_UNKNOWN  `digest` is not stored.
   */
  setName(name: string, digest: Digest): Promise<void>
  /** The digest behind a name, or `name` itself when it is a digest. @throws ERR_BLOB_UNKNOWN */
  resolve(name: string): Promise<Digest>
  /** All names that start with `prefix`, sorted. */
  names(prefix?: string): Promise<readonly NamedBlob[]>
}

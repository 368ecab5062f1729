// A blob store in memory, for simulations: what it takes is the same number of microtasks in every run.
import { createHash } from 'node:crypto'
import { type BlobStore, type Digest, LoomError } from '../../host/index.ts'

export class MemoryBlobs implements BlobStore {
  readonly #blobs = new Map<Digest, Uint8Array>()
  readonly #names = new Map<string, Digest>()

  digests(): readonly Digest[] {
    return [...this.#blobs.keys()]
  }

  async put(bytes: Uint8Array): Promise<Digest> {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}` as const
    this.#blobs.set(digest, bytes.slice())
    return digest
  }

  async get(digest: Digest): Promise<Uint8Array> {
    const bytes = this.#blobs.get(digest)
    if (bytes === undefined) throw new LoomError('ERR_BLOB_UNKNOWN', digest)
    return bytes.slice()
  }

  async has(digest: Digest): Promise<boolean> {
    return this.#blobs.has(digest)
  }

  async remove(digest: Digest): Promise<void> {
    this.#blobs.delete(digest)
  }

  async setName(name: string, digest: Digest): Promise<void> {
    this.#names.set(name, digest)
  }

  async resolve(name: string): Promise<Digest> {
    const digest = this.#names.get(name)
    if (digest === undefined) throw new LoomError('ERR_BLOB_UNKNOWN', name)
    return digest
  }

  async names(): ReturnType<BlobStore['names']> {
    return [...this.#names].map(([name, digest]) => ({ name, digest }))
  }
}

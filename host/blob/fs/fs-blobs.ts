/**
 * The file-system driver of the BlobStore contract.
 *
 *     <folder>/
 *       sha256/ab/cdef...   the bytes whose digest is sha256:abcdef... (2 and 62 hex digits)
 *       names/types%2FX     the digest that the name "types/X" points to, and a newline
 *
 * Owns: that layout. Does not own: atomic files (files.ts), what a name may be (names.ts).
 *
 * Invariants:
 *   FB1. Reading creates nothing, not even the folder.
 *   FB2. A name is written after its blob is durable, so a name never points to nothing.
 */
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { checkDigest, type Digest, digestOf, isDigest } from '../../base/digest.ts'
import { invariant, LoomError } from '../../base/errors.ts'
import type { BlobStore, NamedBlob } from '../blob-store.ts'
import { exists, isMissing, readWhole, removeFile, syncFolders, writeWhole } from './files.ts'
import { checkBlobName, fileNameOf, nameOf } from './names.ts'

const PREFIX_LENGTH = 'sha256:'.length

class FsBlobs implements BlobStore {
  readonly #root: string

  constructor(folder: string) {
    this.#root = path.resolve(folder)
  }

  async put(bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(bytes)
    const file = this.#blobFile(digest)
    const stored = await readWhole(file)
    // A damaged file is written anew; a good one may come from a put whose folder sync is not done (B3).
    if (stored !== null && digestOf(stored) === digest)
      await syncFolders(this.#root, path.dirname(file))
    else await writeWhole(this.#root, file, bytes)
    return digest
  }

  async get(digest: Digest): Promise<Uint8Array> {
    checkDigest(digest)
    const file = this.#blobFile(digest)
    const bytes = await readWhole(file)
    if (bytes === null)
      throw new LoomError('ERR_BLOB_UNKNOWN', `no blob ${digest} in ${this.#root}`)
    const got = digestOf(bytes)
    if (got !== digest)
      throw new LoomError('ERR_BLOB_CORRUPT', `${file} should hold ${digest}, it holds ${got}`, {
        data: { digest, got, path: file },
      })
    return bytes
  }

  async has(digest: Digest): Promise<boolean> {
    checkDigest(digest)
    return exists(this.#blobFile(digest))
  }

  async remove(digest: Digest): Promise<void> {
    checkDigest(digest)
    await removeFile(this.#blobFile(digest))
  }

  async setName(name: string, digest: Digest): Promise<void> {
    checkBlobName(name)
    if (isDigest(name))
      throw new LoomError('ERR_NAME', `blob name ${name}: a digest cannot name something else`)
    if (!(await this.has(digest)))
      throw new LoomError('ERR_BLOB_UNKNOWN', `no blob ${digest} in ${this.#root}`)
    await writeWhole(this.#root, this.#nameFile(name), Buffer.from(`${digest}\n`))
  }

  async resolve(name: string): Promise<Digest> {
    if (isDigest(name)) return name
    checkBlobName(name)
    const digest = await this.#readName(name)
    if (digest === null)
      throw new LoomError('ERR_BLOB_UNKNOWN', `no blob is named "${name}" in ${this.#root}`)
    return digest
  }

  async names(prefix = ''): Promise<readonly NamedBlob[]> {
    const found: NamedBlob[] = []
    for (const name of await this.#nameList()) {
      const digest = name.startsWith(prefix) ? await this.#readName(name) : null
      if (digest !== null) found.push({ name, digest })
    }
    return found
  }

  async #nameList(): Promise<string[]> {
    try {
      const files = await readdir(path.join(this.#root, 'names'))
      return files
        .map(nameOf)
        .filter((name) => name !== null)
        .sort()
    } catch (error) {
      if (isMissing(error)) return []
      throw error
    }
  }

  async #readName(name: string): Promise<Digest | null> {
    const file = this.#nameFile(name)
    const text = (await readWhole(file))?.toString('utf8').trimEnd()
    if (text === undefined) return null
    if (!isDigest(text))
      throw new LoomError('ERR_BLOB_CORRUPT', `${file} should hold a digest`, {
        data: { name, path: file },
      })
    return text
  }

  #blobFile(digest: Digest): string {
    invariant(isDigest(digest), 'a digest is checked before it becomes a path')
    const hex = digest.slice(PREFIX_LENGTH)
    return path.join(this.#root, 'sha256', hex.slice(0, 2), hex.slice(2))
  }

  #nameFile(name: string): string {
    return path.join(this.#root, 'names', fileNameOf(name))
  }
}

/**
 * Blobs and names as files in `folder`, which is created by the first write.
 *
 * Durability: B3 holds where the file system honours fsync. Several processes may use one folder.
 */
export function fsBlobs(folder: string): BlobStore {
  return new FsBlobs(folder)
}

// A blob store whose writes the test holds or fails, and whose files it counts and damages.
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type BlobStore, type Digest, fsBlobs } from '../../host/index.ts'

export interface HeldBlobs extends BlobStore {
  /** Writes wait until the returned function is called. */
  hold(): () => void
  failNextPut(message: string): void
  digests(): Digest[]
  damage(digest: Digest): void
  lose(digest: Digest): void
}

export function heldBlobs(folder: string): HeldBlobs {
  const inner = fsBlobs(folder)
  let gate: Promise<void> | null = null
  let failure: string | null = null
  const root = path.join(folder, 'sha256')
  const fileOf = (digest: Digest): string => path.join(root, digest.slice(7, 9), digest.slice(9))
  return {
    put: async (bytes) => {
      if (failure !== null) {
        const message = failure
        failure = null
        throw new Error(message)
      }
      await gate
      return inner.put(bytes)
    },
    get: (digest) => inner.get(digest),
    has: (digest) => inner.has(digest),
    remove: (digest) => inner.remove(digest),
    setName: (name, digest) => inner.setName(name, digest),
    resolve: (name) => inner.resolve(name),
    names: (prefix) => inner.names(prefix),
    hold() {
      let release = (): void => {}
      gate = new Promise((resolve) => {
        release = () => {
          gate = null
          resolve()
        }
      })
      return release
    },
    failNextPut(message) {
      failure = message
    },
    digests: () =>
      (existsSync(root) ? readdirSync(root, { recursive: true, withFileTypes: true }) : [])
        .filter((file) => file.isFile())
        .map((file): Digest => `sha256:${path.basename(file.parentPath)}${file.name}`)
        .sort(),
    damage: (digest) => writeFileSync(fileOf(digest), 'rotten'),
    lose: (digest) => rmSync(fileOf(digest)),
  }
}

/**
 * Data folders: where a host on one machine keeps everything.
 *
 *   <folder>/store/   the LMDB environment: journals, snapshots, the record of the owning host
 *   <folder>/blobs/   components by digest, and the names of actor types
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import type { BlobStore } from '../blob/blob-store.ts'
import { fsBlobs } from '../blob/fs/fs-blobs.ts'
import { lmdb } from '../store/lmdb/lmdb.ts'
import type { StoreDriver } from '../store/store.ts'

export interface DataFolder {
  readonly store: StoreDriver
  readonly blobs: BlobStore
}

const STORE = 'store'

/** False while no host has run on the folder; then there is nothing to read but blobs. */
export function hasStore(folder: string): boolean {
  return existsSync(path.join(folder, STORE))
}

/** Names the parts of a data folder; nothing is opened or created until they are used. */
export function openDataFolder(folder: string): DataFolder {
  return {
    store: lmdb(path.join(folder, STORE)),
    blobs: fsBlobs(path.join(folder, 'blobs')),
  }
}

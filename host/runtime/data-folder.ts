/**
 * Data folders: where a host on one machine keeps everything.
 *
 *   <folder>/store/   the LMDB environment: journals, snapshots, the record of the owning host
 *   <folder>/blobs/   components by digest, and the names of actor types
 */
import path from 'node:path'
import type { BlobStore } from '../blob/blob-store.ts'
import { fsBlobs } from '../blob/fs/fs-blobs.ts'
import { lmdb } from '../store/lmdb/lmdb.ts'
import type { StoreDriver } from '../store/store.ts'

export interface DataFolder {
  readonly store: StoreDriver
  readonly blobs: BlobStore
}

/** Names the parts of a data folder; nothing is opened or created until they are used. */
export function openDataFolder(folder: string): DataFolder {
  return {
    store: lmdb(path.join(folder, 'store')),
    blobs: fsBlobs(path.join(folder, 'blobs')),
  }
}

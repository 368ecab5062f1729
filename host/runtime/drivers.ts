/** The drivers that users choose from. */
export { fsBlobs } from '../blob/fs/fs-blobs.ts'
export { lmdb } from '../store/lmdb/lmdb.ts'
export { memory } from '../store/memory/memory.ts'

export { type LmdbOptions, lmdb } from './lmdb.ts'

export { fsBlobs } from './fs-blobs.ts'

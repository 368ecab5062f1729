/**
 * The data file, looked at before LMDB maps it: reading a mapped page behind the file's end would end the
 * process with SIGBUS.
 *
 *     a meta page (two of them, at 0 and at one page)
 *      24  u32 magic 0xbeefc0de    48  u32 page size    144  u64 last page    152  u64 transaction
 *
 * Owns: comparing the file's size with what its newest meta page names. Does not own: anything else in it.
 *
 * Invariant DF1: a file that is opened is as long as its newest state says, or its missing end is zeros,
 * which checksums and LMDB itself refuse. A few pages may lack without harm: pages that a transaction
 * took and gave back are never written.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs'
import path from 'node:path'
import { LoomError } from '../../base/errors.ts'

export const DATA_FILE = 'data.mdb'

const MAGIC = 0xbeefc0de
const META_SIZE_BYTES = 160
const PAGE_SIZE_MIN = 512
const PAGE_SIZE_MAX = 65_536
/** More pages than this are never taken and given back by one transaction of ours. */
const MISSING_PAGES_MAX = 64

/** Call it while nobody writes. @throws ERR_DATA_FOLDER  the file was cut off. */
export function checkDataFile(folder: string): void {
  const file = path.join(folder, DATA_FILE)
  const handle = openForRepair(file)
  if (handle === null) return
  try {
    const needed = neededSize(handle.fd)
    const { size } = fstatSync(handle.fd)
    if (needed === null || size >= needed.bytes) return
    if (size < needed.bytes - MISSING_PAGES_MAX * needed.pageSize || !handle.canWrite)
      throw new LoomError(
        'ERR_DATA_FOLDER',
        `${file} was cut off: it has ${size} bytes, its newest state takes ${needed.bytes}`,
        { data: { path: folder } },
      )
    ftruncateSync(handle.fd, needed.bytes)
  } finally {
    closeSync(handle.fd)
  }
}

/** Null when there is no file yet, or LMDB will say why it cannot be opened. */
function openForRepair(file: string): { fd: number; canWrite: boolean } | null {
  for (const flags of ['r+', 'r'])
    try {
      return { fd: openSync(file, flags), canWrite: flags === 'r+' }
    } catch {
      // For reading only, next; then not at all.
    }
  return null
}

/** Null when the file is no environment, which LMDB tells better. */
function neededSize(fd: number): { bytes: number; pageSize: number } | null {
  const first = readMeta(fd, 0)
  if (first === null) return null
  const second = readMeta(fd, first.pageSize)
  const newest = second !== null && second.transaction > first.transaction ? second : first
  return { bytes: (newest.lastPage + 1) * first.pageSize, pageSize: first.pageSize }
}

interface Meta {
  readonly pageSize: number
  readonly lastPage: number
  readonly transaction: bigint
}

function readMeta(fd: number, at: number): Meta | null {
  const bytes = Buffer.alloc(META_SIZE_BYTES)
  if (readSync(fd, bytes, 0, META_SIZE_BYTES, at) < META_SIZE_BYTES) return null
  if (bytes.readUInt32LE(24) !== MAGIC) return null
  const pageSize = bytes.readUInt32LE(48)
  if (pageSize < PAGE_SIZE_MIN || pageSize > PAGE_SIZE_MAX) return null
  const lastPage = Number(bytes.readBigUInt64LE(144))
  return { pageSize, lastPage, transaction: bytes.readBigUInt64LE(152) }
}

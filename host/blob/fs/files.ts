/**
 * Files that appear whole or not at all.
 *
 * Owns: the order of write, sync, rename and sync of the folder that B2 and B3 rest on.
 * Does not own: what is in the files, and where they are.
 *
 * Invariants:
 *   F1. A file is complete and synced under a temporary name before it gets its own name.
 *   F2. Temporary names start with ".tmp-": readers pass over them, so a crash leaves only lost space.
 *   F3. The name that a file is about to get follows, so that removing it finds what a crash left of it.
 */
import { access, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { invariant, LoomError } from '../../base/errors.ts'
import { systemRandom } from '../../base/random.ts'

const TEMPORARY_PREFIX = '.tmp-'
/** Digests are shorter, names may be longer. */
const NAME_SIZE_MAX_BYTES = 100

/** How names of what is not yet `file` begin (F3); null for a long name, which has no room for more. */
function temporaryPrefix(file: string): string | null {
  const name = path.basename(file)
  return name.length <= NAME_SIZE_MAX_BYTES ? `${TEMPORARY_PREFIX}${name}-` : null
}

/** The bytes of a file, or null when there is none. @throws ERR_STORE */
export async function readWhole(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file)
  } catch (error) {
    if (isMissing(error)) return null
    throw storeError(error)
  }
}

/**
 * There need not be one; what dead processes have begun to write in its place goes too (F3). Once it resolves, a crash
 * does not bring it back. @throws ERR_STORE
 */
export async function removeFile(file: string): Promise<void> {
  const folder = path.dirname(file)
  const begun = temporaryPrefix(file)
  try {
    for (const name of await readdir(folder))
      if (name === path.basename(file) || (begun !== null && name.startsWith(begun)))
        await rm(path.join(folder, name), { force: true })
    await syncFolder(folder)
  } catch (error) {
    if (!isMissing(error)) throw storeError(error)
  }
}

/** @throws ERR_STORE */
export async function exists(file: string): Promise<boolean> {
  try {
    await access(file)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw storeError(error)
  }
}

/**
 * Puts `bytes` at `file` and makes it durable, replacing what was there.
 * `root` is the folder from which on the path is Loom's own: folders between are synced too.
 * @throws ERR_STORE
 */
export async function writeWhole(root: string, file: string, bytes: Uint8Array): Promise<void> {
  const folder = path.dirname(file)
  const temporary = path.join(
    folder,
    `${temporaryPrefix(file) ?? TEMPORARY_PREFIX}${systemRandom.id()}`,
  )
  invariant(folder.startsWith(root), 'files are written below their root only')
  try {
    await makeFolder(root, folder)
    await writeSynced(temporary, bytes)
    await rename(temporary, file)
    await syncFolders(root, folder)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw storeError(error)
  }
}

/** Makes a file durable that another call may just have renamed. @throws ERR_STORE */
export async function syncFolders(root: string, folder: string): Promise<void> {
  invariant(folder.startsWith(root), 'folders are synced below their root only')
  for (let at = folder; ; at = path.dirname(at)) {
    await syncFolder(at)
    if (at === root) return
  }
}

async function makeFolder(root: string, folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true })
  // The root itself is new: its entry in its parent must last as well.
  if (first !== undefined && root.startsWith(first)) await syncFolders(path.dirname(first), root)
}

async function writeSynced(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx', 0o644)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot sync a folder; its renames are journaled by the file system.
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export function isMissing(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === 'ENOENT' || error.code === 'ENOTDIR'
}

function storeError(error: unknown): LoomError {
  const message = error instanceof Error ? error.message : String(error)
  return new LoomError('ERR_STORE', `blob store: ${message}`, { cause: error })
}
